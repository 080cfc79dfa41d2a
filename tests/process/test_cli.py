#!/usr/bin/env python3
"""The command line as people and scripts use it: real processes, exit codes, pipes, and nothing left behind."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

BIN = Path(os.environ.get("PARLEY_BIN", Path(__file__).resolve().parents[2] / "build" / "bin"))
PARLEY = str(BIN / "parley")
PATIENCE = 60

ECHO_SUITE = """
models:
  echo:
    provider: offline
    prefix: ""
    chunk_interval: 5ms
    rules:
      - regex: '^slow$'
        reply: at last
        latency: 30s
      - regex: '(.*)'
        reply: 'echo $1'
workers:
  - name: talker
    agents:
      - type: talker
        kind: assistant
        model: echo
        system_prompt: Repeat.
"""


def run(*arguments, broker=None, stdin=""):
    """Runs parley to its end with a text (by default nothing) on standard input."""
    variables = {name: value for name, value in os.environ.items() if name != "PARLEY_BROKER"}
    if broker:
        variables["PARLEY_BROKER"] = broker
    return subprocess.run([PARLEY, *arguments], capture_output=True, text=True, timeout=PATIENCE, env=variables,
                          input=stdin)


def wait_for(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what} within {seconds} s")


def processes_mentioning(text):
    """Command lines of live processes that contain the text (a folder of this test)."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if text in command and state not in "ZX":
            found.append(command)
    return found


class Folder(unittest.TestCase):
    """Gives each test a short folder of its own (a socket's path is limited)."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="parley-t-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        # Budgets outlive a run; those of a test stay out of the home folder.
        os.environ["XDG_STATE_HOME"] = os.path.join(self.folder, "state-home")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        Path(self.path(name)).write_text(text)
        return self.path(name)

    def assert_nothing_left(self, text=None):
        wait_for(lambda: not processes_mentioning(text or self.folder), "end of all processes", 10)


class WithoutBroker(Folder):
    def assert_one_error_line(self, result, code, text):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("error: "), result.stderr)
        self.assertIn(text, result.stderr)

    def test_wrong_flags_are_one_line_and_exit_2(self):
        self.assert_one_error_line(run("ps", "--nonsense"), 2, "--nonsense")
        self.assert_one_error_line(run("nonsense"), 2, "nonsense")
        self.assert_one_error_line(run("request", "hr", "hi", "--timeout", "soon"), 2, "soon")

    def test_an_unreachable_broker_is_exit_3(self):
        start = time.monotonic()
        result = run("request", "hr", "hi", "--timeout", "300ms", broker=f"ipc://{self.path('none.sock')}")
        self.assert_one_error_line(result, 3, "unreachable")
        self.assertLess(time.monotonic() - start, 10)

    def test_an_endpoint_beyond_this_machine_is_refused_without_insecure(self):
        self.assert_one_error_line(run("ps", "--broker", "tcp://192.0.2.1:7700"), 2, "insecure")

    def test_a_nonsense_endpoint_is_exit_2(self):
        self.assert_one_error_line(run("ps", "--broker", "nonsense"), 2, "nonsense")

    def test_check_of_an_unreachable_broker_is_critical(self):
        result = run("check", "--timeout", "300ms", broker=f"ipc://{self.path('none.sock')}")
        self.assertEqual(result.returncode, 2)
        self.assertTrue(result.stdout.startswith("CRITICAL: "), result.stdout)

    def test_a_broken_configuration_is_reported_with_file_and_line_and_exit_2(self):
        file = self.write("broken.yaml", ECHO_SUITE.replace("kind: assistant", "kind: assistnt"))
        result = run("config", "validate", file)
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"broken\.yaml:\d+: .*assistnt")
        self.assertIn("did you mean 'assistant'", result.stderr)
        self.assertEqual(run("up", "-f", file, "--run-dir", self.path("run")).returncode, 2)

    def test_a_broker_that_up_would_refuse_is_no_good_configuration(self):
        for endpoint, reason in (("nonsense", "expected ipc:///absolute/path"), ("tcp://192.0.2.1:1", "insecure")):
            file = self.write("broker.yaml", f"broker: {{endpoint: '{endpoint}'}}\n" + ECHO_SUITE)
            for command in (("config", "validate", file), ("up", "-f", file, "--run-dir", self.path("run"))):
                result = run(*command)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertRegex(result.stderr, rf"broker\.yaml:1: broker(\.endpoint)?: '{endpoint}': .*{reason}")

    def test_a_good_configuration_is_exit_0(self):
        result = run("config", "validate", self.write("good.yaml", ECHO_SUITE), "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["agents"], 1)

    def test_version_and_completion_need_no_broker(self):
        self.assertRegex(run("version").stdout, r"^parley \d+\.\d+\.\d+ \(protocol 1\)\n$")
        self.assertIn("complete -o default -F _parley parley", run("completion", "bash").stdout)

    def test_bash_completion_offers_verbs_and_flags(self):
        script = run("completion", "bash").stdout
        probe = script + "\nCOMP_WORDS=(parley dlq l); COMP_CWORD=2; _parley; echo \"${COMPREPLY[@]}\"\n"
        probe += "COMP_WORDS=(parley request --tr); COMP_CWORD=2; _parley; echo \"${COMPREPLY[@]}\"\n"
        result = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(result.stdout, "ls\n--trace\n", result.stderr)

    def test_ctrl_c_while_connecting_is_exit_130(self):
        process = subprocess.Popen([PARLEY, "ps", "--timeout", "60s", "--broker", f"ipc://{self.path('none.sock')}"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)

    def test_standalone_talks_without_a_broker(self):
        result = run("up", "--standalone", "--chat", stdin="I have an hr question\nEND\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("hr> ", result.stdout)
        self.assertIn("disconnected", result.stdout)

    def test_standalone_talks_to_the_only_agent_of_a_file_or_to_the_one_that_is_named(self):
        one = self.write("one.yaml", ECHO_SUITE)
        result = run("up", "--standalone", "-f", one, "--chat", stdin="hello\n")
        self.assertEqual((result.returncode, result.stdout), (0, "talker> echo hello\n"), result.stderr)
        two = self.write("two.yaml", ECHO_SUITE + ECHO_SUITE.partition("    agents:\n")[2].replace("talker", "other"))
        self.assertEqual(run("up", "--standalone", "-f", two, "--chat", "other/x", stdin="hello\n").stdout,
                         "other> echo hello\n")
        result = run("up", "--standalone", "-f", two, "--chat", stdin="hello\n")
        self.assert_one_error_line(result, 2, "choose with --chat one of talker, other")

    def test_a_standalone_run_has_its_ledger(self):
        budgets = "budgets: {limits: [{name: all, tokens: 1000000}]}\n"
        started = time.monotonic()
        result = run("run", self.write("paid.yaml", budgets + ECHO_SUITE), "hello", "--standalone")
        self.assertEqual((result.returncode, result.stdout), (0, "echo hello\n"), result.stderr)
        self.assertLess(time.monotonic() - started, 5, "nobody waits for a ledger that is not there")
        tight = self.write("tight.yaml", "budgets: {limits: [{name: all, tokens: 1}]}\n" + ECHO_SUITE)
        refused = run("run", tight, "hello", "--standalone")
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("budget", refused.stderr)

    def test_a_run_on_a_terminal_leaves_its_transcript_in_the_folder(self):
        file = self.write("one.yaml", ECHO_SUITE)
        for arguments, count in (([], 1), (["--transcript", "none"], 0)):
            folder = tempfile.mkdtemp(dir=self.folder)
            ours, theirs = pty.openpty()
            process = subprocess.Popen([PARLEY, "run", file, "hello", "--standalone", *arguments], cwd=folder,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs)
            os.close(theirs)
            out = process.communicate(timeout=PATIENCE)[0]
            os.close(ours)
            self.assertEqual((process.returncode, out), (0, b"echo hello\n"))
            kept = list(Path(folder).iterdir())
            self.assertEqual(len(kept), count)
            for each in kept:
                self.assertRegex(each.name, r"^parley-run-\d{8}-\d{6}\.md$")
                self.assertIn("echo hello", each.read_text())


class UpAndDown(Folder):
    def up(self, *arguments):
        return run("up", "-d", "--run-dir", self.path("run"), *arguments)

    def test_up_runs_the_help_desk_and_down_stops_it(self):
        started = self.up()
        self.assertEqual(started.returncode, 0, started.stderr)
        try:
            broker = f"ipc://{self.path('run')}/broker.sock"
            events = run("events", broker=broker)  # The supervisor may join the bus a moment after the agents.
            self.assertEqual(events.returncode, 0, events.stderr)
            self.assertIn("agent_ready", events.stdout)
            report = json.loads(run("ps", "--json", broker=broker).stdout)
            self.assertLessEqual({"router", "hr", "finance", "user_proxy"}, {row["name"] for row in report["types"]})
            second = self.up()
            self.assertEqual(second.returncode, 1)
            self.assertIn("already running", second.stderr)
        finally:
            stopped = run("down", "--run-dir", self.path("run"))
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        self.assert_nothing_left()
        self.assertEqual(run("down", "--run-dir", self.path("run")).returncode, 1)

    def state(self):
        """What the supervisor has written down; {} while it is not there."""
        try:
            return json.loads(Path(self.path("run/supervisor.json")).read_text())
        except (OSError, ValueError):
            return {}

    def process(self, name):
        return next(row for row in self.state()["processes"] if row["name"] == name)

    def watcher(self):
        try:
            return json.loads(Path(self.path("run/up.json")).read_text())["pid"]
        except (OSError, ValueError):
            return 0

    def wait_until_running(self, name, restarts):
        def runs():
            row = self.process(name) if self.state() else {"state": "", "restarts": 0}
            return row["state"] == "running" and row["restarts"] >= restarts
        wait_for(runs, f"restart of {name}")

    def down(self):
        stopped = run("down", "--run-dir", self.path("run"))
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        self.assert_nothing_left()

    def answer(self):
        result = run("request", "hr/t", "holiday", "--timeout", "20s", broker=f"ipc://{self.path('run')}/broker.sock")
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_a_killed_worker_and_a_killed_broker_come_back(self):
        self.assertEqual(self.up().returncode, 0)
        self.addCleanup(run, "down", "--run-dir", self.path("run"))
        for name in ("hr", "broker"):
            os.kill(self.process(name)["pid"], signal.SIGKILL)
            self.wait_until_running(name, 1)
            self.assertIn("holiday", self.answer())
        self.down()

    def test_a_killed_supervisor_comes_back_and_adopts_its_processes(self):
        self.assertEqual(self.up().returncode, 0)
        self.addCleanup(run, "down", "--run-dir", self.path("run"))
        before = self.state()
        os.kill(before["supervisor"]["pid"], signal.SIGKILL)
        wait_for(lambda: self.state().get("supervisor") not in (None, before["supervisor"]), "new supervisor")
        self.assertEqual([row["pid"] for row in self.state()["processes"]],
                         [row["pid"] for row in before["processes"]])
        os.kill(self.process("hr")["pid"], signal.SIGKILL)
        self.wait_until_running("hr", 1)
        self.down()

    def test_a_killed_up_is_brought_back_by_the_supervisor(self):
        self.assertEqual(self.up().returncode, 0)
        self.addCleanup(run, "down", "--run-dir", self.path("run"))
        before = self.watcher()
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: self.watcher() not in (0, before), "new watcher")
        supervisor = self.state()["supervisor"]["pid"]
        os.kill(supervisor, signal.SIGKILL)
        wait_for(lambda: self.state()["supervisor"]["pid"] != supervisor, "new supervisor")
        self.assertIn("holiday", self.answer())
        self.down()

    def test_down_stops_everything_also_when_up_and_supervisor_were_killed_together(self):
        self.assertEqual(self.up().returncode, 0)
        self.addCleanup(run, "down", "--run-dir", self.path("run"))
        supervisor = self.state()["supervisor"]["pid"]
        os.kill(supervisor, signal.SIGSTOP)
        os.kill(self.watcher(), signal.SIGKILL)
        os.kill(supervisor, signal.SIGKILL)
        again = self.up()
        self.assertEqual(again.returncode, 1, again.stderr)
        self.assertIn("parley down", again.stderr)
        self.down()
        self.assertEqual(self.up().returncode, 0)
        self.down()

    def test_ctrl_c_drains_and_stops_everything(self):
        process = subprocess.Popen([PARLEY, "up", "--run-dir", self.path("run")], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        wait_for(lambda: Path(self.path("run/up.json")).exists(), "running suite")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn("stopped", errors)
        self.assert_nothing_left()

    def test_a_worker_that_cannot_start_stops_the_suite_with_its_reason(self):
        suite = ECHO_SUITE.replace("provider: offline", "provider: openai\n    model: x\n    api_key_env: NO_SUCH_KEY_IN_TEST")
        suite = suite.replace("    prefix: \"\"\n    chunk_interval: 5ms\n", "")
        suite = re.sub(r"    rules:\n(      .*\n|        .*\n)+", "", suite)
        result = self.up("-f", self.write("keyless.yaml", suite))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("NO_SUCH_KEY_IN_TEST", result.stderr)
        self.assert_nothing_left()


class EchoSuite(unittest.TestCase):
    """One suite with an echoing agent for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="parley-t-", dir="/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.broker = f"ipc://{cls.folder}/run/broker.sock"
        suite = Path(cls.folder, "echo.yaml")
        suite.write_text(ECHO_SUITE)
        started = run("up", "-d", "-f", str(suite), "--run-dir", f"{cls.folder}/run")
        if started.returncode != 0:
            raise AssertionError(started.stderr)
        cls.addClassCleanup(run, "down", "--run-dir", f"{cls.folder}/run")

    def parley(self, *arguments, **options):
        return run(*arguments, broker=self.broker, **options)

    def subscriber(self, topic, *arguments):
        process = subprocess.Popen([PARLEY, "subscribe", topic, "--broker", self.broker, *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        self.assertIn("subscribed", process.stderr.readline())
        return process


class OnABus(EchoSuite):
    def test_a_request_prints_the_reply_as_text(self):
        result = self.parley("request", "talker/t1", "hello")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "echo hello\n", ""))

    def test_a_request_prints_the_reply_as_one_json_object(self):
        result = self.parley("request", "talker/t2", '{"text": "hello"}', "--json")
        reply = json.loads(result.stdout)
        self.assertEqual(reply["type"], "parley.Answer")
        self.assertEqual(reply["reply"]["text"], "echo hello")
        self.assertGreater(reply["latency_ms"], 0)

    def test_the_body_can_come_through_a_pipe(self):
        self.assertEqual(self.parley("request", "talker/t3", "-", stdin="piped\n").stdout, "echo piped\n")

    def test_standard_input_is_not_read_unless_asked_for(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        result = subprocess.run([PARLEY, "request", "talker/t4", "hello", "--broker", self.broker], stdin=reading,
                                capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_streamed_reply_ends_in_the_same_text(self):
        self.assertEqual(self.parley("request", "talker/t5", "a longer text than one part can hold", "--stream").stdout,
                         "echo a longer text than one part can hold\n")

    def test_a_file_of_bodies_is_fed_line_by_line(self):
        lines = "".join(json.dumps({"text": f"n{i}"}) + "\n" for i in range(20))
        result = self.parley("request", "talker/t6", "--from-file", "-", "--concurrency", "4", "--json", stdin=lines)
        self.assertEqual(result.returncode, 0, result.stderr)
        replies = {json.loads(line)["reply"]["text"] for line in result.stdout.splitlines()}
        self.assertEqual(replies, {f"echo n{i}" for i in range(20)})
        self.assertIn("20 sent", result.stderr)

    def test_a_stream_that_fails_leaves_the_error_a_line_of_its_own(self):
        result = self.parley("request", "talker/t15", "word " * 12000, "--stream", "--timeout", "3s")
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertTrue(result.stdout.startswith("echo word "), result.stdout[:40])
        self.assertTrue(result.stdout.endswith("\n"))

    def test_a_bad_line_of_a_file_is_counted_and_the_others_are_sent(self):
        result = self.parley("request", "talker/t7", "--from-file", "-", stdin="\none\n\n \n{broken\ntwo\n")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, "echo one\necho two\n")
        self.assertIn("line 5", result.stderr, "as an editor counts")
        self.assertIn("1 failed with invalid", result.stderr)

    def test_a_late_reply_is_exit_4(self):
        start = time.monotonic()
        result = self.parley("request", "talker/t8", "slow", "--timeout", "1s")
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertTrue(result.stderr.startswith("error: timeout: "), result.stderr)
        self.assertLess(time.monotonic() - start, 15)

    def test_an_agent_at_work_tells_how_it_is(self):
        for _ in range(2):
            asking = subprocess.Popen([PARLEY, "request", "talker/busy", "slow", "--timeout", "2m", "--broker", self.broker],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            self.addCleanup(asking.wait, PATIENCE)
            self.addCleanup(asking.kill)

        def busy():
            found = self.parley("agent", "where", "talker/busy", "--json")
            activation = (json.loads(found.stdout)["activation"] if found.returncode == 0 else None) or {}
            return activation if activation.get("inflight") == 1 and activation.get("waiting") == 1 else None

        self.assertEqual(wait_for(busy, "turn under way with a message behind it")["id"], "talker/busy")
        shown = self.parley("agent", "where", "talker/busy")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertRegex(shown.stdout, r"\Atalker/busy lives on \S+\n  under way     1 turn")
        self.assertRegex(shown.stdout, r"\n  waiting       1 message, the oldest for \S+\n")

        def aged():
            types = json.loads(self.parley("ps", "--json").stdout)["types"]
            return [row for row in types if row["name"] == "talker" and row["oldest_waiting_ms"] > 1000]

        wait_for(aged, "age of the waiting message in ps")
        nowhere = self.parley("agent", "where", "talker/nobody", "--json")
        self.assertEqual((nowhere.returncode, json.loads(nowhere.stdout)["activation"]), (1, None))

    def test_an_unknown_agent_type_is_exit_1_with_the_nearest_name(self):
        result = self.parley("request", "talkr", "hello")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^error: unknown_agent_type: .*'talkr'.*did you mean 'talker'\?")

    def test_ctrl_c_while_waiting_is_exit_130(self):
        process = subprocess.Popen([PARLEY, "request", "talker/t9", "slow", "--trace", "--broker", self.broker],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.assertIn("trace", process.stderr.readline())
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)

    def test_an_event_reaches_a_subscriber_with_the_same_topic(self):
        subscriber = self.subscriber("orders.created", "--count", "1", "--json")
        published = self.parley("publish", "orders.created/eu", "order 17", "--json")
        self.assertEqual(json.loads(published.stdout), {"topic": "orders.created/eu", "recipients": 1})
        event = json.loads(subscriber.communicate(timeout=PATIENCE)[0])
        self.assertEqual((event["topic"], event["payload"]["text"]), ("orders.created/eu", "order 17"))
        self.assertEqual(subscriber.returncode, 0)

    def test_a_prefix_subscription_gets_every_topic_below_it(self):
        subscriber = self.subscriber("stock.*", "--count", "2", "--json")
        for topic in ("stock.in/a", "stockings/a", "stock.out/b"):
            self.parley("publish", topic, "x")
        topics = [json.loads(line)["topic"] for line in subscriber.communicate(timeout=PATIENCE)[0].splitlines()]
        self.assertEqual(topics, ["stock.in/a", "stock.out/b"])

    def test_a_subscriber_ends_with_130_on_ctrl_c(self):
        subscriber = self.subscriber("nothing.here")
        subscriber.send_signal(signal.SIGINT)
        self.assertEqual(subscriber.wait(PATIENCE), 130)

    def test_an_event_without_a_subscriber_becomes_a_dead_letter(self):
        published = self.parley("publish", "nobody.listens/x", "lost words")
        self.assertEqual((published.returncode, published.stdout), (0, "published to nobody.listens/x: 0 recipients\n"))
        letters = [json.loads(line) for line in self.parley("dlq", "ls", "--json").stdout.splitlines()]
        letter = next(letter for letter in letters if letter["target"] == "nobody.listens/x")
        self.assertEqual(letter["code"], "no_subscriber")
        shown = json.loads(self.parley("dlq", "show", str(letter["id"]), "--json").stdout)
        self.assertEqual(shown["payload"]["text"], "lost words")
        self.assertEqual(self.parley("check", "--max-dead-letters", "0").returncode, 1)

    def test_a_dead_letter_that_is_not_kept_is_exit_1(self):
        self.assertEqual(self.parley("dlq", "show", "999999").returncode, 1)

    def test_a_send_is_accepted(self):
        self.assertEqual(self.parley("send", "talker/t10", "hello").stdout, "accepted for talker/t10\n")

    def test_a_traced_request_shows_its_way(self):
        sent = self.parley("request", "talker/t11", "hello", "--trace")
        trace = re.fullmatch(r"trace ([0-9a-f]{32})\n", sent.stderr).group(1)
        hops = [json.loads(line) for line in self.parley("trace", trace, "--json").stdout.splitlines()]
        self.assertEqual([hop["kind"] for hop in hops[:2]], ["request", "request"])
        self.assertEqual(hops[0]["target"], "talker/t11")
        table = self.parley("trace", trace).stdout
        self.assertIn("talker/t11", table)
        diagram = self.parley("trace", trace, "--mermaid").stdout
        self.assertTrue(diagram.startswith("sequenceDiagram\n"), diagram)
        self.assertIn("as talker/t11", diagram)

    def test_a_reply_is_part_of_its_trace(self):
        sent = self.parley("request", "talker/t12", "hello", "--trace")
        trace = sent.stderr.split()[1]
        hops = [json.loads(line) for line in self.parley("trace", trace, "--json").stdout.splitlines()]
        self.assertEqual([hop["kind"] for hop in hops if hop["kind"] == "reply"], ["reply", "reply"])

    def test_every_answer_of_a_traced_request_is_part_of_its_trace(self):
        def hops_of(*request):
            trace = self.parley("request", *request, "--trace").stderr.split()[1]
            return [json.loads(line) for line in self.parley("trace", trace, "--json").stdout.splitlines()]

        def kinds_of(hops):
            return [hop["kind"] for hop in hops]

        streamed = hops_of("talker/t13", "hello", "--stream")
        parts = kinds_of(streamed).count("part")
        self.assertGreater(parts, 0)
        self.assertEqual(parts % 2, 0, "each part comes in and goes out")
        self.assertEqual(kinds_of(streamed).count("reply"), 2)
        self.assertEqual(streamed[0]["since_start_us"], 0)
        handled = [hop["handled_us"] for hop in streamed if "handled_us" in hop]
        self.assertEqual(len(handled), 1)
        self.assertGreater(handled[0], 0)
        refused = hops_of("talker/t14", '{"text": 7}')
        self.assertIn("error", kinds_of(refused))
        self.assertIn("invalid", [hop["code"] for hop in refused])

    def test_an_unknown_trace_is_exit_1(self):
        self.assertEqual(self.parley("trace", "0" * 32).returncode, 1)

    def test_check_looks_for_required_types(self):
        self.assertEqual(self.parley("check", "--require", "talker").returncode, 0)
        self.assertEqual(self.parley("check", "--require", "talker=2").returncode, 1)
        missing = self.parley("check", "--require", "nobody")
        self.assertEqual(missing.returncode, 2)
        self.assertIn("CRITICAL: no worker for agent type 'nobody'", missing.stdout)

    def test_chat_answers_each_piped_line_and_ends(self):
        result = self.parley("chat", "talker/t13", stdin="one\ntwo\n")
        self.assertEqual((result.returncode, result.stdout), (0, "talker> echo one\ntalker> echo two\n"), result.stderr)

    def test_chat_in_json_tells_every_piece_and_then_the_answer(self):
        result = self.parley("chat", "talker/t16", "--json", stdin="a text of several parts\nx\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        ends = [i for i, line in enumerate(lines) if line["event"] == "answer"]
        self.assertEqual([lines[i]["text"] for i in ends], ["echo a text of several parts", "echo x"])
        parts = lines[:ends[0]]
        self.assertGreater(len(parts), 1)
        self.assertEqual({(line["event"], line["from"]) for line in parts}, {("part", "talker")})
        self.assertEqual("".join(line["text"] for line in parts), "echo a text of several parts")
        self.assertGreater(lines[ends[0]]["usage"]["output_tokens"], 0)

    def test_chat_keeps_a_transcript_when_asked(self):
        file = f"{self.folder}/talk.jsonl"
        result = self.parley("chat", "talker/t17", "--transcript", file, stdin="one\ntwo\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        kept = [json.loads(line) for line in Path(file).read_text().splitlines()]
        self.assertEqual([(each["task"], each["answer"]) for each in kept], [("one", "echo one"), ("two", "echo two")])
        self.assertEqual(self.parley("chat", "talker/t17", "--transcript", "talk.pdf").returncode, 2)

    def test_bench_measures_its_own_echo_agent(self):
        result = self.parley("bench", "--self", "--window", "8", "--duration", "500ms", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertGreater(report["requests"], 0)
        self.assertLessEqual(report["p50_us"], report["p99_us"])

    def test_an_open_loop_keeps_its_rate(self):
        result = self.parley("bench", "--self", "--rate", "100", "--duration", "2s", "--json")
        report = json.loads(result.stdout)
        self.assertAlmostEqual(report["requests"], 200, delta=4)

    def test_ps_lists_worker_and_type(self):
        text = self.parley("ps").stdout
        self.assertIn("talker", text)
        self.assertIn("AGENT TYPE", text)
        self.assertNotIn("\x1b", text)


class Operations(EchoSuite):
    def test_what_is_quarantined_is_refused_at_once_with_the_reason_until_it_is_released(self):
        self.assertEqual(self.parley("agent", "quarantine", "talker/q", "--reason", "odd").returncode, 0)
        row = next(row for row in json.loads(self.parley("ps", "--json").stdout)["quarantines"] if row["key"] == "talker/q")
        self.assertRegex(row["by"], r"^parley agent quarantine \(pid \d+\)$")
        refused = self.parley("request", "talker/q", "hello")
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, r"^error: quarantined: .*'talker/q'.*odd")
        self.assertEqual(self.parley("request", "talker/other", "hello").stdout, "echo hello\n")
        released = self.parley("agent", "release", "talker/q")
        self.assertEqual(released.returncode, 0, released.stderr)
        self.assertIn("1 messages were refused", released.stdout)
        self.assertEqual(self.parley("request", "talker/q", "hello").stdout, "echo hello\n")

    def test_a_drained_worker_gets_nothing_new_until_it_is_restarted(self):
        self.addCleanup(self.parley, "worker", "restart", "talker")
        drained = self.parley("worker", "drain", "talker", "--reason", "tired", "--json")
        self.assertEqual(drained.returncode, 0, drained.stderr)
        self.assertEqual(json.loads(drained.stdout)["worker"], "talker")
        rows = json.loads(self.parley("ps", "--json").stdout)["peers"]
        self.assertEqual([row["is_draining"] for row in rows if row["name"] == "talker"], [True])
        self.assertEqual(self.parley("request", "talker/new", "hello", "--timeout", "500ms").returncode, 4)
        self.assertEqual(self.parley("worker", "restart", "talker").returncode, 0)
        again = self.parley("request", "talker/new", "hello", "--timeout", "30s")
        self.assertEqual((again.returncode, again.stdout), (0, "echo hello\n"), again.stderr)
        self.assertEqual(self.parley("worker", "restart", "nobody").returncode, 1)
        self.assertEqual(self.parley("worker", "drain", "nobody").returncode, 1)

    def test_events_that_are_followed_come_as_they_happen_until_ctrl_c(self):
        out = Path(self.folder, "events.jsonl")

        def reasons(event):
            lines = [json.loads(line) for line in out.read_text().splitlines(keepends=True) if line.endswith("\n")]
            return [line["reason"] for line in lines if (line["event"], line["process"]) == (event, "talker")]

        with out.open("w") as stream:
            process = subprocess.Popen([PARLEY, "events", "--follow", "--json", "--broker", self.broker],
                                       stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        wait_for(lambda: reasons("agent_ready"), "event of the past")
        before = len(reasons("agent_restarted"))
        self.assertEqual(self.parley("worker", "restart", "talker").returncode, 0)
        wait_for(lambda: len(reasons("agent_restarted")) > before, "event of the restart")
        self.assertEqual(reasons("agent_restarted")[-1], "restart asked for")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=PATIENCE), 130)

    def test_events_that_are_followed_come_once_also_when_they_happened_just_before(self):
        def told(text):
            return self.parley("events", "--json").stdout.count(text)
        before = told("agent_started")
        self.assertEqual(self.parley("worker", "restart", "talker").returncode, 0)
        wait_for(lambda: told("agent_started") > before, "event of the restart")
        out = Path(self.folder, "once.jsonl")
        with out.open("w") as stream:
            process = subprocess.Popen([PARLEY, "events", "--follow", "--json", "--broker", self.broker],
                                       stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        wait_for(lambda: "agent_started" in out.read_text(), "event of the past")
        self.parley("agent", "quarantine", "talker/o", "--reason", "odd")
        self.addCleanup(self.parley, "agent", "release", "talker/o")
        wait_for(lambda: '"talker/o"' in out.read_text(), "new event")
        lines = out.read_text().splitlines()
        self.assertEqual(sorted(set(lines)), sorted(lines))

    def test_events_with_a_count_of_0_are_none_of_the_past(self):
        def past():
            told = self.parley("events", "--json").stdout
            return told if '"agent_ready"' in told else ""
        known = set(wait_for(past, "event of the past").splitlines())
        none = self.parley("events", "-n", "0")
        self.assertEqual((none.returncode, none.stdout, none.stderr), (0, "", ""))
        def subscriptions():
            return json.loads(self.parley("ps", "--json").stdout)["numbers"]["parley_broker_subscriptions"]
        before, out = subscriptions(), Path(self.folder, "new-events.jsonl")
        with out.open("w") as stream:
            process = subprocess.Popen([PARLEY, "events", "-f", "-n", "0", "--json", "--broker", self.broker],
                                       stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        wait_for(lambda: subscriptions() > before, "follower that listens")
        self.parley("agent", "quarantine", "talker/n", "--reason", "odd")
        self.addCleanup(self.parley, "agent", "release", "talker/n")
        wait_for(lambda: '"talker/n"' in out.read_text(), "new event")
        self.assertEqual([line for line in out.read_text().splitlines() if line in known], [])

    def test_top_gives_scripts_one_look(self):
        self.assertEqual(self.parley("request", "talker/top", "hello", "--timeout", "30s").returncode, 0)
        result = self.parley("top", "--once", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        look = json.loads(result.stdout)
        self.assertEqual(result.stdout.count("\n"), 1)
        talker = next(row for row in look["types"] if row["name"] == "talker")
        self.assertEqual(talker["workers"], 1)
        self.assertIn("talker", [row["name"] for row in look["workers"]])
        self.assertGreaterEqual(look["broker"]["workers"], 1)


class Demo(Folder):
    def play(self, *arguments, **options):
        return subprocess.Popen([PARLEY, "demo", *arguments], text=True, env={**os.environ, "TMPDIR": self.folder},
                                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                   **options})

    def test_an_interactive_demo_goes_on_as_a_chat_until_the_input_ends(self):
        demo = self.play("--interactive", stdin=subprocess.PIPE)
        out, errors = demo.communicate("I have an hr question\nEND\n", timeout=PATIENCE)
        self.assertEqual(demo.returncode, 0, errors + out)
        chat = out.partition("Your turn")[2]
        self.assertIn("hr> ", chat)
        self.assertIn("disconnected", chat)
        self.assert_nothing_left()

    def test_an_interactive_demo_on_a_terminal_asks_and_ends_with_ctrl_d(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        demo = self.play("--interactive", stdin=theirs)
        os.close(theirs)
        text = ""
        while "you> " not in text:
            self.assertTrue(select.select([demo.stdout], [], [], PATIENCE)[0], text)
            piece = os.read(demo.stdout.fileno(), 4096).decode(errors="replace")
            self.assertTrue(piece, f"ended early: {text}")
            text += piece
        os.write(ours, b"\x04")
        _, errors = demo.communicate(timeout=PATIENCE)
        self.assertEqual(demo.returncode, 0, errors)
        self.assert_nothing_left()

    def test_demo_plays_the_help_desk_twice_at_once_and_leaves_nothing(self):
        demos = [self.play(), self.play()]
        for demo in demos:
            out, errors = demo.communicate(timeout=PATIENCE)
            self.assertEqual(demo.returncode, 0, errors + out)
            for text in ("hr>", "finance>", "disconnected", "sequenceDiagram", "ANSWERED BY"):
                self.assertIn(text, out)
            self.assertEqual([line for line in out.splitlines() if len(line) > 80], [])
        self.assert_nothing_left()
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_process_that_dies_in_the_middle_ends_the_demo_with_its_name(self):
        demo = self.play()
        wait_for(lambda: [line for line in processes_mentioning(self.folder) if "--worker finance" in line], "worker")
        folder = next(Path(self.folder).iterdir())
        def pid():
            try:
                rows = json.loads((folder / "supervisor.json").read_text())["processes"]
            except (OSError, ValueError):
                return 0
            return all(row["has_been_ready"] for row in rows) and next(r["pid"] for r in rows if r["name"] == "finance")
        os.kill(wait_for(pid, "running demo"), signal.SIGKILL)
        out, errors = demo.communicate(timeout=PATIENCE)
        self.assertEqual(demo.returncode, 1, errors + out)
        self.assertRegex(errors, r"process 'finance' ended by itself: signal 9")
        self.assert_nothing_left()

    def test_ctrl_c_ends_the_demo_with_130_and_leaves_nothing(self):
        demo = self.play()
        wait_for(lambda: processes_mentioning(self.folder), "process of the demo")
        time.sleep(0.3)
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=PATIENCE)
        self.assertEqual(demo.returncode, 130)
        self.assert_nothing_left()
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
