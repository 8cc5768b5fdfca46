#!/bin/sh
# What `npm start` runs. The lockfile brings a Node along, which needs a library that slim images lack; without it only
# the loader speaks, and not in words that help.
node --version >/dev/null 2>&1 || {
  echo 'kvs-hls-gateway: Node does not start. The one from the lockfile needs libatomic1: apt-get install libatomic1' >&2
  exit 1
}
# glibc would give each thread that allocates an arena of its own, which keeps megabytes that nobody uses.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"
exec node "$(dirname "$0")/bin.js" "$@"
