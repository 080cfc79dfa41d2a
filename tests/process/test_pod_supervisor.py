#!/usr/bin/env python3
"""The supervisor of pods, as a real process, with a real broker and real agents, against a stub of the Kubernetes API.
test_real_api.py does the same against the real one."""

import itertools
import json
import sys
import unittest

from kube_api import KubeApi
from pod_supervisor import AnyApi, PodSupervisorTest
from processes import BIN


class PodSupervisor(AnyApi, PodSupervisorTest):
    def make_api(self):
        return KubeApi(self.start_agent, "first-token")

    def test_lists_anew_when_the_server_has_forgotten_where_the_watch_was(self):
        self.supervise()
        self.wait_for_ready_pods(1, "first pod")
        for number, forget in enumerate(["in the watch", "at its beginning", "not at all"], start=2):
            lists = sum("watch" not in path for _, path in self.api.requests)
            if forget == "in the watch":
                self.api.fail_watches(410)
            elif forget == "at its beginning":
                self.api.bookmark()
                self.api.forget_before = self.api.version + 100
                self.api.version += 200
                self.api.end_watches()
            else:
                self.api.end_watches()
            if forget != "not at all":
                self.wait_until(lambda: sum("watch" not in path for _, path in self.api.requests) > lists, "list")
            self.wait_until(lambda: self.api.watchers, "watch")
            self.api.create_pod()
            self.wait_until(lambda: self.events().get("agent_ready") == number, f"pod, forgotten {forget}")
        self.assertEqual(sum("watch" not in path for _, path in self.api.requests), lists, "a watch that ended goes on")
        self.assertNotIn("api_away", self.events())

    def test_says_when_the_api_is_away_and_catches_up(self):
        self.supervise()
        self.wait_for_ready_pods(1, "first pod")
        self.api.go_away()
        self.wait_until(lambda: self.page("/readyz")[0] == 503, "supervisor that is not ready")
        self.assertIn("Kubernetes API", self.page("/readyz")[1])
        self.assertEqual(self.page("/livez")[0], 200)
        self.api.create_pod()
        self.api.come_back()
        self.wait_until(lambda: self.events().get("agent_ready") == 2, "pod that came meanwhile")
        self.wait_until(lambda: self.events().get("api_back") == 1, "word that the API is back")
        self.assertEqual(self.events()["api_away"], 1)

    def test_reads_its_token_anew(self):
        self.supervise()
        self.wait_for_ready_pods(1, "first pod")
        self.token.write_text(self.api.renew_token())
        self.api.end_watches()
        self.wait_until(lambda: self.api.watchers, "watch with the new token")
        self.api.create_pod()
        self.wait_for_ready_pods(2, "second pod")
        self.assertNotIn("api_away", self.events())

    def remembered(self, node):
        """What has happened to agents, as a supervisor remembers it: (event, agent)."""
        told = [json.loads(line) for line in self.parley("events", "--json", "--node", node).out.splitlines()]
        return {(each["event"], each["agent"]) for each in told if each["agent"]}

    def subscriptions(self):
        return json.loads(self.parley("ps", "--json").out)["numbers"]["parley_broker_subscriptions"]

    def test_of_two_at_one_broker_one_tells_what_an_operator_does_and_both_remember_it(self):
        nodes = ("west", "east")
        for node in nodes:
            self.supervise("--node", node)
            ids = itertools.count()

            def has_looked():
                # What it finds at its first look is no news.
                self.parley("agent", "quarantine", f"hr/{node}{next(ids)}")
                return self.remembered(node)
            self.wait_until(has_looked, f"supervisor {node} that has looked at the broker")
        with open(self.files / "events.jsonl", "w") as out:
            self.spawn("parley", "events", "-f", "-n", "0", "--json", "--broker", self.endpoint, stdout=out)
        self.wait_until(self.subscriptions, "follower that listens")
        for event, order in (("quarantined", "quarantine"), ("released", "release")):
            self.parley("agent", order, "hr/x")
            self.wait_until(lambda: all((event, "hr/x") in self.remembered(node) for node in nodes), event)
        self.parley("agent", "quarantine", "hr/last")
        self.wait_until(lambda: "hr/last" in (self.files / "events.jsonl").read_text(), "last event")
        told = [json.loads(line) for line in (self.files / "events.jsonl").read_text().splitlines()]
        self.assertEqual([(each["event"], each["node"]) for each in told if each["agent"] == "hr/x"],
                         [("quarantined", "east"), ("released", "east")])


if __name__ == "__main__":
    if not (BIN / "parley-supervisor").exists():
        print("SKIPPED: parley-supervisor is not built")
        sys.exit(77)
    unittest.main(verbosity=2)
