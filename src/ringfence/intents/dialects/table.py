"""What each dialect can say about a name outside, and which network plugin reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ringfence.errors import UsageError


@dataclass(frozen=True, slots=True)
class Dialect:
    """A kind of policy that can name a host.

    ``profiles``: the plugins that read it, by the profile's name.
    ``schema``: whose public CRD the tests hold it against; empty where there is none.
    ``subdomains``: whether it can say every name below one, at any depth; else ``*.`` is one label there.
    ``isolates``: whether the pods it selects may open nothing but what such policies allow.
    """

    name: str
    title: str
    api_version: str
    kind: str
    profiles: tuple[str, ...]
    schema: str
    subdomains: bool
    isolates: bool


_ALL: Final = (
    Dialect("cilium", "Cilium 1.19 and later", "cilium.io/v2", "CiliumNetworkPolicy", ("cilium",),
            "cilium/cilium", subdomains=True, isolates=True),
    Dialect("clusternetworkpolicy", "ClusterNetworkPolicy, experimental channel", "policy.networking.k8s.io/v1alpha2",
            "ClusterNetworkPolicy", (), "kubernetes-sigs/network-policy-api", subdomains=True, isolates=False),
    Dialect("antrea", "Antrea", "crd.antrea.io/v1beta1", "NetworkPolicy", ("antrea",),
            "antrea-io/antrea", subdomains=True, isolates=False),
    Dialect("gke", "GKE Dataplane V2", "networking.gke.io/v1alpha1", "FQDNNetworkPolicy", ("gke", "gke-dataplane-v2"),
            "", subdomains=False, isolates=True),
    Dialect("eks-auto", "EKS Auto Mode", "networking.k8s.aws/v1alpha1", "ApplicationNetworkPolicy",
            ("eks-auto",), "aws/amazon-network-policy-controller-k8s", subdomains=True, isolates=True),
    Dialect("ovn-kubernetes", "OVN-Kubernetes", "k8s.ovn.org/v1", "EgressFirewall", ("ovn-kubernetes", "openshift"),
            "ovn-kubernetes/ovn-kubernetes", subdomains=False, isolates=False),
)  # fmt: skip
DIALECTS: Final[Mapping[str, Dialect]] = {dialect.name: dialect for dialect in _ALL}
"""Every dialect by the name that ``--names`` takes."""
_CILIUM_READS_DEPTH: Final = (1, 19)
"""The release of Cilium from which ``**.`` at the front of a pattern is one label or more."""
_WITHOUT: Final = frozenset({"calico", "kindnet", "kube-network-policies", "kube-router", "k3s", "aws-vpc-cni",
                             "azure", "weave", "flannel"})  # fmt: skip
"""Plugins that are known to read no policy with names."""


def named(text: str) -> Dialect:
    """The dialect that ``--names`` asks for: a name, for Cilium also with a release, as in ``cilium:1.18``.

    Raises: UsageError, with what there is.
    """
    name, colon, release = text.partition(":")
    if name not in DIALECTS:
        raise UsageError(f"--names {text}: no such dialect; there are {', '.join(DIALECTS)}")
    if not colon:
        return DIALECTS[name]
    numbers = release.split(".")
    if name != "cilium" or len(numbers) < 2 or not all(part.isascii() and part.isdigit() for part in numbers):
        raise UsageError(f"--names {text}: only Cilium is told apart by release, as in cilium:1.18; write {name}")
    if (int(numbers[0]), int(numbers[1])) >= _CILIUM_READS_DEPTH:
        return DIALECTS[name]
    return replace(DIALECTS[name], name=text, title=f"Cilium {release}", subdomains=False)


def fitting(profile: str) -> tuple[Dialect, ...]:
    """The dialects that the plugin of *profile* is known to read."""
    return tuple(dialect for dialect in DIALECTS.values() if profile in dialect.profiles)


def advice(profile: str) -> str:
    """What to choose for a name outside, where nothing was chosen, and what fits the plugin of *profile*."""
    fits = fitting(profile)
    if fits:
        which = f"--names {fits[0].name}, which fits the profile {profile}"
    elif profile in _WITHOUT:
        which = f"--names with a dialect your plugin reads, though none is known for the profile {profile}"
    else:
        which = f"--names with the dialect your plugin reads ({', '.join(DIALECTS)})"
    return (
        f"NetworkPolicy cannot name a host; choose {which}; "
        "or --pin HOST=CIDR,… for addresses that a person writes down and reviews; "
        "or --allow-any-443-outside, which opens port 443 of every address outside and is a risk"
    )
