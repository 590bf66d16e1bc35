"""How sets of ports, ends and findings are written; a line's ports read back as the same set (S133)."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from builders import node, pod, service, workload
from hypothesis import given
from strategies import connection_sets

from ringfence.model.addresses import AddressSet
from ringfence.model.findings import Finding, Severity
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Service
from ringfence.model.ports import ConnectionSet, PortSet
from ringfence.report.findings import finding_json, finding_line
from ringfence.report.words import as_json, end_id, end_name, grammar, human

ALL_TCP = ConnectionSet.single("TCP", PortSet.ALL)


@pytest.mark.parametrize(
    ("ports", "said", "line"),
    [
        (ConnectionSet.ALL, "every port", "All Connections"),
        (ConnectionSet.NONE, "nothing", "No Connections"),
        (ConnectionSet.of(TCP=[80]), "TCP 80", "TCP 80"),
        (ConnectionSet.of(TCP=[443, 80]), "TCP 80,443", "TCP 80,443"),
        (ConnectionSet.of(TCP=[80, 81, 82]), "TCP 80-82", "TCP 80-82"),
        (ConnectionSet.of(UDP=[53], TCP=[53]), "TCP 53, UDP 53", "TCP 53,UDP 53"),
        (ConnectionSet.of(UDP=[53], SCTP=[9], TCP=[1]), "TCP 1, UDP 53, SCTP 9", "SCTP 9,TCP 1,UDP 53"),
        (ALL_TCP, "every TCP port", "TCP 1-65535"),
        (ConnectionSet.ALL - ConnectionSet.of(SCTP=[9003]) - ConnectionSet.of(TCP=[80]) - ConnectionSet.of(UDP=[53]),
         "TCP 1-79,81-65535, UDP 1-52,54-65535, SCTP 1-9002,9004-65535",
         "SCTP 1-9002,9004-65535,TCP 1-79,81-65535,UDP 1-52,54-65535"),
    ],
)  # fmt: skip
def test_sets_of_ports(ports: ConnectionSet, said: str, line: str) -> None:
    assert human(ports) == said
    assert grammar(ports) == line


def _read(text: str) -> ConnectionSet:
    """The grammar read back as the page on formats says: a part that begins with a letter opens a protocol."""
    if text in ("All Connections", "No Connections"):
        return ConnectionSet.ALL if text.startswith("All") else ConnectionSet.NONE
    found = ConnectionSet.NONE
    protocol = ""
    for part in text.split(","):
        if part[0].isalpha():
            protocol, _, part = part.partition(" ")
        low, _, high = part.partition("-")
        found = found | ConnectionSet.single(protocol, PortSet.of((int(low), int(high or low))))
    return found


@given(connection_sets())
def test_a_line_reads_back_as_the_same_set(ports: ConnectionSet) -> None:
    assert _read(grammar(ports)) == ports


@given(connection_sets())
def test_json_reads_back_as_the_same_set(ports: ConnectionSet) -> None:
    found = ConnectionSet.NONE
    for protocol, ranges in as_json(ports).items():
        assert ranges == sorted(ranges)
        found = found | ConnectionSet.single(protocol, PortSet.of(*((low, high) for low, high in ranges)))
    assert found == ports


@given(connection_sets())
def test_the_ranges_of_a_line_are_apart(ports: ConnectionSet) -> None:
    """Ranges ascend and neither overlap nor touch (S132)."""
    for part in re.split(r",?(?:TCP|UDP|SCTP) ", grammar(ports))[1:]:
        ranges = [[int(end) for end in one.split("-")] for one in part.split(",")]
        assert all(left[-1] + 1 < right[0] for left, right in pairwise(ranges))


@pytest.mark.parametrize(
    ("end", "written", "called"),
    [
        (workload("shop/web"), "shop/web[Deployment]", "shop/web"),
        (workload("shop/db", kind="StatefulSet"), "shop/db[StatefulSet]", "shop/db"),
        (pod("shop/web-0"), "shop/web-0[Pod]", "shop/web-0"),
        (node("n1"), "n1[Node]", "node/n1"),
        (service("shop/db"), "shop/db[Service]", "shop/db"),
        (Outside(AddressSet.of("0.0.0.0/0")), "0.0.0.0-255.255.255.255[External]", "outside (0.0.0.0/0)"),
        (Outside(AddressSet.of("::/0")), "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External]", "outside (::/0)"),
        (Outside(AddressSet.of("10.0.0.0/8")), "10.0.0.0-10.255.255.255[External]", "outside (10.0.0.0/8)"),
        (Outside(AddressSet.of("0.0.0.0/0") - AddressSet.of("10.0.0.0/8") - AddressSet.of("11.0.0.0/8")
                 - AddressSet.of("12.0.0.0/6")- AddressSet.of("16.0.0.0/4") - AddressSet.of("32.0.0.0/3")
                 - AddressSet.of("64.0.0.0/2") - AddressSet.of("128.0.0.0/1") - AddressSet.of("8.0.0.0/7")
                 - AddressSet.of("0.0.0.0/32")),
         "0.0.0.1-7.255.255.255[External]", "outside (0.0.0.1-7.255.255.255)"),
    ],
    ids=["deployment", "statefulset", "pod", "node", "service", "everywhere", "everywhere6", "block", "many-blocks"],
)  # fmt: skip
def test_ends(end: End | Service, written: str, called: str) -> None:
    assert end_id(end) == written
    assert end_name(end) == called


FULL = Finding("RF034", Severity.ERROR, "0 is no port", "NetworkPolicy", "shop/db", "spec.ingress[0].ports[0].port",
               "db.yaml", 12, 9, "use a number from 1 to 65535", excludes=True)  # fmt: skip
BARE = Finding("RF003", Severity.WARNING, "not YAML")


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (FULL, f"db.yaml:12:9: error RF034: NetworkPolicy shop/db: {FULL.field}: 0 is no port; {FULL.remedy}"),
        (BARE, "warning RF003: not YAML"),
    ],
    ids=["full", "bare"],
)
def test_a_finding_is_one_line(finding: Finding, line: str) -> None:
    assert finding_line(finding) == line


def test_findings_as_data_leave_out_what_is_empty() -> None:
    assert finding_json(BARE) == {"code": "RF003", "severity": "warning", "message": "not YAML"}
    assert finding_json(FULL) == {
        "code": "RF034", "severity": "error", "message": "0 is no port", "kind": "NetworkPolicy", "object": "shop/db",
        "field": "spec.ingress[0].ports[0].port", "file": "db.yaml", "line": 12, "column": 9,
        "remedy": "use a number from 1 to 65535", "excludes": True,
    }  # fmt: skip
