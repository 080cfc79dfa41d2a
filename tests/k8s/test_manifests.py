#!/usr/bin/env python3
"""The manifests of k8s/: every overlay passes every check, every check finds its defect, and the programs do what the
manifests say of them. Needs kubectl 1.21 or newer, or kustomize; ends with 77 and says so where there is none."""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
import urllib.error
import urllib.request
from pathlib import Path

import checks
import manifests
import write_rules

BIN = Path(os.environ.get("PARLEY_BIN", manifests.ROOT / "build" / "bin"))
PATIENCE = 60
OVERLAYS = ("dev", "prod")
RENDERED = {}


def overlay(name):
    """A copy of its documents, to be spoilt at will."""
    if name not in RENDERED:
        RENDERED[name] = manifests.render(manifests.OVERLAYS / name)
    return copy.deepcopy(RENDERED[name])


def find(documents, name):
    return next(document for document in documents if manifests.title(document) == name)


class Overlays(unittest.TestCase):
    def test_pass_every_check(self):
        for name in OVERLAYS:
            for check in checks.ALL:
                with self.subTest(overlay=name, check=check.__name__):
                    self.assertEqual(check(overlay(name)), [])

    def test_are_all_tested(self):
        self.assertEqual(sorted(OVERLAYS), sorted(path.name for path in manifests.OVERLAYS.iterdir()))

    def test_dev_runs_one_of_each_with_the_offline_model(self):
        documents = overlay("dev")
        for workload in manifests.of_kind(documents, *manifests.WORKLOADS):
            self.assertEqual(workload["spec"].get("replicas", 1), 1)
        suite = next(d for d in documents if d["metadata"]["name"].startswith("parley-suite"))["data"]["parley.yaml"]
        self.assertEqual(set(re.findall(r"provider: (\w+)", suite)), {"offline"})

    def test_prod_has_every_component(self):
        kinds = {document["kind"] for document in overlay("prod")}
        self.assertLessEqual({"PodMonitor", "PrometheusRule", "ScaledObject", "NetworkPolicy"}, kinds)
        boards = [d for d in manifests.of_kind(overlay("prod"), "ConfigMap")
                  if "grafana_dashboard" in d["metadata"]["labels"]]
        self.assertEqual(sum(len(board["data"]) for board in boards),
                         len(list((manifests.ROOT / "monitoring/grafana/dashboards").glob("*.json"))))

    def test_prod_leaves_the_number_of_agents_to_the_scaler(self):
        for scaled in manifests.of_kind(overlay("prod"), "ScaledObject"):
            target = find(overlay("prod"), f"Deployment/{scaled['spec']['scaleTargetRef']['name']}")
            self.assertNotIn("replicas", target["spec"])

    def test_prod_keeps_two_of_each_agent(self):
        scaled = manifests.of_kind(overlay("prod"), "ScaledObject")
        self.assertTrue(scaled)
        self.assertEqual({each["spec"]["minReplicaCount"] for each in scaled}, {2})

    def test_waiting_messages_are_counted_once_by_the_scaler(self):
        for each in manifests.of_kind(overlay("prod"), "ScaledObject"):
            query = each["spec"]["triggers"][0]["metadata"]["query"]
            self.assertNotIn("parley_broker_type_parked", query, "parley_broker_mailbox_depth contains it")

    def test_every_configuration_is_one_that_the_program_accepts(self):
        for name in OVERLAYS:
            for suite in manifests.of_kind(overlay(name), "ConfigMap"):
                if "parley.yaml" not in suite["data"]:
                    continue
                with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                    file.write(suite["data"]["parley.yaml"])
                    file.flush()
                    done = subprocess.run([BIN / "parley", "config", "validate", file.name], capture_output=True,
                                          text=True, timeout=PATIENCE, env={**os.environ, "MODEL_API_KEY": "x"},
                                          check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_rules_are_those_of_monitoring(self):
        self.assertEqual(write_rules.TARGET.read_text(), write_rules.rules_text(), "run ./dev k8s --write")


def spoil_schema(documents):
    find(documents, "StatefulSet/parley-broker")["spec"]["replica"] = 1


def spoil_type(documents):
    find(documents, "Service/parley-broker")["spec"]["ports"][0]["port"] = "7700"


def spoil_scaler(documents):
    find(documents, "ScaledObject/hr")["spec"]["maxReplicas"] = 3


def spoil_names(documents):
    documents.append(copy.deepcopy(find(documents, "Service/parley-broker")))


def spoil_labels(documents):
    labels = find(documents, "Deployment/hr")["spec"]["template"]["metadata"]["labels"]
    labels["app.kubernetes.io/version"] = "0.0.9"


def spoil_selectors(documents):
    find(documents, "Deployment/hr")["spec"]["selector"]["matchLabels"].pop("app.kubernetes.io/instance")


def spoil_service(documents):
    find(documents, "Service/parley-broker")["spec"]["selector"]["app.kubernetes.io/name"] = "broker"


def spoil_policy(documents):
    policy = find(documents, "NetworkPolicy/broker-from-peers")
    policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] = "brokers"


def spoil_references(documents):
    find(documents, "ScaledObject/hr")["spec"]["scaleTargetRef"]["name"] = "human-resources"


def spoil_config_map(documents):
    pod = manifests.pod_of(find(documents, "Deployment/hr"))["spec"]
    pod["volumes"][0]["configMap"]["name"] = "parley-suite"


def spoil_images(documents):
    manifests.containers_of(find(documents, "Deployment/hr"))[0]["image"] = "localhost:5000/parley"


def spoil_restricted(documents):
    manifests.containers_of(find(documents, "Deployment/hr"))[0]["securityContext"]["readOnlyRootFilesystem"] = False


def spoil_user(documents):
    manifests.pod_of(find(documents, "Deployment/hr"))["spec"]["securityContext"].pop("runAsNonRoot")


def spoil_resources(documents):
    manifests.containers_of(find(documents, "Deployment/hr"))[0]["resources"]["limits"].pop("memory")


def spoil_probes(documents):
    manifests.containers_of(find(documents, "Deployment/hr"))[0]["livenessProbe"]["httpGet"]["path"] = "/readyz"


def spoil_drain(documents):
    manifests.pod_of(find(documents, "Deployment/hr"))["spec"]["terminationGracePeriodSeconds"] = 30


def spoil_pre_stop(documents):
    manifests.containers_of(find(documents, "Deployment/hr"))[0].pop("lifecycle")


def spoil_pre_stop_command(documents):
    hook = manifests.containers_of(find(documents, "Deployment/hr"))[0]["lifecycle"]["preStop"]
    hook["exec"]["command"][-1] = hook["exec"]["command"][-1].replace("worker drain", "worker restart")


def spoil_ports(documents):
    find(documents, "NetworkPolicy/broker-from-peers")["spec"]["ingress"][0]["ports"][0]["port"] = 7701


def spoil_endpoint(documents):
    manifests.containers_of(find(documents, "Deployment/hr"))[0]["env"][0]["value"] = "tcp://parley-broker-0.broker:7700"


def spoil_workers(documents):
    documents.remove(find(documents, "Deployment/hr"))


def spoil_disruption(documents):
    find(documents, "PodDisruptionBudget/parley-broker")["spec"] |= {"minAvailable": 1}


def spoil_rbac(documents):
    documents.append({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "more"},
                      "rules": [{"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get"]}]})


def spoil_secrets(documents):
    documents.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"key": "x"}})


def spoil_default_deny(documents):
    find(documents, "NetworkPolicy/default-deny")["spec"]["policyTypes"] = ["Ingress"]


def spoil_metrics(documents):
    trigger = find(documents, "ScaledObject/hr")["spec"]["triggers"][0]
    trigger["metadata"]["query"] = "sum(parley_broker_mailbox_size)"


DEFECTS = {spoil_schema: checks.schema, spoil_type: checks.schema, spoil_scaler: checks.schema,
           spoil_names: checks.names, spoil_labels: checks.labels, spoil_selectors: checks.selectors,
           spoil_service: checks.selectors, spoil_policy: checks.selectors, spoil_references: checks.references,
           spoil_config_map: checks.references, spoil_images: checks.images, spoil_restricted: checks.restricted,
           spoil_user: checks.restricted, spoil_resources: checks.resources, spoil_probes: checks.probes,
           spoil_drain: checks.probes, spoil_pre_stop: checks.pre_stop, spoil_pre_stop_command: checks.pre_stop,
           spoil_ports: checks.ports, spoil_endpoint: checks.ports,
           spoil_workers: checks.workers, spoil_disruption: checks.disruption, spoil_rbac: checks.rbac,
           spoil_secrets: checks.secrets, spoil_default_deny: checks.default_deny, spoil_metrics: checks.metrics}


class Checks(unittest.TestCase):
    def test_find_their_defects(self):
        for spoil, check in DEFECTS.items():
            with self.subTest(defect=spoil.__name__):
                documents = overlay("prod")
                spoil(documents)
                self.assertNotEqual(check(documents), [])

    def test_have_a_defect_each(self):
        self.assertEqual(set(DEFECTS.values()), set(checks.ALL))


class Programs(unittest.TestCase):
    """The commands of the dev overlay, word for word but for addresses: on this machine, ports that are free."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="parley-k8s-")
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        self.documents = overlay("dev")
        suite = next(d for d in self.documents if d["metadata"]["name"].startswith("parley-suite"))
        (self.path / "parley.yaml").write_text(suite["data"]["parley.yaml"])
        budgets = next(d for d in self.documents if d["metadata"]["name"].startswith("parley-budgets"))
        (self.path / "budgets.yaml").write_text(budgets["data"]["budgets.yaml"])

    def start(self, workload, broker):
        """The workload's process, and what it says when it is ready."""
        container = manifests.containers_of(workload)[0]
        environment = manifests.environment_of(workload, container, "pod-0")
        here = {"0.0.0.0:7700": "127.0.0.1:*", "0.0.0.0": "127.0.0.1", "--metrics-port=9700": "--metrics-port=0",
                "/etc/parley-budgets": str(self.path), "/etc/parley": str(self.path), "/var/lib/parley": str(self.path)}
        command = manifests.command_of(container, environment)
        for there, instead in here.items():
            command = [word.replace(there, instead) for word in command]
        log = (self.path / f"{workload['metadata']['name']}.log").open("w+")
        self.addCleanup(log.close)
        process = subprocess.Popen([str(BIN / command[0]), *command[1:]], stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=log,
                                   env={**os.environ, **environment, "PARLEY_BROKER": broker or ""})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        if not line:
            log.seek(0)
            self.fail(f"{command} ended with {process.wait()}: {log.read()}")
        return process, json.loads(line)

    def status(self, port, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as page:
                return page.status
        except urllib.error.HTTPError as refused:
            return refused.code

    def wait_for(self, port, path, status):
        deadline = time.monotonic() + PATIENCE
        while self.status(port, path) != status:
            self.assertLess(time.monotonic(), deadline, f"{path} does not answer {status}")
            time.sleep(0.05)

    def test_serve_the_probes_and_live_without_a_broker(self):
        workloads = {w["metadata"]["name"]: w for w in manifests.of_kind(self.documents, *manifests.WORKLOADS)}
        broker, told = self.start(workloads.pop("parley-broker"), None)
        self.assertEqual(self.status(told["metrics_port"], "/livez"), 200)
        self.assertEqual(self.status(told["metrics_port"], "/readyz"), 200)
        agent, ready = self.start(workloads["hr"], told["endpoint"])
        self.assertEqual(ready["name"], "pod-0")
        self.assertEqual(ready["agents"], ["hr"])
        self.wait_for(ready["metrics_port"], "/readyz", 200)
        ledger, kept = self.start(workloads["parley-ledger"], told["endpoint"])
        self.wait_for(kept["metrics_port"], "/readyz", 200)
        broker.kill()
        self.wait_for(ready["metrics_port"], "/readyz", 503)
        self.wait_for(kept["metrics_port"], "/readyz", 503)
        self.assertEqual(self.status(kept["metrics_port"], "/livez"), 200)
        ledger.terminate()
        self.assertEqual(ledger.wait(timeout=PATIENCE), 0)
        self.assertEqual(self.status(ready["metrics_port"], "/livez"), 200)
        agent.terminate()
        self.assertEqual(agent.wait(timeout=PATIENCE), 0)


    def test_supervise_pods_and_say_that_the_api_is_away(self):
        workloads = {w["metadata"]["name"]: w for w in manifests.of_kind(self.documents, *manifests.WORKLOADS)}
        nowhere = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
        with unittest.mock.patch.dict(os.environ, nowhere):
            supervisor, ready = self.start(workloads["parley-supervisor"], f"ipc://{self.path}/nobody.sock")
        self.assertEqual(self.status(ready["metrics_port"], "/livez"), 200)
        self.assertEqual(self.status(ready["metrics_port"], "/readyz"), 503)
        supervisor.terminate()
        self.assertEqual(supervisor.wait(timeout=PATIENCE), 0)


if __name__ == "__main__":
    if not manifests.renderer():
        print("SKIPPED: no kubectl of 1.21 or newer, no kustomize, and no go to build one with")
        sys.exit(77)
    unittest.main()
