#!/usr/bin/env python3
"""Plays the kubelet: runs the pods of k8s/overlays/dev from an image's root file system, and asks the help desk.

Each pod is the command of its manifest, as user 65532 without capabilities, on a read-only root, with its ConfigMaps and
volumes mounted, its probes asked and its hooks run. What differs from a cluster: pods share one network, in which each
has a loopback address of its own in place of 0.0.0.0.

Called by k8s/image.sh, as root, in network, mount and process namespaces of its own. The root file system is a
container's, to be thrown away: mount points are made in it.
"""

import argparse
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import manifests  # noqa: E402
from api_server import ApiServer  # noqa: E402

PATIENCE = 60
READ_ONLY, NO_SUID, REMOUNT, BIND = 1, 2, 32, 4096
# /var/run is a link to /run, and an absolute one: followed from here it would lead out of the image.
ACCOUNT = "run/secrets/kubernetes.io/serviceaccount"
QUESTION = "I am an employee and would like to take a holiday"
ANSWER = "28 days of holiday"


def mount(source, target, flags=BIND, kind=None):
    libc = ctypes.CDLL(None, use_errno=True)
    words = [None if word is None else str(word).encode() for word in (source, target, kind)]
    if libc.mount(*words, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {source} on {target}: {os.strerror(ctypes.get_errno())}")


def bring_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING


class Pod:
    def __init__(self, workload, number):
        self.spec = manifests.pod_of(workload)["spec"]
        self.container = self.spec["containers"][0]
        self.name = workload["metadata"]["name"] + ("-0" if workload["kind"] == "StatefulSet" else "-5c9f8b7d6-x2x7k")
        self.service = workload["spec"].get("serviceName")
        self.address = f"127.0.0.{number}"
        self.user = self.spec["securityContext"]["runAsUser"]
        self.labels = manifests.pod_of(workload)["metadata"]["labels"]
        self.environment = manifests.environment_of(workload, self.container, self.name)
        self.process = None

    def prepare(self, documents, folder, root, api):
        """Its view of the file system: the image read-only, its volumes on top; and the API's address."""
        self.environment |= api.environment()
        self.view = folder / self.name
        self.view.mkdir()
        mounts = [("proc", "proc"), ("/dev", "dev"), (folder / "hosts", "etc/hosts")]
        for wanted in self.container.get("volumeMounts", []):
            mounts.append((self._volume(wanted["name"], documents, folder), wanted["mountPath"].lstrip("/")))
        if self.spec.get("automountServiceAccountToken"):
            mounts.append((api.account, ACCOUNT))
        for source, target in mounts:
            if Path(source).is_file():
                (root / target).touch()
            else:
                (root / target).mkdir(parents=True, exist_ok=True)
        mount(root, self.view)
        mount(None, self.view, BIND | REMOUNT | READ_ONLY | NO_SUID)
        for source, target in mounts:
            mount(source, self.view / target, *((0, "proc") if source == "proc" else ()))

    def _volume(self, name, documents, folder):
        source = folder / f"{self.name}.{name}"
        source.mkdir()
        for volume in self.spec.get("volumes", []):
            if volume["name"] == name and "configMap" in volume:
                wanted = f"ConfigMap/{volume['configMap']['name']}"
                for key, text in next(d for d in documents if manifests.title(d) == wanted)["data"].items():
                    (source / key).write_text(text)
        os.chown(source, self.user, self.user)
        return source

    def inside(self, command):
        """The command as the container runtime would start it: unprivileged, without a way back."""
        drop = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--no-new-privs",
                "--bounding-set=-all", "--inh-caps=-all"]
        return ["chroot", str(self.view), *drop, *command]

    def variables(self):
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **self.environment}

    def start(self, log):
        command = manifests.command_of(self.container, self.environment)
        command = [word.replace("0.0.0.0", self.address) for word in command]
        self.log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(self.inside(command), env=self.variables(), stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output)

    def run(self, *command):
        return subprocess.run(self.inside(command), env=self.variables(), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE, check=False)

    def probe(self, name):
        """Whether the kubelet would be content, and what it was told."""
        http = self.container[name]["httpGet"]
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        try:
            with urllib.request.urlopen(f"http://{self.address}:{ports[http['port']]}{http['path']}", timeout=3) as page:
                return page.status == 200, page.read().decode().strip()
        except urllib.error.HTTPError as refused:
            return False, refused.read().decode().strip()
        except OSError as failure:
            return False, str(failure)

    def wait_for(self, name):
        deadline = time.monotonic() + PATIENCE
        while True:
            is_good, told = self.probe(name)
            if is_good:
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"error: {self.name}: {name}: {told}; its log:\n{self.log.read_text()}")
            time.sleep(0.1)

    def stop(self):
        """preStop, SIGTERM, and the time it took; an end by force is an error."""
        start = time.monotonic()
        hook = self.container.get("lifecycle", {}).get("preStop", {}).get("exec")
        if hook:
            done = self.run(*hook["command"])
            if done.returncode != 0:
                sys.exit(f"error: {self.name}: preStop: {done.stderr}")
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=self.spec["terminationGracePeriodSeconds"])
        if status != 0:
            sys.exit(f"error: {self.name} ended with {status}; its log:\n{self.log.read_text()}")
        return time.monotonic() - start


def check_confinement(pod):
    """What the security context promises, as the running process shows it."""
    status = dict(line.split(":\t") for line in Path(f"/proc/{pod.process.pid}/status").read_text().splitlines()
                  if ":\t" in line)
    assert status["Uid"].split() == [str(pod.user)] * 4, status["Uid"]
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, "has capabilities"
    assert status["NoNewPrivs"] == "1", "may gain privileges"
    written = pod.run("sh", "-c", "echo x > /usr/local/bin/parley; echo x > /tmp/x")
    assert written.stderr.count("Read-only file system") + written.stderr.count("Permission denied") == 2, written.stderr


def ask(pod):
    told = pod.run("parley", "request", "user_proxy/alice", QUESTION, "--json", "--timeout", "30s", "--insecure")
    if told.returncode != 0:
        sys.exit(f"error: no answer: {told.stderr}")
    reply = json.loads(told.stdout.splitlines()[-1])["reply"]
    if reply["from"] != "hr" or ANSWER not in reply["text"]:
        sys.exit(f"error: a wrong answer: {reply}")
    print(f"    alice: {QUESTION}\n    {reply['from']}: {reply['text']}", flush=True)


def check_supervision(supervisor, expected, namespace):
    """The supervisor follows every agent's pod, and the bus knows."""
    deadline = time.monotonic() + PATIENCE
    while True:
        told = supervisor.run("parley", "ps", "--json", "--insecure")
        found = [node for node in json.loads(told.stdout or "{}").get("supervisors", []) if node["node"] == namespace]
        running = [process["name"] for node in found for process in node["processes"] if process["state"] == "running"]
        if len(running) == expected:
            break
        if time.monotonic() > deadline:
            sys.exit(f"error: the supervisor sees {running} of {expected} pods: {told.stdout}{told.stderr}\n"
                     f"{supervisor.log.read_text()}")
        time.sleep(0.2)
    print(f"    {supervisor.name}: watches {', '.join(running)}", flush=True)


def run(root, folder):
    documents = manifests.render(manifests.OVERLAYS / "dev")
    workloads = manifests.of_kind(documents, *manifests.WORKLOADS)
    pods = [Pod(workload, number) for number, workload in enumerate(workloads, start=2)]
    names = [f"{pod.address} {pod.name}" + (f".{pod.service} {pod.name}" if pod.service else "") for pod in pods]
    (folder / "hosts").write_text("127.0.0.1 localhost\n" + "\n".join(names) + "\n")
    namespace = workloads[0]["metadata"]["namespace"]
    api = ApiServer(folder, namespace, lambda: [
        (pod.name, pod.labels, pod.process is not None, pod.process is not None and pod.probe("readinessProbe")[0])
        for pod in pods])
    for pod in pods:
        pod.prepare(documents, folder, root, api)
    try:
        for pod in pods:
            pod.start(folder / f"{pod.name}.log")
        for pod in pods:
            for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                pod.wait_for(name)
            check_confinement(pod)
            print(f"    {pod.name}: ready, user {pod.user}, no capability, read-only root", flush=True)
        agents = [pod for pod in pods if "PARLEY_WORKER" in pod.environment]
        ask(agents[0])
        check_supervision(next(pod for pod in pods if pod.name.startswith("parley-supervisor")), len(agents), namespace)
        for pod in sorted(pods, key=lambda pod: pod not in agents):
            print(f"    {pod.name}: drained and stopped in {pod.stop():.1f} s", flush=True)
    finally:
        api.stop()
        for pod in pods:
            if pod.process and pod.process.poll() is None:
                pod.process.kill()
                pod.process.wait()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--root", type=Path, required=True, help="the image's root file system")
    root = options.parse_args().root.resolve()
    bring_loopback_up()
    # In memory and in this mount namespace only: it goes, with all that is mounted below it, when the process ends.
    folder = Path("/mnt")
    mount("tmpfs", folder, 0, "tmpfs")
    folder.chmod(0o755)
    run(root, folder)


if __name__ == "__main__":
    main()
