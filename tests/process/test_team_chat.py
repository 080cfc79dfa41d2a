#!/usr/bin/env python3
"""`parley chat` with a team behind a user proxy, each in a process of its own: the user sees who speaks, and what it has cost."""

import subprocess
import unittest
from pathlib import Path

from processes import PATIENCE, ProcessTest

POETS = """
models:
  poet:
    provider: offline
    prefix: ""
    price: {input_per_million_usd: 1000, output_per_million_usd: 1000}
    rules: [{history: too short, reply: a rose is red}]
    default_reply: a rose
  critic: {provider: offline, prefix: "", rules: [{history: is red, reply: APPROVE}], default_reply: too short}
workers:
  - name: desk
    agents:
      - {type: user_proxy, kind: user_proxy}
      - {type: router, kind: semantic_router, routes: [{name: poems, agent_type: poets, phrases: [poem]}]}
  - name: team
    agents: [{type: poets, kind: reflection, writer: poet, reviewer: critic}]
  - name: members
    agents:
      - {type: poet, kind: assistant, model: poet}
      - {type: critic, kind: assistant, model: critic}
"""


class TeamChat(ProcessTest):
    def setUp(self):
        super().setUp()
        config = Path(self.folder, "parley.yaml")
        config.write_text(POETS)
        self.start_daemon("parley-broker", "--listen", self.endpoint, "--state-dir", f"{self.folder}/state", "--log-level",
                          "error")
        for worker in ("members", "team", "desk"):
            self.start_daemon("parley-agent", "--config", str(config), "--worker", worker, "--broker", self.endpoint,
                              "--log-level", "error")

    def chat(self, *arguments):
        process = self.spawn("parley", "chat", *arguments, "--broker", self.endpoint, stdin=subprocess.PIPE)
        out, errors = process.communicate("a poem about a rose\n", timeout=PATIENCE)
        self.assertEqual((process.returncode, errors), (0, ""))
        return out

    def test_the_user_sees_who_speaks_what_it_costs_and_the_answer(self):
        for arguments in ([], ["poets"], ["--topic", "chat.replies"]):
            out = self.chat(*arguments)
            for text in ("poet · writes version 1", "critic · reviews version 1", "poet · writes version 2", "tokens, $0."):
                self.assertIn(text, out, arguments)
            self.assertTrue(out.rstrip().endswith("poets> a rose is red"), out)


if __name__ == "__main__":
    unittest.main()
