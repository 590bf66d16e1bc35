"""The profiles of network plugins, by name."""

from __future__ import annotations

import pytest
from conftest import ROOT

import ringfence
from ringfence.errors import UsageError
from ringfence.model.profiles import NP_GUARD, named


def test_a_profile_has_a_name() -> None:
    assert named("np-guard") is NP_GUARD


def test_an_unknown_profile_is_one_sentence_also_in_python() -> None:
    example = str(ROOT / "examples" / "task-api")
    cluster = ringfence.load(example)
    said = r"^profile 'cilium': no such profile; there are kubernetes and np-guard$"
    with pytest.raises(UsageError, match=said):
        ringfence.load(example, profile="cilium")
    with pytest.raises(UsageError, match=said):
        ringfence.matrix(cluster, profile="cilium")
    with pytest.raises(UsageError, match=said):
        ringfence.explain(cluster, "task-api/test-pod -> task-api/test-pod", profile="cilium")
