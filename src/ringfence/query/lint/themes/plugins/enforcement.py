"""A plugin's own settings: enforcement that the input itself switches off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.selectors import EVERYTHING
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names
from ringfence.query.lint.themes.plugins.documents import Plain, each, items, mapping, specs

_OFF: Final = {
    "enable-policy": ("never", "no policy is enforced", "write enable-policy: default"),
    "policy-audit-mode": ("true", "policies are reported on, and nothing is dropped", "remove policy-audit-mode"),
    "enable-k8s-networkpolicy": ("false", "NetworkPolicies are not read", "remove enable-k8s-networkpolicy"),
}
"""Settings of Cilium that switch it off, what then happens, and what to do."""
_ENFORCING: Final = frozenset({
    "calico-node", "canal", "rke2-canal", "cilium", "anetd", "antrea-agent", "ovnkube-node", "kube-network-policies",
    "kindnet", "azure-npm", "kube-ovn-cni", "weave-net", "kube-router", "aws-node",
})  # fmt: skip
"""DaemonSets that enforce policies, or may."""


@check(
    "RF826", "enforcement-switched-off", ERROR,
    title="a network plugin that is told not to enforce",
    wrong="The plugin's own settings in the input switch enforcement off, or only report: the policies have no effect.",
    fix="switch it on, or run the policies elsewhere",
    origin="kubescape C-0205, C-0230, C-0240; the documentation of the plugins",
)  # fmt: skip
def switched_off(lint: Linting) -> Iterator[Found]:
    """Cilium's ConfigMap, and the DaemonSets of plugins that enforce only when told so; those with policies alone."""
    for other in lint.others("", "ConfigMap"):
        if other.name == "cilium-config":
            data = mapping(other.source.value(), "data")
            for key, (value, happens, remedy) in _OFF.items():
                if data.get(key) == value:
                    yield Found(other, f"data.{key}", f"{key}: {value}: {happens}", remedy=remedy)
    agents = {one.name: one for one in lint.cluster.workloads if one.kind == "DaemonSet"} if lint.policies else {}
    for name, agent in agents.items():
        if _ENFORCING & agents.keys() - {name}:
            continue
        if name == "aws-node":
            yield from _argument(agent, "--enable-network-policy=false", "remove it, or write =true")
        elif name == "kube-router":
            yield from _argument(agent, "--run-firewall=false", "remove it")
        elif name == "kube-flannel-ds" and all(
            one.get("name") != "kube-network-policies" for _, one in _containers(agent)
        ):
            yield Found(
                agent, "metadata.name", "flannel alone enforces no policy, and no plugin that does is in the input",
                remedy="add kube-network-policies (netpol.enabled of the chart), or another plugin",
            )  # fmt: skip


def _argument(agent: Workload, word: str, remedy: str) -> Iterator[Found]:
    for path, container in _containers(agent):
        for key in ("command", "args"):
            for index, one in enumerate(items(container, key)):
                if one == word:
                    yield Found(agent, f"{path}.{key}[{index}]", f"{word}: no policy is enforced", remedy=remedy)


def _containers(agent: Workload) -> Iterator[tuple[str, Plain]]:
    template = mapping(mapping(agent.source.value(), "spec"), "template")
    yield from each(mapping(template, "spec"), "spec.template.spec", "containers")


@check(
    "RF823", "mesh-egress-not-a-boundary", NOTE,
    title="a name outside that only the mesh's sidecar knows",
    wrong="A ServiceEntry steers traffic that goes through the sidecar; a process that goes round it is not stopped.",
    fix="pair it with an egress policy that admits the mesh's gateway alone",
    origin="Istio's documentation of egress traffic control",
)  # fmt: skip
def mesh_egress_not_a_boundary(lint: Linting) -> Iterator[Found]:
    """A host outside, in a namespace of which a workload is not isolated for egress."""
    for other, spec in specs(lint, "networking.istio.io", "ServiceEntry"):
        if spec.get("location") != "MESH_EXTERNAL":
            continue
        free = [one for one in lint.pods(EVERYTHING, other.namespace) if not lint.isolated(one, Direction.EGRESS)]
        if free:
            message = f"no policy isolates {names(free)} for egress, so the hosts are no boundary"
            yield Found(other, "spec.hosts", message)


@check(
    "RF824", "sandbox-egress-unscoped", WARNING,
    title="a template for sandboxes that may speak to everybody",
    wrong="The policy in a template for sandboxed code has an egress rule that admits everybody.",
    fix="write egress rules that name what the code needs",
    origin="kubescape C-0301",
)  # fmt: skip
def sandbox_egress_unscoped(lint: Linting) -> Iterator[Found]:
    """A rule that is broad, unless another manages it. Without rules all is denied, without policy the cluster is."""
    for other, spec in specs(lint, "extensions.agents.x-k8s.io", "SandboxTemplate"):
        if spec.get("networkPolicyManagement") not in (None, "", "Managed"):
            continue
        policy = mapping(spec, "networkPolicy")
        for path, rule in each(policy, "spec.networkPolicy", "egress"):
            if not rule.get("to"):
                yield Found(other, path, "a rule without to admits everybody")
            for at, peer in each(rule, path, "to"):
                if _is_broad(peer):
                    yield Found(other, at, "admits everybody")


def _is_broad(peer: Plain) -> bool:
    """Whether it takes every pod of every namespace, or every address."""
    if mapping(peer, "ipBlock").get("cidr") in ("0.0.0.0/0", "::/0"):
        return True
    return "namespaceSelector" in peer and not peer["namespaceSelector"] and not peer.get("podSelector")
