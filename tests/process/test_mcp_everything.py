#!/usr/bin/env python3
"""The MCP client against the official server, @modelcontextprotocol/server-everything from npm. Installed into the build
tree the first time; without npm or its registry the test ends with 77 and says so."""

import json
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from processes import BIN, PATIENCE  # noqa: E402
from test_tools import ToolsTest  # noqa: E402

PACKAGE = "@modelcontextprotocol/server-everything"
FOLDER = BIN.parent / "npm-mcp"
SERVER = FOLDER / "node_modules" / PACKAGE / "dist" / "index.js"


def skipped(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def install():
    if SERVER.exists():
        return
    if not shutil.which("npm") or not shutil.which("node"):
        skipped("npm is not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(["npm", "install", "--prefix", str(FOLDER), "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE],
                              capture_output=True, text=True, timeout=200)
    except subprocess.TimeoutExpired:
        skipped("npm's registry does not answer")
    if done.returncode != 0 or not SERVER.exists():
        skipped(f"{PACKAGE} cannot be installed: {done.stderr.strip()[-300:]}")


class Everything(ToolsTest):
    def test_the_official_server_over_stdio(self):
        self.host(f"  ev: {{type: mcp, command: {json.dumps(['node', str(SERVER), 'stdio'])}}}")
        tools = self.listed()
        print(f"{len(tools)} tools: {', '.join(sorted(tools))}")
        self.assertIn("ev_echo", tools)
        self.assertEqual(self.use("ev_echo", message="Füße")["content"], "Echo: Füße")
        self.assertIn("message", self.use("ev_echo")["content"])
        total = next(name for name in ("ev_get-sum", "ev_add") if name in tools)
        self.assertIn("5", self.use(total, a=2, b=3)["content"])
        image = next(name for name in ("ev_get-tiny-image", "ev_getTinyImage") if name in tools)
        self.assertTrue(any(each["media_type"] == "image/png" for each in self.use(image)["files"]))
        structured = next((name for name in ("ev_get-structured-content", "ev_structuredContent") if name in tools), None)
        if structured:
            answer = self.use(structured, location="New York")
            self.assertFalse(answer["is_error"], answer)
            self.assertIn("temperature", answer["content"])
        slow = next((name for name in ("ev_trigger-long-running-operation", "ev_longRunningOperation") if name in tools), None)
        if slow:
            self.assertFalse(self.use(slow, duration=1, steps=4)["is_error"])

    def test_the_official_server_over_http(self):
        with subprocess.Popen(["node", "-e", "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{"
                               "console.log(s.address().port);s.close()})"], stdout=subprocess.PIPE, text=True) as probe:
            port = int(probe.stdout.readline())
        server = subprocess.Popen(["node", str(SERVER), "streamableHttp"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True, env={**os.environ, "PORT": str(port)})
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        for line in server.stderr:
            if str(port) in line:
                break
        self.host(f"  ev: {{type: mcp, url: 'http://127.0.0.1:{port}/mcp'}}")
        self.assertEqual(self.use("ev_echo", message="over HTTP")["content"], "Echo: over HTTP")


if __name__ == "__main__":
    install()
    unittest.main()
