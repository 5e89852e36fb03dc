# Shell functions for the set-up scripts beside this file (sourced, never run): each step says what it does
# and how many seconds it took, and what it makes appears below .cache/ whole or not at all.
# shellcheck shell=sh

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cache=$root/.cache

# Runs a command quietly as one step: `step "what it does" command…`. Its output is shown if it fails.
step() {
    what=$1
    shift
    printf '%s … ' "$what"
    started=$(date +%s)
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        rm -f "$log"
        echo "$(($(date +%s) - started)) s"
    else
        status=$?
        echo "failed after $(($(date +%s) - started)) s:"
        cat "$log"
        rm -f "$log"
        exit "$status"
    fi
}

# True if the folder named by the link `$1` was made from the very contents of file `$2`.
up_to_date() {
    cmp -s "$1/made-from" "$2"
}

# Makes the link `$1` name the finished folder `$2`, made from file `$3`, and removes the folder it named.
# The link changes by one rename, so that another run sees the old folder or the new one, never a half.
publish() {
    old=$(readlink "$1" || true)
    cp "$3" "$2/made-from"
    ln -s "$(basename "$2")" "$2.link"
    python3 -c 'import os, sys; os.replace(sys.argv[1], sys.argv[2])' "$2.link" "$1"
    if [ -n "$old" ]; then rm -rf "${cache:?}/$old"; fi
}
