"""How a panel, a row and a dashboard become the JSON that Grafana reads. What they show is in the file of each dashboard.

A panel is one line there: what it shows, in which unit, where it turns yellow and red, and one sentence for whoever looks."""

from dataclasses import dataclass

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
TITLES = {"fleet": "Parley: fleet", "broker": "Parley: broker", "agent": "Parley: one agent", "spend": "Parley: spend"}
UIDS = {name: f"parley-{name}" for name in TITLES}


@dataclass
class Panel:
    title: str
    unit: str
    queries: list  # (expression, legend)
    description: str
    kind: str = "timeseries"
    width: int = 8
    height: int = 7
    yellow: float | None = None
    red: float | None = None
    is_stacked: bool = False
    link: tuple | None = None  # (title, dashboard, query string)


@dataclass
class Row:
    title: str
    panels: list


def steps(panel):
    found = [{"color": "green", "value": None}]
    for color, value in (("yellow", panel.yellow), ("red", panel.red)):
        if value is not None:
            found.append({"color": color, "value": value})
    return {"mode": "absolute", "steps": found}


def links_of(panel):
    if panel.link is None:
        return []
    title, dashboard, query = panel.link
    return [{"title": title, "url": f"/d/{UIDS[dashboard]}?{query}&${{datasource:queryparam}}&${{__url_time_range}}",
             "targetBlank": False}]


def field_config(panel):
    defaults = {"unit": panel.unit, "thresholds": steps(panel), "mappings": [], "links": links_of(panel)}
    if panel.kind == "timeseries":
        has_threshold = panel.yellow is not None or panel.red is not None
        defaults["custom"] = {
            "drawStyle": "line", "lineWidth": 1, "fillOpacity": 25 if panel.is_stacked else 8, "showPoints": "never",
            "spanNulls": False, "stacking": {"mode": "normal" if panel.is_stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if has_threshold else "off"}}
        defaults["color"] = {"mode": "palette-classic"}
        defaults["min"] = 0
    else:
        defaults["color"] = {"mode": "thresholds"}
    return {"defaults": defaults, "overrides": []}


def options_of(panel):
    reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.kind == "timeseries":
        return {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                "tooltip": {"mode": "multi", "sort": "desc"}}
    if panel.kind == "stat":
        return {"reduceOptions": reduce, "colorMode": "background", "graphMode": "area", "textMode": "auto",
                "justifyMode": "auto", "orientation": "auto"}
    if panel.kind == "bargauge":
        return {"reduceOptions": reduce, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True}
    return {"showHeader": True, "cellHeight": "sm"}


def panel_json(panel, number, x, y):
    is_instant = panel.kind in ("bargauge", "table")
    targets = [{"refId": chr(ord("A") + i), "datasource": DATASOURCE, "expr": expression, "legendFormat": legend,
                "instant": is_instant, "range": not is_instant, "format": "table" if panel.kind == "table" else "time_series"}
               for i, (expression, legend) in enumerate(panel.queries)]
    found = {"id": number, "type": panel.kind, "title": panel.title, "description": panel.description,
             "datasource": DATASOURCE, "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
             "fieldConfig": field_config(panel), "options": options_of(panel), "targets": targets}
    if panel.kind == "table":
        found["transformations"] = [
            {"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True, "__name__": True, "job": True}}}]
    return found


def layout(rows):
    """Panels fill each row from left to right and wrap."""
    found, y = [], 0
    for row in rows:
        found.append({"id": len(found) + 1, "type": "row", "title": row.title, "collapsed": False, "panels": [],
                      "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        y, x, tallest = y + 1, 0, 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            found.append(panel_json(panel, len(found) + 1, x, y))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return found


DATASOURCE_VARIABLE = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
                       "refresh": 1, "hide": 0, "current": {}, "options": [], "multi": False, "includeAll": False}


def variable(name, label, metric, is_multi=True):
    found = {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "refresh": 2, "sort": 1, "hide": 0,
             "query": {"query": f"label_values({metric}, {name})", "refId": "values"},
             "definition": f"label_values({metric}, {name})", "current": {}, "options": [], "regex": "",
             "multi": is_multi, "includeAll": is_multi}
    if is_multi:
        found["allValue"] = ".*"
    return found


# Restarts are drawn into every graph: they explain most of what looks strange.
RESTARTS = {"name": "Restarts", "datasource": DATASOURCE, "enable": True, "iconColor": "orange", "titleFormat": "Restart",
            "textFormat": "{{process}}",
            "expr": "sum by (process) (increase(parley_supervisor_restarts_total[$__rate_interval])) > 0"}


def dashboard(name, description, variables, rows):
    others = [{"type": "link", "title": TITLES[other], "url": f"/d/{UIDS[other]}", "icon": "dashboard", "tooltip": "",
               "asDropdown": False, "includeVars": True, "keepTime": True, "targetBlank": False, "tags": []}
              for other in TITLES if other != name]
    return {"id": None, "uid": UIDS[name], "title": TITLES[name], "description": description, "tags": ["parley"],
            "schemaVersion": 39, "version": 1, "editable": True, "graphTooltip": 1, "timezone": "",
            "time": {"from": "now-1h", "to": "now"}, "refresh": "10s", "fiscalYearStartMonth": 0, "liveNow": False,
            "templating": {"list": [DATASOURCE_VARIABLE, *variables]}, "annotations": {"list": [RESTARTS]},
            "links": others, "panels": layout(rows)}
