#!/usr/bin/env python3
"""What bites in libzmq, and what a broker process must withstand: each test is one trap, against the real parley-broker."""

import ctypes
import ctypes.util
import json
import os
import re
import resource
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import msgpack

BIN = Path(os.environ.get("PARLEY_BIN", Path(__file__).resolve().parents[2] / "build" / "bin"))
BROKER = str(BIN / "parley-broker")
PATIENCE_S = 20
# Long enough for a broker that means to answer, short enough for a test of silence.
SILENCE_S = 0.3

REQUEST, REPLY, ERROR, SEND, EVENT = 1, 2, 3, 5, 6
HELLO, WELCOME, RESET, GOODBYE, HEARTBEAT, HEARTBEAT_ACK, ACCEPTED = 16, 17, 18, 19, 21, 22, 29
WORKER_LOST, OVERLOADED = 12, 7

ZMQ_DEALER, ZMQ_ROUTING_ID, ZMQ_LINGER, ZMQ_RCVTIMEO, ZMQ_SNDTIMEO, ZMQ_SNDMORE, ZMQ_RCVHWM = 5, 5, 17, 27, 28, 2, 24
zmq = ctypes.CDLL(ctypes.util.find_library("zmq") or "libzmq.so.5", use_errno=True)
zmq.zmq_ctx_new.restype = ctypes.c_void_p
zmq.zmq_socket.restype = ctypes.c_void_p
zmq.zmq_socket.argtypes = [ctypes.c_void_p, ctypes.c_int]
zmq.zmq_setsockopt.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
zmq.zmq_connect.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
zmq.zmq_send.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
zmq.zmq_recv.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
zmq.zmq_close.argtypes = [ctypes.c_void_p]
CONTEXT = ctypes.c_void_p(zmq.zmq_ctx_new())


def envelope(kind, message_id=0, delivery_id=0, target=b"", payload=b"", remaining_ms=0xFFFFFFFF):
    length = 48 + len(target) + len(payload)
    return struct.pack("<IBBHQQIHHHHHHI4x", length, kind, 0, 48, message_id, delivery_id, remaining_ms, 0xFFFF, 0, 0,
                       len(target), 0, 0, len(payload)) + target + payload


def bundle(token, *envelopes):
    return struct.pack("<2sBB4xQ", b"PY", 1, 16, token) + b"".join(envelopes)


def hello_body(types=(), **fields):
    body = {"name": "trap", "incarnation": int.from_bytes(os.urandom(7), "little"), "is_worker": bool(types),
            "credit_bytes": 1 << 24,
            "types": [{"name": name, "index": i, "capacity": 1} for i, name in enumerate(types)], **fields}
    return msgpack.packb(body)


class RawDealer:
    """A DEALER without libzmq: every byte of ZMTP 3.0 that the broker sends is seen."""

    MORE, LONG, COMMAND = 1, 2, 4

    def __init__(self, endpoint):
        self.socket = socket.create_connection(("127.0.0.1", int(endpoint.rsplit(":", 1)[1])), timeout=PATIENCE_S)
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
        self.stream.read(64)
        ready = b"\x05READY" + self._property(b"Socket-Type", b"DEALER") + self._property(b"Identity", b"")
        self.socket.sendall(bytes([self.COMMAND, len(ready)]) + ready)
        flags, body = self.receive()
        assert flags & self.COMMAND and body.startswith(b"\x05READY"), body
        self.properties, at = {}, 6
        while at < len(body):
            name = body[at + 1:at + 1 + body[at]]
            at += 1 + len(name)
            size = int.from_bytes(body[at:at + 4], "big")
            self.properties[name] = body[at + 4:at + 4 + size]
            at += 4 + size

    @staticmethod
    def _property(name, value):
        return bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value

    def send(self, body):
        self.socket.sendall(bytes([self.LONG]) + len(body).to_bytes(8, "big") + body)

    def receive(self):
        """Flags and body of the next frame."""
        flags = self.stream.read(1)[0]
        size = int.from_bytes(self.stream.read(8 if flags & self.LONG else 1), "big")
        return flags, self.stream.read(size)

    def close(self):
        self.stream.close()
        self.socket.close()


class Envelope:
    """One received envelope."""

    def __init__(self, data):
        (self.length, self.kind, _, fixed, self.message_id, self.delivery_id, _, _, self.code, source, target, kind_bytes,
         attributes, payload) = struct.unpack_from("<IBBHQQIHHHHHHI", data)
        start = fixed + source + target + kind_bytes + attributes
        self.payload = data[start:start + payload]


class Peer:
    """A DEALER that speaks the protocol just well enough to misbehave."""

    def __init__(self, endpoint, routing_id=None, receive_queue=1000):
        self.socket = ctypes.c_void_p(zmq.zmq_socket(CONTEXT, ZMQ_DEALER))
        self._set(ZMQ_LINGER, 0)
        self._set(ZMQ_SNDTIMEO, 5000)
        self._set(ZMQ_RCVHWM, receive_queue)
        if routing_id:
            zmq.zmq_setsockopt(self.socket, ZMQ_ROUTING_ID, routing_id, len(routing_id))
        assert zmq.zmq_connect(self.socket, endpoint.encode()) == 0
        self.token = 0
        self.waiting = []
        self.buffer = ctypes.create_string_buffer(1 << 20)

    def _set(self, option, value):
        number = ctypes.c_int(value)
        assert zmq.zmq_setsockopt(self.socket, option, ctypes.byref(number), 4) == 0

    def send(self, data, more=False):
        assert zmq.zmq_send(self.socket, data, len(data), ZMQ_SNDMORE if more else 0) == len(data)

    def say(self, *envelopes):
        self.send(bundle(self.token, *envelopes))

    def receive(self, timeout_s=PATIENCE_S):
        """The next envelope; None when none comes in time."""
        if not self.waiting:
            self._set(ZMQ_RCVTIMEO, int(timeout_s * 1000))
            size = zmq.zmq_recv(self.socket, self.buffer, len(self.buffer), 0)
            if size < 0:
                return None
            data = self.buffer.raw[16:size]
            while data:
                self.waiting.append(Envelope(data))
                data = data[self.waiting[-1].length:]
        return self.waiting.pop(0) if self.waiting else None

    def receive_kind(self, *kinds, timeout_s=PATIENCE_S):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = self.receive(max(0.01, end - time.monotonic()))
            if found is not None and found.kind in kinds:
                return found
        return None

    def hello(self, types=(), **fields):
        self.send(bundle(0, envelope(HELLO, payload=hello_body(types, **fields))))

    def open(self, *types, **fields):
        self.hello(types, **fields)
        welcome = self.receive_kind(WELCOME)
        assert welcome is not None, "no WELCOME"
        self.token = msgpack.unpackb(welcome.payload)["token"]
        return self

    def close(self):
        if self.socket:
            zmq.zmq_close(self.socket)
        self.socket = None


class BrokerCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="parley-traps-")
        self.path = Path(self.directory.name)
        self.processes = []
        self.peers = []

    def tearDown(self):
        for peer in self.peers:
            peer.close()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
        self.directory.cleanup()

    def start(self, *flags, listen="tcp://127.0.0.1:*", log_level="error", **popen):
        process = subprocess.Popen([BROKER, "--listen", listen, "--metrics-port", "0", "--log-level", log_level, *flags],
                                   stdout=subprocess.PIPE, text=True, **popen)
        self.processes.append(process)
        line = process.stdout.readline()
        self.assertTrue(line, "the broker did not start")
        self.ready = json.loads(line)
        self.broker = process
        return self.ready["endpoint"]

    def peer(self, endpoint=None, **options):
        peer = Peer(endpoint or self.ready["endpoint"], **options)
        self.peers.append(peer)
        return peer

    def refused(self, *flags):
        done = subprocess.run([BROKER, *flags], capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done

    def metric(self, name, **labels):
        """The sum of the matching series; the broker posts its numbers a few times a second."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ready['metrics_port']}/metrics", timeout=5) as page:
            text = page.read().decode()
        total = 0.0
        for line in text.splitlines():
            if re.match(re.escape(name) + r"[ {]", line) and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def wait_for_metric(self, least, name, **labels):
        end = time.monotonic() + PATIENCE_S
        while self.metric(name, **labels) < least:
            self.assertLess(time.monotonic(), end, f"{name} stays at {self.metric(name, **labels)}")
            time.sleep(0.05)

    def resident_mib(self):
        pages = int(Path(f"/proc/{self.broker.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def assert_serves(self):
        """A fresh peer opens a session and gets an answer."""
        peer = self.peer().open()
        peer.say(envelope(HEARTBEAT, message_id=7))
        self.assertEqual(peer.receive_kind(HEARTBEAT_ACK).message_id, 7)
        self.assertIsNone(self.broker.poll())


class Traps(BrokerCase):
    def test_trap_1_a_claimed_routing_id_is_dropped_and_counted(self):  # [P-TRN-1]
        self.start()
        claimer = self.peer(routing_id=b"broker")
        claimer.hello()
        self.assertIsNone(claimer.receive(SILENCE_S))
        self.wait_for_metric(1, "parley_broker_transport_dropped_total", reason="foreign_routing_id")
        self.assert_serves()

    def test_trap_1_no_routing_id_is_on_the_wire(self):
        wire = RawDealer(self.start())
        self.assertEqual(wire.properties[b"Identity"], b"")
        wire.send(bundle(0, envelope(HELLO, payload=hello_body())))
        while True:
            flags, body = wire.receive()
            self.assertEqual(flags & RawDealer.MORE, 0, "a message is one frame: nothing stands before its body")
            self.assertEqual(body[:2], b"PY")
            if body[16:] and Envelope(body[16:]).kind == WELCOME:
                break
        wire.close()

    def test_trap_1_tokens_are_random(self):  # [P-SEC-2]
        self.start()
        first, second = self.peer().open(), self.peer().open()
        self.assertGreater(first.token ^ second.token, 1 << 32, "tokens must be random, not counted")

    def test_trap_2_a_second_peer_with_one_routing_id_harms_nobody(self):
        # libzmq would make the second one a silent black hole, so nobody may choose an id at all. A peer that hears no
        # WELCOME in time opens a fresh socket: LinkSession tests show that.
        self.start()
        twins = [self.peer(routing_id=b"twin"), self.peer(routing_id=b"twin")]
        for twin in twins:
            twin.hello()
        for twin in twins:
            self.assertIsNone(twin.receive(SILENCE_S))
        self.assert_serves()

    def test_trap_3_a_message_of_several_frames_is_dropped_and_counted(self):  # [P-TRN-1]
        self.start()
        peer = self.peer().open()
        for _ in range(50):
            peer.send(bundle(peer.token, envelope(HEARTBEAT, message_id=1)), more=True)
        peer.send(b"")
        self.assertIsNone(peer.receive(SILENCE_S))
        self.wait_for_metric(1, "parley_broker_transport_dropped_total", reason="multipart")
        peer.say(envelope(HEARTBEAT, message_id=2))
        self.assertEqual(peer.receive_kind(HEARTBEAT_ACK).message_id, 2)

    def test_trap_3_an_oversized_frame_costs_its_sender_the_connection_and_nobody_else(self):  # [P-LIM-1]
        self.start()
        peer = self.peer().open()
        before = self.resident_mib()
        peer.send(b"x" * (9 << 20))
        self.assertIsNone(peer.receive(SILENCE_S))
        self.assertLess(self.resident_mib(), before + 4)
        self.assert_serves()

    def test_trap_4_heartbeats_are_envelopes_and_silence_ends_a_session(self):  # [P-BRK-4]
        self.start("--heartbeat-interval", "50ms", "--session-timeout", "150ms")
        peer = self.peer().open()
        self.assertIsNone(peer.receive(0.5))
        peer.say(envelope(HEARTBEAT, message_id=1))
        self.assertIsNotNone(peer.receive_kind(RESET))

    def test_trap_5_an_unencrypted_broker_refuses_to_listen_beyond_this_machine(self):  # [P-SEC-1]
        for endpoint in ("tcp://0.0.0.0:7700", "tcp://*:7700", "tcp://192.0.2.1:7700", "ipc://@abstract"):
            done = self.refused("--listen", endpoint)
            self.assertEqual(done.returncode, 2)
            self.assertIn(endpoint, done.stderr)

    def test_trap_7_kept_messages_do_not_pin_receive_buffers(self):
        self.start()
        peer = self.peer().open()
        before = self.resident_mib()
        number = 0
        for _ in range(10_000):
            # One kept message in a frame of 100 bytes; libzmq would hold 8 KiB for each.
            number += 1
            peer.say(envelope(EVENT, message_id=number, target=b"nobody/listens", payload=b"x" * 20))
        self.wait_for_metric(10_000, "parley_broker_dead_letters_total")
        self.assertLess(self.resident_mib(), before + 40)

    def test_trap_8_a_dead_connection_becomes_worker_lost_for_the_caller(self):  # [P-FAIL-1]
        self.start("--heartbeat-interval", "50ms", "--session-timeout", "300ms")
        worker = self.peer().open("critic")
        client = self.peer().open()
        client.say(envelope(REQUEST, message_id=1, target=b"critic/alice", remaining_ms=60_000))
        self.assertIsNotNone(worker.receive_kind(REQUEST))
        worker.close()
        answer = self.keep_alive_until(client, ERROR)
        self.assertEqual((answer.message_id, answer.code), (1, WORKER_LOST))

    def keep_alive_until(self, peer, kind):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            peer.say(envelope(HEARTBEAT, message_id=1))
            found = peer.receive_kind(kind, timeout_s=0.05)
            if found is not None:
                return found
        self.fail(f"no envelope of kind {kind}")

    def test_trap_9_a_peer_that_stops_reading_fills_its_own_queue_only(self):  # [P-FAIL-9] [P-CRD-4] [P-CRD-6]
        self.start("--max-session-queue-bytes", "1000000", "--session-timeout", "1m")
        self.peer(receive_queue=10).open("sleeper", credit_bytes=200_000)
        awake = self.peer().open("awake")
        client = self.peer().open()
        payload = b"x" * 10_000
        for number in range(1, 1001):
            client.say(envelope(REQUEST, message_id=number, target=b"sleeper/1", payload=payload, remaining_ms=60_000))
        self.assertEqual(client.receive_kind(ERROR).code, OVERLOADED)
        client.say(envelope(REQUEST, message_id=2000, target=b"awake/1", remaining_ms=60_000))
        self.assertIsNotNone(awake.receive_kind(REQUEST))
        self.assertLess(self.resident_mib(), 120)

    def test_trap_10_a_body_that_promises_gigabytes_is_refused(self):  # [P-CTL-4] [P-LIM-8] [P-SEC-3]
        self.start()
        before = self.resident_mib()
        for bomb in (b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\x91" * 100_000, b"\xdb\xff\xff\xff\xff", b""):
            peer = self.peer()
            peer.send(bundle(0, envelope(HELLO, payload=bomb)))
            self.assertIsNotNone(peer.receive_kind(GOODBYE, RESET, timeout_s=5), bomb[:5])
        self.assertLess(self.resident_mib(), before + 30)
        self.assert_serves()

    def test_trap_11_no_message_of_a_burst_stays_unread(self):
        self.start()
        peer = self.peer(receive_queue=0).open()
        numbers = range(1, 3001)
        for number in numbers:
            peer.say(envelope(REQUEST, message_id=number, target=b"nobody/1", remaining_ms=60_000))
        answered = [peer.receive_kind(ERROR).message_id for _ in numbers]
        self.assertEqual(answered, list(numbers))

    def test_trap_12_the_ipc_directory_is_made_for_its_owner_only(self):
        socket_path = self.path / "run" / "broker.sock"
        self.start(listen=f"ipc://{socket_path}")
        self.assertEqual(stat.S_IMODE(socket_path.parent.stat().st_mode), 0o700)
        self.assert_serves()

    def test_trap_12_an_ipc_directory_that_others_may_write_to_is_refused(self):
        self.path.chmod(0o777)
        done = self.refused("--listen", f"ipc://{self.path}/broker.sock")
        self.assertEqual(done.returncode, 2)
        self.assertIn("others may write", done.stderr)

    def test_frames_of_an_old_session_are_answered_with_reset(self):  # [P-BRK-3]
        self.start()
        peer = self.peer()
        peer.token = 12345
        peer.say(envelope(SEND, message_id=1, target=b"critic/alice"))
        self.assertIsNotNone(peer.receive_kind(RESET))

    def test_garbage_is_survived(self):  # [P-FAIL-10]
        self.start()
        peer = self.peer().open()
        for size in (0, 1, 15, 16, 17, 63, 64, 1000):
            peer.send(os.urandom(size))
            peer.send(bundle(peer.token) + os.urandom(size))
        self.assert_serves()

    def test_bytes_that_are_not_zeromq_are_survived(self):
        endpoint = self.start()
        with socket.create_connection(("127.0.0.1", int(endpoint.rsplit(":", 1)[1]))) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\n\r\n" + os.urandom(5000))
        self.assert_serves()


class Lifecycle(BrokerCase):
    def test_stops_on_sigterm_with_status_0(self):
        self.start()
        self.peer().open()
        self.broker.send_signal(signal.SIGTERM)
        self.assertEqual(self.broker.wait(PATIENCE_S), 0)

    def test_finishes_what_is_in_flight_before_it_stops(self):  # [P-BRK-7]
        self.start()
        worker = self.peer().open("critic")
        client = self.peer().open()
        client.say(envelope(REQUEST, message_id=1, target=b"critic/alice", remaining_ms=60_000))
        delivery = worker.receive_kind(REQUEST)
        self.broker.send_signal(signal.SIGTERM)
        self.assertIsNotNone(worker.receive_kind(20))
        worker.say(envelope(REPLY, delivery_id=delivery.delivery_id, payload=b"done"))
        self.assertEqual(client.receive_kind(REPLY).payload, b"done")
        self.assertEqual(self.broker.wait(PATIENCE_S), 0)

    def test_a_second_signal_stops_at_once(self):
        self.start("--drain-timeout", "10m")
        worker = self.peer().open("critic")
        client = self.peer().open()
        client.say(envelope(REQUEST, message_id=1, target=b"critic/alice", remaining_ms=60_000))
        worker.receive_kind(REQUEST)
        self.broker.send_signal(signal.SIGTERM)
        self.assertIsNotNone(client.receive_kind(20))
        self.broker.send_signal(signal.SIGTERM)
        self.assertEqual(self.broker.wait(PATIENCE_S), 0)

    def test_a_port_in_use_is_one_clear_line_and_status_1(self):
        endpoint = self.start()
        done = self.refused("--listen", endpoint)
        self.assertEqual(done.returncode, 1)
        self.assertIn("in use", done.stderr)

    def test_wrong_flags_are_one_clear_line_and_status_2(self):
        for flags in (["--lisen", "x"], ["--session-timeout", "soon"], ["--max-sessions", "-1"], ["--log-level", "loud"],
                      ["--listen", "http://x"], ["--heartbeat-interval", "5s"], ["--config", "/does/not/exist.yaml"]):
            self.assertEqual(self.refused(*flags).returncode, 2, flags)

    def test_a_live_broker_keeps_its_ipc_path_and_a_dead_one_gives_it_up(self):
        endpoint = f"ipc://{self.path}/broker.sock"
        self.start(listen=endpoint)
        done = self.refused("--listen", endpoint)
        self.assertEqual(done.returncode, 1)
        self.assertIn("already listening", done.stderr)
        self.assert_serves()
        self.broker.kill()
        self.broker.wait()
        self.start(listen=endpoint)
        self.assert_serves()

    def test_a_file_that_is_no_socket_is_left_alone(self):
        precious = self.path / "precious.txt"
        precious.write_text("keep me")
        self.assertEqual(self.refused("--listen", f"ipc://{precious}").returncode, 2)
        self.assertEqual(precious.read_text(), "keep me")

    def test_raises_its_epoch_with_each_start(self):
        state = str(self.path / "state")
        epochs = []
        for _ in range(3):
            self.start("--state-dir", state)
            epochs.append(self.ready["shard_epoch"])
            self.broker.kill()
            self.broker.wait()
        self.assertEqual(epochs, [1, 2, 3])

    def test_a_damaged_epoch_file_stops_the_start(self):
        state = self.path / "state"
        state.mkdir()
        (state / "epoch").write_text("what?\n")
        self.assertEqual(self.refused("--state-dir", str(state), "--listen", "tcp://127.0.0.1:*").returncode, 2)

    def test_two_brokers_do_not_share_a_state_directory(self):
        state = str(self.path / "state")
        self.start("--state-dir", state)
        self.assertIn("in use", self.refused("--state-dir", state, "--listen", "tcp://127.0.0.1:*").stderr)

    def test_remembers_its_workers_for_the_recovery(self):
        state = self.path / "state"
        self.start("--state-dir", str(state))
        self.peer().open("critic", incarnation=4711)
        end = time.monotonic() + PATIENCE_S
        while not (state / "roster").exists() or (state / "roster").read_text() != "4711\n":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_reads_a_configuration_file_and_flags_win(self):
        config = self.path / "broker.yaml"
        config.write_text("listen: tcp://127.0.0.1:*\nsession_timeout: 7s\nheartbeat_interval: 2s\n")
        process = subprocess.Popen([BROKER, "--config", str(config), "--heartbeat-interval", "3s", "--log-level", "error"],
                                   stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        peer = self.peer(json.loads(process.stdout.readline())["endpoint"])
        peer.hello()
        welcome = msgpack.unpackb(peer.receive_kind(WELCOME).payload)
        self.assertEqual((welcome["heartbeat_ms"], welcome["session_timeout_ms"]), (3000, 7000))

    def test_tells_every_problem_of_a_configuration_file(self):
        config = self.path / "broker.yaml"
        config.write_text("session_timeot: 7s\nmax_sessions: none\n")
        done = subprocess.run([BROKER, "--config", str(config)], capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 2)
        self.assertIn("broker.yaml:1", done.stderr)
        self.assertIn("broker.yaml:2", done.stderr)

    def assert_is_healthy(self):
        for page in ("livez", "readyz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ready['metrics_port']}/{page}", timeout=5) as answer:
                self.assertEqual(answer.status, 200)

    def test_shows_its_numbers_and_health(self):
        self.start()
        self.peer().open()
        self.wait_for_metric(1, "parley_broker_transport_frames_total", direction="in")
        self.assert_is_healthy()

    def test_takes_as_many_descriptors_as_it_may(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)))
        self.assertEqual(self.metric("process_max_fds"), min(hard, 1 << 20))

    def test_refuses_peers_before_its_descriptors_run_out(self):  # [P-BRK-1]
        log = self.path / "log"
        with log.open("w") as lines:
            self.start("--session-timeout", "1m", log_level="warn", stderr=lines,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
        for _ in range(176):
            self.peer().open()
        for _ in range(10):
            late = self.peer()
            late.hello()
            refusal = late.receive_kind(WELCOME, RESET)
            self.assertEqual(refusal.kind, RESET)
            self.assertEqual(msgpack.unpackb(refusal.payload)["reason"], "too many sessions: this broker takes 176")
        self.assert_is_healthy()
        self.assertLess(self.metric("process_open_fds"), 240)
        warnings = log.read_text()
        self.assertIn("event=sessions_capped sessions=176 max_sessions=10000 descriptors=256", warnings)
        self.assertEqual(warnings.count("event=sessions_full"), 1, "once, whoever else is refused")


if __name__ == "__main__":
    unittest.main(verbosity=2)
