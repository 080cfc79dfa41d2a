#!/usr/bin/python3
"""Reads the golden vectors with a decoder written from libmsg/PROTOCOL.md alone.

vectors/NAME.hex is one frame; vectors/NAME.json says what it means. This program decodes every frame and compares, and
encodes every meaning of version 1 again and compares the bytes. Exit code 1 tells of a difference.
"""

import json
import pathlib
import struct
import sys

import msgpack

KINDS = {1: "request", 2: "reply", 3: "error", 4: "part", 5: "send", 6: "event", 7: "cancel",
         16: "hello", 17: "welcome", 18: "reset", 19: "goodbye", 20: "drain", 21: "heartbeat", 22: "heartbeat_ack",
         23: "credit", 24: "register_type", 25: "unregister_type", 26: "subscribe", 27: "unsubscribe", 28: "query",
         29: "accepted", 30: "done", 31: "activate", 32: "passivate", 33: "deactivated", 34: "evict",
         35: "operate", 36: "inspect"}
BODY_KINDS = {"hello", "welcome", "reset", "goodbye", "register_type", "unregister_type", "subscribe", "unsubscribe",
              "query", "heartbeat", "operate", "inspect"}
BUNDLE_HEADER = struct.Struct("<2sBB4xQ")
ENVELOPE_HEADER = struct.Struct("<IBBHQQIHHHHHHI4x")
ATTRIBUTE_HEADER = struct.Struct("<BH")
MAX_ADDRESS, MAX_TYPE, MAX_ATTRIBUTES, MAX_ATTRIBUTE_COUNT = 385, 128, 16 * 1024, 64
MAX_PAYLOAD = 8 * 1024 * 1024 - 64 * 1024
DEFAULTS = {"flags": 0, "message_id": 0, "delivery_id": 0, "remaining_ms": 0xFFFFFFFF, "recipient": 0xFFFF, "code": 0,
            "source": "", "target": "", "payload_type": "", "attributes": []}


class Malformed(Exception):
    """The error's name is its argument."""


def require(condition, error="invalid"):
    if not condition:
        raise Malformed(error)


def decode_attributes(data):
    entries = []
    while data:
        require(len(data) >= ATTRIBUTE_HEADER.size and len(entries) < MAX_ATTRIBUTE_COUNT)
        name_bytes, value_bytes = ATTRIBUTE_HEADER.unpack_from(data)
        end = ATTRIBUTE_HEADER.size + name_bytes + value_bytes
        require(name_bytes > 0 and end <= len(data))
        name = data[ATTRIBUTE_HEADER.size:ATTRIBUTE_HEADER.size + name_bytes]
        entries.append([name.decode(), data[ATTRIBUTE_HEADER.size + name_bytes:end].decode()])
        data = data[end:]
    return entries


def decode_payload(kind, payload_type, payload):
    if kind == "accepted":
        return {"accepted": [list(pair) for pair in struct.iter_unpack("<QI", payload)]}
    if kind == "done":
        return {"deliveries": [number for (number,) in struct.iter_unpack("<Q", payload)]}
    if not payload:
        return {}
    if kind in BODY_KINDS or (payload_type.startswith("parley.") and payload_type != "parley.Error"):
        return {"body": msgpack.unpackb(payload, raw=False)}
    return {"text": payload.decode()}


def decode_envelope(data):
    """Returns the meaning of the envelope at the start of data, and its length."""
    require(len(data) >= ENVELOPE_HEADER.size)
    (length, kind, flags, fixed, message_id, delivery_id, remaining_ms, recipient, code, source_bytes, target_bytes,
     type_bytes, attribute_bytes, payload_bytes) = ENVELOPE_HEADER.unpack_from(data)
    require(length <= len(data) and fixed >= ENVELOPE_HEADER.size)
    require(source_bytes <= MAX_ADDRESS and target_bytes <= MAX_ADDRESS and type_bytes <= MAX_TYPE)
    require(attribute_bytes <= MAX_ATTRIBUTES and payload_bytes <= MAX_PAYLOAD, "too_large")
    parts, at = [], fixed
    for size in (source_bytes, target_bytes, type_bytes, attribute_bytes, payload_bytes):
        parts.append(data[at:at + size])
        at += size
    require(at <= length)
    source, target, payload_type = (part.decode() for part in parts[:3])
    name = KINDS.get(kind, kind)
    values = {"flags": flags, "message_id": message_id, "delivery_id": delivery_id, "remaining_ms": remaining_ms,
              "recipient": recipient, "code": code, "source": source, "target": target, "payload_type": payload_type,
              "attributes": decode_attributes(parts[3])}
    meaning = {"kind": name, **{key: value for key, value in values.items() if value != DEFAULTS[key]}}
    meaning.update(decode_payload(name, payload_type, parts[4]))
    return meaning, length


def decode_frame(frame):
    meaning = {"token": None, "envelopes": [], "error": None}
    try:
        require(len(frame) >= BUNDLE_HEADER.size)
        magic, version, header_bytes, token = BUNDLE_HEADER.unpack_from(frame)
        require(magic == b"PY" and version == 1 and BUNDLE_HEADER.size <= header_bytes <= len(frame))
        meaning["token"] = token
        rest = frame[header_bytes:]
        while rest:
            envelope, length = decode_envelope(rest)
            meaning["envelopes"].append(envelope)
            rest = rest[length:]
    except Malformed as failure:
        meaning["error"] = str(failure)
    return meaning


def encode_payload(envelope):
    if "accepted" in envelope:
        return b"".join(struct.pack("<QI", *pair) for pair in envelope["accepted"])
    if "deliveries" in envelope:
        return b"".join(struct.pack("<Q", number) for number in envelope["deliveries"])
    if "body" in envelope:
        return msgpack.packb(envelope["body"], use_bin_type=True)
    return envelope.get("text", "").encode()


def encode_frame(meaning):
    numbers = {name: number for number, name in KINDS.items()}
    frame = BUNDLE_HEADER.pack(b"PY", 1, BUNDLE_HEADER.size, meaning["token"])
    for envelope in meaning["envelopes"]:
        values = {**DEFAULTS, **envelope}
        attributes = b"".join(ATTRIBUTE_HEADER.pack(len(name.encode()), len(value.encode())) + name.encode() + value.encode()
                              for name, value in values["attributes"])
        parts = [values["source"].encode(), values["target"].encode(), values["payload_type"].encode(), attributes,
                 encode_payload(envelope)]
        sizes = [len(part) for part in parts]
        frame += ENVELOPE_HEADER.pack(ENVELOPE_HEADER.size + sum(sizes), numbers[values["kind"]], values["flags"],
                                      ENVELOPE_HEADER.size, values["message_id"], values["delivery_id"],
                                      values["remaining_ms"], values["recipient"], values["code"], *sizes)
        frame += b"".join(parts)
    return frame


def main():
    folder = pathlib.Path(__file__).parent / "vectors"
    failures = 0
    names = sorted(path.stem for path in folder.glob("*.hex"))
    for name in names:
        frame = bytes.fromhex((folder / f"{name}.hex").read_text())
        expected = json.loads((folder / f"{name}.json").read_text())
        del expected["comment"]
        found = decode_frame(frame)
        if found != expected:
            failures += 1
            print(f"{name}: decoded\n  {json.dumps(found)}\nexpected\n  {json.dumps(expected)}", file=sys.stderr)
        if expected["error"] is None and name != "newer_peer" and encode_frame(expected) != frame:
            failures += 1
            print(f"{name}: its meaning does not encode to its bytes", file=sys.stderr)
    print(f"{len(names)} vectors, {failures} differences")
    return 1 if failures or not names else 0


if __name__ == "__main__":
    sys.exit(main())
