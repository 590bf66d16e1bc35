"""From pods and their owners to workloads (S25, S33, S65, S121, S125, S136)."""

from __future__ import annotations

from textwrap import dedent

import pytest

from manifests.reading import read
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Workload


def _read(text: str, *, direct: bool = False) -> Cluster:
    return read(dedent(text), direct=direct)


def _only(cluster: Cluster) -> Workload:
    (workload,) = cluster.workloads
    return workload


def _pod(name: str, owner: str = "", *, labels: str = "{}", status: str = "{phase: Running}", spec: str = "{}") -> str:
    references = f", ownerReferences: [{owner}]" if owner else ""
    return (
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {labels}{references}}}\n"
        f"spec: {spec}\nstatus: {status}\n"
    )


@pytest.mark.parametrize(
    ("kind", "version", "spec"),
    [
        ("Deployment", "apps/v1", "{replicas: 3, template: {metadata: {labels: {app: a}}}}"),
        ("ReplicaSet", "apps/v1", "{replicas: 3, template: {metadata: {labels: {app: a}}}}"),
        ("StatefulSet", "apps/v1", "{replicas: 3, template: {metadata: {labels: {app: a}}}}"),
        ("ReplicationController", "v1", "{replicas: 3, template: {metadata: {labels: {app: a}}}}"),
        ("Job", "batch/v1", "{parallelism: 3, template: {metadata: {labels: {app: a}}}}"),
        ("CronJob", "batch/v1", "{jobTemplate: {spec: {parallelism: 3, template: {metadata: {labels: {app: a}}}}}}"),
    ],
)
def test_templates_give_labels_and_numbers(kind: str, version: str, spec: str) -> None:
    """S25: the labels are the template's, never those of the object."""
    workload = _only(
        read(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: w, labels: {{app: other}}}}\nspec: {spec}\n")
    )
    (pod,) = workload.pods
    assert workload.id == f"default/w[{kind}]"
    assert pod.labels["app"] == "a"
    assert (pod.template, workload.replicas, workload.no_replicas) == (True, 3, False)


def test_a_daemon_set_has_a_pod_on_each_node() -> None:
    text = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: w}\nspec: {template: {}}\n"
    nodes = "".join(f"---\napiVersion: v1\nkind: Node\nmetadata: {{name: n-{number}}}\n" for number in range(3))
    assert _only(read(text)).replicas == 2, "several, when nothing says how many"
    assert _only(read(text + nodes)).replicas == 3
    assert _only(read(text + "status: {desiredNumberScheduled: 7}\n" + nodes)).replicas == 7


def test_no_replicas_stand_for_one() -> None:
    workload = _only(
        read("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {replicas: 0, template: {}}\n")
    )
    assert (workload.replicas, workload.no_replicas) == (1, True)


REPLICA_SET = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: w}
spec: {replicas: 2, template: {metadata: {labels: {app: a}}}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: w-x, ownerReferences: [{kind: Deployment, name: w, controller: true}]}
spec: {replicas: 2, template: {metadata: {labels: {app: a}}}}
"""


def test_a_replica_set_is_part_of_its_deployment() -> None:
    workload = _only(read(REPLICA_SET))
    assert (workload.id, workload.pods[0].template) == ("default/w[Deployment]", True)


def test_live_pods_stand_for_the_template_of_their_owner() -> None:
    owner = "{kind: ReplicaSet, name: w-x, controller: true}"
    workload = _only(read(REPLICA_SET + _pod("w-x-1", owner) + _pod("w-x-2", owner)))
    assert workload.id == "default/w[Deployment]"
    assert [(pod.name, pod.template) for pod in workload.pods] == [("w-x-1", False), ("w-x-2", False)]


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ("{}", True), ("{phase: Running}", True), ("{phase: Pending}", False),
        ("{phase: Running, conditions: [{type: Ready, status: 'False'}]}", False),
        ("{phase: Running, conditions: [{type: Ready, status: 'True'}]}", True),
    ],
)  # fmt: skip
def test_which_pods_a_service_leads_to(status: str, ready: bool) -> None:
    (pod,) = _only(read(_pod("p", status=status))).pods
    assert pod.ready == ready


@pytest.mark.parametrize(
    ("owner", "labels", "workload"),
    [
        ("{kind: ReplicaSet, name: web-5d9, controller: true}", "{pod-template-hash: 5d9}", "default/web[Deployment]"),
        (
            "{kind: ReplicaSet, name: web-5d9, controller: true}",
            "{pod-template-hash: abc}",
            "default/web-5d9[ReplicaSet]",
        ),
        ("{kind: ReplicaSet, name: web-5d9, controller: true}", "{}", "default/web-5d9[ReplicaSet]"),
        ("{kind: Job, name: web-5d9, controller: true}", "{pod-template-hash: 5d9}", "default/web-5d9[Job]"),
        ("{kind: Node, name: node-1, controller: true}", "{}", "default/p[Pod]"),
        ("{kind: Cluster, name: pg, controller: true}", "{}", "default/pg[Cluster]"),
        ("{kind: A, name: a}, {kind: B, name: b, controller: true}", "{}", "default/b[B]"),
        ("{kind: A, name: a}, {kind: B, name: b}", "{}", "default/p[Pod]"),
    ],
)
def test_owners_are_evidence_and_never_guessed(owner: str, labels: str, workload: str) -> None:
    """S121."""
    assert _only(read(_pod("p", owner, labels=labels))).id == workload


def test_np_guard_names_the_direct_owner() -> None:
    """S136."""
    owner = "{kind: ReplicaSet, name: web-5d9, controller: true}"
    workload = _only(read(_pod("p", owner, labels="{pod-template-hash: 5d9}"), direct=True))
    assert workload.id == "default/web-5d9[ReplicaSet]"
    assert _only(read(_pod("virt-launcher-x") + _pod("p"), direct=True)).id == "default/p[Pod]"


def test_finished_pods_are_left_out() -> None:
    """S33."""
    owner = "{kind: Job, name: j, controller: true}"
    assert (
        _only(read(_pod("a", status="{phase: Succeeded}") + _pod("b", status="{phase: Failed}") + _pod("c"))).name
        == "c"
    )
    job = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {}}\n"
    assert read(job + _pod("a", owner, status="{phase: Succeeded}")).workloads == ()
    assert read(job + "status: {conditions: [{type: Complete, status: 'True'}]}\n").workloads == ()
    assert _only(read(job)).id == "default/j[Job]"


def test_an_address_belongs_to_the_running_pod() -> None:
    """S33."""
    cluster = read(
        _pod("a", status="{phase: Pending, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}")
        + _pod("b", status="{phase: Running, podIP: 10.0.0.1}")
    )
    a, b = cluster.pods
    assert [str(ip) for ip in a.ips] == ["fd00::1"]
    assert [str(ip) for ip in b.ips] == ["10.0.0.1"]


def test_job_pods_wear_the_name_of_the_job() -> None:
    pod = _only(read("apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {}}\n")).pods[0]
    assert pod.labels == {"batch.kubernetes.io/job-name": "j", "job-name": "j"}
    assert pod.generated == {"batch.kubernetes.io/controller-uid", "controller-uid"}


STATEFUL_SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec: {replicas: 3, template: {metadata: {labels: {app: db}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p}
spec: {podSelector: {matchLabels: {KEY: VALUE}}}
"""


def test_a_stateful_set_is_spread_out_when_a_selector_tells_its_pods_apart() -> None:
    apart = _only(read(STATEFUL_SET.replace("KEY: VALUE", "statefulset.kubernetes.io/pod-name: db-0")))
    assert [(pod.name, pod.labels["apps.kubernetes.io/pod-index"]) for pod in apart.pods] == [
        ("db-0", "0"), ("db-1", "1"), ("db-2", "2"),
    ]  # fmt: skip
    together = _only(read(STATEFUL_SET.replace("KEY: VALUE", "app: db")))
    assert [(pod.name, pod.replicas) for pod in together.pods] == [("db", 3)]


def test_only_restartable_init_containers_give_names() -> None:
    """S65."""
    spec = (
        "{containers: [{ports: [{name: a, containerPort: 1}]}], initContainers: "
        "[{ports: [{name: b, containerPort: 2}]}, {restartPolicy: Always, ports: [{name: c, containerPort: 3}]}]}"
    )
    (pod,) = _only(read(_pod("p", spec=spec))).pods
    assert [(port.name, port.container) for port in pod.ports] == [
        ("a", "main"),
        ("b", "init"),
        ("c", "restartable-init"),
    ]


def test_replica_sets_of_a_deployment_that_was_not_read_stand_for_it() -> None:
    text = "".join(
        f"---\napiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {{name: w-{name}, ownerReferences: "
        f"[{{kind: Deployment, name: w, controller: true}}]}}\nspec: {{replicas: {count}, template: {{}}}}\n"
        for name, count in (("old", 0), ("new", 2))
    )
    workload = _only(read(text))
    assert (workload.id, [pod.name for pod in workload.pods], workload.replicas) == (
        "default/w[Deployment]",
        ["w-new"],
        2,
    )


def test_services_and_slices_and_nodes() -> None:
    """S26, S78."""
    cluster = _read(
        """\
        apiVersion: v1
        kind: Service
        metadata: {name: a}
        spec: {selector: {app: a}, ports: [{port: 80}, {port: 81, targetPort: web, protocol: UDP, name: u}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: b}
        spec: {clusterIP: None, selector: {}, ports: [{port: 80, targetPort: 0}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: c}
        spec: {type: ExternalName, externalName: db.example.org}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: b-1, labels: {kubernetes.io/service-name: b}}
        addressType: IPv4
        ports: [{port: 8080}]
        endpoints:
        - {addresses: [10.0.0.1], targetRef: {kind: Pod, name: p}}
        - {addresses: [10.0.0.2], conditions: {ready: false}}
        ---
        apiVersion: v1
        kind: Node
        metadata: {name: node-1}
        status: {addresses: [{type: InternalIP, address: 172.18.0.2}, {type: Hostname, address: node-1}]}
        """
    )
    a, b, c = cluster.services
    assert [(p.port, p.target, p.protocol) for p in a.ports] == [(80, 80, "TCP"), (81, "web", "UDP")]
    assert (b.headless, b.selector, b.ports[0].target) == (True, None, 80)
    assert (c.external_name, c.selector) == ("db.example.org", None)
    (piece,) = cluster.slices
    assert (piece.service, [(e.ready, e.pod) for e in piece.endpoints]) == ("b", [(True, "p"), (False, None)])
    assert [str(ip) for ip in cluster.nodes[0].addresses] == ["172.18.0.2"]
    assert cluster.findings == ()


def test_every_namespace_has_its_name_as_a_label() -> None:
    """S24: also over a different value."""
    cluster = read(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {kubernetes.io/metadata.name: b, x: z}}\n"
    )
    assert cluster.namespaces["a"].labels == {"kubernetes.io/metadata.name": "a", "x": "z"}


@pytest.mark.parametrize(
    ("said", "owner"), [("", "ReplicaSet"), (", controller: true", "ReplicaSet"), (", controller: false", "Pod")]
)
def test_an_owner_that_says_it_is_no_controller_is_none(said: str, owner: str) -> None:
    """S121: one that does not say is taken for it."""
    reference = f"{{kind: ReplicaSet, name: web{said}}}"
    (found,) = read(f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web-1, ownerReferences: [{reference}]}}\n").workloads
    assert found.kind == owner
