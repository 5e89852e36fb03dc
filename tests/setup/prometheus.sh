#!/bin/sh
# Unpacks Debian's Prometheus server and promtool into .cache/prometheus for the tests; nothing is installed.
# Does nothing when they are there. Elsewhere than on Debian it only says that the test with them is ignored.
set -eu
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$(dirname -- "$0")/steps.sh"

if up_to_date "$cache/prometheus" "$0"; then
    echo 'Prometheus … present'
    exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo 'Prometheus … left out: it comes from Debian; the test that scrapes with it is ignored'
    exit 0
fi

new=$cache/prometheus.$$
trap 'rm -rf "$new" "$new.link"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$new"
# As root, apt-get would hand the download to a user who may not write here.
download() { (cd "$new" && apt-get download -q -o APT::Sandbox::User=root prometheus); }
unpack() { dpkg-deb --extract "$new"/prometheus_*.deb "$new" && rm "$new"/prometheus_*.deb; }
step 'fetching Prometheus (some 19 MB)' download
step 'unpacking Prometheus' unpack
publish "$cache/prometheus" "$new" "$0"
trap - EXIT
