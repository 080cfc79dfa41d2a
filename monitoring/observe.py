#!/usr/bin/env python3
"""Debian's real Prometheus against a running help desk, with some load on it: `./dev observe`. Everything lives in one
temporary folder and listens on 127.0.0.1 only; Ctrl-C stops all of it. tests/observe drives the same classes."""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HELP_DESK = ROOT / "agents" / "examples" / "helpdesk" / "parley.yaml"
# So that there is a ledger, and its figures have something to show.
BUDGETS = """
budgets:
  limits:
    - {name: fleet, usd: 100, tokens: 1000000000, per: day}
    - {name: each-conversation, conversation: "*", usd: 10, tokens: 100000000}
"""
PATIENCE_S = 60
SENTENCES = ["I am an employee and would like a holiday", "what about my contract?", "I am ill today", "hr please",
             "who sends money for an invoice?", "travel expenses", "what is my budget?", "finance please", "END"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url, timeout_s=5):
    with urllib.request.urlopen(url, timeout=timeout_s) as page:
        return page.read().decode()


def wait_until(condition, what, patience_s=PATIENCE_S):
    """What `condition` gives once it is true; it may raise OSError until then."""
    end, reason = time.monotonic() + patience_s, ""
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except OSError as failure:
            reason = f" ({failure})"
        time.sleep(0.1)
    raise TimeoutError(f"no {what} within {patience_s} s{reason}")


class Program:
    """A child process in a group of its own, stopped with everything that it has started."""

    def __init__(self, arguments, log, stdin=subprocess.DEVNULL):
        environment = {name: value for name, value in os.environ.items() if name != "PARLEY_BROKER"}
        with open(log, "ab") as output:
            self.process = subprocess.Popen([str(argument) for argument in arguments], stdin=stdin, stdout=output,
                                            stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        self.log = log

    def wait_until(self, condition, what):
        """Whatever ends the waiting early ends the program, too."""
        try:
            wait_until(lambda: self.check() or condition(), what)
        except BaseException:
            self.stop()
            raise

    def check(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.process.args[0]} ended with {self.process.returncode}:\n{Path(self.log).read_text()}")

    def stop(self, patience_s=40):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience_s)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


class HelpDesk:
    """`parley up` with the help desk, perhaps with more workers, and a ledger, and sessions that keep talking to it."""

    def __init__(self, programs, folder, more_workers=""):
        self.parley, self.run_directory = programs / "parley", folder / "up"
        self.endpoint = f"ipc://{folder}/broker.sock"
        self.sessions, self.stopping = [], threading.Event()
        suite = folder / "parley.yaml"
        suite.write_text(HELP_DESK.read_text() + more_workers + BUDGETS)
        self.up = Program([self.parley, "up", "-f", suite, "--run-dir", self.run_directory, "--broker", self.endpoint],
                          folder / "up.log")
        self.up.wait_until(lambda: "are up" in (folder / "up.log").read_text(), "help desk that is up")

    def targets(self):
        """Name and metrics port of each process that is ready now, as the supervisor tells Prometheus."""
        groups = json.loads((self.run_directory / "targets.json").read_text())
        return {group["labels"]["instance"]: int(group["targets"][0].rpartition(":")[2]) for group in groups}

    def talk(self, sessions, pause_s):
        for number in range(sessions):
            chat = subprocess.Popen([self.parley, "chat", "--session", f"observe-{number}", "--json", "--broker",
                                     self.endpoint], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL, text=True, start_new_session=True)
            thread = threading.Thread(target=self._keep_talking, args=(chat, pause_s), daemon=True)
            self.sessions.append((chat, thread))
            thread.start()

    def _keep_talking(self, chat, pause_s):
        try:
            while not self.stopping.wait(pause_s * random.uniform(0.5, 1.5)):
                chat.stdin.write(random.choice(SENTENCES) + "\n")
                chat.stdin.flush()
        except OSError:
            pass  # it has ended; stop() says so to nobody, because that is how it is stopped

    def run(self, *arguments):
        return subprocess.run([self.parley, *arguments, "--broker", self.endpoint], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE_S)

    def stop(self):
        self.stopping.set()
        for chat, thread in self.sessions:
            chat.kill()
            chat.wait()
            thread.join()
            chat.stdin.close()
        self.up.stop()


class Prometheus:
    """Prometheus with the project's own configuration and rules; `edit` may change their text (a test's intervals)."""

    def __init__(self, folder, edit=lambda text: text):
        program = shutil.which("prometheus")
        if not program:
            raise FileNotFoundError("prometheus is not installed (Debian package: prometheus)")
        self.folder = folder / "prometheus"
        for source in (ROOT / "monitoring" / "prometheus").rglob("*.yml"):
            copy = self.folder / source.relative_to(ROOT / "monitoring" / "prometheus")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(edit(source.read_text()))
        (self.folder / "targets").mkdir()
        self.write_targets({})
        self.url = f"http://127.0.0.1:{free_port()}"
        self.program = Program([program, "--config.file", self.folder / "prometheus.yml", "--storage.tsdb.path",
                                self.folder / "data", "--web.listen-address", self.url.removeprefix("http://"),
                                "--log.level", "warn"], folder / "prometheus.log")
        self.program.wait_until(lambda: get(f"{self.url}/-/ready"), "Prometheus that is ready")

    def write_targets(self, ports):
        groups = [{"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}} for name, port in sorted(ports.items())]
        new = self.folder / "targets" / "local.json.new"
        new.write_text(json.dumps(groups, indent=1) + "\n")
        new.rename(new.with_suffix(""))

    def api(self, path, **parameters):
        """The data of an answer. Raises ValueError with Prometheus's own words for what it refuses."""
        try:
            answer = json.loads(get(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout_s=20))
        except urllib.error.HTTPError as refused:
            raise ValueError(json.loads(refused.read())["error"]) from None
        return answer["data"]

    def query(self, expression):
        return self.api("query", query=expression)["result"]

    def healthy_targets(self):
        return {target["labels"]["instance"] for target in self.api("targets", state="active")["activeTargets"]
                if target["health"] == "up"}

    def firing(self):
        return [alert["labels"] for alert in self.api("alerts")["alerts"] if alert["state"] == "firing"]

    def stop(self):
        self.program.stop()


def report(desk, prometheus):
    print(f"""
Prometheus   {prometheus.url}
  targets    {prometheus.url}/targets
  alerts     {prometheus.url}/alerts
  a graph    {prometheus.url}/graph?g0.expr=agent_type%3Aparley_agent_turns%3Arate5m&g0.tab=0&g0.range_input=15m
help desk    export PARLEY_BROKER={desk.endpoint}
             {desk.parley} ps; {desk.parley} chat
dashboards   monitoring/grafana/README.md; data source {prometheus.url}
try          kill -9 one of the processes that `parley ps` shows, and look at the alerts

Three sessions are talking. Ctrl-C stops everything.""", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--programs", type=Path, default=ROOT / "build" / "bin", help="folder of parley and the others")
    options.add_argument("--for-seconds", type=float, help="stop by itself after this long")
    arguments = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Short, because a socket's path is limited.
    folder = Path(tempfile.mkdtemp(prefix="parley-o-", dir="/tmp"))
    running = []
    try:
        desk = HelpDesk(arguments.programs, folder)
        running.append(desk)
        prometheus = Prometheus(folder)
        running.append(prometheus)
        desk.talk(sessions=3, pause_s=1)
        report(desk, prometheus)
        end = time.monotonic() + (arguments.for_seconds or float("inf"))
        while time.monotonic() < end:
            # A process that was restarted has another port.
            prometheus.write_targets(desk.targets())
            desk.up.check()
            prometheus.program.check()
            time.sleep(1)
    except KeyboardInterrupt:
        print("\nstopping", flush=True)
    except (OSError, RuntimeError) as failure:
        sys.exit(f"error: {failure}")
    finally:
        for each in reversed(running):
            each.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
