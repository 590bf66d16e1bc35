"""The objects of a dry run, as YAML that kubectl takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import yaml


def write(objects: Sequence[Mapping[str, Any]], out: TextIO) -> None:
    """Print each of *objects*; long text keeps its lines."""
    yaml.dump_all([dict(one) for one in objects], out, Dumper=_Dumper, sort_keys=False, width=120)


class _Dumper(yaml.SafeDumper):
    """As PyYAML has it, but that scripts can be read, and what stands twice is written twice."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
_Dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]
