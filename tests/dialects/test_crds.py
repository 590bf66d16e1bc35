"""The tool that compares the data on what servers accept with whole definitions."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from dialects.asking import CRDS
from tools import crds


def definition(schema: Any) -> dict[str, Any]:
    return {"kind": "CustomResourceDefinition", "spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}


@pytest.mark.parametrize("name", sorted(path.stem for path in CRDS.glob("*.yaml")))
def test_a_definition_that_grew_stricter_is_told(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = crds.schema(CRDS / f"{name}.yaml")
    path = tmp_path / "definition.yaml"
    path.write_text(yaml.safe_dump(definition(ours)))
    assert crds.main([f"{name}={path}"]) == 0
    theirs = copy.deepcopy(ours)
    spec = theirs["properties"]["spec"]
    spec["required"] = [*spec["required"], "reason"]
    rule = spec["properties"]["egress"]["items"]["properties"]
    rule["gone"] = rule.pop(next(iter(rule)))
    spec["properties"]["egress"]["maxItems"] = 3
    path.write_text(yaml.safe_dump(definition(theirs)))
    assert crds.main([f"{name}={path}"]) == 1
    told = capsys.readouterr().out
    for words in ("spec: needs reason", "spec.egress[]: has no ", "spec.egress: maxItems is 3, not "):
        assert f"{name}: {words}" in told
