"""The fake API server answers as a real one did, request by request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakeapi import FakeApi
from fakeapi.contract import CASES, RECORDED, STRANGER, answers, by_server

from ringfence.live.server.connecting import connect


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What the fake answers to everything."""
    folder: Path = tmp_path_factory.mktemp("contract")
    with FakeApi() as api:
        api.tokens["strange"] = STRANGER
        api.rights.strangers.add(STRANGER)
        admin, stranger = api.kubeconfig(folder / "a"), api.kubeconfig(folder / "b", token="strange")  # noqa: S106
        return answers(by_server(connect(str(admin)), connect(str(stranger))))


@pytest.mark.parametrize("case", CASES)
def test_the_fake_answers_as_a_real_server_did(answered: dict[str, list[Any]], case: str) -> None:
    recorded = json.loads(RECORDED.read_text())[case]
    assert len(recorded) == len(CASES[case])
    for ask, expected, got in zip(CASES[case], recorded, answered[case], strict=True):
        assert got == expected, f"{ask.method} {ask.path} {ask.query} {ask.body}"
