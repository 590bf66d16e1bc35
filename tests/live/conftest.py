"""A fake API server, and a way to log in to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakeapi import FakeApi

from ringfence.live.server.connecting import connect
from ringfence.live.server.server import Server


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as made:
        yield made


@pytest.fixture
def config(api: FakeApi, tmp_path: Path) -> str:
    """A kubeconfig file for ``api``."""
    return str(api.kubeconfig(tmp_path / "config"))


@pytest.fixture
def server(config: str) -> Server:
    found = connect(config)
    found.sleep = lambda seconds: None
    return found
