"""The matrix by pod: the pods of a workload apart, also where its name was asked for."""

from __future__ import annotations

from conftest import Run

OWNER = "ownerReferences: [{kind: ReplicaSet, name: web-abc, controller: true}]"
TEXT = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: web-1, namespace: shop, labels: {{v: '1', pod-template-hash: abc}}, {OWNER}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web-2, namespace: shop, labels: {{v: '2', pod-template-hash: abc}}, {OWNER}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: db, namespace: shop, labels: {{app: db}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: guard, namespace: shop}}
spec: {{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{{podSelector: {{matchLabels: {{v: '1'}}}}}}]}}]}}
""".encode()


def test_pods_of_one_owner_that_differ(run: Run) -> None:
    whole = run("matrix", "-", "--to", "shop/db", "--format", "txt", stdin=TEXT).out.splitlines()
    assert whole == ["shop/web[Deployment] => shop/db[Pod] : No Connections ; mixed: All Connections"]
    apart = run("matrix", "-", "--to", "shop/db", "--format", "txt", "--by", "pod", stdin=TEXT).out.splitlines()
    assert apart == ["shop/web-1[Pod] => shop/db[Pod] : All Connections"]


def test_a_workload_that_was_asked_for_is_its_pods(run: Run) -> None:
    lines = run("matrix", "-", "--from", "shop/web", "--to", "shop/*", "--format", "txt", "--by", "pod", stdin=TEXT).out
    assert lines.splitlines() == [
        "shop/web-1[Pod] => shop/db[Pod] : All Connections",
        "shop/web-2[Pod] => shop/web-1[Pod] : All Connections",
        "shop/web-1[Pod] => shop/web-2[Pod] : All Connections",
    ]
