"""Checks of DNS, beyond one example for each: what else triggers them, and what must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.asking import linting, manifests
from ringfence.query.lint.run import lint
from ringfence.query.lint.table import meant

_DNS = manifests("dns.yaml")
_TASKS = manifests("tasks.yaml")
_CACHE = manifests("dns-cache.yaml")


def _policy(spec: str, namespace: str = "tasks", name: str = "p") -> str:
    head = (
        f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
    )
    return f"{head}spec: {spec}\n"


def _pod(spec: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: b, namespace: b}}\nspec: {spec}\n"


def _found(folder: Path, code: str, *texts: str, options: tuple[str, ...] = ()) -> list[str]:
    path = folder / "all.yaml"
    path.write_text("---\n".join(texts))
    return [f"{f.severity} {f.object} {f.message}" for f in lint(linting([path], options), meant([code], "-")).findings]


def _to_openshift(port: int) -> str:
    peer = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: openshift-dns}}"
    ports = f"[{{protocol: UDP, port: {port}}}, {{protocol: TCP, port: {port}}}]"
    return _policy(f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{{peer}}}], ports: {ports}}}]}}")


@pytest.mark.parametrize("code", ["RF101", "RF103", "RF104"])
def test_dns_of_openshift_is_dns(tmp_path: Path, code: str) -> None:
    """A policy that is right there is no mistake, though kube-system cannot be asked."""
    assert _found(tmp_path, code, _TASKS, _to_openshift(5353)) == []


def test_pods_without_dns_are_told_once_for_the_policy_that_denies(tmp_path: Path) -> None:
    """However many policies of single workloads stand beside the deny of the whole namespace."""
    deny = _policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", name="deny")
    each = [
        _policy(f"{{podSelector: {{matchLabels: {{app: {app}}}}}, policyTypes: [Egress], egress: "
                "[{to: [{podSelector: {}}], ports: [{port: 80}]}]}", name=f"a-{app}")
        for app in ("task-api", "db")
    ]  # fmt: skip
    (said,) = _found(tmp_path, "RF101", _TASKS, deny, *each)
    assert said == "error tasks/deny isolates pods for egress (with a-db, a-task-api), and no rule lets them reach DNS"
    (said,) = _found(tmp_path, "RF101", _TASKS, each[0])
    assert said.endswith("tasks/a-task-api isolates pods for egress, and no rule lets them reach DNS")


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("https://api.example.com/v1", True),
        ("host=db port=5432 user=app", True),
        ("app:secret@tcp(db:3306)/tasks", True),
        ("pg_isready -h db", True),
        ("db.data.svc.cluster.local", True),
        ("redis://10.0.0.5:6379", False),
        ("http://localhost:8080", False),
        ("12:30", False),
        ("a mere word", False),
    ],
)
def test_what_names_a_host_is_what_infer_takes_for_one(value: str, named: bool, tmp_path: Path) -> None:
    """RF101 is an error for pods that surely look names up: the forms are those of the draft of intents."""
    text = _pod(f"{{containers: [{{name: b, image: b, env: [{{name: X, value: {value!r}}}]}}]}}")
    (said,) = _found(tmp_path, "RF101", text, _policy("{podSelector: {}, policyTypes: [Egress]}", "b"))
    assert said.partition(" ")[0] == ("error" if named else "warning")


def test_the_wrong_port_there_is_told_once(tmp_path: Path) -> None:
    assert _found(tmp_path, "RF101", _TASKS, _to_openshift(53)) == []
    assert len(_found(tmp_path, "RF104", _TASKS, _to_openshift(53))) == 1


def test_dns_pods_that_keep_the_cache_of_the_node_out(tmp_path: Path) -> None:
    spec = (
        "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {}}], ports: "
        "[{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}]}"
    )
    (said,) = _found(tmp_path, "RF105", _DNS, _CACHE, _policy(spec, "kube-system"))
    assert "do not admit kube-system/node-local-dns" in said
    wide = spec.replace("from: [{namespaceSelector: {}}], ", "")
    assert _found(tmp_path, "RF105", _DNS, _CACHE, _policy(wide, "kube-system")) == []


def test_dns_pods_that_only_some_namespaces_may_ask(tmp_path: Path) -> None:
    peer = "{namespaceSelector: {matchLabels: {team: core}}}"
    spec = f"{{podSelector: {{matchLabels: {{k8s-app: kube-dns}}}}, ingress: [{{from: [{peer}]}}]}}"
    (said,) = _found(tmp_path, "RF109", _TASKS, _DNS, _policy(spec, "kube-system"))
    assert "no rule admits port 53 from namespace gateway" in said


def test_dns_pods_that_may_not_ask_anybody(tmp_path: Path) -> None:
    spec = "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}"
    (said,) = _found(tmp_path, "RF109", _TASKS, _DNS, _policy(spec, "kube-system"))
    assert "upstream name servers (UDP 53)" in said
    assert "API server" not in said


def test_a_default_deny_in_kube_system_alone(tmp_path: Path) -> None:
    """The DNS pods are not in the input; it selects them all the same."""
    said = _found(tmp_path, "RF109", _policy("{podSelector: {}, policyTypes: [Ingress]}", "kube-system"))
    assert len(said) == 1
    assert _found(tmp_path, "RF109", _policy("{podSelector: {matchLabels: {app: x}}}", "kube-system")) == []


def test_a_pod_with_name_servers_of_its_own_is_not_asked_for_cluster_dns(tmp_path: Path) -> None:
    pod = _pod("{dnsPolicy: Default, containers: [{name: b}]}")
    deny = _policy("{podSelector: {}, policyTypes: [Egress]}", "b")
    assert _found(tmp_path, "RF101", pod, deny) == []
    (said,) = _found(tmp_path, "RF111", pod, deny)
    assert said.startswith("note b/b asks the name servers of its node")


@pytest.mark.parametrize(
    "given",
    [
        "envFrom: [{configMapRef: {name: settings}}]",
        "env: [{name: DB, valueFrom: {configMapKeyRef: {name: settings, key: url}}}]",
        "volumeMounts: [{name: s, mountPath: /etc/s}]}], volumes: [{name: s, configMap: {name: settings}",
    ],
)
def test_hosts_in_config_maps_are_named_too(tmp_path: Path, given: str) -> None:
    """Then a pod that cannot look up names is an error and not a warning."""
    settings = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: b}\ndata: {url: "%s"}\n'
    pod = _pod(f"{{containers: [{{name: b, {given}}}]}}")
    deny = _policy("{podSelector: {}, policyTypes: [Egress]}", "b")
    (said,) = _found(tmp_path, "RF101", pod, deny, settings % "postgres://db.example.com/x")
    assert said.startswith("error")
    (said,) = _found(tmp_path, "RF101", pod, deny, settings % "10.0.0.1")
    assert said.startswith("warning")


@pytest.mark.parametrize(("profile", "count"), [("aws-vpc-cni", 0), ("calico", 1)])
def test_the_address_of_the_dns_service_where_it_is_seen(tmp_path: Path, profile: str, count: int) -> None:
    spec = (
        "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.96.0.10/32}}], "
        "ports: [{protocol: UDP, port: 53}]}]}"
    )
    service = _DNS.replace("  selector:", "  clusterIP: 10.96.0.10\n  selector:", 1)
    assert len(_found(tmp_path, "RF110", _TASKS, service, _policy(spec), options=("--profile", profile))) == count


_TIGHT = (
    "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: "
    "{kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: %s}}}], "
    "ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}]}"
)


def test_the_cache_of_the_node_by_option(tmp_path: Path) -> None:
    """No DaemonSet is in the input, and somebody says that it is there."""
    assert _found(tmp_path, "RF105", _TASKS, _DNS, _policy(_TIGHT % "kube-dns")) == []
    said = _found(tmp_path, "RF105", _TASKS, _DNS, _policy(_TIGHT % "kube-dns"), options=("--dns", "node-local"))
    assert len(said) == 1
    assert "169.254.20.10" in said[0]


def test_the_cache_of_the_node_behind_a_local_redirect(tmp_path: Path) -> None:
    """Then it is a pod like others, and a selector takes it."""
    cache = _CACHE.replace("      hostNetwork: true\n", "")
    redirect = (
        "apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\nmetadata: {name: n, namespace: kube-system}\n"
    )
    rest = (_TASKS, _DNS, cache, redirect)
    (said,) = _found(tmp_path, "RF105", *rest, _policy(_TIGHT % "kube-dns"))
    assert "the pods of kube-system/node-local-dns" in said
    both = (_policy(_TIGHT % "kube-dns"), _policy(_TIGHT % "node-local-dns", name="q"))
    assert _found(tmp_path, "RF105", *rest, *both) == []


def test_openshift_by_option(tmp_path: Path) -> None:
    everybody = _policy("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}]}]}")
    assert _found(tmp_path, "RF104", _TASKS, everybody) == []
    assert len(_found(tmp_path, "RF104", _TASKS, everybody, options=("--dns", "openshift"))) == 1


def test_any_address_is_the_way_on_the_node_of_eks_auto(tmp_path: Path) -> None:
    wide = _policy("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}]}]}")
    for code in ("RF107", "RF108"):
        assert _found(tmp_path, code, _TASKS, wide, options=("--profile", "eks-auto")) == []
