"""What the API server would refuse is told by reading, and lint shows it as it shows its own findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from conftest import Run

HEAD: Final = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: tasks}\nspec:\n"
TWICE: Final = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}"
INGRESS: Final = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i},"
REFUSED: Final = {
    "a range of a port's name": ("  ingress: [{ports: [{port: http, endPort: 9000}]}]", "RF034", "endPort: 9000"),
    "a number in quotes": ('  ingress: [{ports: [{port: "8080"}]}]', "RF034", 'port: "8080"'),
    "a peer of nothing": ("  ingress: [{from: [{}]}]", "RF032", "{}"),
    "a block with a selector": (
        "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]", "RF033",
        "{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}"),
    "an operator that is none": (
        "  podSelector: {matchExpressions: [{key: tier, operator: Equals, values: [api]}]}", "RF037",
        "operator: Equals"),
    "a type in small letters": ("  policyTypes: [ingress]", "RF031", "ingress"),
    "an exception outside": (
        "  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [192.168.0.0/16]}}]}]", "RF035", "192.168.0.0/16"),
    "an address without length": ("  egress: [{to: [{ipBlock: {cidr: 203.0.113.7}}]}]", "RF035", "cidr: 203.0.113.7"),
    "bits of a host": ("  egress: [{to: [{ipBlock: {cidr: 10.161.0.0/8}}]}]", "RF036", "cidr: 10.161.0.0/8"),
    "a field that is none": ("  ingress: [{form: [{podSelector: {}}]}]", "RF030", "form: [{podSelector: {}}]"),
    "a key twice": ("  policyTypes: [Ingress]\n  policyTypes: [Egress]", "RF005", "policyTypes: [Egress]"),
    "an item of nothing": ("  ingress:\n  -", "RF041", ""),
}  # fmt: skip
"""What stands in a policy's ``spec``, the code that tells of it, and what is marked."""


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_told_with_its_place_and_shown(name: str, run: Run, tmp_path: Path) -> None:
    spec, code, marked = REFUSED[name]
    text = f"{HEAD}{spec}\n"
    if "podSelector: {matchExp" not in spec:
        text = text.replace("spec:\n", "spec:\n  podSelector: {}\n")
    (tmp_path / "p.yaml").write_text(text)
    found = json.loads(run("lint", str(tmp_path), "--format", "json").out)["findings"]
    (one,) = [one for one in found if one["code"] == code]
    shown = run("lint", str(tmp_path), "-q").out.splitlines()
    at = next(number for number, line in enumerate(shown) if f"[{code}]" in line)
    assert f"p.yaml:{one['line']}:{one['column']}  NetworkPolicy tasks/p" in shown[at + 1]
    line, marks = (row.split("| ", 1)[1] for row in shown[at + 3 : at + 5])
    assert line == text.splitlines()[one["line"] - 1]
    assert marks.index("^") == one["column"] - 1
    if marked:
        assert line[marks.index("^") : len(marks)] == marked


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD.replace("name: p", "name: allow_db") + "  podSelector: {}\n", "RF014"),
        (HEAD.replace("networking.k8s.io/v1", "extensions/v1beta1") + "  podSelector: {}\n", "RF038"),
        (f"{TWICE}, policyTypes: [Ingress]}}}}\n---\n{TWICE}, policyTypes: [Egress]}}}}\n", "RF012"),
        (f"{INGRESS} spec: {{defaultBackend: {{service: {{name: nobody, port: {{number: 80}}}}}}}}}}", "RF050"),
        ("{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: c}, spec: {}}", "RF039"),
    ],
)  # fmt: skip
def test_whole_objects_are_told_too(text: str, code: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(text)
    result = run("lint", str(tmp_path))
    assert f"[{code}]" in result.out
    assert "Traceback" not in result.err
