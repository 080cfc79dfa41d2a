"""The real Kubernetes API server, with etcd behind it and nothing else of a cluster: what runs its pods is the kubelet of
kube_api.py, and the supervisor has the service account and the Role of k8s/base, and no more."""

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml
from kube_api import LABELS, Cluster

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "parley"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
RBAC = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
ADMIN = "token-of-the-administrator"
MANIFEST = list(yaml.safe_load_all((ROOT / "k8s" / "base" / "supervisor.yaml").read_text()))
PATIENCE = 120


def programs():
    """kube-apiserver and etcd: from the environment, or as `./dev k8s --api-server` has built them; None without both."""
    found = [Path(os.environ.get(variable, ROOT / "build" / "tools" / name))
             for variable, name in (("PARLEY_KUBE_APISERVER", "kube-apiserver"), ("PARLEY_ETCD", "etcd"))]
    return found if all(os.access(program, os.X_OK) for program in found) else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealKubeApi(Cluster):
    def __init__(self, start_agent, folder):
        super().__init__(start_agent)
        self.folder = Path(folder)
        self.api_program, self.etcd_program = programs()
        self.processes, self.numbers_of_tokens = {}, 0
        self.port, self.etcd_port = free_port(), free_port()
        self.make_keys()
        self.start_etcd()
        self.start_server()
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        for document in MANIFEST:
            self.give_account(document)
        self.token = self.new_token()
        self.run(self.watch_for_deletions)

    # --- The processes ---

    def make_keys(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
                "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "api.key", "-out", "ca.crt")
        openssl("genrsa", "-out", "accounts.key", "2048")
        (self.folder / "admins.csv").write_text(f'{ADMIN},admin,1,"system:masters"\n')
        self.tls = ssl.create_default_context(cafile=self.folder / "ca.crt")

    def launch(self, name, *command):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def start_etcd(self):
        clients, peers = (f"http://127.0.0.1:{port}" for port in (self.etcd_port, free_port()))
        self.launch("etcd", self.etcd_program, "--data-dir", self.folder / "etcd", "--listen-client-urls", clients,
                    "--advertise-client-urls", clients, "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
                    "--initial-cluster", f"default={peers}", "--unsafe-no-fsync")

    def start_server(self):
        self.launch("server", self.api_program, f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
                    "--bind-address=127.0.0.1", f"--secure-port={self.port}", "--tls-cert-file=ca.crt",
                    "--tls-private-key-file=api.key", "--token-auth-file=admins.csv", "--authorization-mode=RBAC",
                    "--service-account-issuer=https://parley.test", "--service-account-key-file=accounts.key",
                    "--service-account-signing-key-file=accounts.key", "--service-cluster-ip-range=10.0.0.0/24",
                    # Without it a pod would need an account of its own, which a controller makes.
                    "--disable-admission-plugins=ServiceAccount",
                    # Watches end in good order when the server is told to stop.
                    "--shutdown-watch-termination-grace-period=5s")
        self.wait_for(self.is_ready, "API server")

    def is_ready(self):
        try:
            return self.call("GET", "/readyz", retry=False) == "ok"
        except (OSError, ValueError):
            return False

    def wait_for(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                told = (self.folder / f"{(ended or ['server'])[0]}.log").read_text()[-3000:]
                raise AssertionError(f"no {what} in time (ended: {ended}); its log ends with:\n{told}")
            time.sleep(0.1)

    def end_server(self, signal_number):
        self.processes["server"].send_signal(signal_number)
        self.processes.pop("server").wait(PATIENCE)

    def stop(self):
        super().stop()
        for process in self.processes.values():
            process.kill()
            process.wait()

    # --- The API, as the administrator sees it ---

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def call(self, method, path, body=None, content="application/json", retry=True):
        """The answer. While the server is away it is waited for."""
        while True:
            request = urllib.request.Request(self.url + path, method=method, data=json.dumps(body).encode() if body else None,
                                             headers={"Authorization": f"Bearer {ADMIN}", "Content-Type": content})
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE, context=self.tls) as answer:
                    text = answer.read().decode()
                    return json.loads(text) if answer.headers.get_content_type() == "application/json" else text
            except urllib.error.HTTPError as refused:
                raise ValueError(f"{method} {path}: {refused.code} {refused.read().decode()}") from None
            except OSError:
                if not retry or self.is_stopping:
                    raise
                time.sleep(0.1)

    def give_account(self, document):
        """The ServiceAccount, the Role and its binding, as they are in the manifest."""
        kinds = {"ServiceAccount": f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", "Role": f"{RBAC}/roles",
                 "RoleBinding": f"{RBAC}/rolebindings"}
        if document["kind"] in kinds:
            # Which namespace the account is in is for the overlay to say.
            for subject in document.get("subjects", []):
                subject["namespace"] = NAMESPACE
            self.call("POST", kinds[document["kind"]], document)

    def new_token(self):
        """Of the service account, valid as long as a Secret that is named like its number."""
        self.numbers_of_tokens += 1
        name = f"token-{self.numbers_of_tokens}"
        secret = self.call("POST", f"/api/v1/namespaces/{NAMESPACE}/secrets", {"metadata": {"name": name}})
        owner = {"kind": "Secret", "apiVersion": "v1", "name": name, "uid": secret["metadata"]["uid"]}
        request = {"spec": {"expirationSeconds": 3600, "boundObjectRef": owner}}
        return self.call("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/parley-supervisor/token",
                         request)["status"]["token"]

    def renew_token(self):
        """The token that counts from now on."""
        self.token, old = self.new_token(), f"token-{self.numbers_of_tokens - 1}"
        self.call("DELETE", f"/api/v1/namespaces/{NAMESPACE}/secrets/{old}")
        return self.token

    def forbid_deletions(self):
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
        self.call("PATCH", f"{RBAC}/roles/parley-supervisor", {"rules": rules}, "application/merge-patch+json")

    def take_role(self):
        self.call("DELETE", f"{RBAC}/rolebindings/parley-supervisor")

    def give_role(self):
        for document in MANIFEST:
            if document["kind"] == "RoleBinding":
                self.give_account(document)

    def version(self):
        return self.call("GET", PODS)["metadata"]["resourceVersion"]

    def watch_answer(self, version):
        """The first event of a watch from there."""
        return self.call("GET", f"{PODS}?watch=1&resourceVersion={version}&timeoutSeconds=1")

    def forget_history(self):
        """Nobody can go on from where he was: as after the five minutes for which etcd keeps what was."""
        self.call("PATCH", f"/api/v1/namespaces/{NAMESPACE}", {"metadata": {"labels": {"changed": str(time.monotonic())}}},
                  "application/merge-patch+json")
        body = json.dumps({"revision": int(self.version()), "physical": True}).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{self.etcd_port}/v3/kv/compaction", data=body, timeout=PATIENCE).close()

    def supervisor_flags(self):
        return ["--api-server", self.url, "--ca-file", str(self.folder / "ca.crt")]

    # --- What the kubelet tells and hears ---

    def tell(self, kind, pod):
        if kind == "ADDED":
            owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "hr-5c9f8b7d6", "uid": "uid-of-hr",
                     "controller": True}
            made = self.call("POST", PODS, {
                "metadata": {"name": pod.name, "labels": LABELS, "ownerReferences": [owner]},
                "spec": {"nodeName": "node-1", "containers": [{"name": "agent", "image": "parley:test"}]}})
            pod.uid = made["metadata"]["uid"]
        elif kind == "DELETED":
            self.call("DELETE", f"{PODS}/{pod.name}", {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.uid}})
        elif not pod.is_deleting:
            self.call("PATCH", f"{PODS}/{pod.name}/status", {"status": pod.described(0)["status"]}, "application/merge-patch+json")

    def watch_for_deletions(self):
        while not self.is_stopping:
            try:
                listed = self.call("GET", PODS)["items"]
            except (OSError, ValueError):
                continue
            for item in listed:
                with self.lock:
                    pod = self.pods.get(item["metadata"]["name"])
                    if pod and pod.process and not pod.is_deleting and "deletionTimestamp" in item["metadata"]:
                        self.begin_deletion(pod, item["metadata"].get("deletionGracePeriodSeconds"))
            time.sleep(0.1)
