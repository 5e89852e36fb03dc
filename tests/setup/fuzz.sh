#!/bin/sh
# Runs every fuzz target for some seconds, one after another: `fuzz.sh SECONDS`. New inputs gather below target/fuzz; one
# that breaks an invariant stays in target/fuzz/artifacts: copy it into tests/fuzz/corpus/TARGET, and `make test` fails
# until it is mended. Needs nightly Rust and cargo-fuzz.
set -eu
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$(dirname -- "$0")/steps.sh"

seconds=${1:-60}
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo 'needs nightly Rust and cargo-fuzz: rustup toolchain install nightly && cargo install cargo-fuzz --locked' >&2
    exit 69
fi
cd "$root"
build=$root/target/fuzz
found=$build/artifacts
for target in $(cargo +nightly fuzz list --fuzz-dir tests/fuzz); do
    mkdir -p "$build/corpus/$target" "$found/$target"
    echo "== $target: $seconds s"
    cargo +nightly fuzz run --fuzz-dir tests/fuzz --target-dir "$build/build" --sanitizer none "$target" \
        "$build/corpus/$target" "tests/fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=8192 -artifact_prefix="$found/$target/" -print_final_stats=1
done
