#!/usr/bin/env bash
# Checks what carries Hookway into a cluster: the Helm chart, by the real Helm and for the oldest and the newest
# Kubernetes that it is held to, the alerts, and the image. Needs git, Python 3.10 and, the first time, the network.
#
#   deploy/check.sh                              everything but what needs Hookway itself
#   HOOKWAY_BIN=target/debug/hookway deploy/check.sh    also holds the chart to it, and starts it in the image's root
#
# Tools are kept in .cache, or in HOOKWAY_CACHE.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${HOOKWAY_CACHE:-$root/.cache}"
case "$cache" in /*) ;; *) cache="$PWD/$cache" ;; esac
case "${HOOKWAY_BIN:-/}" in /*) ;; *) HOOKWAY_BIN="$PWD/$HOOKWAY_BIN" ;; esac
cd "$root" || exit 1
# shellcheck source=deploy/check/tools.sh
. deploy/check/tools.sh

chart=deploy/helm/hookway
values=(deploy/ci/[0-9]*.yaml)
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# shellcheck source=deploy/check/image.sh
. deploy/check/image.sh
# Helm must see neither a cluster nor the user's own settings.
export KUBECONFIG=/dev/null HELM_CACHE_HOME="$work/helm" HELM_CONFIG_HOME="$work/helm" HELM_DATA_HOME="$work/helm"
passed=0
failed=0

# hold NAME COMMAND…: one check; its output is shown only when it fails.
hold() {
  local name="$1"
  shift
  if "$@" >"$work/output" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "  FAILED $name"
    sed 's/^/    /' "$work/output"
  fi
}

# step NAME FUNCTION: a group of checks and its time.
step() {
  local start="$SECONDS"
  echo "$1"
  "$2"
  echo "  $((SECONDS - start)) s"
}

rendered() { echo "$work/$1-$(basename "$2")"; }

# A failed helm leaves an empty file, which every validator finds valid: so objects are counted.
render() {
  local target
  target="$(rendered "$1" "$2")"
  "$helm" template t "$chart" --namespace hooks --kube-version "$1" --values "$2" >"$target" || return 1
  [ "$(grep -c '^kind: ' "$target")" -ge 4 ] || { echo "$target holds fewer than 4 objects"; return 1; }
}

sources() {
  hold "shellcheck" "$venv/bin/shellcheck" --external-sources deploy/check.sh deploy/check/tools.sh deploy/check/image.sh
  hold "hadolint" "$venv/bin/hadolint" deploy/docker/Dockerfile
  hold "yamllint of the values" "$venv/bin/yamllint" --strict --config-file deploy/check/yamllint.yaml "$chart/Chart.yaml" "$chart/values.yaml" "$chart/files" deploy/ci
}

chart_renders() {
  local v k
  for v in "${values[@]}"; do
    hold "helm lint $v" "$helm" lint --strict --quiet "$chart" --values "$v"
    for k in "${kubernetes_versions[@]}"; do
      hold "helm template $v for Kubernetes $k" render "$k" "$v"
    done
  done
}

# conform KUBERNETES RENDERED…: what the API server would refuse.
conform() {
  local k="$1"
  shift
  "$kubeconform" -strict -summary -kubernetes-version "$k" \
    -schema-location "$schemas/{{.NormalizedKubernetesVersion}}{{.StrictSuffix}}/{{.ResourceKind}}{{.KindSuffix}}.json" \
    -schema-location 'deploy/ci/schemas/{{.ResourceKind}}{{.KindSuffix}}.json' "$@"
}

objects() {
  local v k all
  for k in "${kubernetes_versions[@]}"; do
    all=("$work/$k"-*.yaml)
    hold "kubeconform on Kubernetes $k" conform "$k" "${all[@]}"
    hold "yamllint of what is rendered for $k" "$venv/bin/yamllint" --strict --config-file deploy/check/yamllint.yaml "${all[@]}"
    for v in "${values[@]}"; do
      hold "promises of $v on Kubernetes $k" "$venv/bin/python" deploy/check/render.py "$v" "$(rendered "$k" "$v")"
    done
  done
}

# Values that must be refused say by what words, in their first line.
refused() {
  local words
  words="$(sed -n '1s/^# refused: //p' "$1")"
  [ -n "$words" ] || { echo "$1 does not begin with \"# refused: WORDS\""; return 1; }
  if "$helm" template t "$chart" --values "$1" >"$work/refused" 2>&1; then
    echo "$1 was taken"
    return 1
  fi
  grep -qF -- "$words" "$work/refused" || { cat "$work/refused"; return 1; }
  ! grep -q hunter2 "$work/refused" || { echo "the refusal prints the secret"; return 1; }
}

bad_values() {
  local v
  for v in deploy/ci/bad/*.yaml; do hold "refusal of $v" refused "$v"; done
}

checksum() { "$helm" template t "$chart" --set "$1" | sed -n 's/.*checksum\/config: //p'; }

rolls() {
  local one other
  one="$(checksum config.log.level=info)"
  other="$(checksum config.log.level=debug)"
  [ -n "$one" ] && [ -n "$other" ] && [ "$one" != "$other" ]
}

# notes VALUES WORDS…: what helm tells after an install.
notes() {
  local v="$1" words
  shift
  "$helm" install t "$chart" --namespace hooks --dry-run=client --values "$v" >"$work/notes" || return 1
  for words in "$@"; do
    grep -qF -- "$words" "$work/notes" || { echo "the notes do not say: $words"; cat "$work/notes"; return 1; }
  done
}

# The first values in the documentation must be taken as they stand there.
documented() {
  awk '/^```/ {inside = ($0 == "```yaml") && !seen++; next} inside' docs/kubernetes.md >"$work/documented.yaml"
  [ -s "$work/documented.yaml" ] || { echo "docs/kubernetes.md shows no values"; return 1; }
  "$helm" template t "$chart" --values "$work/documented.yaml" | grep '^kind: Ingress$'
}

# Every command of Hookway's in a text, `… -- hookway …` up to two blanks or a redirection, is no wrong usage (64).
commands() {
  local line verbs=0
  while read -r line; do
    verbs=$((verbs + 1))
    # shellcheck disable=SC2086 # words of a command line
    (cd "$work" && "$HOOKWAY_BIN" ${line#hookway } <<<'POST / HTTP/1.1' >"$work/command" 2>&1)
    [ "$?" != 64 ] || { echo "$1 names a command that Hookway does not take: $line"; cat "$work/command"; return 1; }
  done < <(sed -n 's/.* -- \(hookway .*\)/\1/p' "$1" | sed 's/  .*//; s/ <.*//')
  [ "$verbs" -gt 0 ] || { echo "$1 names no command"; return 1; }
}

told() {
  local v
  for v in "${values[@]}"; do
    hold "the notes' commands, $v" notes "$v" "hookway check --config /etc/hookway/hookway.yaml"
    hold "the notes' commands are Hookway's, $v" commands "$work/notes"
  done
  hold "the commands of docs/alerts.md are Hookway's" commands docs/alerts.md
}

alerts() {
  local promtool="$root/.cache/prometheus/usr/bin/promtool"
  hold "each alert is explained, and the chart's are the file's" \
    "$venv/bin/python" deploy/check/alerts.py "$chart/files/alerts.yaml" docs/alerts.md "$(rendered 1.37.0 deploy/ci/5-ephemeral.yaml)" "$work/rules.yaml"
  [ -x "$promtool" ] || tests/setup/prometheus.sh
  if [ ! -x "$promtool" ]; then
    echo "  not run: promtool comes from Debian; elsewhere: promtool test rules deploy/check/alerts_test.yaml"
    return
  fi
  hold "promtool check rules" "$promtool" check rules --lint=all --lint-fatal "$chart/files/alerts.yaml"
  hold "promtool check rules, as the chart makes them" "$promtool" check rules --lint=all --lint-fatal "$work/rules.yaml"
  hold "promtool test rules" "$promtool" test rules deploy/check/alerts_test.yaml
}

# A broker that nobody listens at costs no pod its life, nor its place behind the Service.
away() {
  if [ -z "${HOOKWAY_BIN:-}" ]; then
    echo "  not run: set HOOKWAY_BIN to a built hookway"
    return
  fi
  hold "the pod's probes while Kafka is away" "$venv/bin/python" deploy/check/probe.py --seconds 6 --answer 503 "$HOOKWAY_BIN" "$(rendered 1.37.0 deploy/ci/2-kafka.yaml)"
  hold "the pod's probes while NATS is away" "$venv/bin/python" deploy/check/probe.py --seconds 3 --answer 503 "$HOOKWAY_BIN" "$(rendered 1.37.0 deploy/ci/3-nats.yaml)"
}

behaviour() {
  hold "the values in docs/kubernetes.md" documented
  hold "a changed configuration rolls the pods" rolls
  hold "the notes of an empty install" notes deploy/ci/1-defaults.yaml "No source is configured"
  hold "the notes of Kafka" notes deploy/ci/2-kafka.yaml "http://t-hookway.hooks.svc:80/hooks/hotel" "trigger github --source code"
  hold "the notes of NATS" notes deploy/ci/3-nats.yaml "https://hooks.example.com/hooks/units" "tail kept" "secrets.create is for trials"
  hold "the notes of a ConfigMap of one's own" notes deploy/ci/4-existing-configmap.yaml "rollout restart deploy/webhooks"
}

hookway_agrees() {
  local v
  if [ -z "${HOOKWAY_BIN:-}" ]; then
    echo "  not run: set HOOKWAY_BIN to a built hookway"
    return
  fi
  hold "values.schema.json holds Hookway's schema" "$venv/bin/python" deploy/check/values_schema.py check "$HOOKWAY_BIN" "$chart/values.schema.json"
  told
  for v in "${values[@]}"; do
    grep -q '^existingConfigMap:' "$v" && continue
    hold "hookway check of $v" "$venv/bin/python" deploy/check/config.py check "$HOOKWAY_BIN" "$(rendered 1.37.0 "$v")" "$work/$(basename "$v").d"
    hold "the memory limit of $v" "$venv/bin/python" deploy/check/config.py memory "$HOOKWAY_BIN" "$(rendered 1.37.0 "$v")" "$work/$(basename "$v").d"
  done
}

# Not held like a check: a build of minutes shows how it goes, and nothing can be checked without it.
tools() { get_tools || exit 1; }

step "tools in $cache" tools
step "sources: shellcheck, hadolint, yamllint" sources
step "chart: helm lint and template, Kubernetes ${kubernetes_versions[*]}" chart_renders
step "objects: kubeconform, promises, yamllint" objects
step "values that must be refused" bad_values
step "behaviour: documentation, roll-out, notes" behaviour
step "alerts: promtool" alerts
step "configuration: hookway check, its schema, its commands" hookway_agrees
step "image: Hookway in its own root" image
step "probes while a broker is away" away
echo "chart: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
