#!/usr/bin/env python3
"""A real Prometheus scrapes a help desk with a workshop under load while one of its agents is killed again and again: every query of every
dashboard and rule must parse and return data, and the alerts on restarts must fire. Only scrape and evaluation intervals
and `for:` are shortened."""

import os
import re
import shutil
import signal
import sys
import tempfile
import unittest
from pathlib import Path

import prometheus_files as files
import workshop

sys.path.insert(0, str(files.MONITORING))
import observe  # noqa: E402  (it lies beside what it observes)

SKIPPED = 77
VICTIM = "hr"
# More than the alert's 3 in 5 minutes, and not more than the supervisor's 5.
KILLS = 5
AGENT_TYPES = {"router", "hr", "finance", "user_proxy", "workshop", "maker", "latecomer", "toolbox"}


def in_seconds(text):
    """Prometheus's configuration with everything that takes time taking a few seconds: as short as a busy machine allows."""
    text = re.sub(r"(scrape_interval|scrape_timeout|evaluation_interval|refresh_interval): \S+", r"\1: 3s", text)
    return re.sub(r"(\n +for): \S+", r"\1: 1s", text)


def with_variables(expression):
    agent_type = next((each for family, each in workshop.AGENT_OF.items() if family in expression), VICTIM)
    for variable, value in (("$__rate_interval", "1m"), ("$agent_type", agent_type), ("$model", ".*")):
        expression = expression.replace(variable, value)
    return expression


def selectors_in(expression):
    """Every `metric{…}` of an expression, so that an alert which does not fire now can be looked at in its parts."""
    names = "|".join(sorted(files.metrics_in(expression) | files.recorded_names_in(expression), key=len, reverse=True))
    return re.findall(rf"(?<![\w:])((?:{names})(?:_bucket|_sum|_count)?(?:\{{[^}}]*\}})?)(?![\w:])", expression)


def pid_of(worker, endpoint):
    """The process that hosts a worker of the suite at this endpoint, which is no other test's."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if endpoint in arguments and worker in arguments and arguments[0].endswith("parley-agent"):
            return int(folder.name)
    return None


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="parley-l-", dir="/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.desk = observe.HelpDesk(files.PROGRAMS, cls.folder, workshop.WORKER)
        cls.addClassCleanup(cls.desk.stop)
        cls.prometheus = observe.Prometheus(cls.folder, in_seconds)
        cls.addClassCleanup(cls.prometheus.stop)
        cls.prometheus.write_targets(cls.desk.targets())
        observe.wait_until(lambda: cls.prometheus.healthy_targets() >= set(cls.desk.targets()), "target that is up")
        cls.desk.talk(sessions=3, pause_s=0.2)
        workshop.work(cls.desk)
        # A counter has to be seen before it rises.
        for counter in ("parley_supervisor_restarts_total", "parley_conversation_finished_total"):
            observe.wait_until(lambda name=counter: cls.prometheus.query(name), counter)
        for _ in range(KILLS):
            cls.kill_and_wait()
        cls.drive_the_rest()

    @classmethod
    def kill_and_wait(cls):
        old = observe.wait_until(lambda: pid_of(VICTIM, cls.desk.endpoint), "process to kill")
        port = cls.desk.targets()[VICTIM]
        os.kill(old, signal.SIGKILL)
        observe.wait_until(lambda: cls.desk.targets().get(VICTIM, port) != port, "restarted agent")
        cls.prometheus.write_targets(cls.desk.targets())
        observe.wait_until(lambda: cls.desk.run("request", "hr/probe", "hr", "--timeout", "10s").returncode == 0,
                           "answer of the restarted agent")

    @classmethod
    def drive_the_rest(cls):
        """What conversations do not do: an event, a one-way message, a request that fails; and the workshop's work again."""
        cls.desk.run("publish", "chat.replies/observe", "hello")
        cls.desk.run("send", "hr/probe", "hello")
        cls.desk.run("request", "nobody/probe", "hello", "--timeout", "2s")
        workshop.work(cls.desk)

    def assert_has_data(self, expression, where):
        # The query raises with Prometheus's own words when it does not parse. Data may be a scrape away.
        observe.wait_until(lambda: self.prometheus.query(expression), f"data for {where}: {expression}")

    def test_every_panel_has_data(self):
        for dashboard, panel, expression in files.dashboard_queries():
            with self.subTest(f"{dashboard}/{panel}"):
                self.assert_has_data(with_variables(expression), f"{dashboard}/{panel}")

    def test_every_variable_has_values(self):
        for dashboard, name, metric, label in files.variables():
            with self.subTest(f"{dashboard}/${name}"):
                self.assert_has_data(f'count by ({label}) ({metric}{{{label}!=""}})', f"{dashboard}/${name}")

    def test_every_annotation_parses(self):
        for dashboard, expression in files.annotations():
            with self.subTest(dashboard):
                self.prometheus.query(with_variables(expression))

    def test_every_recording_rule_records(self):
        for kind, name, _, _ in files.rules():
            if kind == "record":
                with self.subTest(name):
                    self.assert_has_data(name, name)

    def test_every_part_of_every_alert_has_data(self):
        for kind, name, expression, _ in files.rules():
            if kind == "alert":
                self.prometheus.query(expression)
                parts = selectors_in(expression)
                self.assertTrue(parts, name)
                for part in parts:
                    with self.subTest(f"{name}: {part}"):
                        self.assert_has_data(re.sub(r" == .*", "", part), name)

    def test_prometheus_evaluates_every_rule_without_an_error(self):
        def all_evaluated():
            groups = self.prometheus.api("rules")["groups"]
            return all(rule["health"] != "unknown" for group in groups for rule in group["rules"])
        observe.wait_until(all_evaluated, "evaluation of every rule")
        rules = [rule for group in self.prometheus.api("rules")["groups"] for rule in group["rules"]]
        self.assertEqual(len(rules), len(files.rules()))
        for rule in rules:
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])

    def accused(self, label):
        return {alert[label] for alert in self.prometheus.firing() if label in alert}

    def test_the_restarts_are_reported_and_of_nobody_else(self):
        for name in ("ParleyProcessRestarted", "ParleyRestartStorm"):
            observe.wait_until(lambda: {"alertname": name, "process": VICTIM}.items()
                               <= next((a for a in self.prometheus.firing() if a["alertname"] == name), {}).items(), name)
        # Only now: before, an alert might just not have been evaluated yet.
        self.assertEqual(self.accused("process"), {VICTIM})
        self.assertLessEqual(self.accused("agent_type"), {VICTIM})

    def test_every_agent_type_is_seen(self):
        def seen():
            return {row["metric"]["agent_type"] for row in self.prometheus.query("agent_type:parley_agent_turns:rate5m")}
        observe.wait_until(lambda: seen() >= AGENT_TYPES, "rate of every agent type")


if __name__ == "__main__":
    for program, where in ((shutil.which("prometheus"), "prometheus is not installed (Debian package: prometheus)"),
                           (files.PROGRAMS / "parley-supervisor", "parley-supervisor is not built")):
        if not program or not Path(program).exists():
            print(f"SKIPPED: {where}")
            sys.exit(SKIPPED)
    # A test that is told to stop stops what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unittest.main(verbosity=2)
