"""The verb as a user calls it and a run as the verb has it, against a server of the tests, and what is left there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from conftest import ROOT
from fakeapi import FakeApi
from jsonschema import Draft202012Validator

from live.probe.simulated import Simulated
from ringfence.cli import main
from ringfence.live.probe.plan import Settings
from ringfence.live.runs import RUN
from ringfence.live.server.server import Server
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.workflow.probing.asked import Asked, Questions
from ringfence.workflow.probing.carrying import carry_out
from ringfence.workflow.probing.planning import Planned, Targets, asking, plan
from ringfence.workflow.probing.results import Probed

Json = dict[str, Any]
SCHEMA: Final = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "probe.schema.json").read_text()))


def probe(config: str, *words: str) -> int:
    return main(["probe", "--kubeconfig", config, "--yes", "--timeout", "1", "--settling", "1", *words])


def document(config: str, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Json]:
    status = probe(config, "--format", "json", *words)
    found = json.loads(capsys.readouterr().out)
    SCHEMA.validate(found)
    return status, found


def own(api: FakeApi) -> list[str]:
    """What there is of any run."""
    return [one["metadata"]["name"] for one in api.objects() if RUN in (one["metadata"].get("labels") or {})]


def planned(
    simulated: Simulated, *pairs: tuple[str, str, int], protocol: str = "TCP", profile: Profile = KUBERNETES,
    targets: Targets = Targets.EITHER, how: Settings | None = None,
) -> Planned:  # fmt: skip
    """Connections between pods of these names, as the objects of now predict them."""
    cluster = simulated.cluster()
    pods = {one.name: one for one in cluster.pods}
    questions = Questions([Asked(pods[src], pods[dst], protocol, port) for src, dst, port in pairs])
    return plan(asking(cluster, profile), questions, run="7c1e", targets=targets, settings=how)


def carried(server: Server, what: Planned, say: Callable[[str], None] = lambda _: None) -> Probed:
    """What becomes of *what*, by a clock that never makes a test wait."""
    return carry_out(server, what, say=say, sleep=lambda _: None, clock=ticks())


def ticks() -> Callable[[], float]:
    """A clock that goes on by a second whenever it is looked at."""
    now = iter(range(100_000))
    return lambda: float(next(now))
