"""A Deployment's pods and the kubelet that runs them: each pod is a real parley-agent whose name on the bus is the pod's;
a deleted pod is stopped and replaced, a container that dies is started again in its pod. And a stub of the Kubernetes API
that tells of them: it lists, watches and deletes as the real one does, as far as a supervisor looks."""

import json
import queue
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LABELS = {"app.kubernetes.io/part-of": "parley", "app.kubernetes.io/component": "agent", "pod-template-hash": "5c9f8b7d6"}


class Pod:
    def __init__(self, name, number):
        self.name, self.uid = name, f"uid-{number}"
        self.restarts, self.last_exit, self.is_deleting, self.process = 0, None, False, None
        self.is_running = False

    def described(self, version):
        state = {"running": {}} if self.is_running else {"waiting": {"reason": "ContainerCreating"}}
        status = {"name": "agent", "restartCount": self.restarts, "state": state}
        if self.last_exit is not None:
            status["lastState"] = {"terminated": {"exitCode": self.last_exit, "reason": "Error"}}
        metadata = {"name": self.name, "uid": self.uid, "resourceVersion": str(version), "labels": LABELS,
                    "ownerReferences": [{"kind": "ReplicaSet", "name": "hr-5c9f8b7d6", "controller": True}]}
        if self.is_deleting:
            metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": {"containers": [{"name": "agent"}]},
                "status": {"phase": "Running", "containerStatuses": [status],
                           "conditions": [{"type": "Ready", "status": "True" if self.is_running else "False"}]}}


class Cluster:
    """`start_agent(name)` starts a worker and returns its process once it is ready. A subclass says to whom `tell(kind,
    pod)` tells what has happened, with the lock held, and calls begin_deletion()."""

    def __init__(self, start_agent):
        self.start_agent = start_agent
        self.lock = threading.RLock()
        self.numbers, self.pods, self.deletions = 0, {}, []
        self.is_stopping = False
        self.threads = []

    def run(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def create_pod(self):
        with self.lock:
            self.numbers += 1
            pod = Pod(f"hr-5c9f8b7d6-{self.numbers:05}", self.numbers)
            self.pods[pod.name] = pod
            self.tell("ADDED", pod)
        self.run_container(pod)
        return pod

    def run_container(self, pod):
        process = self.start_agent(pod.name)
        with self.lock:
            pod.process, pod.is_running = process, True
            self.tell("MODIFIED", pod)
        self.run(self.watch_container, pod, process)

    def watch_container(self, pod, process):
        code = process.wait()
        with self.lock:
            pod.is_running, pod.last_exit = False, code if code >= 0 else 128 - code
            if self.is_stopping or pod.is_deleting:
                return
            pod.restarts += 1
        self.run_container(pod)

    def replace(self, pod, grace):
        self.run(self.create_pod)
        pod.process.terminate()
        try:
            pod.process.wait(grace)
        except subprocess.TimeoutExpired:
            pod.process.kill()
            pod.process.wait()
        with self.lock:
            del self.pods[pod.name]
            self.tell("DELETED", pod)

    def running(self):
        with self.lock:
            return [pod for pod in self.pods.values() if pod.is_running and not pod.is_deleting]

    def begin_deletion(self, pod, grace):
        """`grace` is None where the one who deletes has not said."""
        with self.lock:
            self.deletions.append((pod.name, grace))
            pod.is_deleting = True
        self.run(self.replace, pod, 30 if grace is None else grace)

    def stop(self):
        self.is_stopping = True
        for pod in list(self.pods.values()):
            if pod.process:
                pod.process.kill()
        for thread in self.threads:
            thread.join(10)


class KubeApi(Cluster):
    """The stub. Its flags make it behave badly."""

    def __init__(self, start_agent, token, port=0):
        super().__init__(start_agent)
        self.token = token
        self.version = 100
        self.watchers, self.requests = [], []
        self.is_forbidden, self.forget_before = False, 0
        self.serve(port)

    def serve(self, port=0):
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.get(self)

            def do_DELETE(self):
                api.delete(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    # --- The API ---

    def answer(self, handler, status, body):
        text = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def refuse(self, handler, status, message):
        self.answer(handler, status, {"kind": "Status", "status": "Failure", "message": message, "code": status})

    def is_allowed(self, handler):
        with self.lock:
            self.requests.append((handler.command, handler.path))
        if handler.headers.get("Authorization") == f"Bearer {self.token}":
            return True
        self.refuse(handler, 401, "Unauthorized")
        return False

    def get(self, handler):
        if not self.is_allowed(handler):
            return
        url = urllib.parse.urlsplit(handler.path)
        asked = urllib.parse.parse_qs(url.query)
        if url.path != "/api/v1/namespaces/parley/pods" or "app.kubernetes.io/component=agent" not in asked["labelSelector"][0]:
            self.refuse(handler, 404, f"no {handler.path}")
        elif "watch" not in asked:
            with self.lock:
                items = [pod.described(self.version) for pod in self.pods.values()]
                listed = {"kind": "PodList", "metadata": {"resourceVersion": str(self.version)}, "items": items}
            self.answer(handler, 200, listed)
        elif int(asked["resourceVersion"][0]) < self.forget_before:
            self.refuse(handler, 410, "too old resource version")
        else:
            self.watch(handler)

    def watch(self, handler):
        news = queue.Queue()
        with self.lock:
            self.watchers.append(news)
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        try:
            while (event := news.get()) is not None:
                line = json.dumps(event).encode() + b"\n"
                handler.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                handler.wfile.flush()
            handler.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass
        handler.close_connection = True

    def delete(self, handler):
        options = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        if not self.is_allowed(handler):
            return
        name = handler.path.rpartition("/")[2]
        if self.is_forbidden:
            return self.refuse(handler, 403, f'pods "{name}" is forbidden')
        with self.lock:
            pod = self.pods.get(name)
            if pod is None:
                return self.refuse(handler, 404, f'pods "{name}" not found')
            if options["preconditions"]["uid"] != pod.uid:
                return self.refuse(handler, 409, "the UID in the precondition does not match")
            self.begin_deletion(pod, options.get("gracePeriodSeconds"))
            self.tell("MODIFIED", pod)
        self.answer(handler, 200, pod.described(self.version))

    def tell(self, kind, pod):
        with self.lock:
            self.version += 1
            for news in self.watchers:
                news.put({"type": kind, "object": pod.described(self.version)})

    def end_watches(self):
        with self.lock:
            for news in self.watchers:
                news.put(None)
            self.watchers.clear()

    def fail_watches(self, code):
        with self.lock:
            for news in self.watchers:
                news.put({"type": "ERROR", "object": {"kind": "Status", "code": code, "message": "too old"}})
        self.end_watches()

    def bookmark(self):
        with self.lock:
            self.version += 1
            for news in self.watchers:
                news.put({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(self.version)}}})

    def go_away(self):
        """Connections end, and new ones are refused, until come_back()."""
        self.port = self.server.server_port
        self.end_watches()
        self.server.shutdown()
        self.server.server_close()

    def come_back(self):
        self.serve(self.port)

    def supervisor_flags(self):
        return ["--api-server", self.url]

    def renew_token(self):
        """The token that counts from now on."""
        self.token = "second-token"
        return self.token

    def forbid_deletions(self):
        self.is_forbidden = True

    def stop(self):
        self.is_stopping = True
        self.end_watches()
        self.server.shutdown()
        self.server.server_close()
        super().stop()
