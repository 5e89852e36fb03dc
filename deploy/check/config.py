"""Gives the rendered Hookway configuration to Hookway itself, offline.

    config.py check HOOKWAY RENDERED.yaml DIR     runs `hookway check` on it, with made-up secrets below DIR
    config.py memory HOOKWAY RENDERED.yaml DIR    holds the pod's memory limit to what its bounds add up to

Exits with 0 where Hookway agrees.
"""

import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import yaml

STATE, SECRETS = "/var/lib/hookway", "/run/secrets/hookway"
CA = pathlib.Path(__file__).parents[2] / "tests/brokers/tls/ca.pem"
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 10**3, "M": 10**6, "G": 10**9, "": 1}


def objects(rendered: pathlib.Path) -> list[dict]:
    """Returns the rendered objects."""
    return [o for o in yaml.safe_load_all(rendered.read_text()) if o]


def configuration(rendered: pathlib.Path) -> str:
    """Returns the rendered hookway.yaml."""
    [text] = [o["data"]["hookway.yaml"] for o in objects(rendered) if o["kind"] == "ConfigMap"]
    return text


def container(rendered: pathlib.Path) -> dict:
    """Returns the rendered container."""
    [deployment] = [o for o in objects(rendered) if o["kind"] == "Deployment"]
    return deployment["spec"]["template"]["spec"]["containers"][0]


def lay_out(text: str, root: pathlib.Path) -> dict[str, str]:
    """Writes a configuration and made-up secrets below a root, each at the pod's own path, and makes the directory for
    journals. Returns the environment that goes with them."""
    for name in set(re.findall(rf"{SECRETS}/([^\s,\"']+)", text)):
        file = root / SECRETS[1:] / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(CA.read_text() if name.endswith(".pem") else made_up(name))
    (root / STATE[1:]).mkdir(parents=True, exist_ok=True)
    config = root / "etc/hookway/hookway.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(text)
    return {name: made_up(name) for name in re.findall(r"\benv:(\w+)", text)}


def made_up(name: str) -> str:
    """Returns a secret of its own for each name, since two senders with one secret are warned of."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def moved(text: str, root: pathlib.Path) -> str:
    """Returns the configuration with the cluster's directories below a root, for a process that sees the machine's."""
    return text.replace(SECRETS, f"{root}{SECRETS}").replace(STATE, f"{root}{STATE}")


def checked(hookway: str, rendered: pathlib.Path, root: pathlib.Path, *options: str) -> subprocess.CompletedProcess:
    """Runs `hookway check` on the rendered configuration."""
    text = configuration(rendered)
    environment = os.environ | lay_out(text, root)
    config = root / "etc/hookway/hookway.yaml"
    config.write_text(moved(text, root))
    command = [hookway, "check", "--config", str(config), *options]
    return subprocess.run(command, env=environment, cwd=root / STATE[1:], timeout=60, capture_output=True, text=True)


def quantity(text: str) -> int:
    """Returns the bytes of a Kubernetes quantity."""
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text).groups()
    return int(float(number) * UNITS[unit])


def memory(hookway: str, rendered: pathlib.Path, root: pathlib.Path) -> int:
    """Returns 1, and says by how much, where the bounds add up to more than the limit."""
    done = checked(hookway, rendered, root, "--memory", "--json")
    if done.returncode != 0:
        print(done.stdout, done.stderr)
        return 1
    needed = json.loads(done.stdout)["memory"]["total"]
    limit = quantity(container(rendered)["resources"]["limits"]["memory"])
    if needed > limit:
        print(f"resources.limits.memory is {limit / 2**20:.0f} MiB, the bounds add up to {needed / 2**20:.0f} MiB")
        return 1
    return 0


def main(verb: str, hookway: str, rendered: pathlib.Path, root: pathlib.Path) -> int:
    if verb == "memory":
        return memory(hookway, rendered, root)
    done = checked(hookway, rendered, root)
    print(done.stdout, done.stderr)
    return done.returncode


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["check" | "memory" as verb, hookway, rendered, folder]:
            sys.exit(main(verb, hookway, pathlib.Path(rendered), pathlib.Path(folder).resolve()))
        case _:
            sys.exit(__doc__)
