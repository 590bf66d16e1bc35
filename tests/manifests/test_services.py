"""What is read of Services and EndpointSlices beyond their ports: families, addresses, and who stands behind."""

from __future__ import annotations

import pytest

from manifests.reading import read, told
from ringfence.model.objects import EndpointSlice, Service, SliceEndpoint


def _service(spec: str) -> Service:
    (found,) = read(f"apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{{spec}}}\n").services
    return found


@pytest.mark.parametrize(
    ("spec", "families"),
    [
        ("ports: []", set()),
        ("ipFamilies: [IPv4]", {4}),
        ("ipFamilies: [IPv6], ipFamilyPolicy: SingleStack", {6}),
        ("ipFamilies: [IPv6, IPv4]", {4, 6}),
        ("ipFamilies: [IPv6], ipFamilyPolicy: RequireDualStack", {4, 6}),
        ("ipFamilies: [IPv6], ipFamilyPolicy: PreferDualStack", set()),
        ("clusterIP: 10.96.0.1", {4}),
        ("clusterIP: 10.96.0.1, ipFamilyPolicy: PreferDualStack", {4, 6}),
        ("clusterIPs: [10.96.0.1], ipFamilies: [IPv4], ipFamilyPolicy: PreferDualStack", {4}),
        ("clusterIP: None, ipFamilies: [IPv4]", {4}),
    ],
)
def test_a_service_has_the_families_that_it_settles(spec: str, families: set[int]) -> None:
    """Where it prefers two it is the cluster that says, and a server that has said it has filled in the addresses."""
    assert _service(spec).families == families


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ("clusterIP: 10.96.0.300", "spec.clusterIP"),
        ("clusterIPs: [10.96.0.1, junk]", "spec.clusterIPs[1]"),
        ("externalIPs: [192.0.2.1, 192.0.2]", "spec.externalIPs[1]"),
    ],
)
def test_what_is_no_address_is_told_and_not_taken(spec: str, place: str) -> None:
    """It ended in a crash once something was asked about the Service."""
    where = read(f"apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{{spec}}}\n")
    assert [(code, field) for code, _, _, field in told(where)] == [("RF021", place)]
    (found,) = where.services
    assert {*found.cluster_ips, *found.external_ips} <= {"10.96.0.1", "192.0.2.1"}


def _slice(endpoint: str, labels: str = "") -> EndpointSlice:
    (found,) = read(
        f"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: s-1, namespace: a, labels: "
        f"{{kubernetes.io/service-name: s{labels}}}}}\naddressType: IPv4\nports: [{{port: 80}}]\n"
        f"endpoints: [{{addresses: [10.0.0.1], {endpoint}}}]\n"
    ).slices
    return found


@pytest.mark.parametrize(
    ("conditions", "ready", "draining"),
    [
        ("{}", True, False),
        ("{ready: null, serving: null, terminating: null}", True, False),
        ("{ready: false, serving: true, terminating: true}", False, True),
        ("{ready: false, terminating: true}", False, True),
        ("{ready: false, serving: false, terminating: true}", False, False),
        ("{ready: false, serving: true, terminating: false}", False, False),
    ],
)
def test_the_conditions_of_an_endpoint(conditions: str, ready: bool, draining: bool) -> None:
    (found,) = _slice(f"conditions: {conditions}").endpoints
    assert (found.ready, found.draining) == (ready, draining)


def _named(target: str) -> SliceEndpoint:
    (found,) = _slice(f"targetRef: {target}").endpoints
    return found


def test_the_pod_of_an_endpoint_is_of_the_slices_own_namespace() -> None:
    """A pod of that name in the slice's namespace is another one."""
    assert _named("{kind: Pod, name: p}").pod == _named("{kind: Pod, name: p, namespace: a}").pod == "p"
    assert _named("{kind: Pod, name: p, namespace: b}").pod is None
    assert _named("{kind: Node, name: p}").pod is None


def test_who_keeps_a_slice() -> None:
    keeper = ", endpointslice.kubernetes.io/managed-by: "
    assert _slice("", f"{keeper}endpointslice-controller.k8s.io").derived
    assert not _slice("", f"{keeper}endpointslicemirroring-controller.k8s.io").derived
    assert not _slice("").derived
