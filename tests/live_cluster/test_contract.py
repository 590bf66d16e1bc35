"""A real server answers as the fake one does, which the recorded answers stand for: each request of the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakeapi.contract import CASES, RECORDED, STRANGER, answers, by_server

from live_cluster import apiserver
from ringfence.live.server.connecting import connect


@pytest.fixture(scope="module")
def answered() -> dict[str, list[Any]]:
    """What a server that has just been started answers to everything; others hold things that would show."""
    with apiserver.running() as server:
        admin, stranger = server.kubeconfig(), server.kubeconfig(STRANGER, ())
        return answers(by_server(connect(str(admin)), connect(str(stranger))))


@pytest.mark.parametrize("case", CASES)
def test_a_real_server_answers_as_the_fake_one(answered: dict[str, list[Any]], case: str) -> None:
    recorded = json.loads(RECORDED.read_text())[case]
    for ask, expected, got in zip(CASES[case], recorded, answered[case], strict=True):
        assert got == expected, f"{ask.method} {ask.path} {ask.query} {ask.body}"
