"""Holds one rendering of the chart to what its values promise: the part that no schema can know.

    render.py VALUES.yaml RENDERED.yaml

Prints every broken promise and exits 1, or exits 0. The kinds that must come out stand in the values file, in a
line `# expect: KIND KIND …`.
"""

import pathlib
import re
import sys

import yaml

SECRETS, STATE = "/run/secrets/hookway", "/var/lib/hookway"
PROBES = {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"}


class Render:
    """One rendering beside the values that led to it."""

    def __init__(self, values: pathlib.Path, rendered: pathlib.Path):
        text = values.read_text()
        self.values = yaml.safe_load(text) or {}
        self.expected = sorted(re.search(r"^# expect: (.+)$", text, re.M).group(1).split())
        self.objects = [o for o in yaml.safe_load_all(rendered.read_text()) if o]
        self.problems = []

    def kind(self, kind: str) -> list[dict]:
        """Returns the objects of one kind."""
        return [o for o in self.objects if o["kind"] == kind]

    def hold(self, promise: str, kept: bool, seen: object = "") -> None:
        """Notes the promise unless it was kept."""
        if not kept:
            self.problems.append(f"{promise}; seen: {seen}" if seen != "" else promise)

    def equal(self, what: str, seen: object, wanted: object) -> None:
        """Notes a difference."""
        self.hold(f"{what} should be {wanted}", seen == wanted, seen)


def is_persistent(r: Render) -> bool:
    """Returns true where the state directory is a volume claim."""
    state = r.values.get("persistence", {})
    return bool(state.get("enabled") or state.get("existingClaim"))


def is_writable(r: Render) -> bool:
    """Returns true where there is a state directory: it outlives the pod, its loss was asked for, or nothing is received."""
    idle = not (r.values.get("existingConfigMap") or r.values.get("config"))
    return is_persistent(r) or r.values.get("persistence", {}).get("eventsEndWithThePod", False) or idle


def objects(r: Render) -> None:
    """Exactly the expected kinds, all in the release's namespace: no RBAC, no hook, nothing more."""
    r.equal("the kinds", sorted(o["kind"] for o in r.objects), r.expected)
    for o in r.objects:
        r.equal(f"the namespace of {o['kind']}", o["metadata"].get("namespace"), "hooks")
    for account in r.kind("ServiceAccount"):
        r.equal("the account's automount", account.get("automountServiceAccountToken"), False)


def security(r: Render, pod: dict, container: dict) -> None:
    """What Pod Security's level `restricted` asks for, and a read-only root."""
    r.equal("the pod's automount", pod.get("automountServiceAccountToken"), False)
    context = pod["securityContext"]
    r.equal("runAsNonRoot", context.get("runAsNonRoot"), True)
    r.equal("runAsUser", context.get("runAsUser"), 65532)
    r.equal("seccompProfile", context.get("seccompProfile"), {"type": "RuntimeDefault"})
    context = container["securityContext"]
    r.equal("readOnlyRootFilesystem", context.get("readOnlyRootFilesystem"), True)
    r.equal("allowPrivilegeEscalation", context.get("allowPrivilegeEscalation"), False)
    r.equal("capabilities", context.get("capabilities"), {"drop": ["ALL"]})


def process(r: Render, pod: dict, container: dict) -> None:
    """The command, the ports, the probes on the admin port, and a volume behind every mount."""
    r.equal("the command", container["command"] + container["args"], ["hookway", "run", "--config", "/etc/hookway/hookway.yaml"])
    r.equal("the ports", {p["name"]: p["containerPort"] for p in container["ports"]}, {"http": 8080, "admin": 9090})
    for probe, path in PROBES.items():
        if r.values.get(probe, {}) is None:
            r.hold(f"{probe} should be left out", probe not in container)
            continue
        seen = container[probe]["httpGet"]
        r.equal(probe, (seen["path"], seen["port"]), (path, "admin"))
    wanted = r.values.get("terminationGracePeriodSeconds", 60)
    r.equal("terminationGracePeriodSeconds", pod["terminationGracePeriodSeconds"], wanted)
    mounts = {m["name"]: m for m in container["volumeMounts"]}
    r.equal("the mounted volumes", sorted(mounts), sorted(v["name"] for v in pod["volumes"]))
    writable = {m["mountPath"] for m in mounts.values() if not m.get("readOnly")}
    r.equal("the writable mounts", writable, {STATE} if is_writable(r) else set())
    r.equal("the working directory", container["workingDir"], STATE)


def secrets(r: Render, pod: dict, container: dict) -> None:
    """Every given Secret is mounted in the one directory, and no secret's text leaves its Secret."""
    given = r.values.get("secrets", {})
    wanted = [s["name"] for s in given.get("existing", [])] + [o["metadata"]["name"] for o in r.kind("Secret")]
    volumes = {v["name"]: v for v in pod["volumes"]}
    seen = [s["secret"]["name"] for s in volumes.get("secrets", {}).get("projected", {}).get("sources", [])]
    r.equal("the mounted Secrets", seen, wanted)
    if wanted:
        paths = [m["mountPath"] for m in container["volumeMounts"] if m["name"] == "secrets"]
        r.equal("the secrets' directory", paths, [SECRETS])
    r.equal("the Secrets made", len(r.kind("Secret")), 1 if given.get("create") else 0)
    elsewhere = yaml.safe_dump([o for o in r.objects if o["kind"] != "Secret"])
    for name, text in given.get("create", {}).items():
        r.hold(f"the secret {name} should stand in its Secret alone", text not in elsewhere)


def configuration(r: Render, template: dict, pod: dict) -> None:
    """The mounted configuration is the given one with the two addresses, and a change of it rolls the pods."""
    name = next(v for v in pod["volumes"] if v["name"] == "config")["configMap"]["name"]
    existing = r.values.get("existingConfigMap")
    checksum = "checksum/config" in template["metadata"].get("annotations", {})
    r.equal("the checksum annotation", checksum, not existing)
    if existing:
        r.equal("the mounted ConfigMap", name, existing)
        return
    [made] = r.kind("ConfigMap")
    r.equal("the mounted ConfigMap", name, made["metadata"]["name"])
    seen = yaml.safe_load(made["data"]["hookway.yaml"])
    given = r.values.get("config", {})
    limits = {"drain_delay": "5s", "drain_timeout": "30s", **given.get("limits", {})}
    wanted = {"listen": "[::]:8080", "admin": "[::]:9090", **given, "limits": limits}
    journals(r, seen, given)
    added = {"sinks", "routes", "quarantine"} if given.get("sources") and not given.get("sinks") else {"sinks"}
    r.equal("hookway.yaml", *({k: v for k, v in c.items() if k not in added} for c in (seen, wanted)))


def journals(r: Render, seen: dict, given: dict) -> None:
    """Every sink is the given one, and each journal in the state directory has a bound: together nine tenths of it at most."""
    bounds = []
    for name, sink in seen.get("sinks", {}).items():
        if "journal" in sink:
            bounds.append(size(sink["journal"].get("max_bytes", "")))
            sink["journal"] |= {"max_bytes": given.get("sinks", {}).get(name, sink)["journal"].get("max_bytes")}
            sink["journal"] = {k: v for k, v in sink["journal"].items() if v}
        r.equal(f"the sink {name}", sink, given.get("sinks", {}).get(name, sink))
    room = size({"size": "10Gi", "emptyDirSizeLimit": "1Gi", **r.values.get("persistence", {})}["size" if is_persistent(r) else "emptyDirSizeLimit"])
    # A claim of one's own is as large as it is.
    if not r.values.get("persistence", {}).get("existingClaim"):
        r.hold("each journal should have a bound", all(bounds), bounds)
        r.hold("the journals should fit their volume", sum(bounds) <= 0.9 * room, bounds)


def size(text: str) -> int:
    """Returns the bytes of a size in binary units, 0 where there is none."""
    found = re.fullmatch(r"(\d+)([MG])iB?", text)
    return int(found[1]) * {"M": 2**20, "G": 2**30}[found[2]] if found else 0


def network(r: Render, labels: dict) -> None:
    """The public Service leads to the webhooks alone, the admin Service to the admin port, the Ingress to the sources."""
    services = {o["spec"]["ports"][0]["targetPort"]: o for o in r.kind("Service")}
    r.equal("the Services' ports", sorted(services), ["admin", "http"])
    for service in services.values():
        for key in ("ipFamilyPolicy", "ipFamilies"):
            r.equal(f"a Service's {key}", service["spec"].get(key), r.values.get(key))
        r.equal("a Service's number of ports", len(service["spec"]["ports"]), 1)
        r.hold("a Service should select the pods", service["spec"]["selector"].items() <= labels.items())
    r.equal("the admin Service's type", services["admin"]["spec"]["type"], "ClusterIP")
    wanted = [f"/hooks/{s}" for s in sorted(r.values.get("config", {}).get("sources", {}))]
    for ingress in r.kind("Ingress"):
        r.equal("the hosts", [rule["host"] for rule in ingress["spec"]["rules"]], r.values["ingress"]["hosts"])
        for rule in ingress["spec"]["rules"]:
            paths = rule["http"]["paths"]
            r.equal("the Ingress paths", sorted(p["path"] for p in paths), wanted)
            r.equal("their types", {p["pathType"] for p in paths}, {"Exact"})
            names = {p["backend"]["service"]["name"] for p in paths}
            r.equal("their Service", names, {services["http"]["metadata"]["name"]})
    for monitor in r.kind("ServiceMonitor"):
        chosen = monitor["spec"]["selector"]["matchLabels"].items()
        found = [port for port, s in services.items() if chosen <= s["metadata"]["labels"].items()]
        r.equal("the scraped Services", found, ["admin"])
        r.equal("the job", services["admin"]["metadata"]["labels"].get(monitor["spec"].get("jobLabel")), "hookway")
        r.equal("the scraped port", monitor["spec"]["endpoints"][0]["port"], services["admin"]["spec"]["ports"][0]["name"])


def state(r: Render, spec: dict, pod: dict) -> None:
    """A volume claim means one pod and no overlap; several pods mean a disruption budget."""
    volume = next((v for v in pod["volumes"] if v["name"] == "state"), {})
    claimed = is_persistent(r)
    r.equal("the state volume", "persistentVolumeClaim" in volume, claimed)
    r.equal("the strategy", spec["strategy"]["type"], "Recreate" if claimed else "RollingUpdate")
    r.hold("a claim should mean one replica", not claimed or spec["replicas"] == 1, spec["replicas"])
    r.equal("the disruption budget", bool(r.kind("PodDisruptionBudget")), spec["replicas"] > 1)


def main() -> int:
    r = Render(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    [deployment] = r.kind("Deployment")
    spec = deployment["spec"]
    template, pod = spec["template"], spec["template"]["spec"]
    [only] = pod["containers"]
    labels = template["metadata"]["labels"]
    r.hold("the selector should match the pods", spec["selector"]["matchLabels"].items() <= labels.items())
    objects(r)
    security(r, pod, only)
    process(r, pod, only)
    secrets(r, pod, only)
    configuration(r, template, pod)
    network(r, labels)
    state(r, spec, pod)
    print("\n".join(r.problems))
    return 1 if r.problems else 0


if __name__ == "__main__":
    sys.exit(main())
