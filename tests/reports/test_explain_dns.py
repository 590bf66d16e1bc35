"""Pods that cannot look up names after a default deny, although there is a rule for DNS: the question that came first.

The rule targets pods with app=coredns in namespace default; the DNS pods are in kube-system with k8s-app=kube-dns.
"""

from __future__ import annotations

import io
from pathlib import Path
from textwrap import dedent, indent

import pytest

from ringfence.manifests import load
from ringfence.model.arrows import parse
from ringfence.model.flows import Verdict
from ringfence.query.explain import explain
from ringfence.report.explain import text as explain_text

_CLUSTER = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default, labels: {app: web}}
spec: {containers: [{name: web, image: web}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec:
      containers:
      - name: coredns
        image: coredns
        ports: [{name: dns, containerPort: 53, protocol: UDP}, {name: dns-tcp, containerPort: 53}]
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  selector: {k8s-app: kube-dns}
  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: default}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-dns, namespace: default}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
"""
_ALONE = """
- to: [{podSelector: {matchLabels: {app: coredns}}}]
  ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
"""
_BOTH = """
- to:
  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}
    podSelector: {matchLabels: {app: coredns}}
  ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
"""
_RIGHT = """
- to:
  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
  ports: [{protocol: TCP, port: 53}]
"""
_DNS = ("default/web -> kube-system/svc/kube-dns:53/UDP", "default/web -> kube-system/coredns:53/UDP")


def _asked(folder: Path, rules: str, arrow: str) -> tuple[Verdict, str]:
    path = folder / "manifests.yaml"
    path.write_text(_CLUSTER.lstrip() + indent(rules.lstrip(), "  "))
    found = explain(load([str(path)]), parse(arrow))
    out = io.StringIO()
    explain_text.write(found, out)
    return found[0].verdict, out.getvalue()


@pytest.mark.parametrize("arrow", _DNS)
def test_it_says_where_the_dns_pods_are_and_where_the_rule_looks(tmp_path: Path, arrow: str) -> None:
    verdict, said = _asked(tmp_path, _ALONE, arrow)
    assert verdict is Verdict.DENIED
    assert "does not take the DNS pods: they are in namespace kube-system with k8s-app=kube-dns." in said
    assert "A podSelector alone (app=coredns) looks only into the policy's own namespace, default." in said


@pytest.mark.parametrize("arrow", _DNS)
def test_the_rule_that_it_gives_lets_names_be_looked_up(tmp_path: Path, arrow: str) -> None:
    _, said = _asked(tmp_path, _ALONE, arrow)
    given = said.split("The rule that takes them:\n")[1]
    assert _asked(tmp_path, dedent(given), arrow)[0] is Verdict.ALLOWED
    assert _asked(tmp_path, dedent(given), arrow.replace("UDP", "TCP"))[0] is Verdict.ALLOWED


def test_of_both_selectors_none_is_called_alone(tmp_path: Path) -> None:
    _, said = _asked(tmp_path, _BOTH, _DNS[0])
    assert "they are in namespace kube-system with k8s-app=kube-dns." in said
    assert "alone" not in said


def test_a_rule_that_takes_them_and_lacks_the_port_is_no_miss(tmp_path: Path) -> None:
    verdict, said = _asked(tmp_path, _RIGHT, _DNS[0])
    assert verdict is Verdict.DENIED
    assert "does not take the DNS pods" not in said


def test_another_destination_is_no_question_of_dns(tmp_path: Path) -> None:
    verdict, said = _asked(tmp_path, _ALONE, "default/web -> 203.0.113.1:53/UDP")
    assert verdict is Verdict.DENIED
    assert "DNS pods" not in said
