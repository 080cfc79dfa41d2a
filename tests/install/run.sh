#!/usr/bin/env bash
# Installs the build into a temporary prefix, then configures, builds and runs the sample agent against it, the way a
# project outside this repository would. Usage: run.sh <cmake> <build directory> <compiler>
set -euo pipefail

cmake=$1 build=$2 compiler=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
# A copy, so that nothing of this repository is reachable by a relative path.
cp -r "$here/sample" "$work/sample"
"$cmake" -S "$work/sample" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=None \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/prefix"
"$cmake" --build "$work/build"
"$work/build/sample"
