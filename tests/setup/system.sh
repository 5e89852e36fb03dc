#!/bin/sh
# Sees to the system's tools, beyond git and a Rust toolchain. `system.sh build`: what compiling Hookway needs;
# `system.sh test`: also what its tests need. Debian as root: installs what is missing. Elsewhere: names each
# missing tool with the command that installs it, and exits 1.
# shellcheck disable=SC2329 # the has_… functions are called by a name put together
set -eu
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$(dirname -- "$0")/steps.sh"

# Each tool with the test that it works; below, its packages.
has_compiler() { printf '#include <stdio.h>\n' | cc -E - && command -v c++; }
has_make() { command -v make; }
has_perl() { perl -MFindBin -MIPC::Cmd -e 1; } # OpenSSL's build scripts use both modules
has_java() { [ "$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')" -ge 17 ]; }
has_maven() { mvn -version; }
has_python() { python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'; }

package() {
    case $1.$2 in
        compiler.apt-get) echo gcc g++ ;;
        compiler.dnf) echo gcc gcc-c++ ;;
        compiler.brew) echo gcc ;;
        perl.dnf) echo perl-core ;;
        java.apt-get) echo default-jre-headless ;;
        java.dnf) echo java-latest-openjdk-headless ;;
        java.brew) echo openjdk@17 ;;
        python.apt-get) echo python3 python3-venv ;;
        python.dnf) echo python3 ;;
        python.brew) echo python@3.13 ;;
        *) echo "$1" ;;
    esac
}

case ${1-} in
    build) wanted='compiler make perl' ;;
    test) wanted='compiler make perl java maven python' ;;
    *)
        echo 'usage: system.sh build|test' >&2
        exit 64
        ;;
esac

missing=''
for tool in $wanted; do
    if "has_$tool" >/dev/null 2>&1; then continue; fi
    missing="$missing $tool"
done
if [ -z "$missing" ]; then
    echo "system tools: $wanted … present"
    exit 0
fi

if [ -f /etc/debian_version ] && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    packages=$(for tool in $missing; do package "$tool" apt-get; done)
    step 'refreshing the list of Debian packages' apt-get update -q
    # shellcheck disable=SC2086 # one word per package
    step "installing$(printf ' %s' $packages)" apt-get install -qy --no-install-recommends $packages
    for tool in $missing; do
        "has_$tool" >/dev/null 2>&1 || {
            echo "$tool still does not work after its packages were installed" >&2
            exit 1
        }
    done
    exit 0
fi

for installer in apt-get dnf brew none; do
    if command -v "$installer" >/dev/null 2>&1; then break; fi
done
for tool in $missing; do
    case $installer in
        none) echo "missing: $tool; install it with your system's package manager" ;;
        brew) echo "missing: $tool; install it: brew install $(package "$tool" brew)" ;;
        *) echo "missing: $tool; install it: sudo $installer install $(package "$tool" "$installer")" ;;
    esac
done >&2
exit 1
