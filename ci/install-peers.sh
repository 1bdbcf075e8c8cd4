#!/usr/bin/env bash
# Installs the servers and clients that `cargo xtask compat` runs apps against.
# What is there already is used. None of them is started by this.
set -euo pipefail

missing=()
for tool in redis-server:redis-server mariadbd:mariadb-server nginx:nginx-light \
    mosquitto:mosquitto nats-server:nats-server memcached:memcached \
    openssl:openssl curl:curl nc:netcat-openbsd; do
    PATH="$PATH:/usr/sbin" command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
# Debian keeps it in a folder by version.
command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
    missing+=(postgresql)
if [ ${#missing[@]} -gt 0 ]; then
    sudo=()
    if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi
    export DEBIAN_FRONTEND=noninteractive
    "${sudo[@]}" apt-get update -qq
    # RUNLEVEL: packages leave their services alone.
    "${sudo[@]}" env RUNLEVEL=1 apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null
fi
