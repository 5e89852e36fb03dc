# shellcheck shell=bash
# Starts Hookway in the root of its image: the packages of the Dockerfile's last base, fetched from Debian, and nothing
# beside them. What a machine that builds Hookway has and the image lacks (a libz, for one) is found here and not in the
# cluster. Reads $cache, $work, $venv and HOOKWAY_BIN; uses hold.

: "${cache:?}" "${work:?}" "${venv:?}"
image_root="$cache/image-root"
# gcr.io/distroless/cc-debian12; its own base/config.bzl and cc/config.bzl name them.
image_release=bookworm
image_packages=(base-files ca-certificates gcc-12-base libc6 libgcc-s1 libgomp1 libssl3 libstdc++6 netbase tzdata)
# What the binary may need of them; the loader's name has the machine in it.
image_libraries='^(libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1|ld-linux-.*\.so\.[0-9])$'

# Says why the image's root can't be made here, with what is needed; nothing where it can.
image_obstacle() {
  local release
  release="$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null)"
  if [ "$release" != "$image_release" ] || ! command -v apt-get dpkg-deb chroot >/dev/null; then
    echo "the image's root is made from Debian 12's packages: run deploy/check.sh as root on Debian 12"
  elif [ "$(id -u)" != 0 ]; then
    echo "only root may change the root: sudo HOOKWAY_BIN=$HOOKWAY_BIN deploy/check.sh"
  fi
}

fetch_packages() { (cd "$1" && apt-get download -q -o APT::Sandbox::User=root "${image_packages[@]}"); }

# Unpacks the packages once, as the base is put together: no scripts run, the certificates become one file.
make_image_root() {
  local stamp="$image_release ${image_packages[*]}" new file
  [ "$(cat "$image_root/.packages" 2>/dev/null)" = "$stamp" ] && return
  new="$(mktemp -d "$cache/.image-root.XXXXXX")" || return 1
  mkdir "$new/packages" "$new/tree"
  fetch_packages "$new/packages" || { apt-get update -q && fetch_packages "$new/packages"; } || return 1
  for file in "$new"/packages/*.deb; do dpkg-deb --extract "$file" "$new/tree" || return 1; done
  mkdir -p "$new/tree/etc/ssl/certs" "$new/tree/usr/local/bin"
  cat "$new"/tree/usr/share/ca-certificates/mozilla/*.crt >"$new/tree/etc/ssl/certs/ca-certificates.crt"
  chmod 755 "$new/tree"
  printf '%s\n' "$stamp" >"$new/tree/.packages"
  rm -rf "$image_root" && mv "$new/tree" "$image_root" && rm -r "$new"
}

# The list of needed libraries is short, and known.
needs_libc_alone() {
  local needed
  needed="$(readelf --dynamic "$HOOKWAY_BIN" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')"
  [ -n "$needed" ] || { echo "readelf found no needed library"; return 1; }
  ! grep -Ev "$image_libraries" <<<"$needed" || { echo "the image has no such library: link it statically"; return 1; }
}

in_image() { chroot --userspec=65532:65532 "$work/image" /usr/local/bin/hookway "$@"; }

# image_runs RENDERED: a pod's whole life, with its configuration and user, in the image's own root.
image_runs() {
  "$venv/bin/python" deploy/check/probe.py --root "$work/image" --seconds 2 --answer 200 "$HOOKWAY_BIN" "$1"
}

image() {
  local obstacle
  if [ -z "${HOOKWAY_BIN:-}" ]; then
    echo "  not run: set HOOKWAY_BIN to a built hookway"
    return
  fi
  hold "the binary needs libc and nothing more" needs_libc_alone
  obstacle="$(image_obstacle)"
  if [ -n "$obstacle" ]; then
    echo "  not run: $obstacle"
    return
  fi
  hold "the image's root" make_image_root
  cp -a "$image_root" "$work/image" && cp "$HOOKWAY_BIN" "$work/image/usr/local/bin/hookway"
  hold "hookway --version in the image" in_image --version
  hold "hookway run in the image" image_runs "$(rendered 1.37.0 deploy/ci/5-ephemeral.yaml)"
}
