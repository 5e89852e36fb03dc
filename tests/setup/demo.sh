#!/bin/sh
# `make demo`: builds Hookway, serves three senders into the embedded journal, sends signed events to it and shows
# what came out. The server then stays until Ctrl-C; with DEMO_EXIT=1 it ends by itself. All files are below
# .cache/demo, and no broker is needed.
# shellcheck disable=SC2086 # $text is one word or none
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
demo=.cache/demo
config=$demo/hookway.yaml
hookway=${CARGO_TARGET_DIR:-target}/debug/hookway
server=''
follower=''
text=''
if [ ! -t 1 ]; then text=--text; fi

clean_up() {
    status=$?
    trap '' INT TERM HUP
    for pid in $follower $server; do
        if kill -TERM "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || true; fi
    done
    rm -f "$demo/pid"
    exit "$status"
}

# Says what comes next.
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
if [ -n "${NO_COLOR-}" ] || [ ! -t 1 ]; then say() { printf '\n%s\n' "$*"; }; fi

# Shows a command and runs it; `shown 1 …` expects exit code 1.
shown() {
    expected=$1
    shift
    printf '\n$ hookway'
    for word in "$@"; do
        case $word in *[!a-zA-Z0-9_./=-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    echo
    status=0
    HOOKWAY_CONFIG=$config "$hookway" "$@" || status=$?
    if [ "$status" -ne "$expected" ]; then
        echo "demo: expected exit code $expected, found $status; the server's log is $demo/log" >&2
        exit 70
    fi
}

# Waits for a condition, at most 30 s.
await() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 150 ]; then
            echo "demo: waited 30 s in vain for: $*; the server's log is $demo/log" >&2
            exit 70
        fi
        sleep 0.2
    done
}

fetch() { if command -v curl >/dev/null; then curl -fsS "$1"; else wget -qO- "$1"; fi; }
is_alive() { kill -0 "$server" 2>/dev/null; }
is_settled() { ! is_alive || fetch "http://127.0.0.1:$admin_port/readyz" >/dev/null 2>&1; }
has_refused() { grep -q refused "$demo/log"; }

write_configuration() {
    cat >"$config" <<EOF
# Written by tests/setup/demo.sh.
listen: 127.0.0.1:$port              # webhooks: POST /hooks/{source}
admin: 127.0.0.1:$admin_port               # metrics and health

sources:
  hotel: { preset: likemagic, secrets: [ "file:$root/$demo/secrets/hotel" ] }
  units: { preset: propexo, secrets: [ "file:$root/$demo/secrets/units" ] }
  # The vendor does not say how it signs: the operator must.
  rooms: { preset: syncaroo, secrets: [ "file:$root/$demo/secrets/rooms" ], verify: { algorithm: hmac-sha256 } }

sinks:
  events: { journal: { dir: "$root/$demo/events" } }       # or kafka: { brokers: [ … ] }, nats: { servers: [ … ], stream: … }
  unclear: { journal: { dir: "$root/$demo/unclear" } }

routes:
  - match: { source: "*" }
    to: { sink: events }

quarantine: { sink: unclear }        # authentic, but it can't be mapped

limits: { drain_delay: 0s }          # no load balancer waits here
log: { format: pretty }
EOF
}

# Starts the server on the usual ports, or on the next pair where those are taken.
start() {
    for offset in 0 1 2 3 4 5 6 7 8 9; do
        port=$((8080 + offset * 10))
        admin_port=$((9090 + offset * 10))
        write_configuration
        NO_COLOR=1 "$hookway" run --config "$config" 2>"$demo/log" &
        server=$!
        echo "$server" >"$demo/pid"
        await is_settled
        if is_alive; then return; fi
        status=0
        wait "$server" || status=$?
        server=''
        # 69: an address is taken.
        if [ "$status" -ne 69 ]; then
            cat "$demo/log" >&2
            exit "$status"
        fi
    done
    echo 'demo: no free pair of ports from 8080 and 9090 on' >&2
    exit 69
}

if [ -f "$demo/pid" ] && kill -0 "$(cat "$demo/pid")" 2>/dev/null; then
    echo "demo: it runs already, as process $(cat "$demo/pid"); end it first" >&2
    exit 69
fi

say '1. Build Hookway (the first time takes some minutes: librdkafka and OpenSSL are built, too)'
tests/setup/system.sh build
${CARGO:-cargo} build --locked --bin hookway

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
rm -rf "$demo"
mkdir -p "$demo/secrets"
for source in hotel units rooms; do
    (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$demo/secrets/$source")
done

say '2. Serve three senders: LIKE MAGIC, Propexo and Syncaroo, into the embedded journal'
start
shown 0 check

say '3. Play the senders: each event is signed the way its vendor signs'
shown 0 trigger likemagic.RESERVATION_CREATED --set /objectId=ZRH-204
shown 0 trigger propexo.DATA_NEW
shown 0 trigger syncaroo.resources.changed
echo
echo 'A second event about the same reservation gets the same key, and so the same place in the order:'
shown 0 trigger likemagic.RESERVATION_CHECKED_IN --set /objectId=ZRH-204

say '4. What came out: CloudEvents, each with the key of its object'
shown 0 tail --once $text
echo
echo "One of them whole, the sender's body byte for byte in data:"
shown 0 tail -n 1 --json

say '5. A request with a wrong signature is refused'
shown 1 trigger propexo.DATA_NEW --break signature
await has_refused
echo
echo 'The sender is told nothing but 401. The reason stands in the log:'
grep refused "$demo/log" | tail -n 1

say '6. An authentic event that has no object is kept apart, not lost: the sender can do nothing about it'
shown 0 trigger likemagic.RESERVATION_UPDATED --set /objectType=null
shown 0 tail unclear --once $text

if [ -n "${DEMO_EXIT-}" ]; then
    say 'The demo worked; the server ends now.'
    exit 0
fi
say 'Now you. In another terminal, in this directory:'
cat <<EOF

  export HOOKWAY_CONFIG=$config
  $hookway tail --follow                              # watch what is published
  $hookway trigger                                    # what can be sent?
  $hookway trigger likemagic.TASK_CREATED --count 100 --concurrency 8
  $hookway trigger propexo.DATA_UPDATE --print=curl   # the signed request, for curl
  curl -s http://127.0.0.1:$admin_port/metrics | grep ^hookway_
  curl -s 'http://127.0.0.1:$admin_port/readyz?verbose'

A sender of your own: add it to $config under sources,

  shop: { preset: hmac, secrets: [ env:SHOP_SECRET ], verify: { header: x-shop-signature } }

and start again with: SHOP_SECRET=… $hookway run; play it with: SHOP_SECRET=… $hookway trigger --source shop hmac.webhook
EOF

say "Hookway serves http://127.0.0.1:$port/hooks/{hotel,units,rooms}; Ctrl-C ends it. Its log:"
tail -n 0 -f "$demo/log" &
follower=$!
wait "$server"
