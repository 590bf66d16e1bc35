"""The verb as a user calls it, against a server of the tests, and what it leaves there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from conftest import ROOT
from fakeapi import FakeApi
from jsonschema import Draft202012Validator

from ringfence.cli import main
from ringfence.live.runs import RUN

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


def ticks() -> Callable[[], float]:
    """A clock that goes on by a second whenever it is looked at."""
    now = iter(range(100_000))
    return lambda: float(next(now))
