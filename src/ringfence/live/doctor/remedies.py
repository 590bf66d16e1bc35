"""What would make a cluster enforce its policies: words, and exact commands for each platform; none is ever run here.

Upper-case words in a command are for the reader to fill in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringfence.live.doctor.nouns import Expected, Outcome, Remedy, State

CALICO: Final = "kubectl apply -f https://raw.githubusercontent.com/projectcalico/calico/v3.30.0/manifests/calico.yaml"
POLICIES_ALONE: Final = (
    "kubectl apply -f https://raw.githubusercontent.com/kubernetes-sigs/kube-network-policies/main/install.yaml"
)
"""Enforces beside any plugin that carries packets."""
KIND_BARE: Final = (
    "printf 'kind: Cluster\\napiVersion: kind.x-k8s.io/v1alpha4\\nnetworking: {disableDefaultCNI: true, podSubnet: "
    "192.168.0.0/16}\\n' | kind create cluster --name NAME --config=-"
)
EKS_ADDON: Final = (
    "aws eks update-addon --cluster-name NAME --addon-name vpc-cni --resolve-conflicts PRESERVE "
    '--configuration-values \'{"enableNetworkPolicy": "true"}\''
)
EKS_CONTROLLER: Final = (
    "kubectl create configmap amazon-vpc-cni -n kube-system --from-literal=enable-network-policy-controller=true"
)
CILIUM_ON: Final = (
    'kubectl -n kube-system patch configmap cilium-config --type merge -p \'{"data": {"enable-policy": "default", '
    '"policy-audit-mode": "false", "enable-k8s-networkpolicy": "true"}}\''
)
AGAIN: Final = Remedy("and then wait until it is seen to hold", ("ringfence doctor --yes --wait 5m",))

PLATFORM: Final[Mapping[str, tuple[Remedy, ...]]] = {
    "Docker Desktop": (
        Remedy("Docker Desktop with kubeadm enforces nothing, and a plugin put on top does not mend it: choose kind in "
               "Settings, Kubernetes, Cluster settings, or use a cluster beside it",
               ("minikube start --cni=calico",)),
    ),
    "kind": (
        Remedy("kind enforces from 0.24 on: make the cluster again with a newer one",
               ("kind delete cluster --name NAME", "kind create cluster --name NAME")),
        Remedy("where that does not help (kubernetes-sigs/kind#3789): without its own plugin, and with Calico",
               ("kind delete cluster --name NAME", KIND_BARE, CALICO)),
    ),
    "minikube": (
        Remedy("make the cluster again with a plugin that enforces",
               ("minikube delete --profile NAME", "minikube start --profile NAME --cni=calico")),
    ),
    "k3s": (
        Remedy("k3s enforces unless it is told not to: take disable-network-policy out of its configuration on every "
               "server, and start it again",
               ("sudo grep -rn disable-network-policy /etc/rancher/k3s /etc/systemd/system/k3s.service",
                "sudo systemctl restart k3s")),
        Remedy("it needs the kernel's ipset modules, and says nothing when it has none",
               ("sudo modprobe ip_set", "sudo systemctl restart k3s")),
    ),
    "RKE2": (
        Remedy("RKE2 enforces with Canal, Calico and Cilium, which are chosen before a cluster first starts",
               ("echo 'cni: canal' | sudo tee -a /etc/rancher/rke2/config.yaml",)),
    ),
    "Rancher Desktop": (
        Remedy("reported not to enforce before 1.11 (rancher-sandbox/rancher-desktop#5247): update, or use a cluster "
               "beside it", ("minikube start --cni=calico",)),
    ),
    "EKS": (
        Remedy("policies are off until the add-on is told to enforce them",
               (EKS_ADDON,)),
    ),
    "EKS Auto Mode": (
        Remedy("policies are off until the controller is switched on",
               (EKS_CONTROLLER,)),
    ),
    "GKE": (
        Remedy("switch the add-on on, and then the enforcement, for which every node is made again",
               ("gcloud container clusters update NAME --location LOCATION --update-addons=NetworkPolicy=ENABLED",
                "gcloud container clusters update NAME --location LOCATION --enable-network-policy")),
        Remedy("or make a cluster with Dataplane V2, which always enforces",
               ("gcloud container clusters create NAME --location LOCATION --enable-dataplane-v2",)),
    ),
    "AKS": (
        Remedy("choose what enforces: Cilium, which Azure recommends, or Calico; every node is made again",
               ("az aks update --resource-group GROUP --name NAME --network-dataplane cilium",
                "az aks update --resource-group GROUP --name NAME --network-policy calico")),
    ),
    "OpenShift": (
        Remedy("OpenShift's plugins enforce; see whether the network operator is well",
               ("oc get clusteroperator network", "oc get pods -n openshift-ovn-kubernetes")),
    ),
}  # fmt: skip
"""Where a cluster runs, and what helps there."""

UNKNOWN: Final = (
    Remedy("put a plugin beside the one that carries packets, which enforces policies and does nothing else",
           (POLICIES_ALONE,)),
    Remedy("or, in a cluster that has no plugin yet, one that does both", (CALICO,)),
)  # fmt: skip

PLUGIN: Final[Mapping[str, tuple[Remedy, ...]]] = {
    "Cilium": (
        Remedy("it is told not to enforce: set it right, and start it again",
               (CILIUM_ON, "kubectl -n kube-system rollout restart daemonset/cilium")),
    ),
    "flannel": (
        Remedy("let its chart put kube-network-policies beside it (0.25.5 and later)",
               ("helm upgrade flannel flannel/flannel -n kube-flannel --reuse-values --set netpol.enabled=true",)),
    ),
    "kube-router": (
        Remedy("its firewall is off: take --run-firewall=false out of its arguments",
               ("kubectl -n kube-system edit daemonset/kube-router",)),
    ),
}  # fmt: skip
"""Plugins that could enforce, and are set not to."""


def remedies(expected: Expected, outcome: Outcome) -> tuple[Remedy, ...]:
    """What would help *expected*'s cluster; nothing where it enforces, or where nothing says that it does not."""
    silent = outcome.state is State.UNKNOWN and not (expected.candidates and _none_enforces(expected))
    if outcome.state is State.ENFORCED or silent:
        return ()
    off = [one.plugin for one in expected.candidates if one.enforcing is False]
    found = [remedy for plugin in off for remedy in PLUGIN.get(plugin, ())]
    platform = "EKS Auto Mode" if "EKS Auto Mode" in off else expected.platform
    found += PLATFORM.get(platform, () if found else UNKNOWN)
    return (*found, AGAIN)


def _none_enforces(expected: Expected) -> bool:
    return all(one.enforcing is False for one in expected.candidates)
