"""Each row of the table of evidence is found by objects as such clusters have them, and says what it should."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from live.simulated import daemonset, node, ready_pod
from ringfence.live.doctor import detect, nodes
from ringfence.live.doctor.dns import dns
from ringfence.live.doctor.evidence import TABLE, Where
from ringfence.live.doctor.nouns import Candidate, Expected
from ringfence.live.doctor.readers import readers
from ringfence.live.doctor.reading import Seen
from ringfence.model.profiles import PROFILES

Json = dict[str, Any]


def seen(*objects: Json, **more: Any) -> Seen:
    """What reading *objects* would give."""
    by_kind = {kind: tuple(o for o in objects if o["kind"] == kind)
               for kind in ("Node", "DaemonSet", "Deployment", "ClusterRole", "ClusterRoleBinding")}  # fmt: skip
    return Seen("v1.34.0", by_kind["Node"], by_kind["DaemonSet"], by_kind["Deployment"], roles=by_kind["ClusterRole"],
                bindings=by_kind["ClusterRoleBinding"], **more)  # fmt: skip


def role(name: str, resources: list[str], verbs: list[str], group: str = "networking.k8s.io") -> Json:
    rules = [{"apiGroups": [group], "resources": resources, "verbs": verbs}]
    return {"kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}


def args_node(key: str, *words: str, kubelet: str) -> Json:
    return node("server-0", kubelet=kubelet, metadata={"annotations": {key: json.dumps(["server", *words])}})


AWS: Final = "602401143452.dkr.ecr.eu-central-1.amazonaws.com"
AKS_NODE: Final = node("aks-1", labels={"kubernetes.azure.com/cluster": "x"})
GKE_NODE: Final = node("gke-1", labels={"cloud.google.com/gke-nodepool": "x"}, kubelet="v1.33.1-gke.100")


def aws(*args: str, **more: Any) -> Json:
    made = daemonset("aws-node", f"{AWS}/amazon-k8s-cni:v1.20.1,{AWS}/amazon/aws-network-policy-agent:v1.2.1", **more)
    made["spec"]["template"]["spec"]["containers"][1]["args"] = list(args)
    return made


KINDNET: Final = daemonset("kindnet", "docker.io/kindest/kindnetd:v20250512-df8de77b", labels={"app": "kindnet"})
FLANNEL: Final = daemonset("kube-flannel-ds", "ghcr.io/flannel-io/flannel:v0.26.7,docker.io/flannel/flannel:v0.26.7",
                           "kube-flannel", labels={"app": "flannel"})  # fmt: skip
CILIUM: Final = daemonset("cilium", "quay.io/cilium/cilium:v1.17.4@sha256:0123", labels={"k8s-app": "cilium"})

ROWS: Final[dict[str, tuple[Seen, bool | None, str]]] = {
    "Canal": (seen(daemonset("rke2-canal", "rancher/hardened-calico:v3.29.3,rancher/hardened-flannel:v0.26.7"),
                   configs={"canal-config": {"canal_iface": "eth1"}}), True, "ConfigMap kube-system/canal-config"),
    "Calico": (seen(daemonset("calico-node", "docker.io/calico/node:v3.30.0", "calico-system",
                              labels={"k8s-app": "calico-node"}), groups=frozenset({"crd.projectcalico.org"})),
               True, "API group crd.projectcalico.org"),
    "GKE Dataplane V2": (seen(daemonset("anetd", "gke.gcr.io/cilium/cilium:v1.15.6-gke.1",
                                        labels={"k8s-app": "cilium"}), GKE_NODE), True, "gke.gcr.io/cilium"),
    "Cilium": (seen(CILIUM, configs={"cilium-config": {"enable-policy": "default", "policy-audit-mode": "false"}},
                    groups=frozenset({"cilium.io"})), True, "enable-policy=default"),
    "Antrea": (seen(daemonset("antrea-agent", "antrea/antrea-agent-ubuntu:v2.3.0",
                              labels={"app": "antrea", "component": "antrea-agent"}),
                    configs={"antrea-config": {}}), True, "ConfigMap kube-system/antrea-config"),
    "OVN-Kubernetes": (seen(daemonset("ovnkube-node", "quay.io/openshift-release-dev/x@sha256:00",
                                      "openshift-ovn-kubernetes"),
                            fields={("networks.config.openshift.io/cluster", "status.networkType"): "OVNKubernetes"}),
                       True, "status.networkType=OVNKubernetes"),
    "kube-network-policies": (seen(daemonset("kube-network-policies",
                                             "registry.k8s.io/networking/kube-network-policies:v0.9.2",
                                             args=["/bin/netpol", "--v=2"])), True, "argument /bin/netpol"),
    "kindnet": (seen(KINDNET, role("kindnet", ["networkpolicies"], ["list", "watch"])), True,
                "ClusterRole kindnet may list and watch networkpolicies"),
    "flannel": (seen(FLANNEL), False, "container kube-network-policies: absent"),
    "kube-router": (seen(daemonset("kube-router", "docker.io/cloudnativelabs/kube-router:v2.5.0",
                                   args=["--run-router=true", "--run-firewall=true"])), True, "--run-firewall=true"),
    "k3s": (seen(node("k3s-1", kubelet="v1.33.1+k3s1")), True, "kubelet v1.33.1+k3s1"),
    "RKE2": (seen(args_node("rke2.io/node-args", "--cni", "none", kubelet="v1.33.1+rke2r1")), None, "--cni=none"),
    "Weave Net": (seen(daemonset("weave-net", "weaveworks/weave-kube:2.8.1,weaveworks/weave-npc:2.8.1")), True,
                  "container weave-npc: there"),
    "AWS VPC CNI": (seen(aws("--enable-network-policy=true", env=[{"name": "NETWORK_POLICY_ENFORCING_MODE",
                                                                   "value": "strict"}]),
                         crds=frozenset({"policyendpoints.networking.k8s.aws"}),
                         groups=frozenset({"networking.k8s.aws"})), True, "NETWORK_POLICY_ENFORCING_MODE=strict"),
    "EKS Auto Mode": (seen(node("i-1", kubelet="v1.33.1-eks-1"), crds=frozenset({"nodeclasses.eks.amazonaws.com"}),
                           configs={"amazon-vpc-cni": {"enable-network-policy-controller": "true"}},
                           fields={("nodeclasses.eks.amazonaws.com", "spec.networkPolicy"): "DefaultAllow"}), True,
                      "spec.networkPolicy=DefaultAllow"),
    "Azure NPM": (seen(daemonset("azure-npm", "mcr.microsoft.com/containernetworking/azure-npm:v1.6.29",
                                 labels={"k8s-app": "azure-npm"}), AKS_NODE), True, "azure-npm"),
    "Kube-OVN": (seen(daemonset("kube-ovn-cni", "docker.io/kubeovn/kube-ovn:v1.14.0")), True, "kubeovn/kube-ovn"),
    "GKE without Dataplane V2": (seen(daemonset("netd", "gke.gcr.io/netd:1"), GKE_NODE), False, "gke-nodepool"),
    "AKS without a policy option": (seen(daemonset("azure-cns", "mcr.microsoft.com/azure-cns:v1"), AKS_NODE), False,
                                    "label kubernetes.azure.com/cluster"),
    "Docker Desktop": (seen(node("docker-desktop")), False, "node docker-desktop: its name"),
    "minikube": (seen(node("minikube", labels={"minikube.k8s.io/name": "minikube"})), False,
                 "label minikube.k8s.io/name"),
    "Rancher Desktop": (seen(node("lima-rancher-desktop", kubelet="v1.33.1+k3s1")), None, "lima-rancher-desktop"),
}  # fmt: skip


def the(plugin: str, found: tuple[Candidate, ...]) -> Candidate:
    (one,) = [one for one in found if one.plugin == plugin]
    return one


@pytest.mark.parametrize("plugin", [row.plugin for row in TABLE])
def test_every_row_is_found(plugin: str) -> None:
    what, enforcing, evidence = ROWS[plugin]
    one = the(plugin, detect.candidates(what))
    assert one.enforcing is enforcing
    assert any(evidence in told for told in one.evidence), one.evidence


def test_every_profile_of_the_table_is_one() -> None:
    assert {row.profile for row in TABLE} - {""} <= set(PROFILES)
    assert len({row.plugin for row in TABLE}) == len(TABLE)


def test_a_cluster_that_shows_nothing_has_no_candidate() -> None:
    nothing = seen(node("node-1"), daemonset("node-exporter", "quay.io/prometheus/node-exporter:v1.9.1"))
    assert detect.candidates(nothing) == ()
    assert Expected(candidates=()).sentence == "none found"
    assert detect.profile(()) == ""


# -- switches -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "enforcing"),
    [
        ({}, True), ({"enable-policy": "always"}, True), ({"enable-policy": "never"}, False),
        ({"policy-audit-mode": "true"}, False), ({"enable-k8s-networkpolicy": "false"}, False),
        ({"enable-l7-proxy": "false", "policy-cidr-match-mode": "nodes"}, True),
    ],
)  # fmt: skip
def test_cilium_is_judged_by_its_configuration(config: dict[str, str], enforcing: bool) -> None:
    one = the("Cilium", detect.candidates(seen(CILIUM, configs={"cilium-config": config})))
    assert one.enforcing is enforcing
    for key, value in config.items():
        assert f"ConfigMap kube-system/cilium-config: {key}={value}" in one.evidence


def test_what_turns_it_off_and_could_not_be_read_makes_it_unknown() -> None:
    unread = frozenset({"configmap cilium-config"})
    assert the("Cilium", detect.candidates(seen(CILIUM, unread=unread))).enforcing is None
    unread = frozenset({"clusterroles"})
    assert the("kindnet", detect.candidates(seen(KINDNET, unread=unread))).enforcing is None


def test_kindnet_without_the_right_to_read_policies_does_not_enforce() -> None:
    assert the("kindnet", detect.candidates(seen(KINDNET, role("kindnet", ["nodes"], ["list"], "")))).enforcing is False
    older = daemonset("kindnet", "aojea/kindnetd:v1.1.0", args=["--network-policy=true"])
    assert the("kindnet", detect.candidates(seen(older, role("kindnet", ["nodes"], ["list"], "")))).enforcing is True


def test_flannel_with_the_container_of_kube_network_policies_enforces() -> None:
    images = "flannel/flannel:v0.26.7,registry.k8s.io/networking/kube-network-policies:v0.7"
    with_it = daemonset("kube-flannel-ds", images, "kube-flannel")
    (one,) = detect.candidates(seen(with_it))
    assert (one.plugin, one.enforcing, one.profile) == ("flannel", True, "kube-network-policies")


def test_kube_router_without_its_firewall_does_not_enforce() -> None:
    off = daemonset("kube-router", "cloudnativelabs/kube-router:v2.5.0", args=["--run-firewall=false"])
    assert the("kube-router", detect.candidates(seen(off))).enforcing is False


@pytest.mark.parametrize(
    ("words", "enforcing"),
    [
        ((), True), (("--disable-network-policy",), False), (("--disable-network-policy", "true"), False),
        (("--disable-network-policy=true",), False), (("--disable-network-policy", "false"), True),
        (("--disable-network-policy", "--flannel-backend", "none"), False), (("--flannel-backend", "none"), True),
    ],
)  # fmt: skip
def test_k3s_is_judged_by_its_arguments(words: tuple[str, ...], enforcing: bool) -> None:
    agent = args_node("k3s.io/node-args", kubelet="v1.33.1+k3s1")
    server = args_node("k3s.io/node-args", *words, kubelet="v1.33.1+k3s1")
    assert the("k3s", detect.candidates(seen(server, agent))).enforcing is enforcing
    assert the("k3s", detect.candidates(seen(agent, server))).enforcing is enforcing


def test_the_aws_cni_is_off_by_default() -> None:
    for args, enforcing in (((), False), (("--enable-network-policy=false",), False),
                            (("--enable-network-policy=true",), True)):  # fmt: skip
        assert the("AWS VPC CNI", detect.candidates(seen(aws(*args)))).enforcing is enforcing


def test_eks_auto_mode_needs_its_config_map() -> None:
    without = seen(node("i-1"), crds=frozenset({"nodeclasses.eks.amazonaws.com"}))
    assert the("EKS Auto Mode", detect.candidates(without)).enforcing is False


def test_only_words_that_are_known_are_told_of_a_variable() -> None:
    planted = aws("--enable-network-policy=true", env=[{"name": "NETWORK_POLICY_ENFORCING_MODE", "value": "hunter2"}])
    assert not any("hunter2" in told for told in the("AWS VPC CNI", detect.candidates(seen(planted))).evidence)


# -- several at once ------------------------------------------------------------------------------------------------


def test_where_plugins_are_chained_the_one_that_enforces_counts() -> None:
    calico = daemonset("calico-node", "calico/node:v3.30.0", "calico-system")
    found = detect.candidates(seen(aws(), calico))
    assert {one.plugin: one.enforcing for one in found} == {"Calico": True, "AWS VPC CNI": False}
    assert detect.profile(found) == "calico"
    assert Expected(candidates=found).sentence == "Calico v3.30.0, enforcing"


def test_two_that_enforce_propose_no_profile() -> None:
    knp = daemonset("kube-network-policies", "registry.k8s.io/networking/kube-network-policies:v0.9.2")
    found = detect.candidates(seen(CILIUM, knp))
    assert detect.profile(found) == ""
    assert Expected(candidates=found).sentence == "Cilium v1.17.4 and kube-network-policies v0.9.2, enforcing"


@pytest.mark.parametrize(
    ("plugin", "where"),
    [("AKS without a policy option", AKS_NODE), ("GKE without Dataplane V2", GKE_NODE),
     ("minikube", node("minikube", labels={"minikube.k8s.io/name": "minikube"}))],
)  # fmt: skip
def test_a_platform_without_a_plugin_is_no_finding_where_there_is_one(plugin: str, where: Json) -> None:
    assert plugin in [one.plugin for one in detect.candidates(seen(where))]
    assert plugin not in [one.plugin for one in detect.candidates(seen(where, CILIUM))]


def test_docker_desktop_in_kind_mode_is_kindnet() -> None:
    found = detect.candidates(seen(node("desktop-control-plane"), KINDNET,
                                   role("kindnet", ["networkpolicies"], ["list", "watch"])))  # fmt: skip
    assert [one.plugin for one in found] == ["kindnet"]


def test_rancher_desktop_is_k3s_and_reported_not_to_enforce() -> None:
    what, *_ = ROWS["Rancher Desktop"]
    found = detect.candidates(what)
    assert [one.plugin for one in found] == ["k3s", "Rancher Desktop"]
    assert detect.platform(what) == "Rancher Desktop"


def test_an_image_is_enough_when_the_name_is_another() -> None:
    odd = daemonset("networking", "mirror.example.com/cilium/cilium:v1.16.0", "net")
    assert [one.plugin for one in detect.candidates(seen(odd))] == ["Cilium"]
    canal = daemonset("net", "calico/node:v3.29.0,flannel/flannel:v0.26.0", "net")
    assert [one.plugin for one in detect.candidates(seen(canal))] == ["Canal"]


def test_a_label_is_enough_in_its_own_namespace_alone() -> None:
    odd = daemonset("dataplane", "mirror.example.com/x:1", labels={"k8s-app": "cilium"})
    assert [one.plugin for one in detect.candidates(seen(odd))] == ["Cilium"]
    other = daemonset("dataplane", "mirror.example.com/x:1", "shop", labels={"k8s-app": "cilium"})
    assert detect.candidates(seen(other)) == ()


@pytest.mark.parametrize(
    ("what", "platform"),
    [
        (seen(GKE_NODE), "GKE"), (seen(AKS_NODE), "AKS"), (seen(node("docker-desktop")), "Docker Desktop"),
        (seen(node("a", kubelet="v1.33.1+k3s1")), "k3s"), (seen(node("a", kubelet="v1.33.1+rke2r1")), "RKE2"),
        (seen(node("a", kubelet="v1.33.1-eks-1")), "EKS"), (seen(node("a")), ""),
        (seen(node("kind-worker", spec={"providerID": "kind://docker/kind/kind-worker"})), "kind"),
        (seen(node("minikube", labels={"minikube.k8s.io/name": "x"})), "minikube"),
        (seen(node("a"), groups=frozenset({"config.openshift.io"})), "OpenShift"),
    ],
)  # fmt: skip
def test_the_platform_is_told_by_its_nodes(what: Seen, platform: str) -> None:
    assert detect.platform(what) == platform


# -- plugins that nobody listed -------------------------------------------------------------------------------------


def binding(role: str, account: str, namespace: str = "kube-system") -> Json:
    return {"kind": "ClusterRoleBinding", "metadata": {"name": role}, "roleRef": {"kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]}  # fmt: skip


WATCH: Final = role("reader", ["networkpolicies"], ["get", "list", "watch"])


def test_a_workload_that_may_watch_policies_is_told() -> None:
    novel = daemonset("novel-agent", "example.com/novel:1")
    assert readers(seen(novel, WATCH, binding("reader", "novel-agent"))) == ("DaemonSet kube-system/novel-agent",)
    assert readers(seen(novel, WATCH, binding("reader", "another"))) == ()
    assert readers(seen(novel, role("reader", ["networkpolicies"], ["get"]), binding("reader", "novel-agent"))) == ()
    assert readers(seen(CILIUM, WATCH, binding("reader", "cilium"))) == ()  # it is in the table


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (role("view", ["networkpolicies"], ["list", "watch"]), "agent"),
        (role("everything", ["*"], ["*"], "*"), "agent"),
        (WATCH, "argocd-application-controller"), (WATCH, "velero"), (WATCH, "kube-state-metrics"),
    ],
)  # fmt: skip
def test_tools_that_have_every_resource_are_left_out(given: Json, name: str) -> None:
    agent = daemonset(name, "example.com/x:1")
    assert readers(seen(agent, given, binding(given["metadata"]["name"], name))) == ()


# -- nodes ----------------------------------------------------------------------------------------------------------


def test_nodes_on_which_policies_cannot_hold_are_told() -> None:
    windows = node("win", labels={"kubernetes.io/os": "windows"})
    fargate = node("fargate", labels={"eks.amazonaws.com/compute-type": "fargate"})
    virtual = node("virtual", labels={"type": "virtual-kubelet"})
    what = seen(node("good"), node("bare"), windows, fargate, virtual, CILIUM)
    found = detect.candidates(what)
    told = nodes.uncovered(what, found, {"DaemonSet kube-system/cilium": frozenset({"good"})})
    assert [(one.node, one.why) for one in told] == [
        ("bare", "no ready pod of DaemonSet kube-system/cilium"), ("win", "a Windows node"),
        ("fargate", "a Fargate node"), ("virtual", "a virtual kubelet"),
    ]  # fmt: skip
    assert nodes.usable(what) == ("good", "bare")


def test_where_pods_may_not_be_read_the_selector_of_nodes_tells() -> None:
    choosy = json.loads(json.dumps(CILIUM))
    choosy["spec"]["template"]["spec"]["nodeSelector"] = {"net": "cilium"}
    what = seen(node("a", labels={"net": "cilium"}), node("b"), choosy)
    told = nodes.uncovered(what, detect.candidates(what), {"DaemonSet kube-system/cilium": None})
    assert [(one.node, one.why) for one in told] == [("b", "DaemonSet kube-system/cilium does not select it")]


def test_a_plugin_that_does_not_enforce_covers_nothing_and_is_not_missed() -> None:
    what = seen(node("a"), FLANNEL)
    assert nodes.uncovered(what, detect.candidates(what), {"DaemonSet kube-flannel/kube-flannel-ds": frozenset()}) == ()


def test_the_canary_stands_where_pods_can_run() -> None:
    taints = {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}
    what = seen(node("control", spec=taints), node("full", spec={"unschedulable": True}), node("ill", ready="False"),
                node("soft", spec={"taints": [{"key": "x", "effect": "PreferNoSchedule"}]}), node("good"))  # fmt: skip
    assert nodes.usable(what) == ("soft", "good")


def test_a_ready_pod_is_one() -> None:
    from ringfence.live.doctor.reading import is_ready

    assert is_ready(ready_pod(CILIUM, "a"))
    assert not is_ready({"status": {"conditions": [{"type": "Ready", "status": "False"}]}})


# -- DNS ------------------------------------------------------------------------------------------------------------


def dns_service(namespace: str = "kube-system", name: str = "kube-dns", label: str = "kube-dns") -> Json:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns"}]
    return {"kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {"clusterIP": "10.96.0.10", "selector": {"k8s-app": label}, "ports": ports}}  # fmt: skip


def dns_slice(port: int = 53, namespace: str = "kube-system", name: str = "kube-dns") -> Json:
    ports = [{"name": "dns", "protocol": "UDP", "port": port}, {"name": "dns-tcp", "protocol": "TCP", "port": port},
             {"name": "metrics", "protocol": "TCP", "port": 9153}]  # fmt: skip
    pod = {"targetRef": {"kind": "Pod", "name": "coredns-1", "namespace": namespace}, "addresses": ["10.244.0.2"]}
    return {"kind": "EndpointSlice", "ports": ports, "endpoints": [pod],
            "metadata": {"name": "s", "namespace": namespace,
                         "labels": {"kubernetes.io/service-name": name}}}  # fmt: skip


def test_who_serves_dns_and_where() -> None:
    found = dns(seen(services=(dns_service(),), slices=(dns_slice(),)))
    assert (found.service, found.addresses, found.pods) == (
        "kube-system/kube-dns", ("10.96.0.10",), ("kube-system/coredns-1",),
    )  # fmt: skip
    assert found.ports == ("TCP 53", "UDP 53")
    assert (found.cache, found.option) == ("", "tight")


def test_a_pod_that_is_not_ready_serves_nothing() -> None:
    slow = dns_slice()
    slow["endpoints"][0]["conditions"] = {"ready": False}
    assert dns(seen(services=(dns_service(),), slices=(slow,))).pods == ()
    slow["endpoints"][0]["conditions"] = {"ready": None}  # not known: the text of the API says to take it for ready
    assert dns(seen(services=(dns_service(),), slices=(slow,))).pods == ("kube-system/coredns-1",)


def test_pods_that_listen_elsewhere_fit_no_usual_rule() -> None:
    found = dns(seen(services=(dns_service(),), slices=(dns_slice(1053),)))
    assert found.ports == ("TCP 1053", "UDP 1053")
    assert found.option == ""


def test_openshift_listens_on_its_own_port() -> None:
    where = ("openshift-dns", "dns-default")
    found = dns(seen(services=(dns_service(*where),), slices=(dns_slice(5353, *where),)))
    assert (found.service, found.ports, found.option) == (
        "openshift-dns/dns-default", ("TCP 5353", "UDP 5353"), "openshift",
    )  # fmt: skip


def test_the_cache_of_each_node_is_seen_with_its_addresses() -> None:
    cache = daemonset("node-local-dns", "registry.k8s.io/dns/k8s-dns-node-cache:1.25.0",
                      args=["-localip", "169.254.20.10,10.96.0.10", "-conf", "/etc/Corefile"])  # fmt: skip
    found = dns(seen(cache, services=(dns_service(),), slices=(dns_slice(),)))
    assert (found.cache, found.link_local) == ("DaemonSet kube-system/node-local-dns", ("169.254.20.10", "10.96.0.10"))
    assert found.option == "node-local"


def test_nothing_is_said_of_dns_that_is_not_there() -> None:
    assert dns(seen()) == replace(dns(seen()), service="")
    assert "service of each node" in dns(seen(groups=frozenset({"eks.amazonaws.com"}))).cache


def test_every_place_of_a_sign_is_used() -> None:
    assert {sign.where for row in TABLE for sign in row.signs} == set(Where)
