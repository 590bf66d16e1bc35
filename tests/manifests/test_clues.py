"""What containers are told, with its places: the second pass over the files."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ringfence.manifests import load
from ringfence.manifests.clues.containers import expanded
from ringfence.manifests.clues.gather import gather
from ringfence.manifests.text.scalars import find
from ringfence.model.clues import Clue, Clues

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
    - name: one
      command: [run, --to, there]
      args: ["a", "-x=1"]
      env:
        - {name: A, value: first}
        - {name: B, value: $(A) and $(C) and $$(A)}
        - {name: C, value: third}
        - {name: A, value: again}
  initContainers:
    - name: two
      env: [{name: D, value: fourth}]
"""


def _clues(*documents: str) -> Clues:
    data = "\n---\n".join(documents).encode()
    return gather(load(["-"], stdin=io.BytesIO(data)), ["-"], stdin=io.BytesIO(data))


def _seen(one: Clue) -> tuple[str, str, str, str]:
    return str(one.sort), one.name, one.written, one.at


def test_every_string_of_a_pod_in_order() -> None:
    found = _clues(POD)
    assert [_seen(one) for one in found.clues] == [
        ("env", "B", "$(A) and $(C) and $$(A)", "spec.containers[0].env[1].value"),
        ("env", "C", "third", "spec.containers[0].env[2].value"),
        ("env", "A", "again", "spec.containers[0].env[3].value"),
        ("command", "", "run", "spec.containers[0].command[0]"),
        ("command", "", "--to", "spec.containers[0].command[1]"),
        ("command", "--to", "there", "spec.containers[0].command[2]"),
        ("arg", "", "a", "spec.containers[0].args[0]"),
        ("arg", "", "-x=1", "spec.containers[0].args[1]"),
        ("env", "D", "fourth", "spec.initContainers[0].env[0].value"),
    ]
    assert {one.owner.id for one in found.clues} == {"shop/web[Pod]"}
    assert [one.source.at(one.at)[0] for one in found.clues[:3]] == [11, 12, 13]


def test_only_variables_before_one_are_put_in_its_place() -> None:
    """The kubelet goes from top to bottom; a name that comes later stays as it was written."""
    b = _clues(POD).clues[0]
    assert "C" not in b.variables
    assert expanded("$(A)-$(B)-$$(A)-$A", {"A": "x"}) == "x-$(B)-$(A)-$A"


@pytest.mark.parametrize(
    "broken",
    [
        {"env": [{"value": 7}, "x", None, {"name": "A", "valueFrom": "x"}, {"name": "B", "value": 7}]},
        {"env": "x", "envFrom": "x", "args": "x", "command": {"a": 1}},
        {"envFrom": [None, {"configMapRef": None}, {"prefix": 7, "configMapRef": {"name": 7}}]},
        {"args": [None, 7, ["a"]], "volumeMounts": "x"},
    ],
)
def test_what_is_of_another_type_is_passed_over(broken: dict[str, Any]) -> None:
    spec = {
        "containers": [{"name": "c", **broken}],
        "volumes": [{"configMap": "x"}, {"projected": {"sources": [7]}}, 7],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    assert _clues(json.dumps(pod)).clues == ()


@pytest.mark.parametrize("data", [{"a": 7, "b": "x"}, None, "x", ["x"]])
def test_a_config_map_of_any_shape_is_read_as_far_as_it_can_be(data: object) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": data}
    spec = {"containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "s"}}]}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    found = [one.written for one in _clues(json.dumps(settings), json.dumps(pod)).clues]
    assert found == (["x"] if isinstance(data, dict) else [])


def test_nothing_of_a_secret_is_kept() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "hunter2"}}
    env = [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    spec = {"containers": [{"name": "c", "env": env}], "volumes": [{"name": "v", "secret": {"secretName": "s"}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    found = _clues(json.dumps(secret), json.dumps(pod))
    assert found.clues == ()
    assert [(one.name, one.secret, one.why) for one in found.unread] == [("K", True, "key k of Secret default/s")]
    assert "hunter2" not in repr(found)


def test_files_without_a_workload_have_no_clues() -> None:
    assert _clues("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n") == Clues()


def test_lines_of_blocks() -> None:
    lines = ["a: |", "  x", "  y: w", "b: w"]
    assert find(lines, 0, 0, 1, ["w"]) == (2, 5)
    assert find(lines, 0, 0, 0, ["w"]) == (2, 5)
    assert find(lines, 3, 0, 0, ["w"]) == (3, 3)
    assert find(lines, 0, 0, 0, ["gone"]) is None
    assert find(lines, 0, 0, 0, []) is None
    assert find(lines, 9, 0, 0, ["w"]) is None
    assert find(["- >", "  a", "", "  b c", "- c"], 0, 2, 0, ["b", "c"]) == (3, 2)
