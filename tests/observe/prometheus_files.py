"""What the files of monitoring/ say: queries of dashboards and rules, and the metric names that they use."""

import json
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("PARLEY_BIN", ROOT / "build" / "bin"))
MONITORING = ROOT / "monitoring"
PROMETHEUS = MONITORING / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
DASHBOARDS = sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))

# Prometheus makes these itself.
MADE_BY_PROMETHEUS = {"up", "ALERTS"}

METRIC_NAME = re.compile(r"\b(?:parley|gen_ai|process|mcp_client)_[a-z0-9_]+|\b(?:up|ALERTS)\b(?=[ {)\[]|$)")


def rules():
    """(kind, name, expression, the rule's own lines) of every rule, without a YAML library: the files keep one form."""
    found = []
    for file in RULES:
        for block in re.split(r"\n(?=      - (?:alert|record): )", file.read_text())[1:]:
            kind, name = re.match(r"      - (alert|record): (\S+)", block).groups()
            expression = re.search(r"\n        expr: (?:>-\n((?:          .*\n?)+)|(.*))", block)
            found.append((kind, name, " ".join((expression[1] or expression[2]).split()), block))
    return found


def dashboard_queries():
    """(dashboard, panel, expression) of every query of a panel."""
    found = []
    for file in DASHBOARDS:
        dashboard = json.loads(file.read_text())
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                found.append((file.stem, panel["title"], target["expr"]))
    return found


def variables():
    """(dashboard, variable, metric, label) of every variable that Prometheus answers."""
    found = []
    for file in DASHBOARDS:
        for variable in json.loads(file.read_text())["templating"]["list"]:
            if variable["type"] != "query":
                continue
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
            found.append((file.stem, variable["name"], metric, label))
    return found


def annotations():
    """(dashboard, expression) of every annotation."""
    return [(file.stem, annotation["expr"]) for file in DASHBOARDS
            for annotation in json.loads(file.read_text())["annotations"]["list"]]


def without_strings(expression):
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)


def metrics_in(expression):
    """The exported names that an expression reads; names of recording rules have a colon and are none."""
    text = re.sub(r"\b[a-z_]+:[a-z0-9_:]+", "", without_strings(expression))
    text = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right) *\([^)]*\)", "", text)
    text = re.sub(r"\{[^}]*\}", " ", text)
    return {re.sub(r"_(?:bucket|sum|count)$", "", name) if not name.endswith("_total") else name
            for name in METRIC_NAME.findall(text)}


def recorded_names_in(expression):
    return set(re.findall(r"\b[a-z_]+:[a-z0-9_:]+", without_strings(expression)))


def documented_metrics():
    """Name → type of every row of METRICS.md."""
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| (\w+) \|", (MONITORING / "METRICS.md").read_text(), re.M)
    return dict(rows)
