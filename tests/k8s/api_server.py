"""A Kubernetes API for the pods of run_pods.py: lists and watches them, over TLS, for whoever brings the right token. It
deletes nothing: nobody there is sick."""

import json
import ssl
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "token-of-the-supervisor"
ADDRESS = "127.0.0.1"


class ApiServer:
    def __init__(self, folder, namespace, pods):
        """`pods` gives (name, labels, is running, is ready) of each pod."""
        self.namespace, self.pods = namespace, pods
        self.account = folder / "account"
        self.account.mkdir()
        key = folder / "api.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "1", "-subj", "/CN=api", "-addext", f"subjectAltName=IP:{ADDRESS}", "-keyout", key, "-out",
                        self.account / "ca.crt"], check=True, capture_output=True)
        (self.account / "token").write_text(TOKEN)
        (self.account / "namespace").write_text(namespace)
        for file in self.account.iterdir():
            file.chmod(0o644)
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.get(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((ADDRESS, 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.account / "ca.crt", key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def environment(self):
        """What the kubelet tells every container."""
        return {"KUBERNETES_SERVICE_HOST": ADDRESS, "KUBERNETES_SERVICE_PORT": str(self.server.server_port)}

    def described(self, asked):
        wanted = dict(pair.split("=") for pair in asked["labelSelector"][0].split(","))
        items = []
        for name, labels, is_running, is_ready in self.pods():
            if wanted.items() <= labels.items():
                state = {"running": {}} if is_running else {"waiting": {}}
                items.append({
                    "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels},
                    "spec": {"containers": [{"name": "agent"}]},
                    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(is_ready)}],
                               "containerStatuses": [{"name": "agent", "restartCount": 0, "state": state}]}})
        return items

    def get(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        asked = urllib.parse.parse_qs(url.query)
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            status, lines = 401, [{"kind": "Status", "message": "Unauthorized", "code": 401}]
        elif url.path != f"/api/v1/namespaces/{self.namespace}/pods":
            status, lines = 403, [{"kind": "Status", "message": f"{url.path} is forbidden", "code": 403}]
        elif "watch" in asked:
            status, lines = 200, [{"type": "MODIFIED", "object": pod} for pod in self.described(asked)]
        else:
            status, lines = 200, [{"metadata": {"resourceVersion": "1"}, "items": self.described(asked)}]
        text = "".join(json.dumps(line) + "\n" for line in lines).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
