"""4xx where a check has more than one reading, and manifests in which nothing is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.asking import found, severities

NP = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
---
"""
API = "{matchLabels: {app: task-api}}"
DB = "{matchLabels: {app: db}}"


def np(spec: str, name: str = "p", namespace: str = "tasks") -> str:
    return NP.format(spec=spec, name=name, namespace=namespace)


def test_egress_that_cuts_a_declared_edge_off_is_an_error(tmp_path: Path) -> None:
    """The gateway names task-api, and nothing admits it; admitted by another policy it is a warning."""
    text = np(f"{{podSelector: {API}, egress: [{{to: [{{podSelector: {DB}}}]}}]}}")
    (one,) = found(tmp_path, "RF403", text)
    assert str(one.severity) == "error"
    assert one.effect == "gateway/gateway cannot reach tasks/task-api through Service tasks/task-api"
    admits = np(
        f"{{podSelector: {API}, policyTypes: [Ingress], ingress: [{{from: [{{namespaceSelector: {{}}}}]}}]}}", "q"
    )
    assert severities(found(tmp_path, "RF403", text + admits)) == ["warning"]


def test_a_deny_of_what_is_wanted_is_a_warning(tmp_path: Path) -> None:
    text = np(f"{{podSelector: {API}, policyTypes: [Ingress]}}")
    assert severities(found(tmp_path, "RF406", text)) == ["warning"]
    lone = text + "apiVersion: v1\nkind: Pod\nmetadata: {name: lone, namespace: tasks, labels: {app: lone}}\n"
    lone += "spec: {containers: [{name: c, image: c}]}\n"
    assert severities(found(tmp_path, "RF406", lone.replace(API, "{matchLabels: {app: lone}}"))) == ["note"]


@pytest.mark.parametrize(("name", "severity"), [("allow-all", "note"), ("db", "warning")])
def test_an_allow_of_all_that_says_so_is_a_note(name: str, severity: str, tmp_path: Path) -> None:
    text = np(f"{{podSelector: {DB}, policyTypes: [Ingress], ingress: [{{}}]}}", name)
    assert severities(found(tmp_path, "RF407", text)) == [severity]
    other = np(f"{{podSelector: {DB}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {{}}}}]}}]}}", "only")
    (one,) = found(tmp_path, "RF407", text + other)
    assert str(one.severity) == "warning"
    assert "it makes pointless only ingress[0]" in one.message


TO_DB = np(f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{podSelector: {DB}}}]}}]}}", "to-db")
"""The whole namespace may send to db: who of them may come in is said there."""


@pytest.mark.parametrize(
    "text",
    [
        TO_DB + np(f"{{podSelector: {DB}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {API}}}]}}]}}"),
        # A port that nobody declares, by which one end is narrower than the other.
        TO_DB + np(f"{{podSelector: {DB}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {API}}}],"
                   " ports: [{port: 9187}]}]}"),
        # Broad peers say nothing about pods.
        np(f"{{podSelector: {API}, policyTypes: [Egress], egress: [{{to: [{{namespaceSelector: {{}}}}]}}]}}")
        + np("{podSelector: {}, policyTypes: [Ingress]}", "deny", "gateway"),
        # Addresses may be those of the pods.
        np(f"{{podSelector: {API}, policyTypes: [Egress], egress: [{{to: [{{podSelector: {DB}}}]}}]}}")
        + np(f"{{podSelector: {DB}, policyTypes: [Ingress], ingress: [{{from: [{{ipBlock: {{cidr: 10.0.0.0/8}}}}]}}]}}",
             "db"),
        # The labels of the namespace of the client are not known.
        np("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}, namespaceSelector:"
           " {matchLabels: {team: core}}}]}]}", "out", "open")
        + np(f"{{podSelector: {API}, policyTypes: [Ingress], ingress: [{{from: [{{namespaceSelector:"
             " {matchLabels: {tier: edge}}}]}]}")
        + "apiVersion: v1\nkind: Pod\nmetadata: {name: c, namespace: open, labels: {app: c}}\n"
          "spec: {containers: [{name: c, image: c}]}\n---\n",
    ],
)  # fmt: skip
def test_both_ends_agree_as_far_as_can_be_told(text: str, tmp_path: Path) -> None:
    wrong = [one for one in found(tmp_path, "RF408", text) if one.kind == "NetworkPolicy"]
    assert [one.message for one in wrong] == []


def test_what_a_policy_of_another_kind_may_admit_is_no_half(tmp_path: Path) -> None:
    text = np(f"{{podSelector: {API}, policyTypes: [Egress], egress: [{{to: [{{podSelector: {DB}}}]}}]}}") + np(
        f"{{podSelector: {DB}, policyTypes: [Ingress]}}", "db"
    )
    cilium = (
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: tasks}\n"
        "spec: {endpointSelector: {}, ingress: [{}]}\n"
    )
    assert severities(found(tmp_path, "RF408", text)) == ["error"]
    assert found(tmp_path, "RF408", text + cilium) == []
    assert len(found(tmp_path, "RF412", text)) == 1
    assert found(tmp_path, "RF412", text + cilium) == []


def test_the_missing_half_may_be_the_sender_s(tmp_path: Path) -> None:
    text = np(f"{{podSelector: {DB}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {API}}}]}}]}}", "db")
    text += np("{podSelector: {}, policyTypes: [Egress]}", "deny")
    (one,) = found(tmp_path, "RF408", text)
    assert one.message == "this ingress peer is of no use: no egress rule of tasks/task-api admits tasks/db"
    assert one.remedy == "admit it in an egress rule for tasks/task-api"


def test_a_whole_namespace_that_is_of_no_use_is_a_warning(tmp_path: Path) -> None:
    text = np(f"{{podSelector: {DB}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {{}}}}]}}]}}", "db")
    text += np("{podSelector: {}, policyTypes: [Egress]}", "deny")
    assert severities(found(tmp_path, "RF408", text)) == ["warning"]


def test_every_pod_of_today_isolated_is_a_note(tmp_path: Path) -> None:
    text = np(f"{{podSelector: {DB}, policyTypes: [Ingress]}}") + np(
        f"{{podSelector: {API}, policyTypes: [Ingress]}}", "q"
    )
    assert severities(found(tmp_path, "RF409", text)) == ["note"]


@pytest.mark.parametrize(
    ("peer", "many"),
    [
        ("{podSelector: {matchLabels: {role: nobody}}}", 1),
        # Who is in a namespace outside of the input cannot be told.
        ("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}", 0),
        ("{ipBlock: {cidr: 192.0.2.0/24}}", 0),
    ],
)
def test_a_service_is_reached_by_whom_a_rule_may_take(peer: str, many: int, tmp_path: Path) -> None:
    text = np(f"{{podSelector: {DB}, policyTypes: [Ingress], ingress: [{{from: [{peer}]}}]}}")
    assert len(found(tmp_path, "RF412", text)) == many


@pytest.mark.parametrize(
    ("host", "many"),
    [
        ("https://config.example.com/a", 1),
        ("https://example.com", 1),
        ("db:5432", 0),  # admitted
        ("http://elsewhere.other:80", 0),  # a Service of a namespace that is not in the input, for all that is known
        ("http://vault", 0),
        ("https://vault.corp.internal", 0),
    ],
)
def test_only_what_is_outside_for_sure_is_missed(host: str, many: int, tmp_path: Path) -> None:
    web = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: tasks, labels: {app: web}}\n"
        f"spec: {{initContainers: [{{name: i, image: i, args: ['{host}']}}],"
        " containers: [{name: c, image: c}]}\n---\n"
    )
    text = web + np(
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress],"
        f" egress: [{{to: [{{podSelector: {DB}}}]}}]}}"
    )
    assert len(found(tmp_path, "RF414", text)) == many


def test_a_pod_that_is_its_node_is_not_called_unprotected(tmp_path: Path) -> None:
    node = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: agent, namespace: tasks, labels: {app: agent}}\n"
        "spec: {hostNetwork: true, containers: [{name: c, image: c}]}\n---\n"
    )
    text = node + np(f"{{podSelector: {DB}, policyTypes: [Ingress]}}")
    assert [one.object for one in found(tmp_path, "RF410", text)] == ["tasks/task-api"]
