#!/usr/bin/env python3
"""Checks that includes point one way, that libraries stay in their adapters, and that nobody reads the clock.

Prints file:line for each violation and exits 1. `--self-test` proves that each rule catches what it should.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What each folder (longest match wins) may include of this repository.
LIBMSG = ["libmsg/core", "libmsg/wire", "libmsg/link", "libmsg/net", "libmsg/messages", "libmsg/runtime"]
LAYERS = {
    "libmsg/core": ["libmsg/core"],
    "libmsg/wire": ["libmsg/core", "libmsg/wire"],
    "libmsg/link": ["libmsg/core", "libmsg/wire", "libmsg/link"],
    "libmsg/net": ["libmsg/core", "libmsg/wire", "libmsg/link", "libmsg/net"],
    "libmsg/messages": ["libmsg/core", "libmsg/wire", "libmsg/messages"],
    "libmsg/runtime": LIBMSG + ["broker/core"],
    "broker/core": ["libmsg/core", "libmsg/wire", "broker/core"],
    "broker": ["libmsg/core", "libmsg/wire", "libmsg/link", "libmsg/net", "broker", "monitoring", "services/config"],
    "monitoring": ["libmsg/core", "monitoring"],
    "agents/http": LIBMSG + ["agents/http"],
    "agents/telemetry": LIBMSG + ["agents/http", "agents/telemetry"],
    "agents/text": ["libmsg/core", "agents/text"],
    "agents/llm": LIBMSG + ["agents/http", "agents/text", "agents/llm"],
    "agents/budget": LIBMSG + ["agents/llm", "agents/budget", "services/config"],
    "agents/sandbox": LIBMSG + ["agents/sandbox"],
    "agents/people": LIBMSG + ["agents/people"],
    "agents/mcp": LIBMSG + ["agents/http", "agents/text", "agents/llm", "agents/mcp", "agents/people", "agents/sandbox", "agents/tools", "monitoring"],
    "agents/tools": LIBMSG + ["agents/http", "agents/text", "agents/llm", "agents/people", "agents/sandbox", "agents/tools", "monitoring"],
    "agents/teams": ["libmsg/core", "libmsg/wire", "libmsg/messages", "agents/text", "agents/teams"],
    "agents/kinds": LIBMSG + ["agents/llm", "agents/people", "agents/sandbox", "agents/tools", "agents/teams", "agents/kinds", "services/config"],
    "agents": LIBMSG + ["agents", "monitoring", "services/config"],
    "services/config": ["libmsg/core", "services/config"],
    "services": ["libmsg", "broker", "agents", "monitoring", "services"],
    "tests": [""],
}

# Where a library's headers may be included. Tests may include anything.
LIBRARIES = [
    (r"zmq(_addon)?\.hp?p?$", ["libmsg/net", "broker/shell"]),
    (r"seccomp\.h", ["agents/sandbox"]),
    (r"curl/", ["agents/http", "agents/llm"]),
    (r"yaml-cpp/", ["services/config", "agents/host", "agents/kinds"]),
    (r"prometheus/", ["monitoring"]),
    (r"asio", ["libmsg/runtime", "agents", "services/cli", "services/supervisor", "services/ledger"]),
    (r"(spdlog|fmt)/", ["libmsg/net", "libmsg/runtime", "broker/shell", "broker/main.cpp", "monitoring", "agents",
                        "services"]),
    (r"msgpack", ["libmsg/wire", "libmsg/messages", "libmsg/runtime", "agents", "services"]),
    (r"SQLiteCpp/|sqlite3", ["services/ledger", "agents/tools"]),
    (r"nlohmann/", ["agents", "services", "broker/shell"]),
    (r"CLI/", ["services/config/command_line.cpp", "services/cli", "services/supervisor/options.cpp",
               "services/ledger/options.cpp", "agents/host/worker_options.cpp", "broker/shell/options.cpp"]),
    (r"tsl/", ["broker/core", "libmsg/runtime/request_table.hpp"]),
    (r"re2/", ["agents/text"]),
    (r"openssl/", ["agents/host"]),
]

# Pure folders open nothing, start nothing and wait for nothing.
PURE = ["libmsg/core", "libmsg/wire", "libmsg/link", "broker/core", "agents/text", "agents/teams"]
IMPURE_HEADERS = re.compile(
    r"^(thread|mutex|shared_mutex|condition_variable|future|iostream|fstream|filesystem|cstdio|csignal|unistd\.h|"
    r"fcntl\.h|(sys|netinet|arpa)/.*)$")

TEXT_RULES = [
    (re.compile(r"\b\w*clock::now\s*\(|\b(clock_gettime|gettimeofday)\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)",
                re.IGNORECASE),
     ["libmsg/core/clock.hpp"], "reads the clock; take `now` or a Clock& instead"),
    (re.compile(r"\b(random_device|mt19937(_64)?)\b|\bs?rand\s*\("),
     ["libmsg/core/random.hpp"], "makes its own random numbers; take a Random& instead"),
    (re.compile(r"[?:]\s*co_await\b"),
     [], "awaits inside ?:, whose result g++ 12 destroys twice; choose the task, then await it"),
    (re.compile(r"\bfor\s*\([^;]*\s:\s.*\.value\(\)\.\w+\)"),
     [], "loops over a part of a temporary, which g++ 12 destroys before the loop; name the whole first"),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def is_below(path, folders):
    return any(folder == "" or path == folder or path.startswith(folder + "/") for folder in folders)


def allowed_includes(path):
    matches = [folder for folder in LAYERS if is_below(path, [folder])]
    return LAYERS[max(matches, key=len)] if matches else None


def check_include(path, quoted, header):
    if quoted:
        allowed = allowed_includes(path)
        if allowed is None:
            return "this folder has no place in the layers; add it to check_layers.py"
        if not is_below(header, allowed):
            return f'may not include "{header}"'
        return None
    if is_below(path, ["tests"]):
        return None
    if is_below(path, PURE) and IMPURE_HEADERS.match(header):
        return f"is pure and may not include <{header}>"
    for pattern, folders in LIBRARIES:
        if re.match(pattern, header) and not is_below(path, folders):
            return f"may not include <{header}>; it belongs to {', '.join(folders)}"
    return None


def check_text(path, text):
    """Yields (line number, problem) for one file."""
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            problem = check_include(path, include.group(1) == '"', include.group(2))
            if problem:
                yield number, problem
            continue
        code = line.split("//")[0]
        if is_below(path, ["tests"]):
            continue
        for pattern, exempt, problem in TEXT_RULES:
            if pattern.search(code) and not is_below(path, exempt):
                yield number, problem


def source_files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.hpp", "*.cpp", "*.h"], cwd=ROOT,
                            check=True, capture_output=True, text=True)
    # A sample project outside the tree includes what is installed.
    return [name for name in sorted(set(listed.stdout.split())) if not name.startswith("tests/install/")]


def check_tree():
    files = [name for name in source_files() if (ROOT / name).is_file()]
    count = 0
    for name in files:
        for number, problem in check_text(name, (ROOT / name).read_text(encoding="utf-8")):
            print(f"{name}:{number}: {problem}")
            count += 1
    print(f"layers: {len(files)} files, {count} violations")
    return 1 if count else 0


SELF_TEST = [
    # (path, line, is a violation)
    ("agents/a.cpp", "  const auto x = is_a ? co_await a() : co_await b();", True),
    ("agents/a.cpp", "  Task<int> work = is_a ? a() : b();", False),
    ("agents/a.cpp", "  for (const Hop& hop : decode(text).value().hops) {", True),
    ("agents/a.cpp", "  for (const Hop& hop : report.hops) use(decode(hop).value().size());", False),
    ("libmsg/core/a.cpp", '#include "libmsg/core/ids.hpp"', False),
    ("libmsg/core/a.cpp", '#include "libmsg/wire/bundle.hpp"', True),
    ("libmsg/wire/a.hpp", '#include "libmsg/link/peer_link.hpp"', True),
    ("libmsg/net/a.cpp", '#include "libmsg/link/peer_link.hpp"', False),
    ("libmsg/net/a.cpp", '#include "libmsg/runtime/agent.hpp"', True),
    ("libmsg/runtime/a.cpp", '#include "broker/core/core.hpp"', False),
    ("libmsg/runtime/a.cpp", '#include "broker/shell/shell.hpp"', True),
    ("libmsg/runtime/a.cpp", '#include "agents/llm/model.hpp"', True),
    ("broker/core/a.cpp", '#include "libmsg/wire/envelope.hpp"', False),
    ("broker/core/a.cpp", '#include "libmsg/link/peer_link.hpp"', True),
    ("broker/core/a.cpp", '#include "broker/shell/shell.hpp"', True),
    ("broker/core/a.cpp", "#include <tsl/robin_map.h>", False),
    ("broker/core/a.cpp", "#include <thread>", True),
    ("broker/core/a.cpp", "#include <sys/socket.h>", True),
    ("broker/core/a.cpp", "#include <spdlog/spdlog.h>", True),
    ("broker/shell/a.cpp", "#include <zmq.hpp>", False),
    ("agents/kinds/a.cpp", "#include <zmq.hpp>", True),
    ("agents/kinds/a.cpp", '#include "agents/host/host.hpp"', True),
    ("agents/kinds/a.cpp", "#include <curl/curl.h>", True),
    ("agents/llm/a.cpp", "#include <curl/curl.h>", False),
    ("agents/llm/a.cpp", "#include <yaml-cpp/yaml.h>", True),
    ("services/config/a.cpp", "#include <yaml-cpp/yaml.h>", False),
    ("services/cli/a.cpp", "#include <prometheus/registry.h>", True),
    ("services/cli/a.cpp", '#include "tests/support/stub.hpp"', True),
    ("tests/unit/wire/a.cpp", "#include <zmq.hpp>", False),
    ("toplevel/a.cpp", '#include "libmsg/core/ids.hpp"', True),
    ("libmsg/core/clock.hpp", "return std::chrono::steady_clock::now();", False),
    ("libmsg/net/a.cpp", "auto t = std::chrono::steady_clock::now();", True),
    ("libmsg/net/a.cpp", "auto t = Clock::now();", True),
    ("libmsg/net/a.cpp", "auto t = clock_.now();", False),
    ("libmsg/net/a.cpp", "TimePoint Host::now() {", False),
    ("libmsg/net/a.cpp", "// steady_clock::now() would be wrong here", False),
    ("agents/host/a.cpp", "std::mt19937 engine;", True),
    ("tests/bench/a.cpp", "auto t = Clock::now();", False),
]


def self_test():
    failures = 0
    for path, line, expected in SELF_TEST:
        found = [problem for _, problem in check_text(path, line)]
        if bool(found) != expected:
            print(f"self-test: {path}: {line}: expected {'a violation' if expected else 'none'}, found {found}")
            failures += 1
    print(f"self-test: {len(SELF_TEST)} cases, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    if sys.argv[1:]:
        sys.exit("usage: check_layers.py [--self-test]")
    sys.exit(check_tree())
