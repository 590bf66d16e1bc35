"""3xx, labels: what the requirements of a selector ask for, and whether that can be meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.model.objects import Workload
from ringfence.model.policies import Policy
from ringfence.model.selectors import EVERYTHING, Operator, Requirement, Selector
from ringfence.query.lint.check import NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, peer_path, rules

_VOLATILE: Final = {
    "pod-template-hash": "changes with every rollout",
    "controller-revision-hash": "changes with every rollout",
    "pod-template-generation": "changes with every rollout",
    "controller-uid": "changes with every run of a Job",
    "batch.kubernetes.io/controller-uid": "changes with every run of a Job",
    "job-name": "changes with every run of a CronJob",
    "batch.kubernetes.io/job-name": "changes with every run of a CronJob",
    "apps.kubernetes.io/pod-index": "is that of one replica",
    "helm.sh/chart": "changes with every version of the chart",
    "app.kubernetes.io/version": "changes with every version",
    "app.kubernetes.io/managed-by": "changes with the tool that applies it",
}
_ZONES: Final = ("topology.kubernetes.io/", "failure-domain.")
_REPLICA: Final = "statefulset.kubernetes.io/pod-name"
_MEANT: Final = (_REPLICA, "app.kubernetes.io/managed-by")
_JOB_NAMES: Final = ("job-name", "batch.kubernetes.io/job-name")


@check(
    "RF306", "volatile-label", WARNING,
    title="a label whose value changes by itself",
    wrong="A selector uses a label whose value changes with every rollout, restart or version, so that the policy "
    "stops matching by itself.",
    fix="select by app or another label that stays",
    origin="the labels that inspektor-gadget/inspektor-gadget advise_networkpolicy ignores, and more of the kind",
)  # fmt: skip
def volatile_label(lint: Linting) -> Iterator[Found]:
    """A value asked for of a key that a controller or a release sets; whether the key is there may be asked."""
    jobs = {one.name for one in lint.cluster.workloads if one.kind == "Job"}
    for policy in lint.policies:
        for path, selector, _ in _selectors(policy):
            for one in selector.requirements:
                why = _VOLATILE.get(one.key) or ("changes with the node" if one.key.startswith(_ZONES) else "")
                if one.key == _REPLICA:
                    why = "is that of one replica"
                stays = one.key in _JOB_NAMES and jobs.issuperset(one.values)
                if not why or stays or one.operator not in (Operator.IN, Operator.NOT_IN):
                    continue
                yield Found(policy, f"{path}.matchLabels[{one.key}]", f"{one}: the value of {one.key} {why}",
                            severity=NOTE if one.key in _MEANT else WARNING)  # fmt: skip


@check(
    "RF312", "not-in-matches-absent", NOTE,
    title="NotIn also takes what lacks the key",
    wrong="NotIn also matches pods and namespaces that lack the key, which is easily forgotten.",
    fix="add a requirement Exists for the same key, if they are not meant",
    origin="label selectors of the API: NotIn holds where the key is absent",
)  # fmt: skip
def not_in_matches_absent(lint: Linting) -> Iterator[Found]:
    """A NotIn whose selector takes something without the key."""
    for policy in lint.policies:
        for path, selector, places in _selectors(policy):
            for one in selector.requirements:
                if one.operator is not Operator.NOT_IN:
                    continue
                if places is None:
                    lacking = [
                        name for name in lint.namespaces(selector)
                        if name in lint.cluster.namespaces and one.key not in lint.cluster.namespace(name).labels
                    ]  # fmt: skip
                    who = f"namespace {', '.join(lacking[:3])}"
                else:
                    spaces = lint.namespaces(places)
                    pods = [w for name in spaces for w in lint.pods(selector, name) if _lacks(w, one)]
                    lacking, who = [w.name for w in pods], names(pods)
                if lacking:
                    yield Found(policy, path, f"{one} also takes {who}, without a label {one.key}")


@check(
    "RF315", "selector-tautology", NOTE,
    title="a selector that leaves nobody out",
    wrong="A selector with requirements matches every pod or namespace there is, so it restricts nothing today and "
    "surprises tomorrow.",
    fix="write {} if all are meant",
    origin="np-guard/network-config-analyzer warns of selectors that select all pods or all namespaces",
)  # fmt: skip
def selector_tautology(lint: Linting) -> Iterator[Found]:
    """Labels that all of at least two candidates have, where all candidates are known."""
    for policy in lint.policies:
        home = policy.namespace
        for path, selector, places in _selectors(policy):
            if not any(one.operator in (Operator.IN, Operator.EXISTS) for one in selector.requirements):
                continue
            if places is None:
                every: tuple[object, ...] = lint.namespaces(EVERYTHING)
                taken: tuple[object, ...] = lint.namespaces(selector) if lint.whole else ()
                what = "namespaces"
            elif home is not None and places == _only(home) and lint.closed(home):
                every, taken = lint.pods(EVERYTHING, home), lint.pods(selector, home)
                what = f"workloads of namespace {home}"
            else:
                continue
            if len(every) == len(taken) > 1:
                yield Found(policy, path, f"{selector} takes all {len(every)} {what}")


@check(
    "RF316", "selector-empty-or-absent", NOTE,
    title="a selector that is absent or null",
    wrong="A podSelector that is {}, absent or null means different things in different places.",
    fix="write {} where all are meant, and remove the key where none is",
    origin="the API's texts on NetworkPolicy; ahmetb/kubernetes-network-policy-recipes#91",
)  # fmt: skip
def selector_empty_or_absent(lint: Linting) -> Iterator[Found]:
    """spec.podSelector absent or null, and a null key of a peer (S4, S11)."""
    for policy in lint.policies:
        written = lint.written(policy)
        if not written:
            continue
        if written.get("podSelector") is None:
            how = "null" if "podSelector" in written else "absent"
            yield Found(policy, "spec.podSelector" if "podSelector" in written else "spec",
                        f"podSelector is {how}, which selects every pod of namespace {policy.namespace}",
                        remedy="write podSelector: {} if every pod is meant")  # fmt: skip
        for path, peer in _written_peers(written):
            for key in ("podSelector", "namespaceSelector"):
                if key in peer and peer[key] is None:
                    yield Found(policy, f"{path}.{key}", f"{key} is null, which is as if it were not written")


def _selectors(policy: Policy) -> Iterator[tuple[str, Selector, Selector | None]]:
    """Each selector in force with its path, and the namespaces it looks into; None where it takes namespaces itself."""
    if policy.namespace is None:
        return
    own = _only(policy.namespace)
    yield "spec.podSelector", policy.subject.pods, own
    for direction, rule in rules(policy):
        for index, peer in enumerate(rule.peers):
            path = peer_path(direction, rule, index)
            if peer.pods is not None:
                yield f"{path}.podSelector", peer.pods, own if peer.namespaces is None else peer.namespaces
            if peer.namespaces is not None:
                yield f"{path}.namespaceSelector", peer.namespaces, None


def _only(namespace: str) -> Selector:
    return Selector.of({"kubernetes.io/metadata.name": namespace})


def _lacks(workload: Workload, requirement: Requirement) -> bool:
    """Whether a pod of *workload* has not the key."""
    return any(requirement.key not in pod.labels for pod in workload.pods)


def _written_peers(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each peer as written, with its path."""
    for section, word in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(spec.get(section) or ()):
            for index, peer in enumerate((rule or {}).get(word) or ()):
                if isinstance(peer, Mapping):
                    yield f"spec.{section}[{number}].{word}[{index}]", peer
