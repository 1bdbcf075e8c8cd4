#!/usr/bin/env bash
# Installs what only the tests need. What is there already is used.
set -euo pipefail

# redis-cli and redis-benchmark talk to mini-redis; strace counts system calls;
# wrk makes the load of `cargo xtask bench`; haproxy and buildah are what the
# examples in `deploy` use; curl asks the servers of `cargo xtask sweep`.
missing=()
for tool in redis-cli:redis-tools redis-benchmark:redis-tools strace:strace wrk:wrk \
    haproxy:haproxy buildah:buildah curl:curl; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
    sudo=()
    if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi
    export DEBIAN_FRONTEND=noninteractive
    "${sudo[@]}" apt-get update -qq
    # RUNLEVEL: haproxy is not started as a service.
    "${sudo[@]}" env RUNLEVEL=1 apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null
fi

# What containers are run by in tests, in a folder of our own.
"$(dirname "$0")/install-crun.sh" || echo "there is no crun: tests of containers are left out"

# cargo-nextest runs the tests where it is installed; `cargo test` does it else.
cargo nextest --version 2>/dev/null || echo "cargo-nextest is not installed; cargo test will do"
