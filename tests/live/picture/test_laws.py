"""Laws of pictures on generated clusters: lists of a server, a snapshot, and a redacted one say the same."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any, get_args, get_type_hints, is_typeddict

import pytest
from generate import random_cluster
from hypothesis import given
from strategies import seeds

from live.clusters import GATEWAY
from ringfence.live.picture import fields
from ringfence.live.picture.names import Pseudonyms
from ringfence.live.picture.snapshot import objects, packed, taken
from ringfence.manifests import load
from ringfence.manifests.objects import shapes
from ringfence.manifests.text.files import Answer
from ringfence.manifests.ways_in import route_shapes
from ringfence.manifests.write import documents
from ringfence.model.cluster import Cluster
from ringfence.query.matrix import matrix
from ringfence.report.matrix import csv

END = re.compile(r"([a-z0-9.-]+)/([A-Za-z0-9.-]+)\[(\w+)\]")


def lists(cluster: Cluster) -> list[Answer]:
    """*cluster* as a server lists it: each kind by itself, no object with its kind."""
    kinds: dict[tuple[str, str], list[dict[str, object]]] = {}
    for one in documents(cluster):
        body = dict(one)
        kinds.setdefault((str(body.pop("apiVersion")), str(body.pop("kind"))), []).append(body)
    return [
        Answer(f"cluster/{kind}", json.dumps({"kind": f"{kind}List", "apiVersion": version, "items": items}).encode())
        for (version, kind), items in kinds.items()
    ]


def rows(cluster: Cluster) -> list[str]:
    """The matrix, every pair of it."""
    return list(csv.lines(matrix(cluster, every=True, by="pod")))


def read(data: bytes, cluster: Cluster) -> Cluster:
    return load(["-"], stdin=io.BytesIO(data), facts=cluster.facts)


@given(seeds)
def test_a_snapshot_says_what_the_lists_say(seed: int) -> None:
    made = random_cluster(Random(seed))
    answers = lists(made)
    live = load([], given=answers, facts=made.facts)
    snapshot = taken(answers)
    assert not snapshot.missing
    assert rows(live) == rows(read(packed(snapshot.text()), made))
    assert b"".join(snapshot.text()) == b"".join(taken(reversed(answers)).text())


@given(seeds)
def test_a_redacted_snapshot_says_the_same_of_other_names(seed: int) -> None:
    made = random_cluster(Random(seed))
    answers = lists(made)
    words = Pseudonyms(objects(answers))

    def called(match: re.Match[str]) -> str:
        return f"{words.word(match[1])}/{words.word(match[2])}[{match[3]}]"

    plain, hidden = (read(b"".join(taken(answers, *change).text()), made) for change in ((), (words,)))
    assert sorted(END.sub(called, row) for row in rows(plain)) == sorted(rows(hidden))
    names = {one.name for one in plain.workloads}
    assert len({one.id for one in hidden.workloads}) == len({one.id for one in plain.workloads})
    assert len(names) == len({one.name for one in hidden.workloads})


READ = {
    ("", "Node"): shapes.NodeObject,
    ("", "Pod"): shapes.PodObject,
    ("", "Service"): shapes.ServiceObject,
    ("apps", "Deployment"): shapes.ControllerObject,
    ("batch", "CronJob"): shapes.ControllerObject,
    ("discovery.k8s.io", "EndpointSlice"): shapes.SliceObject,
    ("networking.k8s.io", "Ingress"): route_shapes.IngressObject,
    ("route.openshift.io", "Route"): route_shapes.RouteObject,
    (GATEWAY, "HTTPRoute"): route_shapes.GatewayRouteObject,
    (GATEWAY, "Gateway"): route_shapes.GatewayObject,
    (GATEWAY, "ReferenceGrant"): route_shapes.GrantObject,
}
OF_OLD_SERVERS = {"spec.backend", "serviceName", "servicePort"}
NOT_KEPT = {"metadata.uid", "metadata.generateName", "requestMirror.backendRef.filters"}
"""What is read for names that an object of a server has anyhow; and a mirror has no filters."""


def missing(shape: Any, form: Any, path: str = "") -> Iterator[str]:
    """The fields of *shape* that *form* does not keep."""
    for inner in get_args(shape):
        yield from missing(inner, form, path)
    if not is_typeddict(shape):
        return
    kept = form[0] if isinstance(form, list) else form
    for key, value in get_type_hints(shape).items():
        at = f"{path}.{key}".strip(".")
        if {at, key} & OF_OLD_SERVERS or any(at.endswith(one) for one in NOT_KEPT):
            continue
        if key not in kept:
            yield at
        else:
            yield from missing(value, kept[key], at)


@pytest.mark.parametrize("kind", READ, ids="/".join)
def test_every_field_that_is_read_is_kept(kind: tuple[str, str]) -> None:
    assert list(missing(READ[kind], {"metadata": fields.METADATA, **fields.FORMS[kind]})) == []
