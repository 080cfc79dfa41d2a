#!/usr/bin/env python3
"""monitoring/prometheus by Prometheus's own tool: configurations, rules and the rules' unit tests of tests/promtool."""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import prometheus_files as files

SKIPPED = 77
PROMTOOL = shutil.which("promtool")


def promtool(*arguments, **options):
    return subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)


class Promtool(unittest.TestCase):
    def assert_accepts(self, *arguments):
        done = promtool(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_accepts_the_rules(self):
        self.assert_accepts("check", "rules", *files.RULES)

    def test_accepts_the_configuration_for_one_machine(self):
        self.assert_accepts("check", "config", files.PROMETHEUS / "prometheus.yml")

    def test_accepts_the_configuration_for_kubernetes(self):
        text = (files.PROMETHEUS / "prometheus-kubernetes.yml").read_text()
        # Debian builds Prometheus without Kubernetes discovery, so everything but that is looked at here.
        checked, count = re.subn(r"    kubernetes_sd_configs:\n(?:      .*\n)+", "", text)
        self.assertEqual(count, 1)
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(files.PROMETHEUS / "rules", Path(folder) / "rules")
            (Path(folder) / "prometheus.yml").write_text(checked)
            self.assert_accepts("check", "config", Path(folder) / "prometheus.yml")

    def test_finds_that_the_rules_do_what_their_unit_tests_say(self):
        self.assert_accepts("test", "rules", *sorted((files.ROOT / "tests" / "promtool").glob("*.yml")))


if __name__ == "__main__":
    if not PROMTOOL:
        print("SKIPPED: promtool is not installed (Debian package: prometheus)")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
