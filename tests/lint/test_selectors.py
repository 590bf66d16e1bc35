"""3xx where a check has more than one reading: what else is in the input decides how bad it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.asking import found, severities

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: tasks}}
spec:
  podSelector: {subject}
  policyTypes: [Ingress]
  ingress:
  - from: [{peer}]
    ports: {ports}
"""


def policy(peer: str, subject: str = "{matchLabels: {app: db}}", ports: str = "[]") -> str:
    return POLICY.format(subject=subject, peer=peer, ports=ports)


@pytest.mark.parametrize(
    ("labels", "options", "severity", "remedy"),
    [
        ("{name: gateway}", (), "error", "write kubernetes.io/metadata.name: gateway"),
        # The label may be that of a namespace outside of the input, unless there is no outside.
        ("{owner: gateway}", (), "warning", "write kubernetes.io/metadata.name: gateway"),
        ("{team: edge}", (), "warning", "label the namespace"),
        ("{team: edge}", ("--closed",), "error", "label the namespace"),
        ("{kubernetes.io/metadata.name: monitoring}", (), "note", "label the namespace"),
        ("{kubernetes.io/metadata.name: gatewy}", (), "warning", "did you mean gateway?"),
        ("{kubernetes.io/metadata.name: monitoring}", ("--closed",), "error", "label the namespace"),
    ],
)
def test_a_label_of_no_namespace_is_an_error_where_nothing_is_outside(
    labels: str, options: tuple[str, ...], severity: str, remedy: str, tmp_path: Path
) -> None:
    (one,) = found(tmp_path, "RF303", policy(f"{{namespaceSelector: {{matchLabels: {labels}}}}}"), *options)
    assert str(one.severity) == severity
    assert remedy in one.remedy


def test_the_dns_of_a_cluster_that_is_not_in_the_input_has_its_namespace(tmp_path: Path) -> None:
    text = policy("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}")
    assert found(tmp_path, "RF303", text, "--closed") == []


@pytest.mark.parametrize(
    ("peer", "ports", "severity"),
    [
        ("{namespaceSelector: {}, podSelector: {}}", "[]", ["warning"]),
        ("{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}", "[]", ["note"]),
        ("{namespaceSelector: {}}", "[{port: 53, protocol: UDP}, {port: 53}]", []),
    ],
)
def test_any_namespace(peer: str, ports: str, severity: list[str], tmp_path: Path) -> None:
    """With labels it is less, and everybody may ask DNS servers."""
    assert severities(found(tmp_path, "RF313", policy(peer, ports=ports))) == severity


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        ("{statefulset.kubernetes.io/pod-name: db-0}", ["note"]),
        ("{topology.kubernetes.io/zone: a}", ["warning"]),
        ("{app: db, helm.sh/chart: db-1.2.3}", ["warning"]),
        ("{batch.kubernetes.io/job-name: once}", []),
        ("{job-name: nightly-28}", ["warning"]),
    ],
)
def test_labels_that_change(labels: str, severity: list[str], tmp_path: Path) -> None:
    """The name of a Job of the input stays, that of a run of a CronJob does not."""
    job = """\
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: tasks}
spec: {template: {metadata: {labels: {app: once}}, spec: {restartPolicy: Never, containers: [{name: c, image: c}]}}}
"""
    text = policy("{podSelector: {}}", subject=f"{{matchLabels: {labels}}}") + job
    assert severities(found(tmp_path, "RF306", text)) == severity


WEBHOOK = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: w}
webhooks:
- {name: w.example.com, clientConfig: {service: {namespace: tasks, name: NAME}}}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.example.com}
spec: {group: example.com, version: v1, groupPriorityMinimum: 1, versionPriority: 1}
"""


@pytest.mark.parametrize(("name", "many"), [("db", 0), ("task-api", 1)])
def test_a_port_that_the_api_server_calls_has_to_be_open(name: str, many: int, tmp_path: Path) -> None:
    text = policy("", ports="[{port: pg}]") + WEBHOOK.replace("NAME", name)
    assert len(found(tmp_path, "RF314", text)) == many


def test_pods_without_a_namespace_go_where_their_policy_goes(tmp_path: Path) -> None:
    here = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: here}}, policyTypes: [Ingress]}
---
apiVersion: v1
kind: Pod
metadata: {name: here, labels: {app: here}}
spec: {containers: [{name: c, image: c}]}
"""
    assert found(tmp_path, "RF307", here) == []
    (one,) = found(tmp_path, "RF307", here.replace("app: here}}, pol", "app: db}}, pol"))
    assert one.remedy == "write namespace: tasks, where the pods are that it selects"


def test_a_null_key_of_a_peer_is_told(tmp_path: Path) -> None:
    text = policy("{podSelector: null, namespaceSelector: {matchLabels: {team: core}}}")
    (one,) = found(tmp_path, "RF316", text)
    assert one.field == "spec.ingress[0].from[0].podSelector"


def test_all_namespaces_are_known_only_of_a_whole_cluster(tmp_path: Path) -> None:
    text = policy("{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: Exists}]}}")
    assert found(tmp_path, "RF315", text) == []
    assert len(found(tmp_path, "RF315", text, "--closed")) == 1
