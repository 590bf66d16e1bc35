"""By which objects each network plugin is known, and which switches turn enforcement on or off: a table, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

THERE: Final = "there"
"""What a sign reads that is there or not, and has no value."""


class Where(StrEnum):
    """Where a sign is read.

    ``name`` and ``key`` of the sign are, in this order: a ConfigMap and its key, or none; part of an image and an
    argument of its container; part of an image; an annotation of nodes and an argument in it; a ClusterRole and the
    resource that it may list and watch; part of an image and an environment variable; a kind and a field of it.
    """

    CONFIG = "ConfigMap"
    ARGUMENT = "argument"
    CONTAINER = "container"
    NODE_ARGUMENT = "node argument"
    ROLE = "ClusterRole"
    VARIABLE = "variable"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class Sign:
    """A switch: where it is, and the values with which a plugin does or does not enforce.

    One without ``on`` and ``off`` is only told.
    """

    where: Where
    name: str
    key: str = ""
    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """The only values that may be repeated to people, where values could be anything; empty for all."""
        return ("standard", "strict") if self.where is Where.VARIABLE else ()


@dataclass(frozen=True, slots=True)
class NodeSign:
    """What a node shows: ``what`` is name, label, annotation or kubelet; ``text`` is part of it."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One plugin.

    ``workloads`` are names of DaemonSets, each in one of ``namespaces``. ``labels``: one of them, where no name and no
    image matches. ``images``: all of these parts are among the images of one workload. ``nodes``: one of these on some
    node, for what shows no pod. ``crds``: the CRD without which the row does not hold. ``groups`` are API groups that
    support a row found otherwise.
    ``enforces``: whether it does when no sign says otherwise; None where that is not known.
    ``unless``: plugins beside which the row says nothing; ``*`` for any that enforces.
    """

    plugin: str
    profile: str
    workloads: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ("kube-system",)
    labels: tuple[tuple[str, str], ...] = ()
    images: tuple[str, ...] = ()
    nodes: tuple[NodeSign, ...] = ()
    crds: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    enforces: bool | None = True
    unless: tuple[str, ...] = ()
    remark: str = ""


CONFIG, ARGUMENT, CONTAINER, ROLE = Where.CONFIG, Where.ARGUMENT, Where.CONTAINER, Where.ROLE
TRUE: Final = ("true",)
FALSE: Final = ("false",)

TABLE: Final = (
    Row("Canal", "calico", ("canal", "rke2-canal"), labels=(("k8s-app", "canal"),), images=("calico/node", "flannel"),
        signs=(Sign(CONFIG, "canal-config"),)),
    Row("Calico", "calico", ("calico-node",), ("kube-system", "calico-system"), (("k8s-app", "calico-node"),),
        ("calico/node",), groups=("crd.projectcalico.org", "projectcalico.org", "operator.tigera.io")),
    Row("GKE Dataplane V2", "gke-dataplane-v2", ("anetd",), images=("gke.gcr.io/cilium",),
        groups=("networking.gke.io",)),
    Row("Cilium", "cilium", ("cilium",), labels=(("k8s-app", "cilium"),), images=("cilium/cilium",),
        groups=("cilium.io",),
        signs=(Sign(CONFIG, "cilium-config", "enable-policy", off=("never",)),
               Sign(CONFIG, "cilium-config", "policy-audit-mode", off=TRUE),
               Sign(CONFIG, "cilium-config", "enable-k8s-networkpolicy", off=FALSE),
               Sign(CONFIG, "cilium-config", "enable-l7-proxy"),
               Sign(CONFIG, "cilium-config", "policy-cidr-match-mode"))),
    Row("Antrea", "antrea", ("antrea-agent",), labels=(("component", "antrea-agent"), ("app", "antrea")),
        images=("antrea/antrea-agent",), groups=("crd.antrea.io",), signs=(Sign(CONFIG, "antrea-config"),)),
    Row("OVN-Kubernetes", "ovn-kubernetes", ("ovnkube-node",), ("ovn-kubernetes", "openshift-ovn-kubernetes"),
        (("app", "ovnkube-node"),), ("ovn-kube",), groups=("k8s.ovn.org",),
        signs=(Sign(Where.FIELD, "networks.config.openshift.io/cluster", "status.networkType"),)),
    Row("kube-network-policies", "kube-network-policies", ("kube-network-policies",),
        labels=(("k8s-app", "kube-network-policies"),), images=("kube-network-policies",),
        signs=(Sign(ARGUMENT, "kube-network-policies", "/bin/netpol"),)),
    Row("kindnet", "kube-network-policies", ("kindnet",), labels=(("app", "kindnet"),), images=("kindnetd",),
        enforces=False,
        signs=(Sign(ROLE, "kindnet", "networkpolicies", on=(THERE,)),
               Sign(ARGUMENT, "kindnetd", "--network-policy", on=TRUE)),
        remark="not on every kernel (kubernetes-sigs/kind#3789)"),
    Row("flannel", "kube-network-policies", ("kube-flannel-ds",), ("kube-flannel",), (("app", "flannel"),
        ("k8s-app", "flannel")), ("flannel/flannel",), enforces=False,
        signs=(Sign(CONTAINER, "kube-network-policies", on=(THERE,)),),
        remark="its chart has netpol.enabled from 0.25.5 on"),
    Row("kube-router", "kube-router", ("kube-router",), labels=(("k8s-app", "kube-router"),),
        images=("cloudnativelabs/kube-router",), signs=(Sign(ARGUMENT, "kube-router", "--run-firewall", off=FALSE),)),
    Row("k3s", "kube-router", nodes=(NodeSign("kubelet", "+k3s"),),
        signs=(Sign(Where.NODE_ARGUMENT, "k3s.io/node-args", "--disable-network-policy", off=TRUE),),
        remark="kube-router's controller inside the k3s process"),
    Row("RKE2", "", nodes=(NodeSign("kubelet", "+rke2"),), enforces=None, unless=("*", "Canal", "Calico", "Cilium"),
        signs=(Sign(Where.NODE_ARGUMENT, "rke2.io/node-args", "--cni"),), remark="by its CNI"),
    Row("Weave Net", "", ("weave-net",), labels=(("name", "weave-net"),), images=("weave-kube",), enforces=False,
        signs=(Sign(CONTAINER, "weave-npc", on=(THERE,)),), remark="archived; unverified"),
    Row("AWS VPC CNI", "aws-vpc-cni", ("aws-node",), labels=(("k8s-app", "aws-node"),), images=("amazon-k8s-cni",),
        groups=("networking.k8s.aws",), enforces=False,
        signs=(Sign(ARGUMENT, "aws-network-policy-agent", "--enable-network-policy", on=TRUE, off=FALSE),
               Sign(CONFIG, "amazon-vpc-cni", "enable-network-policy-controller", on=TRUE),
               Sign(Where.VARIABLE, "amazon-k8s-cni", "NETWORK_POLICY_ENFORCING_MODE")),
        remark="off by default"),
    Row("EKS Auto Mode", "eks-auto", crds=("nodeclasses.eks.amazonaws.com",), enforces=False, unless=("AWS VPC CNI",),
        signs=(Sign(CONFIG, "amazon-vpc-cni", "enable-network-policy-controller", on=TRUE, off=FALSE),
               Sign(Where.FIELD, "nodeclasses.eks.amazonaws.com", "spec.networkPolicy")),
        remark="only with the ConfigMap"),
    Row("Azure NPM", "azure", ("azure-npm",), labels=(("k8s-app", "azure-npm"),), images=("azure-npm",),
        remark="being retired"),
    Row("Kube-OVN", "", ("kube-ovn-cni",), images=("kubeovn/kube-ovn",), groups=("kubeovn.io",), remark="unverified"),
    Row("GKE without Dataplane V2", "", nodes=(NodeSign("label", "cloud.google.com/gke-"),), enforces=False,
        unless=("*", "GKE Dataplane V2", "Calico", "Cilium"), remark="only with the add-on"),
    Row("AKS without a policy option", "", nodes=(NodeSign("label", "kubernetes.azure.com/"),), enforces=False,
        unless=("*", "Azure NPM", "Calico", "Cilium", "Antrea")),
    Row("Docker Desktop", "", nodes=(NodeSign("name", "docker-desktop"),), enforces=False, unless=("*", "kindnet"),
        remark="with kubeadm (docker/roadmap#888)"),
    Row("minikube", "", nodes=(NodeSign("label", "minikube.k8s.io/name"),), enforces=False,
        unless=("*", "kindnet", "Calico", "Cilium", "flannel"), remark="its default bridge; choose another with --cni"),
    Row("Rancher Desktop", "", nodes=(NodeSign("name", "lima-rancher-desktop"),), enforces=None,
        remark="k3s inside; reported not to enforce (rancher-sandbox/rancher-desktop#5247)"),
)  # fmt: skip
"""Every plugin that is known, the more particular ones first: of rows that match a workload alike, the first holds."""

CONFIG_MAPS: Final = tuple(sorted({sign.name for row in TABLE for sign in row.signs if sign.where is CONFIG}))
"""The ConfigMaps of ``kube-system`` that are read: by name, and of each only the keys of its signs."""

PLATFORMS: Final[Mapping[str, tuple[NodeSign, ...]]] = {
    "Docker Desktop": (NodeSign("name", "docker-desktop"), NodeSign("name", "desktop-control-plane")),
    "Rancher Desktop": (NodeSign("name", "lima-rancher-desktop"),),
    "minikube": (NodeSign("label", "minikube.k8s.io/name"),),
    "EKS": (NodeSign("label", "eks.amazonaws.com/"), NodeSign("kubelet", "-eks-")),
    "GKE": (NodeSign("label", "cloud.google.com/gke-"), NodeSign("kubelet", "-gke.")),
    "AKS": (NodeSign("label", "kubernetes.azure.com/"),),
    "OpenShift": (NodeSign("label", "node.openshift.io/"),),
    "k3s": (NodeSign("kubelet", "+k3s"),),
    "RKE2": (NodeSign("kubelet", "+rke2"),),
    "kind": (NodeSign("provider", "kind://"),),
}
"""Where a cluster runs, by what a node shows; the first that matches."""
