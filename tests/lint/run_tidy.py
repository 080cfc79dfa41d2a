#!/usr/bin/env python3
"""Runs clang-tidy over the compile commands, in parallel, and remembers what was clean.

A file is checked again only when it, a header of this repository that it reaches, its compile command, the
configuration or clang-tidy itself has changed. System headers are not walked (see own_code_only.cpp). Exits 1 when a
file has findings.
"""

import argparse
import concurrent.futures
import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLANG_TIDY = "clang-tidy-19"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


class Contents:
    """Files of the repository and what they include, each read once."""

    def __init__(self):
        self.known = {}

    def read(self, path):
        if path not in self.known:
            content = path.read_bytes()
            # Includes are rooted, so the text alone tells which file is meant.
            included = [ROOT / name.decode() for name in INCLUDE.findall(content)]
            self.known[path] = (hashlib.sha256(content).digest(), [file for file in included if file.is_file()])
        return self.known[path]

    def closure(self, path):
        seen, todo = set(), [path]
        while todo:
            file = todo.pop()
            if file not in seen:
                seen.add(file)
                todo.extend(self.read(file)[1])
        return sorted(seen)


def cache_key(entry, contents, salt):
    digest = hashlib.sha256(salt)
    digest.update(entry["command"].encode())
    for file in contents.closure(Path(entry["file"])):
        digest.update(str(file.relative_to(ROOT)).encode())
        digest.update(contents.read(file)[0])
    return digest.hexdigest()


def compile_entries(build, wanted):
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = Path(entry["file"])
        if not file.is_relative_to(ROOT) or file.is_relative_to(build):
            continue
        if not wanted or any(str(file.relative_to(ROOT)).startswith(prefix) for prefix in wanted):
            entries[file] = entry
    return entries


def check(file, build):
    start = time.monotonic()
    done = subprocess.run([CLANG_TIDY, f"--load={build}/lib/own_code_only.so", "--quiet", "-p", str(build), str(file)],
                          capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("paths", nargs="*", help="only files below these")
    args = parser.parse_args()
    build = args.build.resolve()
    # The plugin that skips system headers, and the precompiled headers.
    subprocess.run(["cmake", "--build", str(build), "--target", "lint_tools", "-j", str(args.jobs)], check=True)

    cache = ROOT / "build" / ".tidy-cache"
    cache.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, check=True).stdout
    salt = version + (ROOT / ".clang-tidy").read_bytes() + (ROOT / "tests" / ".clang-tidy").read_bytes()
    salt += (ROOT / "tests" / "lint" / "own_code_only.cpp").read_bytes()

    contents = Contents()
    entries = compile_entries(build, args.paths)
    keys = {file: cache_key(entry, contents, salt) for file, entry in entries.items()}
    todo = [file for file in entries if not (cache / keys[file]).exists()]
    # The largest first: they keep no core waiting at the end.
    todo.sort(key=lambda file: -sum(part.stat().st_size for part in contents.closure(file)))
    print(f"clang-tidy: {len(entries)} files, {len(entries) - len(todo)} unchanged since they were clean", flush=True)

    failed = 0
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        running = {pool.submit(check, file, build): file for file in todo}
        for number, future in enumerate(concurrent.futures.as_completed(running), 1):
            file = running[future]
            code, output, errors, seconds = future.result()
            state = "ok" if code == 0 else "FINDINGS"
            print(f"[{number}/{len(todo)}] {file.relative_to(ROOT)} {state} ({seconds:.1f} s)", flush=True)
            if code == 0:
                (cache / keys[file]).touch()
            else:
                failed += 1
                print(output or errors, flush=True)
    print(f"clang-tidy: {failed} of {len(todo)} files have findings ({time.monotonic() - start:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
