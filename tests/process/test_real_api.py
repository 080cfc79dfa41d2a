#!/usr/bin/env python3
"""The supervisor of pods against the real Kubernetes API server, with the service account and the Role of k8s/base. Runs
where kube-apiserver and etcd are found (`./dev k8s --api-server` builds them)."""

import signal
import sys
import tempfile
import unittest

from pod_supervisor import AnyApi, PodSupervisorTest
from processes import BIN
from real_kube_api import RealKubeApi, programs


class RealApi(AnyApi, PodSupervisorTest):
    def make_api(self):
        return RealKubeApi(self.start_agent, tempfile.mkdtemp(prefix="api-", dir=self.folder))

    def test_goes_on_with_a_new_token_when_the_server_was_killed(self):
        self.supervise()
        self.wait_for_ready_pods(1, "first pod")
        self.token.write_text(self.api.renew_token())
        self.api.end_server(signal.SIGKILL)
        self.wait_until(lambda: self.page("/readyz")[0] == 503, "supervisor that is not ready")
        self.assertIn("Kubernetes API", self.page("/readyz")[1])
        self.api.start_server()
        self.api.create_pod()
        self.wait_for_ready_pods(2, "pod that came after that")
        self.wait_until(lambda: self.page("/readyz")[0] == 200, "supervisor that is ready again")
        self.assertEqual((self.events()["api_away"], self.events()["api_back"]), (1, 1))
        self.assertNotIn("Unauthorized", self.log())

    def test_lists_anew_when_the_server_has_forgotten_where_the_watch_was(self):
        self.supervise()
        self.wait_for_ready_pods(1, "first pod")
        known = self.api.version()
        # It sees its watch end in good order only after the server is back and knows nothing of what was.
        self.supervisor.send_signal(signal.SIGSTOP)
        self.api.end_server(signal.SIGTERM)
        self.api.start_server()
        self.api.create_pod()
        self.api.forget_history()
        self.assertEqual(self.api.watch_answer(known)["object"]["code"], 410)
        self.supervisor.send_signal(signal.SIGCONT)
        self.wait_for_ready_pods(2, "pod that came meanwhile")
        self.assertNotIn("api_away", self.events())

    def test_is_not_ready_and_says_why_until_it_has_its_role(self):
        self.api.take_role()
        self.start_supervisor()
        self.wait_until(lambda: "event=api_away" in self.log(), "word that it may not look")
        self.assertIn('cannot list resource', self.log())
        self.assertEqual(self.page("/readyz")[0], 503)
        self.api.give_role()
        self.wait_for_ready_pods(1, "first pod")
        self.assertEqual(self.page("/readyz")[0], 200)


if __name__ == "__main__":
    missing = [name for name, is_there in (("kube-apiserver and etcd", programs()),
                                           ("parley-supervisor", (BIN / "parley-supervisor").exists())) if not is_there]
    if missing:
        print(f"SKIPPED: no {' and no '.join(missing)}; ./dev k8s --api-server builds them")
        sys.exit(77)
    unittest.main(verbosity=2)
