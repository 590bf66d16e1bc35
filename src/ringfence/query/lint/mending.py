"""Safe mends: which findings a change of text can settle, what it means, and the proof that it means nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ringfence.model.cluster import Cluster
from ringfence.model.findings import Severity
from ringfence.model.flows import Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import Profile
from ringfence.query.blocks import Place
from ringfence.query.lint.check import Check, Found
from ringfence.query.lint.ignoring import ignores
from ringfence.query.lint.linting import Linting, names
from ringfence.query.lint.table import at_least
from ringfence.query.lint.text_edits import Edit, NotPlain, joined, second_protocol, value_in_place
from ringfence.query.matrix import matrix

FIXABLE: Final = ("RF102", "RF201", "RF302")
"""The checks of which some findings can be mended."""
_DNS: Final = (53, 5353)
Pair = tuple[Place, Place]
Answers = dict[tuple[int | Outside, int | Outside], tuple[Pair, tuple[ConnectionSet, ConnectionSet]]]


@dataclass(frozen=True, slots=True)
class Mend:
    """A change of the text of one policy, and what it is meant to change.

    ``after`` is the policy as it will be read. ``ports`` bounds what may change between the policy's pods and the
    ``others`` (None: anybody), in ``direction``; ``grows``, ``shrinks``: whether connections may be added, or removed.
    """

    code: str
    policy: Policy
    after: Policy
    edit: Edit
    what: str
    direction: Direction
    subjects: tuple[Workload, ...]
    others: tuple[Workload, ...] | None
    ports: ConnectionSet
    grows: bool
    shrinks: bool


@dataclass(frozen=True, slots=True)
class Mending:
    """What can be mended, and, one sentence each, what cannot be by a change of text."""

    mends: tuple[Mend, ...]
    left: tuple[str, ...]


def mending(
    lint: Linting, chosen: Sequence[Check], text_of: Callable[[str], str | None], least: Severity = Severity.NOTE
) -> Mending:
    """The mends of what the *chosen* checks find, *least* or worse.

    *text_of* gives the text of a file; None where it is no YAML file.
    Each policy is mended once in one run, and no two changes of a file overlap.
    """
    mends: list[Mend] = []
    left: list[str] = []
    makers = {"RF102": _dns_tcp, "RF201": _target_port, "RF302": _one_item}
    for one in chosen:
        if one.code not in makers:
            continue
        for found in one.look(lint):
            policy = found.thing
            if not isinstance(policy, Policy) or _ignored(one, policy):
                continue
            if not at_least(found.severity or one.severity, least):
                continue
            place = f"{policy.source.file}:{policy.source.at(found.path)[0]}"
            text = text_of(policy.source.file)
            if any(mend.policy is policy for mend in mends):
                left.append(f"{place}: {one.code}: another finding of this policy is mended first; run it again")
                continue
            try:
                if text is None:
                    raise NotPlain("not in a YAML file")
                made = makers[one.code](lint, found, policy, text)
            except NotPlain as problem:
                left.append(f"{place}: {one.code}: {problem}; mend it by hand")
                continue
            if made is not None:
                mends.append(made)
    return Mending(tuple(mends), tuple(left))


def _ignored(one: Check, policy: Policy) -> bool:
    wanted = (one.code, one.code.lower(), one.name)
    return any(ignore.reason and ignore.check in wanted for ignore in ignores(policy))


# -- the three -----------------------------------------------------------------------------------------------------


def _dns_tcp(lint: Linting, found: Found, policy: Policy, text: str) -> Mend | None:
    """RF102: TCP beside UDP, for the port of DNS."""
    at = _rule_at(policy, found.path)
    if at is None or ".ports[" not in found.path:
        return None
    direction, rule, index = at
    item = rule.ports[index]
    if item.port not in _DNS or item.end_port is not None or item.protocol != "UDP":
        return None
    more = replace(item, protocol="TCP")
    changed = replace(rule, ports=(*rule.ports[: index + 1], more, *rule.ports[index + 1 :]))
    return Mend(
        "RF102", policy, _with_rule(policy, direction, rule, changed),
        second_protocol(text, *policy.source.at(found.path)), f"adds TCP {item.port}", direction,
        lint.subjects(policy), None, ConnectionSet.of(TCP=[item.port]), True, False,
    )  # fmt: skip


def _target_port(lint: Linting, found: Found, policy: Policy, text: str) -> Mend | None:
    """RF201: the port of the pods in place of that of their Service."""
    at = _rule_at(policy, found.path)
    if at is None or not found.instead:
        return None
    direction, rule, index = at
    item = rule.ports[index]
    if not isinstance(item.port, int):
        return None
    target = int(found.instead)
    ports = [*rule.ports]
    ports[index] = PortMatch(item.protocol, target)
    return Mend(
        "RF201", policy, _with_rule(policy, direction, rule, replace(rule, ports=tuple(ports))),
        value_in_place(text, *policy.source.at(found.path), "port", str(item.port), found.instead),
        f"puts {target} in place of {item.port}", direction, lint.subjects(policy), None,
        ConnectionSet.of(**{item.protocol: [item.port, target]}), True, True,
    )  # fmt: skip


def _one_item(lint: Linting, found: Found, policy: Policy, text: str) -> Mend | None:
    """RF302: one item of two, where the podSelector alone takes nobody and both together take somebody."""
    at = _rule_at(policy, found.path)
    if found.severity is not Severity.ERROR or at is None:
        return None
    direction, rule, index = at
    pods = rule.peers[index]
    first = next((n for n in (index - 1, index + 1) if 0 <= n < len(rule.peers) and rule.peers[n].namespaces is not None
                  and rule.peers[n].pods is None), None)  # fmt: skip
    if first is None:
        raise NotPlain("the two items do not stand one behind the other")
    low, high = sorted((index, first))
    both = Peer(pods.pods, rule.peers[first].namespaces)
    changed = replace(rule, peers=(*rule.peers[:low], both, *rule.peers[high + 1 :]))
    second = f"{found.path.rpartition('[')[0]}[{high}]"
    others = (*lint.taken(policy, rule.peers[first]), *lint.taken(policy, pods))
    return Mend(
        "RF302", policy, _with_rule(policy, direction, rule, changed), joined(text, *policy.source.at(second)),
        "makes one item of two", direction, lint.subjects(policy), others, ConnectionSet.ALL, False, True,
    )  # fmt: skip


def _rule_at(policy: Policy, path: str) -> tuple[Direction, Rule, int] | None:
    """The rule that *path* is in, and the index of the peer or port in it."""
    for direction in Direction:
        for rule in policy.rules(direction):
            if path.startswith(f"{rule.path}.") and rule.path:
                inside = path.removeprefix(f"{rule.path}.").partition("[")[2].partition("]")[0]
                return (direction, rule, int(inside)) if inside.isdigit() else None
    return None


def _with_rule(policy: Policy, direction: Direction, rule: Rule, changed: Rule) -> Policy:
    rules = tuple(changed if one is rule else one for one in policy.rules(direction))
    return replace(policy, ingress=rules) if direction is Direction.INGRESS else replace(policy, egress=rules)


# -- the proof -----------------------------------------------------------------------------------------------------


def unproven(cluster: Cluster, profile: Profile, mends: Sequence[Mend]) -> list[str]:
    """What *mends* would change in the whole matrix that they are not meant to change; nothing when they are safe."""
    instead = {id(mend.policy): mend.after for mend in mends}
    changed = replace(cluster, policies=tuple(instead.get(id(one), one) for one in cluster.policies))
    before, after = _answers(cluster, profile), _answers(changed, profile)
    nothing = ConnectionSet.NONE, ConnectionSet.NONE
    wrong = []
    for key, (pair, _) in {**before, **after}.items():
        old, new = (some[key][1] if key in some else nothing for some in (before, after))
        for grows, word in ((True, "opened"), (False, "closed")):
            more, less = (new, old) if grows else (old, new)
            ports = ((more[0] - less[0]) | (more[1] - less[1])) - _meant(mends, pair, grows)
            if ports:
                wrong.append(f"{_named(pair[0])} -> {_named(pair[1])} would be {word} on {_shown(ports)}")
    return sorted(wrong)


def _answers(cluster: Cluster, profile: Profile) -> Answers:
    """What may pass between each two ends, and what passes for sure, by the whole matrix."""
    made = matrix(cluster, profile=profile)
    return {
        (_key(one.src), _key(one.dst)): (
            (one.src, one.dst), (one.answer.possible | one.answer.undecided, one.answer.allowed)
        )
        for one in made.connections
    }  # fmt: skip


def _key(end: Place) -> int | Outside:
    """What tells *end* from others: an object itself, or the addresses."""
    return end if isinstance(end, Outside) else id(end)


def _meant(mends: Iterable[Mend], pair: Pair, grows: bool) -> ConnectionSet:
    """What *mends* together may change between the two."""
    found = ConnectionSet.NONE
    for mend in mends:
        own, other = pair if mend.direction is Direction.EGRESS else pair[::-1]
        bound = mend.others is None or _is_in(other, mend.others)
        if (mend.grows if grows else mend.shrinks) and bound and _is_in(own, mend.subjects):
            found = found | mend.ports
    return found


def _is_in(end: Place, workloads: Iterable[Workload]) -> bool:
    return any(one is end for one in workloads)


def _named(end: Place) -> str:
    return names([end]) if isinstance(end, Workload) else str(end)


def _shown(ports: ConnectionSet) -> str:
    return ", ".join(
        f"{protocol} {low}" if low == high else f"{protocol} {low}-{high}"
        for protocol, part in ports.items() for low, high in part
    )  # fmt: skip


def fixable(chosen: Sequence[Check]) -> list[Check]:
    """Those of *chosen* of which findings can be mended."""
    return [one for one in chosen if one.code in FIXABLE]


def read_again(before: Cluster, after: Cluster, mends: Sequence[Mend]) -> Iterator[str]:
    """Where the text of a file, read before and after its change, differs in more than *mends*; nothing when it is so.

    Both are what that file alone holds.
    """
    meant = {(mend.policy.kind, mend.policy.id): mend.after for mend in mends}
    old = {(one.kind, one.id): meant.get((one.kind, one.id), one) for one in before.policies}
    new = {(one.kind, one.id): one for one in after.policies}
    for key in {**old, **new}:
        if old.get(key) != new.get(key):
            yield f"{key[0]} {key[1]} would be read otherwise than is meant"
    for name in ("namespaces", "workloads", "nodes", "services", "slices", "entrances", "gaps", "others"):
        if getattr(before, name) != getattr(after, name):
            yield f"the {name} of the file would change"
    if [one.code for one in before.findings] != [one.code for one in after.findings]:
        yield "reading would tell something else"
