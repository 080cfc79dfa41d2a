"""A small OpenTelemetry collector for the process tests: takes spans by OTLP/HTTP with JSON and keeps them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Collector:
    def __init__(self):
        collector = self
        self.spans, self.paths, self.types = [], set(), set()
        self.lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                collector.take(self.path, self.headers["Content-Type"], body)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path, content_type, body):
        with self.lock:
            self.paths.add(path)
            self.types.add(content_type)
            for resource_spans in body["resourceSpans"]:
                about = attributes(resource_spans["resource"])
                for scope_spans in resource_spans["scopeSpans"]:
                    for span in scope_spans["spans"]:
                        self.spans.append({**span, "about": about, "values": attributes(span)})

    def named(self, name):
        with self.lock:
            return [span for span in self.spans if span["name"] == name]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def attributes(owner):
    """Name → value, integers as numbers."""
    values = {}
    for each in owner.get("attributes", []):
        (kind, value), = each["value"].items()
        values[each["key"]] = int(value) if kind == "intValue" else value
    return values
