#!/bin/sh
# Starts a program of this project on the Node that package.json pins, or says in one line why it cannot.
dir=$(cd "$(dirname "$0")/.." && pwd)
node="$dir/node_modules/.bin/node"
[ -x "$node" ] || { echo "lazaret: Node 26 is not installed here: run 'npm ci' (platforms: linux x64, linux arm64, macOS arm64)" >&2; exit 2; }
"$node" --version >/dev/null 2>&1 || { echo "lazaret: the bundled Node 26 does not start; on Linux it needs libatomic.so.1: apt-get install libatomic1 (Debian, Ubuntu) or dnf install libatomic (Fedora, RHEL)" >&2; exit 2; }
[ "$1" = "--check" ] && exit 0
program=$1
shift
# What Node made of the sources of the commands, so that they start sooner; where it cannot be written, they start without it.
[ "$program" = cli/main.ts ] && export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$dir/node_modules/.cache/lazaret}"
exec "$node" --disable-warning=ExperimentalWarning "$dir/$program" "$@"
