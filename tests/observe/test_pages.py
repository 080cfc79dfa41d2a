#!/usr/bin/env python3
"""The metrics page of every process of a running help desk with a workshop against METRICS.md: names, types, labels and words, nothing
undocumented and nothing missing; and through promtool, which knows Prometheus's rules for names."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import prometheus_files as files
import workshop

sys.path.insert(0, str(files.MONITORING))
import observe  # noqa: E402  (it lies beside what it observes)

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"')
SECTIONS = {"parley-broker": "Broker", "parley-agent": "Worker", "parley-supervisor": "Supervisor",
            "parley-ledger": "Ledger"}


def families(page):
    """name → (type, labels, help) of a page in Prometheus's text format."""
    kinds, helps, labels = {}, {}, {}
    for line in page.splitlines():
        if line.startswith("# HELP "):
            _, _, name, text = line.split(" ", 3)
            helps[name] = text
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            kinds[name] = kind
        elif line:
            name, names = SAMPLE.match(line).groups()
            if name not in kinds:
                name = re.sub(r"_(bucket|sum|count)$", "", name)
            labels.setdefault(name, set()).update(set(LABEL.findall(names or "")) - {"le"})
    # A family without a series yet has nothing to say about its labels.
    return {name: (kinds[name], ", ".join(sorted(labels[name])), helps[name]) for name in labels}


def documented(section):
    """The same of a section of METRICS.md."""
    text = (files.MONITORING / "METRICS.md").read_text()
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, f"METRICS.md has no section '{section}'"
    rows = {}
    for line in found[1].splitlines():
        if line.startswith("| `"):
            name, kind, _, labels, meaning, _ = [cell.strip() for cell in line.strip("|").split("|")]
            rows[name.strip("`")] = (kind, "" if labels == "–" else labels.replace("`", ""), meaning)
    return rows


def page_of(port):
    return observe.get(f"http://127.0.0.1:{port}/metrics")


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="parley-p-", dir="/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.desk = observe.HelpDesk(files.PROGRAMS, cls.folder, workshop.WORKER)
        cls.addClassCleanup(cls.desk.stop)
        done = cls.desk.run("request", "user_proxy/pages", "my holiday", "--timeout", "30s")
        assert done.returncode == 0, done.stderr
        workshop.work(cls.desk)
        cls.pages = {}
        for name, port in cls.desk.targets().items():
            page = page_of(port)
            # The broker renews its numbers four times a second, so the request may be newer than its page.
            deadline = time.monotonic() + 10
            while name == "broker" and 'agent_type="hr"' not in page and time.monotonic() < deadline:
                time.sleep(0.05)
                page = page_of(port)
            cls.pages[name] = (re.search(r'parley_build_info\{program="([^"]+)"', page)[1], page)

    def exported_by(self, program):
        return [families(page) for its_program, page in self.pages.values() if its_program == program]

    def assert_documented(self, program):
        common, own = documented("Every process"), documented(SECTIONS[program])
        pages = self.exported_by(program)
        self.assertTrue(pages, f"no {program} has a page")
        together = {}
        for page in pages:
            self.assertEqual({name: row for name, row in page.items() if (own | common).get(name) != row}, {},
                             "exported, but METRICS.md says something else, or nothing")
            self.assertEqual(set(common) - set(page), set(), "every process must export these")
            together |= page
        self.assertEqual(set(own) - set(together), set(), "documented, but not exported")

    def test_of_the_broker_is_documented(self):
        self.assert_documented("parley-broker")

    def test_of_workers_is_documented(self):
        self.assert_documented("parley-agent")

    def test_of_the_supervisor_is_documented(self):
        self.assert_documented("parley-supervisor")

    def test_of_the_ledger_is_documented(self):
        self.assert_documented("parley-ledger")

    def test_has_one_for_each_process_of_the_suite(self):
        self.assertEqual(sorted(self.pages), ["broker", "finance", "hr", "ledger", "router", "supervisor", "user-proxy",
                                              "workshop"])

    def test_satisfies_promtool(self):
        promtool = shutil.which("promtool")
        if not promtool:
            self.skipTest("promtool is not installed (Debian package: prometheus)")
        for name, (_, page) in self.pages.items():
            done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), name)

    def test_lists_each_family_once_and_its_samples_together(self):
        for name, (_, page) in self.pages.items():
            kinds = re.findall(r"^# TYPE (\S+)", page, re.M)
            self.assertEqual(len(kinds), len(set(kinds)), name)


if __name__ == "__main__":
    if not (files.PROGRAMS / "parley-supervisor").exists():
        print("SKIPPED: parley-supervisor is not built")
        sys.exit(77)
    # A test that is told to stop stops what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unittest.main(verbosity=2)
