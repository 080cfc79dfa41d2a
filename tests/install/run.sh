#!/usr/bin/env bash
# Installs the build into a temporary prefix, then configures, builds and runs two agents against it, the way a project
# outside this repository would: the sample, and the C++ of the README, which the installed broker and `parley` talk to.
# Usage: run.sh <cmake> <build directory> <compiler>
set -euo pipefail

cmake=$1 build=$2 compiler=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
started=()
clean_up() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT
fail() { echo "$1" >&2; exit 1; }

"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
for program in parley parley-agent parley-broker parley-ledger parley-supervisor; do
  "$work/prefix/bin/$program" --version >/dev/null || fail "$program is not in the prefix's bin, or does not run"
done

# Copies, so that nothing of this repository is reachable by a relative path.
cp -r "$here/sample" "$work/sample"
sed -n '/^```cpp$/,/^```$/{/^```/d;p}' "$here/../../README.md" >"$work/sample/readme.cpp"
"$cmake" -S "$work/sample" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=None \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/prefix"
"$cmake" --build "$work/build"
"$work/build/sample"

# wait_for_line FILE PID: until the process has said that it is ready.
wait_for_line() {
  for _ in $(seq 600); do
    if [[ -s $1 ]]; then return; fi
    kill -0 "$2" 2>/dev/null || break
    sleep 0.1
  done
  fail "not ready: $1"
}

mkdir -m 700 "$work/run"
export PARLEY_BROKER=ipc://$work/run/broker.sock
"$work/build/readme" --help | grep -q -- --log-level || fail "the README's agent has no --help"
status=0
said=$("$work/build/readme" --timeout 100ms 2>&1) || status=$?
[[ $status == 3 && $said == *"no broker answers at $PARLEY_BROKER within 100ms"* ]] || fail "without a broker: $status $said"

"$work/prefix/bin/parley-broker" --listen "$PARLEY_BROKER" --log-level warn >"$work/broker.out" &
started+=($!)
wait_for_line "$work/broker.out" $!
"$work/build/readme" --log-level warn >"$work/readme.out" &
started+=($!)
wait_for_line "$work/readme.out" $!
answer=$("$work/prefix/bin/parley" request clerk/desk-1 'open today?' --type shop.Question)
[[ $answer == *"You asked: open today?"* ]] || fail "the README's agent says: $answer"
