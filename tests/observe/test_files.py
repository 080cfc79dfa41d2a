#!/usr/bin/env python3
"""That names fit together across rules, dashboards, runbook, catalogue and the rules' own tests; nothing is started."""

import json
import re
import subprocess
import sys
import unittest

import prometheus_files as files

class Alerts(unittest.TestCase):
    def setUp(self):
        self.alerts = {name: block for kind, name, _, block in files.rules() if kind == "alert"}

    def test_link_to_a_section_of_the_runbook_and_have_no_section_too_many(self):
        sections = re.findall(r"^## (\w+)$", (files.MONITORING / "RUNBOOK.md").read_text(), re.M)
        self.assertEqual(sorted(sections), sorted(self.alerts))
        for name, block in self.alerts.items():
            self.assertIn(f"runbook: monitoring/RUNBOOK.md#{name.lower()}\n", block + "\n")

    def test_say_how_bad_it_is_and_what_it_is(self):
        for name, block in self.alerts.items():
            self.assertRegex(block, r"labels: \{severity: (critical|warning|info)\}", name)
            for annotation in ("summary: ", "description: "):
                self.assertIn(annotation, block, name)

    def test_have_a_unit_test_that_fires_and_one_that_does_not(self):
        text = (files.ROOT / "tests" / "promtool" / "alerts_test.yml").read_text()
        for name in self.alerts:
            self.assertTrue(f"alertname: {name}, exp_alerts: []" in text, f"{name} has no test in which it is silent")
            self.assertTrue(f"alertname: {name}\n" in text, f"{name} has no test in which it fires")


class Names(unittest.TestCase):
    def test_every_metric_of_a_rule_or_dashboard_is_in_the_catalogue(self):
        known = set(files.documented_metrics()) | files.MADE_BY_PROMETHEUS
        used = [(name, expression) for _, name, expression, _ in files.rules()]
        used += [(f"{dashboard}/{panel}", expression) for dashboard, panel, expression in files.dashboard_queries()]
        used += [(f"{dashboard}/${name}", metric) for dashboard, name, metric, _ in files.variables()]
        for where, expression in used:
            self.assertEqual(files.metrics_in(expression) - known, set(), where)

    def test_every_recorded_name_that_is_used_is_recorded(self):
        recorded = {name for kind, name, _, _ in files.rules() if kind == "record"}
        expressions = [expression for _, _, expression, _ in files.rules()]
        expressions += [expression for _, _, expression in files.dashboard_queries()]
        used = set().union(*map(files.recorded_names_in, expressions))
        self.assertEqual(used - recorded, set())

    def test_reading_an_expression_finds_its_metrics(self):
        self.assertEqual(files.metrics_in('sum by (process) (rate(parley_x_seconds_bucket{le="parley_no"}[5m])) + up'),
                         {"parley_x_seconds", "up"})


class Dashboards(unittest.TestCase):
    def setUp(self):
        self.dashboards = {file.stem: json.loads(file.read_text()) for file in files.DASHBOARDS}

    def test_are_the_four_that_the_documentation_names(self):
        self.assertEqual(sorted(self.dashboards), ["agent", "broker", "fleet", "spend"])

    def test_are_what_their_generator_makes(self):
        done = subprocess.run([sys.executable, files.MONITORING / "grafana" / "make_dashboards.py", "--check"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_ask_the_chosen_data_source_and_only_that(self):
        for name, dashboard in self.dashboards.items():
            self.assertIn("datasource", [v["name"] for v in dashboard["templating"]["list"]], name)
            for panel in dashboard["panels"]:
                for target in panel.get("targets", []):
                    self.assertEqual(target["datasource"], {"type": "prometheus", "uid": "${datasource}"}, panel["title"])

    def test_let_grafana_choose_the_window_of_every_rate_that_is_drawn(self):
        for dashboard, panel, expression in files.dashboard_queries():
            for window in re.findall(r"rate\([^()]*\[([^\]]+)\]", expression):
                self.assertEqual(window, "$__rate_interval", f"{dashboard}/{panel}")

    def test_have_links_to_each_other_that_lead_somewhere(self):
        uids = {dashboard["uid"] for dashboard in self.dashboards.values()}
        for name, dashboard in self.dashboards.items():
            linked = set(re.findall(r"/d/([\w-]+)", json.dumps(dashboard)))
            self.assertLessEqual(linked, uids, name)
            self.assertEqual({uid for uid in uids if uid != dashboard["uid"]} - linked, set(), name)

    def test_have_no_two_panels_in_one_place_and_a_unit_on_each(self):
        for name, dashboard in self.dashboards.items():
            taken = set()
            for panel in dashboard["panels"]:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(cells & taken, f"{name}/{panel['title']} covers another panel")
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells
                if panel["type"] != "row":
                    self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
                    self.assertTrue(panel["description"], panel["title"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
