#!/usr/bin/env python3
"""A small MCP server for tests, strict about what the protocol demands of a client.

    mcp_stub.py --era modern|legacy [--http] [--sse] [--stream] [--silent | --fragile] [--log FILE]

Without --http it speaks on its standard input and output; with it, it prints its port. `--silent`: an old server that
does not answer what it does not know; `--fragile`: one that ends. `--stream`: it has a stream of its own messages (GET),
which it ends after each, and lets sessions be ended (DELETE). Every message that arrives is a line of the log.
"""

import argparse
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODERN = "2026-07-28"
LEGACY = "2025-06-18"
META = "io.modelcontextprotocol/"


def schema(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


TEXT = {"type": "string"}
TOOLS = [
    {"name": "echo", "description": "Says it again.", "inputSchema": schema(text=TEXT)},
    {"name": "file.read", "description": "A name with a dot.", "inputSchema": schema(path=TEXT)},
    {"name": "sum", "description": "Structure only.", "inputSchema": schema(a={"type": "integer"}, b={"type": "integer"})},
    {"name": "image", "description": "Gives a picture.", "inputSchema": {"type": "object"}},
    {"name": "fails", "description": "Always fails.", "inputSchema": {"type": "object"}},
    {"name": "slow", "description": "Takes a minute.", "inputSchema": {"type": "object"}},
    {"name": "die", "description": "Ends the server.", "inputSchema": {"type": "object"}},
    {"name": "confirm", "description": "Asks a person.", "inputSchema": {"type": "object"}},
    {"name": "grow", "description": "Makes one more tool.", "inputSchema": {"type": "object"}},
    {"name": "region", "description": "Has a header.",
     "inputSchema": schema(region={"type": "string", "x-mcp-header": "Region"})},
    {"name": "wrong_header", "description": "Must be left out.",
     "inputSchema": {"type": "object", "properties": {
         "list": {"type": "array", "items": {"type": "string", "x-mcp-header": "Item"}}}}},
]
PAGE = 4


class RpcError(Exception):
    def __init__(self, code, message, data=None, status=400):
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message}
        if data is not None:
            self.body["data"] = data


class Server:
    def __init__(self, options):
        self.options = options
        self.is_ready = False  # of the legacy era
        self.cancelled = set()
        self.lock = threading.Lock()
        self.tools = list(TOOLS)
        self.notes = []  # what the server has to say itself
        self.news = threading.Condition()

    def log(self, entry):
        if self.options.log:
            with self.lock, open(self.options.log, "a", encoding="utf-8") as out:
                out.write(json.dumps(entry) + "\n")

    @property
    def is_modern(self):
        return self.options.era == "modern"

    def answer(self, message, emit):
        """The answer to a request; None for a notification, and for a request that was cancelled."""
        method, params = message.get("method"), message.get("params") or {}
        if "id" not in message or method is None:
            if method == "notifications/cancelled":
                self.cancelled.add(params.get("requestId"))
            if method == "notifications/initialized":
                self.is_ready = True
            return None
        try:
            result = self.modern(method, params, message, emit) if self.is_modern else self.legacy(method, params, message, emit)
        except RpcError as error:
            return {"jsonrpc": "2.0", "id": message["id"], "error": error.body, "_status": error.status}
        return None if result is None else {"jsonrpc": "2.0", "id": message["id"], "result": result}

    def modern(self, method, params, message, emit):
        meta = params.get("_meta") or {}
        if META + "protocolVersion" not in meta or META + "clientCapabilities" not in meta:
            raise RpcError(-32602, "_meta is missing")
        if meta[META + "protocolVersion"] != MODERN:
            raise RpcError(-32022, "no such version", {"supported": [MODERN], "requested": meta[META + "protocolVersion"]})
        if method == "server/discover":
            return {"resultType": "complete", "supportedVersions": [MODERN], "capabilities": {"tools": {}}, "ttlMs": 60000,
                    "cacheScope": "public", "_meta": {META + "serverInfo": {"name": "stub", "version": "1"}}}
        return self.common(method, params, message, emit)

    def legacy(self, method, params, message, emit):
        if method == "initialize":
            return {"protocolVersion": LEGACY, "capabilities": {"tools": {"listChanged": True}},
                    "serverInfo": {"name": "stub", "version": "1"}}
        if method == "server/discover":
            if self.options.fragile:
                os._exit(3)
            if self.options.silent:
                return None
            raise RpcError(-32601, "method not found", status=404)
        if not self.is_ready:
            raise RpcError(-32002, "not initialized")
        return self.common(method, params, message, emit)

    def common(self, method, params, message, emit):
        if method == "tools/list":
            start = int(params.get("cursor") or 0)
            page = {"tools": self.tools[start:start + PAGE]}
            if start + PAGE < len(self.tools):
                page["nextCursor"] = str(start + PAGE)
            if self.is_modern:
                page.update(resultType="complete", ttlMs=60000, cacheScope="public")
            return page
        if method == "tools/call":
            return self.call(params, message, emit)
        raise RpcError(-32601, "method not found", status=404)

    def call(self, params, message, emit):
        name, arguments = params.get("name"), params.get("arguments") or {}
        text = lambda value: {"content": [{"type": "text", "text": value}]}
        if name in ("echo", "region"):
            return text(arguments.get("text", arguments.get("region")))
        if name == "file.read":
            return {"content": [{"type": "resource", "resource": {"uri": "file://" + arguments["path"], "text": "content"}},
                                {"type": "resource_link", "name": "other", "uri": "file:///other"}]}
        if name == "sum":
            return {"content": [], "structuredContent": {"sum": arguments["a"] + arguments["b"]}}
        if name == "image":
            return {"content": [{"type": "image", "mimeType": "image/png", "data": "aGVsbG8="}]}
        if name == "fails":
            return {**text("it did not work"), "isError": True}
        if name == "grow":
            self.tools.append({"name": f"new{len(self.tools)}", "inputSchema": {"type": "object"}})
            self.say({"jsonrpc": "2.0", "id": "are you there", "method": "ping"})
            self.say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
            return text("grown")
        if name == "die":
            os._exit(4)
        if name == "slow":
            return self.slow(params, message, emit)
        if name == "confirm":
            return self.confirm(params)
        raise RpcError(-32602, f"unknown tool: {name}")

    def say(self, note):
        with self.news:
            self.notes.append(note)
            self.news.notify_all()

    def slow(self, params, message, emit):
        token = (params.get("_meta") or {}).get("progressToken")
        for step in range(600):
            if message["id"] in self.cancelled:
                self.log({"event": "slow_cancelled"})
                return None
            emit({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": step}})
            time.sleep(0.1)
        return {"content": []}

    def confirm(self, params):
        responses = params.get("inputResponses")
        if responses is None:
            return {"resultType": "input_required", "requestState": "opaque-1", "inputRequests": {"sure": {
                "method": "elicitation/create", "params": {"message": "Are you sure?", "requestedSchema": {
                    "type": "object", "properties": {"answer": {"type": "string", "enum": ["yes", "no"]}},
                    "required": ["answer"]}}}}}
        if params.get("requestState") != "opaque-1":
            raise RpcError(-32602, "the state is gone")
        return {"resultType": "complete", "content": [{"type": "text", "text": json.dumps(responses["sure"])}]}


def serve_stdio(server):
    lock = threading.Lock()

    def emit(message):
        message.pop("_status", None)
        with lock:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    def handle(message):
        answer = server.answer(message, emit)
        if answer is not None:
            emit(answer)

    def say_all():
        for number in range(sys.maxsize):
            with server.news:
                server.news.wait_for(lambda: len(server.notes) > number)
            emit(dict(server.notes[number]))

    threading.Thread(target=say_all, daemon=True).start()
    print("the stub says hello", file=sys.stderr, flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        server.log(message)
        threading.Thread(target=handle, args=(message,), daemon=True).start()


def make_handler(server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def reply(self, status, body, headers=()):
            data = json.dumps(body).encode() if body is not None else b""
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def problem(self, message):
            """What is wrong with the headers of a modern request."""
            meta = ((message.get("params") or {}).get("_meta") or {})
            if self.headers.get("MCP-Protocol-Version") != meta.get(META + "protocolVersion"):
                return "version"
            if self.headers.get("Mcp-Method") != message.get("method"):
                return "method"
            params = message.get("params") or {}
            if message["method"] == "tools/call" and self.headers.get("Mcp-Name") != params.get("name"):
                return "name"
            if params.get("name") == "region" and self.headers.get("Mcp-Param-Region") is None:
                return "region"
            return None

        def do_POST(self):
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.log({**message, "headers": {k.lower(): v for k, v in self.headers.items()}})
            session = ()
            if "method" not in message:
                return self.reply(202, None)
            if server.is_modern:
                problem = self.problem(message)
                if problem:
                    return self.reply(400, {"jsonrpc": "2.0", "id": message.get("id"),
                                            "error": {"code": -32020, "message": "header mismatch: " + problem}})
            elif message.get("method") == "initialize":
                session = (("Mcp-Session-Id", "session-7"),)
            elif message.get("method") != "server/discover" and self.headers.get("Mcp-Session-Id") != "session-7":
                return self.reply(404, None)
            elif "Mcp-Session-Id" not in self.headers:
                return self.reply(400, {"error": "no session"})  # as old servers are: no JSON-RPC at all
            events = []
            answer = server.answer(message, events.append)
            if answer is None:
                return self.reply(202, None)
            status = answer.pop("_status", 200)
            if not server.options.sse or status != 200:
                return self.reply(status, answer, session)
            self.send_response(200)
            for name, value in session:
                self.send_header(name, value)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}
            self.wfile.write(b": comment\n\n")
            for each in [note, answer]:
                self.wfile.write(b"event: message\ndata: " + json.dumps(each).encode() + b"\n\n")
            self.close_connection = True

        def log_headers(self):
            server.log({"method": self.command, "headers": {k.lower(): v for k, v in self.headers.items()}})

        def do_GET(self):
            self.log_headers()
            if not server.options.stream:
                return self.reply(405, None)
            if self.headers.get("Mcp-Session-Id") != "session-7":
                return self.reply(404, None)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"retry: 50\n\n")
            seen = int(self.headers.get("Last-Event-ID") or 0)
            with server.news:
                server.news.wait_for(lambda: len(server.notes) > seen)
            self.wfile.write(f"id: {seen + 1}\ndata: {json.dumps(server.notes[seen])}\n\n".encode())
            self.close_connection = True

        def do_DELETE(self):
            self.log_headers()
            self.reply(204 if server.options.stream else 405, None)

    return Handler


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--era", choices=["modern", "legacy"], required=True)
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--sse", action="store_true")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--fragile", action="store_true")
    parser.add_argument("--log")
    options = parser.parse_args()
    server = Server(options)
    if not options.http:
        return serve_stdio(server)
    listener = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(server))
    print(listener.server_address[1], flush=True)
    listener.serve_forever()


if __name__ == "__main__":
    main()
