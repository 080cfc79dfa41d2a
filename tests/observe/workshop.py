"""What a help desk lacks, as one more worker of its suite: a team, whose one member uses the tools of an MCP server by way of a
tool host, and whose other member always fails."""

import json
import sys

import prometheus_files as files

STUB = files.ROOT / "tests" / "support" / "mcp_stub.py"
TEAM, MEMBER = "workshop", "maker"
# The agent type that a query of one agent's dashboard is about, where it is not a department of the help desk.
AGENT_OF = {"parley_conversation_": TEAM, "gen_ai_execute_tool_": MEMBER}

WORKER = f"""
  - name: workshop
    models:
      maker_model:
        provider: offline
        price: *price
        rules:
          - {{contains: chair, tool_calls: [{{name: bench_echo, arguments: {{text: oak}}}}, {{name: bench_fails, arguments: {{}}}}]}}
          - {{tool_result: oak, reply: A chair of oak.}}
      late_model: {{provider: offline, price: *price, rules: [{{regex: ".", error: invalid}}]}}
    tools:
      bench: {{type: mcp, command: {json.dumps([sys.executable, str(STUB), "--era", "modern"])}}}
      hosted: {{type: remote, target: toolbox, prefix: ""}}
    agents:
      - {{type: toolbox, kind: tool_host, tools: [bench]}}
      - {{type: {MEMBER}, kind: assistant, model: maker_model, tools: [hosted]}}
      - {{type: latecomer, kind: assistant, model: late_model}}
      - type: {TEAM}
        kind: pipeline
        mode: sequential
        participants: [latecomer, {MEMBER}]
        on_failure: {{then: skip}}
"""


def work(desk):
    """One conversation and its calls of tools."""
    done = desk.run("request", f"{TEAM}/observe", "a chair", "--timeout", "30s")
    assert done.returncode == 0 and "oak" in done.stdout, done.stdout + done.stderr
