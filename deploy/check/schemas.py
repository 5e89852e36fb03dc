"""Makes the JSON schemas that kubeconform reads, so that it never asks the network.

    schemas.py builtin OUT 1.30.0 1.37.0    Kubernetes' own kinds, from the package kubernetes-validate
    schemas.py crd CRD.yaml OUT             one custom kind, from a CustomResourceDefinition

Both are strict: a field that the schema does not name is an error.
"""

import json
import pathlib
import sys

import kubernetes_validate
import yaml


def builtin(out: pathlib.Path, versions: list[str]) -> None:
    """Writes the schemas of each version below OUT/vVERSION-strict, with references that kubeconform resolves."""
    source = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    for version in versions:
        target = out / f"v{version}-strict"
        target.mkdir(parents=True, exist_ok=True)
        files = sorted((source / f"v{version}-local-strict").glob("*.json"))
        if not files:
            sys.exit(f"no schemas for Kubernetes {version} in {source}: name a version that kubernetes-validate carries")
        for file in files:
            schema = json.loads(file.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
            schema.pop("$id", None)
            (target / file.name).write_text(json.dumps(schema))


def strict(schema: dict) -> dict:
    """Returns the schema without Kubernetes' extensions and descriptions, closed where it names its properties."""
    kept = {k: v for k, v in schema.items() if k != "description" and not k.startswith("x-kubernetes-")}
    if schema.get("x-kubernetes-int-or-string"):
        kept.pop("anyOf", None)
        kept.pop("type", None)
        kept["oneOf"] = [{"type": "integer"}, {"type": "string"}]
    if "properties" in kept:
        kept["properties"] = {name: strict(value) for name, value in kept["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            kept["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = strict(kept[key])
    return kept


def crd(file: pathlib.Path, out: pathlib.Path) -> None:
    """Writes each version of the kind to OUT/KIND-GROUP-VERSION.json, the name that kubeconform looks for."""
    spec = yaml.safe_load(file.read_text())["spec"]
    for version in spec["versions"]:
        name = f"{spec['names']['kind']}-{spec['group'].split('.')[0]}-{version['name']}.json".lower()
        text = json.dumps(strict(version["schema"]["openAPIV3Schema"]), indent=1, sort_keys=True)
        (out / name).write_text(text + "\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["builtin", out, first, *more]:
            builtin(pathlib.Path(out), [first, *more])
        case ["crd", file, out]:
            crd(pathlib.Path(file), pathlib.Path(out))
        case _:
            sys.exit(__doc__)
