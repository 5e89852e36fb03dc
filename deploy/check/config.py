"""Gives the rendered Hookway configuration to Hookway itself, offline.

    config.py check HOOKWAY RENDERED.yaml DIR    runs `hookway check` on it, with made-up secrets below DIR
    config.py keys HOOKWAY VALUES.SCHEMA.json    holds the chart's `config` to the keys of `hookway schema`

Exits with 0 where Hookway agrees.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import yaml

# The chart settles the first three; a spool needs a volume for each replica, which a Deployment has not.
NOT_IN_VALUES = {"listen", "admin", "replica", "spool"}
MADE_UP = "bWFkZS11cC1mb3ItdGhlLWNoYXJ0LWNoZWNrLW9ubHk="


def check(hookway: str, rendered: pathlib.Path, folder: pathlib.Path) -> int:
    """Returns the exit code of `hookway check`; the cluster's directories are moved below the folder."""
    documents = yaml.safe_load_all(rendered.read_text())
    [text] = [d["data"]["hookway.yaml"] for d in documents if d and d["kind"] == "ConfigMap"]
    for name in set(re.findall(r"/run/secrets/hookway/([^\s,\"']+)", text)):
        file = folder / "secrets" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(MADE_UP)
    environment = os.environ | {name: MADE_UP for name in re.findall(r"\benv:(\w+)", text)}
    text = text.replace("/run/secrets/hookway", str(folder / "secrets")).replace("/var/lib/hookway", str(folder / "state"))
    (folder / "state").mkdir(parents=True, exist_ok=True)
    config = folder / "hookway.yaml"
    config.write_text(text)
    command = [hookway, "check", "--config", str(config)]
    return subprocess.run(command, env=environment, cwd=folder / "state", timeout=60).returncode


def keys(hookway: str, values_schema: pathlib.Path) -> int:
    """Returns 1, and says which, where the chart takes other keys than Hookway."""
    printed = subprocess.run([hookway, "schema"], check=True, capture_output=True, text=True, timeout=60).stdout
    wanted = set(json.loads(printed)["properties"]) - NOT_IN_VALUES
    seen = set(json.loads(values_schema.read_text())["properties"]["config"]["properties"])
    for key in sorted(wanted ^ seen):
        print(f"`{key}` is known to {'hookway' if key in wanted else 'values.schema.json'} only: make properties.config agree")
    return 1 if wanted != seen else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["check", hookway, rendered, folder]:
            sys.exit(check(hookway, pathlib.Path(rendered), pathlib.Path(folder).resolve()))
        case ["keys", hookway, schema]:
            sys.exit(keys(hookway, pathlib.Path(schema)))
        case _:
            sys.exit(__doc__)
