#!/usr/bin/env python3
"""Tools where they are used: hosted by a worker of their own, called over the bus. The MCP client against servers of both
eras over both transports."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from processes import BIN, PATIENCE, Daemon, ProcessTest, clean_environment, get  # noqa: E402

STUB = Path(__file__).resolve().parents[1] / "support" / "mcp_stub.py"


class Site(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/page")
            self.end_headers()
            return
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.2:1/")
            self.end_headers()
            return
        body = b"<html><title>Bees</title><script>x()</script><p>Bees &amp; <a href='/wasps'>wasps</a></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)


def stub(*arguments):
    return json.dumps([sys.executable, str(STUB), *arguments])


class ToolsTest(ProcessTest):
    def host(self, tools, agents="", audit=""):
        """A broker and a worker with these tools, all of which the agent `hands` hosts."""
        self.start_broker()
        config = Path(self.folder) / "hands.yaml"
        names = [line.split(":")[0].strip() for line in tools.splitlines() if line.startswith("  ") and line[2] not in " #"]
        config.write_text(f"name: hands\nbroker: {self.endpoint}\ntools:\n{tools}\n{audit}\nagents:\n"
                          f"  - {{type: hands, kind: tool_host, tools: {json.dumps(names)}}}\n{agents}\n")
        self.worker = self.start("parley-agent", "--config", str(config))
        self.page = self.worker.ready()["metrics_port"]
        return self.worker

    def request(self, kind, body, timeout="30s"):
        done = subprocess.run([str(BIN / "parley"), "request", "hands", json.dumps(body), "--type", kind, "--json",
                               "--broker", self.endpoint, "--timeout", timeout], capture_output=True, text=True,
                              timeout=PATIENCE, env=clean_environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        return answer.get("reply", answer)

    def use(self, name, timeout="30s", **arguments):
        return self.request("parley.ToolCall", {"id": "c1", "name": name, "arguments": json.dumps(arguments)}, timeout)

    def listed(self):
        return {each["name"]: each for each in self.request("parley.ToolList", {"name": ""})["tools"]}


class BuiltIn(ToolsTest):
    def test_tools_of_a_host_are_listed_run_within_their_rules_and_audited(self):
        site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
        threading.Thread(target=site.serve_forever, daemon=True).start()
        self.addCleanup(site.server_close)
        self.addCleanup(site.shutdown)
        port = site.server_address[1]
        (Path(self.folder) / "seed.sql").write_text(
            "CREATE TABLE invoices (id INTEGER PRIMARY KEY, customer TEXT, amount REAL);"
            "INSERT INTO invoices (customer, amount) VALUES ('Ada', 10.5), ('Bob', 20);")
        self.host(f"  web: {{type: http, private_hosts: ['127.0.0.1:{port}']}}\n"
                  "  public: {type: http, hosts: ['*:*']}\n"
                  "  books: {type: sql, database: books.db, init: seed.sql, description: Invoices.}\n"
                  "  kb: {type: knowledge, base: memory, scope: team}",
                  "  - {type: memory, kind: knowledge_base, file: facts.db}",
                  "tool_audit: {file: audit.jsonl, arguments: full}")
        tools = self.listed()
        self.assertEqual(sorted(tools), ["books", "kb_recall", "kb_remember", "public", "web"])
        self.assertIn("invoices(id INTEGER PRIMARY KEY, customer TEXT, amount REAL)", tools["books"]["description"])

        page = self.use("web", url=f"http://127.0.0.1:{port}/moved")
        self.assertIn(f"Title: Bees\n\nBees & [wasps](http://127.0.0.1:{port}/wasps)", page["content"])
        self.assertNotIn("x()", page["content"])
        self.assertIn("is not allowed", self.use("web", url=f"http://127.0.0.1:{port}/away")["content"])
        refused = self.use("public", url=f"http://localhost:{port}/page")
        self.assertTrue(refused["is_error"])
        self.assertRegex(refused["content"], "the address (127.0.0.1|::1) is not allowed")

        self.assertEqual(self.use("books", query="SELECT customer, amount FROM invoices WHERE amount > 15")["content"],
                         "customer | amount\nBob | 20.0\n(1 row)")
        self.assertIn("not authorized", self.use("books", query="DELETE FROM invoices")["content"])
        self.assertIn("'query' is missing", self.use("books", question="?")["content"])

        self.assertIn("remembered as 1", self.use("kb_remember", text="We use PostgreSQL.", kind="decision",
                                                  rationale="it is known", source="meeting")["content"])
        self.assertIn("decision by", self.use("kb_recall", query="Which database do we use? PostgreSQL?")["content"])
        self.assertIn("nothing is known", self.use("kb_recall", query="weather")["content"])

        lines = [json.loads(line) for line in (Path(self.folder) / "audit.jsonl").read_text().splitlines()]
        self.assertEqual([line["outcome"] for line in lines if line["tool"] == "books"],
                         ["ok", "tool_error", "invalid_arguments"])
        self.assertEqual(os.stat(Path(self.folder) / "audit.jsonl").st_mode & 0o777, 0o600)
        _, metrics = get(self.page, "/metrics")
        self.assertIn('gen_ai_execute_tool_duration_seconds_count{error_type="",gen_ai_agent_name="hands",gen_ai_tool_name="web"} 1', metrics)

    def test_a_wrong_file_ends_the_worker_with_all_problems(self):
        config = Path(self.folder) / "bad.yaml"
        config.write_text("tools:\n  a: {type: http}\n  b: {type: sql, database: x.db, access: all}\n  c: {type: mcp}\n"
                          "agents: [{type: hands, kind: tool_host, tools: [a, b, c, d]}]\n")
        done = subprocess.run([str(BIN / "parley"), "config", "validate", str(config)], capture_output=True, text=True,
                              timeout=PATIENCE, env=clean_environment())
        self.assertEqual(done.returncode, 2)
        for part in ["tools.a.hosts", "tools.b.access", "tools.c", "'d': expected names of tools"]:
            self.assertIn(part, done.stderr + done.stdout)

    def test_a_database_that_is_not_there_ends_the_worker(self):
        config = Path(self.folder) / "bad.yaml"
        config.write_text("tools:\n  b: {type: sql, database: none.db}\nagents: [{type: hands, kind: tool_host, tools: [b]}]\n")
        done = subprocess.run([str(BIN / "parley-agent"), "--config", str(config)], capture_output=True, text=True,
                              timeout=PATIENCE, env=clean_environment())
        self.assertEqual(done.returncode, 2)
        self.assertIn("tools.b: cannot open the database", done.stderr)


class Mcp(ToolsTest):
    def log_of(self, name):
        path = Path(self.folder) / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def start_http(self, *arguments):
        server = subprocess.Popen([sys.executable, str(STUB), "--http", *arguments], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return int(server.stdout.readline())

    def check_calls(self, prefix):
        """What every server can do, whatever its era and transport."""
        self.assertEqual(self.use(prefix + "echo", text="Füße")["content"], "Füße")
        self.assertIn("/text: expected string", self.use(prefix + "echo", text=7)["content"])
        read = self.use(prefix + "file_read", path="/x")["content"]
        self.assertEqual(read, "file:///x:\ncontent\n[other](file:///other)")
        self.assertEqual(json.loads(self.use(prefix + "sum", a=1, b=2)["content"]), {"sum": 3})
        image = self.use(prefix + "image")
        self.assertIn("image of image/png, 5 bytes", image["content"])
        self.assertEqual(image["files"][0]["media_type"], "image/png")
        failed = self.use(prefix + "fails")
        self.assertTrue(failed["is_error"])
        self.assertEqual(failed["content"], "it did not work")

    def test_servers_of_both_eras_over_both_transports(self):
        folder = self.folder
        modern = self.start_http("--era", "modern", "--log", f"{folder}/hm.log")
        modern_sse = self.start_http("--era", "modern", "--sse")
        legacy = self.start_http("--era", "legacy", "--log", f"{folder}/hl.log")
        legacy_sse = self.start_http("--era", "legacy", "--sse")
        self.host("\n".join([
            f"  sm: {{type: mcp, command: {stub('--era', 'modern', '--log', f'{folder}/sm.log')}}}",
            f"  sl: {{type: mcp, command: {stub('--era', 'legacy', '--log', f'{folder}/sl.log')}}}",
            f"  silent: {{type: mcp, probe_timeout: 500ms, command: {stub('--era', 'legacy', '--silent')}}}",
            f"  fragile: {{type: mcp, command: {stub('--era', 'legacy', '--fragile')}}}",
            f"  hm: {{type: mcp, url: 'http://127.0.0.1:{modern}/mcp'}}",
            f"  hms: {{type: mcp, url: 'http://127.0.0.1:{modern_sse}/mcp'}}",
            f"  hl: {{type: mcp, url: 'http://127.0.0.1:{legacy}/mcp'}}",
            f"  hls: {{type: mcp, url: 'http://127.0.0.1:{legacy_sse}/mcp'}}",
        ]))
        tools = self.listed()
        prefixes = ["sm_", "sl_", "silent_", "fragile_", "hm_", "hms_", "hl_", "hls_"]
        for prefix in prefixes:
            with self.subTest(prefix):
                self.assertIn(prefix + "region", tools, "the last page was read")
                self.assertNotIn(prefix + "wrong_header", tools)
                self.check_calls(prefix)

        self.assertEqual(self.use("hm_region", region="Zürich")["content"], "Zürich")
        call = [each for each in self.log_of("hm.log") if each["method"] == "tools/call"][-1]
        self.assertEqual(call["headers"]["mcp-param-region"], "=?base64?WsO8cmljaA==?=")
        self.assertNotIn("mcp-session-id", call["headers"])
        self.assertEqual([each["method"] for each in self.log_of("sm.log")][:2], ["server/discover", "tools/list"])
        self.assertEqual([each["method"] for each in self.log_of("sl.log")][:4],
                         ["server/discover", "initialize", "notifications/initialized", "tools/list"])
        legacy_call = [each for each in self.log_of("hl.log") if each["method"] == "tools/call"][-1]
        self.assertEqual(legacy_call["headers"]["mcp-protocol-version"], "2025-06-18")
        self.assertEqual(legacy_call["headers"]["mcp-session-id"], "session-7")

    def test_new_tools_are_there_when_the_server_says_so_and_sessions_are_ended(self):
        port = self.start_http("--era", "legacy", "--stream", "--log", f"{self.folder}/h.log")
        plain = self.start_http("--era", "legacy", "--log", f"{self.folder}/p.log")
        log = f"{self.folder}/s.log"
        self.host(f"  h: {{type: mcp, url: 'http://127.0.0.1:{port}/mcp'}}\n"
                  f"  p: {{type: mcp, url: 'http://127.0.0.1:{plain}/mcp'}}\n"
                  f"  s: {{type: mcp, command: {stub('--era', 'legacy', '--log', log)}}}")
        for prefix in ("h_", "s_"):
            for _ in range(2):  # the second time on a stream that was asked for again
                known = set(self.listed())
                self.assertEqual(self.use(prefix + "grow")["content"], "grown")
                self.wait_until(lambda before=known: set(self.listed()) - before, f"new tool of {prefix}")
        log = self.log_of("h.log")
        asked = [each["headers"] for each in log if each.get("method") == "GET"]
        self.assertEqual({each["mcp-session-id"] for each in asked}, {"session-7"})
        self.assertEqual([each.get("last-event-id") for each in asked][:3], [None, "1", "2"])
        self.assertIn("are you there", [each.get("id") for each in log if "result" in each], "a ping was answered")

        _, metrics = get(self.page, "/metrics")
        for line in ('parley_mcp_connected{mcp_server="h"} 1', 'parley_mcp_connections_total{mcp_server="s"} 1',
                     'parley_mcp_requests_total{mcp_server="h",outcome="ok"} ', 'parley_mcp_requests_total{mcp_server="s",outcome="rejected"} 1',
                     'mcp_client_operation_duration_seconds_count{mcp_method_name="tools/call",mcp_server="h"} 2'):
            self.assertIn(line, metrics)
        self.assertEqual(self.worker.terminate(), 0)
        for name in ("h.log", "p.log"):
            ended = [each for each in self.log_of(name) if each.get("method") == "DELETE"]
            self.assertEqual([each["headers"].get("mcp-session-id") for each in ended], ["session-7"], name)
        self.assertEqual(len([each for each in self.log_of("p.log") if each.get("method") == "GET"]), 1, "405: not again")

    def test_a_call_that_takes_too_long_is_cancelled_at_the_server(self):
        log = f"{self.folder}/s.log"
        self.host(f"  s: {{type: mcp, timeout: 1s, command: {stub('--era', 'modern', '--log', log)}}}")
        slow = self.use("s_slow")
        self.assertEqual(slow["content"], "timeout: the tool did not finish within 1000 ms")
        deadline = time.monotonic() + PATIENCE
        while {"event": "slow_cancelled"} not in self.log_of("s.log"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.assertEqual(self.use("s_echo", text="alive")["content"], "alive")

    def test_a_server_that_ends_is_started_again_and_leaves_nothing_behind(self):
        self.host(f"  s: {{type: mcp, command: {stub('--era', 'modern')}}}")
        died = self.use("s_die")
        self.assertTrue(died["is_error"])
        self.assertRegex(died["content"], "ended with exit code 4|has closed its output")
        deadline = time.monotonic() + PATIENCE
        while self.use("s_echo", text="back")["content"] != "back":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        children = subprocess.run(["pgrep", "-P", str(self.worker.process.pid)], capture_output=True, text=True).stdout.split()
        self.assertEqual(len(children), 1)
        self.worker.process.kill()
        self.worker.process.wait(timeout=PATIENCE)
        while Path(f"/proc/{children[0]}").exists() and "Z" not in Path(f"/proc/{children[0]}/stat").read_text():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_a_question_of_the_server_reaches_a_person(self):
        self.host(f"  s: {{type: mcp, command: {stub('--era', 'modern')}}}", "  - {type: sys.questions, kind: question_desk}")
        result = {}
        asking = threading.Thread(target=lambda: result.update(self.use("s_confirm")))
        asking.start()
        parley = [str(BIN / "parley"), "ask"]
        broker = ["--broker", self.endpoint]
        deadline = time.monotonic() + PATIENCE
        while True:
            listed = subprocess.run([*parley, "ls", "--json", *broker], capture_output=True, text=True, timeout=PATIENCE,
                                    env=clean_environment())
            questions = [json.loads(line) for line in listed.stdout.splitlines()]
            questions = questions[0].get("questions", questions) if questions else []
            if questions:
                break
            self.assertLess(time.monotonic(), deadline, listed.stderr)
            time.sleep(0.1)
        self.assertIn("Are you sure?", questions[0]["question"])
        subprocess.run([*parley, "answer", questions[0]["id"], "yes", *broker], check=True, capture_output=True,
                       timeout=PATIENCE, env=clean_environment())
        asking.join(timeout=PATIENCE)
        self.assertEqual(json.loads(result["content"]), {"action": "accept", "content": {"answer": "yes"}})


if __name__ == "__main__":
    unittest.main()
