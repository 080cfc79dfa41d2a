#!/usr/bin/env python3
"""The supervisor of pods, as a real process, with a real broker and real agents, against a stub of the Kubernetes API.
test_real_api.py does the same against the real one."""

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


if __name__ == "__main__":
    if not (BIN / "parley-supervisor").exists():
        print("SKIPPED: parley-supervisor is not built")
        sys.exit(77)
    unittest.main(verbosity=2)
