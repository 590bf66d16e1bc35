"""Both witnesses answer every question of these tests."""

from __future__ import annotations

import pytest
from conformance.witnesses import Compiler, Reference

from engine.asking import Ask


@pytest.fixture(params=[Reference, Compiler], ids=["reference", "compiler"])
def ask(request: pytest.FixtureRequest) -> Ask:
    return Ask(request.param)
