"""Puts Hookway's own schema into that of the chart's values, so that Helm refuses what Hookway would.

    values_schema.py check HOOKWAY VALUES.SCHEMA.JSON    exits 1 where the file is not what Hookway's schema makes of it
    values_schema.py write HOOKWAY VALUES.SCHEMA.JSON    makes it so

Written are `properties.config` and `$defs`; the rest of the file is kept by hand.
"""

import json
import pathlib
import subprocess
import sys

# The chart settles the replica's name; a spool needs a volume for each replica, which a Deployment has not.
NOT_IN_VALUES = {"replica", "spool"}
# The ports are the container's and the Services'; the family of the address is the operator's.
ADDRESSES = {"listen": 8080, "admin": 9090}
# Forms that Helm does not know by name. A secret's is left out: a message would print what it refuses.
FORMATS = {
    "size": r"^[0-9]+(\.[0-9]+)? *([kKmMgGtTpP][iI]?)?[bB]?$",
    "duration-with-unit": r"^[0-9].*[A-Za-z]$",
}
# What Hookway misses by a rule of its own and not by its schema.
REQUIRED = {
    "KafkaConfig": ["brokers"],
    "NatsConfig": ["servers", "stream"],
    "JournalConfig": ["dir"],
    "RouteConfig": ["to"],
    "TargetConfig": ["sink"],
}
SOURCE_NAME = "^[a-z0-9-]{1,63}$"


def asked(hookway: str, *words: str) -> object:
    """Returns what `hookway schema …` prints."""
    command = [hookway, "schema", *words, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def plain(schema: object) -> object:
    """Returns the schema without what only people read, and with patterns in place of Hookway's own formats."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: plain(part) for name, part in value.items()}
        elif key == "format":
            if value in FORMATS:
                kept["pattern"] = FORMATS[value]
        elif key not in ("description", "default", "title", "pattern"):
            kept[key] = plain(value)
    return kept


def made(hookway: str, text: str) -> str:
    """Returns the text of the file as it should be."""
    schema = asked(hookway)
    values = json.loads(text)
    definitions = plain(schema["$defs"])
    presets = asked(hookway, "senders")
    definitions["SourceConfig"]["properties"]["preset"] = {
        "anyOf": [{"type": "null"}, {"enum": presets}, {"type": "string", "pattern": r"/|\.ya?ml$"}]
    }
    properties = {name: plain(part) for name, part in schema["properties"].items() if name not in NOT_IN_VALUES}
    for name, port in ADDRESSES.items():
        properties[name] = {"type": "string", "pattern": rf"^(0\.0\.0\.0|\[::\]):{port}$"}
    properties["sources"]["propertyNames"] = {"pattern": SOURCE_NAME}
    # The chart's default is an empty map.
    properties["quarantine"] = {"anyOf": [{"maxProperties": 0}, {"$ref": "#/$defs/TargetConfig"}]}
    definitions["SinkConfig"] |= {"minProperties": 1, "maxProperties": 1}
    for name, keys in REQUIRED.items():
        definitions[name]["required"] = keys
    del definitions["SpoolConfig"]
    values["properties"]["config"] = {"type": "object", "additionalProperties": False, "properties": properties}
    values["$defs"] = definitions
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def main(verb: str, hookway: str, file: pathlib.Path) -> int:
    text = file.read_text()
    wanted = made(hookway, text)
    if verb == "write":
        file.write_text(wanted)
    elif wanted != text:
        print(f"{file} is not what Hookway's schema makes of it: python3 deploy/check/values_schema.py write {hookway} {file}")
        return 1
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["check" | "write" as verb, hookway, file]:
            sys.exit(main(verb, hookway, pathlib.Path(file)))
        case _:
            sys.exit(__doc__)
