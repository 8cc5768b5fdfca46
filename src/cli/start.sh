#!/bin/sh
# What `npm start` runs. The lockfile brings a Node along, which needs a library that slim images lack; without it only
# the loader speaks, and not in words that help.
#
# SIGUSR1 would open Node's inspector in the moment before bin.js can take it. A Node that does not know how to leave that
# is too old, which is for bin.js to say.
if node --disable-sigusr1 --version >/dev/null 2>&1; then
  set -- --disable-sigusr1 "$(dirname "$0")/bin.js" "$@"
elif node --version >/dev/null 2>&1; then
  set -- "$(dirname "$0")/bin.js" "$@"
else
  echo 'kvs-hls-gateway: Node does not start. The one from the lockfile needs libatomic1: apt-get install libatomic1' >&2
  exit 1
fi
# glibc would give each thread that allocates an arena of its own, which keeps megabytes that nobody uses.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"
exec node "$@"
