"""Holds the alerts to their documentation, and the chart's PrometheusRule to the file that it is made of.

    alerts.py ALERTS.yaml ALERTS.md RENDERED.yaml RULES.yaml

Writes the rendered rules to RULES.yaml, as promtool reads them. Prints what does not fit and exits 1, or exits 0.
"""

import pathlib
import re
import sys

import yaml

PARTS = ("- **Lost?** ", "- **Notices:** ", "- **Look:**", "- **Back:** ")
OWN = 'job="hookway",namespace="hooks",service="t-hookway-admin"'
RUNBOOK = "https://runbooks.example.com/hookway"


def documented(rules: list[dict], page: str) -> list[str]:
    """Returns what an alert or its section lacks, and the sections without an alert."""
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", page, re.M | re.S))
    problems = [f"docs/alerts.md has a section for {name}, which is no alert" for name in sections.keys() - {r["alert"] for r in rules}]
    for rule in rules:
        name, notes = rule["alert"], rule.get("annotations", {})
        if rule.get("labels", {}).get("severity") not in ("critical", "warning"):
            problems.append(f"{name} has no severity")
        problems += [f"{name} has no {key}" for key in ("summary", "description") if not notes.get(key)]
        if notes.get("runbook_url") != f"docs/alerts.md#{name.lower()}":
            problems.append(f"{name} does not lead to its section")
        text = sections.get(name, "")
        problems += [f"docs/alerts.md, {name}: {part.strip('- *')} is missing" for part in PARTS if f"\n{part}" not in text]
        commands = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
        if len(commands) != 3:
            problems.append(f"docs/alerts.md, {name}: {len(commands)} commands; three are enough and none too many")
    return problems


def main(file: pathlib.Path, page: pathlib.Path, rendered: pathlib.Path, out: pathlib.Path) -> int:
    text = file.read_text()
    problems = documented([r for g in yaml.safe_load(text)["groups"] for r in g["rules"]], page.read_text())
    [made] = [o["spec"] for o in yaml.safe_load_all(rendered.read_text()) if o and o["kind"] == "PrometheusRule"]
    out.write_text(yaml.safe_dump(made))
    if made != yaml.safe_load(text.replace('job="hookway"', OWN).replace("docs/alerts.md", RUNBOOK)):
        problems.append("the PrometheusRule is not the file's")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*map(pathlib.Path, sys.argv[1:])))
