"""The profiles of network plugins, by name."""

from __future__ import annotations

import pytest
from conftest import ROOT

import ringfence
from ringfence.errors import UsageError
from ringfence.model.profiles import ALIASES, KUBERNETES, NP_GUARD, PROFILES, named


def test_a_profile_has_a_name() -> None:
    assert named("np-guard") is NP_GUARD


def test_other_names_lead_to_profiles() -> None:
    assert named("k3s") is PROFILES["kube-router"]
    assert named("flannel") is named("kind") is PROFILES["kube-network-policies"]
    assert not ALIASES.keys() & PROFILES.keys()


def test_flags_follow_from_what_sources_say() -> None:
    """Where no source says anything the flag is that of the text of the API."""
    assert (PROFILES["cilium"].blocks_match_pods, PROFILES["cilium"].blocks_match_nodes) == (False, False)
    assert PROFILES["cilium"].pod_to_own_node == "enforced"
    assert PROFILES["aws-vpc-cni"].pod_to_own_node == "allowed"
    assert PROFILES["calico"].pod_to_own_node == "open"
    assert not PROFILES["azure"].end_port
    assert PROFILES["azure"].blocks_match_pods
    assert PROFILES["calico"].blocks_match_nodes
    assert KUBERNETES.pod_to_own_node == "open"
    assert all(profile.title and profile.sources for profile in PROFILES.values())


def test_an_unknown_profile_is_one_sentence_also_in_python() -> None:
    example = str(ROOT / "examples" / "task-api")
    cluster = ringfence.load(example)
    said = (
        r"^profile 'weave': no such profile; there are antrea, aws-vpc-cni, .*, kubernetes, np-guard, ovn-kubernetes$"
    )
    with pytest.raises(UsageError, match=said):
        ringfence.load(example, profile="weave")
    with pytest.raises(UsageError, match=said):
        ringfence.matrix(cluster, profile="weave")
    with pytest.raises(UsageError, match=said):
        ringfence.explain(cluster, "task-api/test-pod -> task-api/test-pod", profile="weave")
