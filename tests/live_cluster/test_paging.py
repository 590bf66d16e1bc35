"""5,000 pods: read in pages, whole, and the same as a single list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from ringfence.live.runs import new_id
from ringfence.live.server.pages import pages
from ringfence.live.server.resources import NAMESPACES, PODS
from ringfence.live.server.server import Server

COUNT: Final = 5_000
PAGE: Final = 500


def pod(namespace: str, number: int) -> dict[str, Any]:
    """A pod that nobody runs: it waits for a scheduler that is not there."""
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": f"pod-{number}", "namespace": namespace, "labels": {"number": str(number % 7)}},
        "spec": {
            "schedulerName": "nobody", "automountServiceAccountToken": False,
            "containers": [{"name": "main", "image": "none.invalid/none"}],
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def crowd(server: Server) -> Iterator[str]:
    """A namespace with so many pods."""
    name = f"ringfence-test-{new_id()}"
    server.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda number: server.create(PODS, pod(name, number)), range(COUNT)))
    yield name
    # A server without controllers would keep them, and each is a workload to the tests that follow.
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda number: server.delete(PODS, f"pod-{number}", name, grace=0), range(COUNT)))
    server.delete(NAMESPACES, name)


def test_pages_hold_every_pod_once(server: Server, crowd: str) -> None:
    found = [json.loads(bytes(page))["items"] for page in pages(server, PODS, crowd)]
    assert [len(page) for page in found] == [PAGE] * (COUNT // PAGE)
    assert len({item["metadata"]["name"] for page in found for item in page}) == COUNT
    whole = json.loads(server.get(PODS.path(crowd)))["items"]
    same = [item for page in found for item in page] == whole
    assert same, "a difference in so many pods is not shown"


def test_labels_are_asked_of_the_server(server: Server, crowd: str) -> None:
    wanted = {f"pod-{number}" for number in range(COUNT) if number % 7 == 3}
    assert {one["metadata"]["name"] for one in server.list(PODS, crowd, labels="number=3")} == wanted


def test_objects_know_their_kind(server: Server, crowd: str) -> None:
    """A server leaves it out in lists."""
    assert {(one["apiVersion"], one["kind"]) for one in server.list(PODS, crowd, labels="number=3")} == {("v1", "Pod")}
