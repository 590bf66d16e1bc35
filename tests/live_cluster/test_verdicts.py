"""The server's verdict on every policy of the record, asked again: the same as recorded, and as the reader's."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
import yaml
from conftest import ROOT
from manifests.reading import read

from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import NETWORK_POLICIES
from ringfence.live.server.server import Server
from ringfence.manifests.objects import policy
from ringfence.manifests.text.documents import Item, objects
from ringfence.manifests.text.files import File
from ringfence.model.findings import Severity

RECORD: Final = json.loads((ROOT / "tests" / "data" / "apiserver" / "networkpolicy.json").read_text())
CASES: Final[list[dict[str, Any]]] = RECORD["cases"]
STRICTER: Final = {"cidr-host-bits", "cidr-leading-zeros", "except-host-bits"}
"""Refused from 1.36 on, taken with a warning by servers before it; the reader is as strict as the newest."""


def _asked(server: Server, manifest: str) -> tuple[dict[str, Any] | None, Refused | None]:
    """What the server would store, or why it refuses."""
    namespace = yaml.load(manifest, yaml.CSafeLoader)["metadata"].get("namespace", "default")
    # As it stands: a name that stands twice, and a number of many digits, are the server's to judge.
    headers = {"Content-Type": "application/yaml", "Accept": "application/json"}
    path = f"{NETWORK_POLICIES.path(namespace)}?dryRun=All&fieldValidation=Strict"
    reply = server.transport("POST", path, headers, manifest.encode())
    answer = json.loads(reply.body)
    return (answer, None) if reply.status < 300 else (None, Refused("POST", reply.status, answer))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_server_record_and_reader_agree(server: Server, case: dict[str, Any]) -> None:
    stored, refused = _asked(server, case["manifest"])
    accepted = stored is not None
    if case["name"] in STRICTER and _before_1_36(server):
        assert accepted
        return
    told = [one for one in read(case["manifest"]).findings if one.severity is Severity.ERROR]
    assert accepted == case["accepted"]
    assert accepted == (not told)
    if stored is not None:
        (item,) = objects(File("case.yaml", case["manifest"].encode(), named=True))
        assert isinstance(item, Item)
        assert stored["spec"] == policy.decode(item.document.value()).spec
    assert (
        refused is None or refused.causes == () or {field for field, _ in refused.causes} == {one.field for one in told}
    )


def _before_1_36(server: Server) -> bool:
    version = server.version()
    return (int(version["major"]), int(version["minor"].rstrip("+"))) < (1, 36)
