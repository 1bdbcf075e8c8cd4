#!/usr/bin/env bash
# One service on many cores: runs a command several times, each with an address
# of its own as last argument, behind haproxy. Ends all of them when it is ended.
set -euo pipefail

if [ $# -lt 4 ]; then
    echo "usage: $0 PORT INSTANCES FIRST_PORT COMMAND [ARGUMENT…]" >&2
    exit 2
fi
port=$1 instances=$2 first=$3
shift 3

folder=$(mktemp -d)
children=()
finish() {
    trap - EXIT INT TERM
    # Whoever keeps an instance running ends it in its turn.
    kill "${children[@]}" 2>/dev/null || true
    wait
    rm -r "$folder"
}
trap finish EXIT
trap 'exit 143' INT TERM

# Runs an instance, and runs it again when it ends.
keep_running() {
    local address=$1 child=
    shift
    trap 'kill "$child" 2>/dev/null; wait; exit' TERM
    while true; do
        "$@" "$address" &
        child=$!
        echo "instance $address is process $child"
        wait "$child" || true
        sleep 1
    done
}

servers=
for ((i = 0; i < instances; i++)); do
    address=127.0.0.1:$((first + i))
    keep_running "$address" "$@" &
    children+=($!)
    servers+="    server app$i $address"$'\n'
done

cat >"$folder/haproxy.cfg" <<CONFIG
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    # What an instance has not begun to answer is sent to another one, if it is
    # a request that may be repeated.
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response

frontend all
    bind 127.0.0.1:$port
    http-request disable-l7-retry unless METH_GET
    default_backend instances

backend instances
    balance leastconn
    option httpchk GET /
    default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
$servers
CONFIG

haproxy -f "$folder/haproxy.cfg" &
haproxy=$!
children+=("$haproxy")
echo "listening on http://127.0.0.1:$port"
wait "$haproxy"
