"""Compares tests/data/crds with whole definitions: ``python tools/crds.py cilium=FILE …``, FILE being a
CustomResourceDefinition or its schema, in YAML or JSON. Prints what the definition asks for and the data does not.

Not compared are ``oneOf`` and its like, and rules in CEL.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

DATA: Final = Path(__file__).resolve().parent.parent / "tests" / "data" / "crds"
_LIMITS: Final = ("pattern", "enum", "maxLength", "minLength", "maxItems", "minItems", "minProperties", "maxProperties",
                  "minimum", "maximum")  # fmt: skip


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where *theirs* is stricter than *ours*, or another; fields that *ours* leaves out are not compared."""
    kinds = ["integer", "string"] if theirs.get("x-kubernetes-int-or-string") else theirs.get("type")
    if kinds is not None and "const" not in ours and ours.get("type") != kinds:
        yield f"{path or 'the object'}: is {kinds}, not {ours.get('type')}"
    for limit in _LIMITS:
        if limit in theirs and ours.get(limit) != theirs[limit]:
            yield f"{path}: {limit} is {theirs[limit]}, not {ours.get(limit)}"
    for name in theirs.get("required", ()):
        if name not in ours.get("required", ()):
            yield f"{path}: needs {name}"
    if theirs.get("x-kubernetes-list-type") == "set" and not ours.get("uniqueItems"):
        yield f"{path}: is a set"
    for name, inner in ours.get("properties", {}).items():
        if name in theirs.get("properties", {}):
            yield from differences(inner, theirs["properties"][name], f"{path}.{name}".lstrip("."))
        elif path:
            yield f"{path}: has no {name}"
    for part in ("items", "additionalProperties"):
        if isinstance(ours.get(part), dict):
            yield from differences(ours[part], theirs.get(part) or {}, f"{path}[]")


def schema(path: Path) -> Any:
    """The schema in the file at *path*, of the last version it has."""
    read = yaml.safe_load(path.read_text())
    if read.get("kind") == "CustomResourceDefinition":
        return read["spec"]["versions"][-1]["schema"]["openAPIV3Schema"]
    return read


def main(arguments: list[str]) -> int:
    """Print the differences of each pair; 1 when there are any."""
    found = 0
    for argument in arguments:
        name, _, path = argument.partition("=")
        for line in differences(schema(DATA / f"{name}.yaml"), schema(Path(path))):
            print(f"{name}: {line}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
