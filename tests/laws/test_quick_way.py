"""What is read the quick way is what the general way reads, whatever is wrong with it; and dumps are read quickly."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from generate import random_cluster
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests.reading import read
from strategies import seeds

from ringfence.errors import InputError
from ringfence.manifests import load, quick
from ringfence.manifests.objects.policy import METADATA
from ringfence.manifests.write import documents
from ringfence.model.cluster import Cluster

JUNK: tuple[Any, ...] = (
    None, 0, 1, 80, 70000, -1, 1.5, "", "a", "Bad_Name", "x" * 300, "10.1.1.1", "10.1.1.999", "::1", True, [], {},
    [None], [{}], {"a": None}, {"a": "b"}, "UDP", "Running", "Pending", "Succeeded", "In",
)  # fmt: skip
NAMES = (
    "name", "namespace", "labels", "uid", "podIP", "phase", "ports", "hostNetwork", "unknownField", "initContainers",
    "from", "to", "podSelector", "endPort", "kind", "apiVersion", "metadata", "generateName",
)  # fmt: skip
MIXES = (("Pod", "NetworkPolicy"), ("Pod",), ("NetworkPolicy",), ("Pod", "NetworkPolicy", "Namespace", "StatefulSet"))


def _wound(rng: Random, value: Any) -> None:
    """Change, remove or add one member somewhere in *value*."""
    here = value
    while isinstance(here, dict | list) and here:
        key = rng.choice(list(here)) if isinstance(here, dict) else rng.randrange(len(here))
        if rng.random() < 0.3 or not isinstance(here[key], dict | list) or not here[key]:
            what = rng.random()
            if what < 0.5:
                here[key] = copy.deepcopy(rng.choice(JUNK))
            elif what < 0.75:
                del here[key]
            elif isinstance(here, dict):
                here[rng.choice(NAMES)] = copy.deepcopy(rng.choice(JUNK))
            return
        here = here[key]


def _text(rng: Random, items: list[Any]) -> str:
    """A list of *items* as a server would print it, or with blanks, or with a key that stands twice."""
    kinds = {str(item.get("kind")) for item in items}
    kind = f"{kinds.pop()}List" if len(kinds) == 1 and rng.random() < 0.7 else "List"
    written = {"apiVersion": items[0].get("apiVersion", "v1") if kind != "List" else "v1", "kind": kind, "items": items}
    if kind != "List" and rng.random() < 0.7:
        for item in items:
            for key in ("kind", "apiVersion"):
                item.pop(key, None)
    made = json.dumps(written, indent=rng.choice((None, 4)), ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.3:
        made = made.replace('"name":', '"name": "twice", "name":', rng.randrange(3))
    return made


def _both(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Cluster | str, Cluster | str, int]:
    """What is read of *text* the quick way and without it, and how many objects were read quickly."""
    taken = 0
    way = quick.Quick.read

    def counted(self: quick.Quick, *args: Any) -> Any:
        nonlocal taken
        found = way(self, *args)
        taken += found is not None
        return found

    with monkeypatch.context() as patch:
        patch.setattr(quick.Quick, "read", counted)
        first = _read(text)
        patch.setattr(quick.Quick, "read", lambda *_: None)
        return first, _read(text), taken


def _read(text: str) -> Cluster | str:
    try:
        return read(text)
    except InputError as problem:
        return str(problem)


def _same(first: Cluster | str, other: Cluster | str) -> None:
    assert first == other
    if isinstance(first, Cluster) and isinstance(other, Cluster):
        assert first.findings == other.findings
        assert first.ignored == other.ignored
        assert _places(first) == _places(other)


def _places(cluster: Cluster) -> list[tuple[int, int]]:
    return [one.source.at("spec") for one in cluster.pods] + [one.source.at("spec") for one in cluster.policies]


@given(seeds)
@settings(max_examples=300)
def test_both_ways_read_the_same(seed: int) -> None:
    rng = Random(seed)
    kinds = rng.choice(MIXES)
    items = [item for item in documents(random_cluster(rng)) if item["kind"] in kinds]
    items += [copy.deepcopy(rng.choice(items)) for _ in range(rng.randrange(3)) if items]
    for _ in range(rng.randrange(4)):
        if items:
            _wound(rng, rng.choice(items))
    items = [item for item in items if isinstance(item, dict)]
    if items:
        first, other, _ = _both(_text(rng, items), pytest.MonkeyPatch())
        _same(first, other)


def test_what_nothing_is_wrong_with_is_read_quickly() -> None:
    live = [item for seed in range(30) for item in documents(random_cluster(Random(seed))) if item["kind"] == "Pod"]
    for number, item in enumerate(live):
        item["metadata"]["name"] = f"pod-{number}"
    assert len(live) > 50
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": live})
    first, other, taken = _both(text, pytest.MonkeyPatch())
    _same(first, other)
    assert taken > 0.8 * len(live)


def test_the_two_know_the_same_metadata() -> None:
    assert set(quick._PolicyMetadata.__struct_fields__) == set(METADATA)


@pytest.mark.parametrize("status", [{"podIP": "10.1.1.999"}, {"podIPs": [], "podIP": "no"}, {"podIPs": [{"ip": None}]}])
def test_an_address_that_is_none_is_told_either_way(status: dict[str, Any]) -> None:
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": status}
    first, other, taken = _both(json.dumps({"apiVersion": "v1", "kind": "List", "items": [item]}), pytest.MonkeyPatch())
    _same(first, other)
    assert isinstance(first, Cluster)
    assert ([finding.code for finding in first.findings], taken) == (["RF021"], 0)


def test_a_pod_that_is_left_to_the_general_way_gives_its_neighbours_nothing() -> None:
    """Replicas share what was read of the one before; of one that could not be read whole they take no part."""

    def pod(name: str, app: str, owner: object, port: int) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "labels": {"app": app}, "ownerReferences": [owner]},
                "spec": {"containers": [{"ports": [{"name": "http", "containerPort": port}]}]}}  # fmt: skip

    mine, other = {"kind": "ReplicaSet", "name": "web"}, {"kind": "ReplicaSet", "name": "db"}
    odd = [pod("b", "db", 1, 80), pod("d", "db", mine, 99999), pod("f", "Not a label!", other, 80)]
    items = [pod("a", "web", mine, 80), odd[0], pod("c", "web", mine, 80), odd[1], pod("e", "web", mine, 80), odd[2],
             pod("g", "web", mine, 80), pod("h", "web", other, 81)]  # fmt: skip
    first, other_way, taken = _both(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), pytest.MonkeyPatch()
    )
    _same(first, other_way)
    assert isinstance(first, Cluster)
    assert taken == len(items) - len(odd)
    assert {one.name: one.labels["app"] for one in first.pods if one.name in "aceg"} == dict.fromkeys("aceg", "web")


def test_what_replaces_an_object_is_of_its_group_either_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A policy of a group that is not served takes no policy's place: without it there would be no isolation."""
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"},
              "spec": {"podSelector": {}}}  # fmt: skip
    dump, old = tmp_path / "dump.json", tmp_path / "old.json"
    dump.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [policy]}))
    old.write_text(json.dumps(policy | {"apiVersion": "extensions/v1beta1"}))
    first = load([str(dump)], extra=[str(old)])
    monkeypatch.setattr(quick.Quick, "read", lambda *_: None)
    other = load([str(dump)], extra=[str(old)])
    _same(first, other)
    assert [one.name for one in first.policies] == ["p"]


@pytest.mark.parametrize(
    "text",
    [
        '"metadata":{"name":"p","name":"p"},"spec":{"podSelector":{}}',
        '"metadata":{"name":"q"},"metadata":{"name":"p"},"spec":{"podSelector":{}}',
        '"metadata":{"name":"p"},"spec":{"podSelector":{},"podSelector":{}}',
        '"metadata":{"name":"p"},"spec":{"podSelector":{}},"spec":{"podSelector":{}}',
        '"metadata":{"name":"p","labels":{"a":"b","a":"b"}},"spec":{"podSelector":{}}',
        '"metadata":{"name":"p","generation":1,"generation":1e16},"spec":{"podSelector":{}}',
        '"metadata":{"name":"p","ownerReferences":[{"a":1,"a":1}]},"spec":{"podSelector":{}}',
        '"metadata":{"name":"p"},"spec":{"podSelector":{}},"status":{"a":1,"a":1}',
    ],
)
@pytest.mark.parametrize("kind", ["List", "NetworkPolicyList"])
def test_a_key_that_stands_twice_in_a_policy_is_told_wherever_it_is(text: str, kind: str) -> None:
    head = '"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy",' if kind == "List" else ""
    version = "v1" if kind == "List" else "networking.k8s.io/v1"
    whole = f'{{"apiVersion":"{version}","kind":"{kind}","items":[{{{head}{text}}}]}}'
    first, other, taken = _both(whole, pytest.MonkeyPatch())
    _same(first, other)
    assert isinstance(first, Cluster)
    assert ([finding.code for finding in first.findings], taken) == (["RF005"], 0)


@given(st.data())
def test_no_text_of_metadata_hides_a_key_that_stands_twice(data: st.DataObject) -> None:
    """The quick way weighs a text by its length: nothing that is written short makes up for a second key."""
    written = st.sampled_from(
        ['"a"', '"\\u0061"', '"\\/"', "1", "1.0", "1e5", "1E16", "-0", "-0.0", "null", "[]", "{}"]
    )
    names = st.sampled_from(["generation", "creationTimestamp", "finalizers", "uid", "managedFields"])
    members = data.draw(st.lists(st.tuples(names, written), max_size=4))
    text = "".join(f',"{name}":{value}' for name, value in members)
    item = ('{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p"' + text
            + '},"spec":{"podSelector":{}}}')  # fmt: skip
    first, other, _ = _both(f'{{"apiVersion":"v1","kind":"List","items":[{item}]}}', pytest.MonkeyPatch())
    _same(first, other)
