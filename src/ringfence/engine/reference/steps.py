"""The sentences of a decision and its steps: which policy or rule, at which line, did what to this flow.

They are recorded while the reference decides and never rebuilt afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from ringfence.engine.reference.matching import Match, PeerMatch
from ringfence.model.flows import Decision, EndDecision, Flow, Outside, Reason, Step, Verdict
from ringfence.model.objects import Node, Pod, Service
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule


def party_name(party: Pod | Node | Outside) -> str:
    """What a person calls *party*."""
    if isinstance(party, Node):
        return f"node {party.name}"
    if isinstance(party, Outside):
        return f"{', '.join(party.addresses.cidrs())} (outside the cluster)"
    return party.id


def exempt(text: str, basis: str) -> Step:
    """A rule of the API itself that settles an end, whatever the policies say."""
    return Step("", "", "", "", 0, "exempt", text, basis)


def isolates(policy: Policy, direction: Direction, pod: Pod) -> Step:
    """*policy* selects *pod* and is in force for *direction*: what it does not allow is denied."""
    count = len(policy.rules(direction))
    rules = "no rule" if count == 0 else "1 rule" if count == 1 else f"{count} rules"
    text = f"selects {pod.id} (podSelector {policy.subject.pods}) and has {rules} for {direction}"
    return _at(policy, "", "isolates", text, "S35")


def inert(policy: Policy, direction: Direction) -> Step:
    """*policy* has rules for *direction* that its policyTypes do not put in force."""
    text = f"has {direction} rules, but policyTypes does not list {direction.capitalize()}, so they have no effect"
    return _at(policy, f"spec.{direction}", "no-match", text, "S38")


def unselected(policy: Policy, pod: Pod) -> Step:
    """*policy* lies in the pod's namespace and does not select it."""
    return _at(policy, "spec.podSelector", "no-match", f"does not select {pod.id} (podSelector {policy.subject.pods})",
               "S34")  # fmt: skip


def rule_outcome(
    policy: Policy, direction: Direction, rule: Rule, peers: PeerMatch, ports: bool, party: Pod | Node | Outside,
    lacking: Collection[PortMatch], destination: Pod | Node | Outside,
) -> Step:  # fmt: skip
    """What one rule of *policy* said: allows, leaves open, or why it did not match.

    *lacking* are the items of the rule that name a port which *destination* has none of (S63, S66).
    """
    way = "from" if direction is Direction.INGRESS else "to"
    who = party_name(party)
    peer_path = rule.path if peers.peer is None else f"{rule.path}.{way}[{peers.peer}]"
    if peers.match is Match.NO:
        listed = "; ".join(_peer_text(policy, peer) for peer in rule.peers)
        field = f"{rule.path}.{way}"
        return _at(policy, field, "no-match", f"{who} is none of its peers ({listed})", "S41")
    if not ports:
        listed = ", ".join(_port_text(port) for port in rule.ports)
        missing = ", ".join(dict.fromkeys(f"no {port.protocol} port called {port.port}" for port in lacking))
        without = f"; {party_name(destination)} has {missing}" if missing else ""
        return _at(policy, f"{rule.path}.ports", "no-match", f"allows only {listed}{without}", "S41")
    what = "every port" if not rule.ports else ", ".join(_port_text(port) for port in rule.ports)
    whom = (
        f"every {'source' if way == 'from' else 'destination'}"
        if peers.peer is None
        else _peer_text(policy, rule.peers[peers.peer])
    )
    if peers.match is Match.UNKNOWN:
        text = f"allows {what} {way} {whom}, which holds {who} or not: its address is not in the input"
        return _at(policy, peer_path, "open", text, "S55")
    return _at(policy, peer_path, "allows", f"allows {what} {way} {whom}", "S36")


def _peer_text(policy: Policy, peer: Peer) -> str:
    """*peer*, and where a podSelector alone looks: in the policy's own namespace (S47)."""
    alone = peer.pods is not None and peer.namespaces is None
    return f"{peer} in namespace {policy.namespace}" if alone else str(peer)


def _port_text(port: PortMatch) -> str:
    return f"{port} (by name)" if isinstance(port.port, str) else str(port)


def _at(policy: Policy, path: str, effect: str, text: str, basis: str) -> Step:
    return Step(policy.id, policy.kind, path, policy.source.file, policy.source.at(path)[0], effect, text, basis)


def summary(
    verdict: Verdict, ends: tuple[EndDecision, ...], reasons: Iterable[Reason], parts: Iterable[Decision] = ()
) -> str:
    """One plain sentence for the verdict."""
    if verdict is Verdict.MIXED:
        counted = Counter(part.verdict for part in parts)
        return "not the same everywhere: " + ", ".join(f"{n} {v}" for v, n in sorted(counted.items()))
    if verdict is Verdict.IMPLEMENTATION_DEFINED:
        return "depends on " + ", ".join(sorted(reasons))
    if verdict is Verdict.DENIED:
        closed = [end.direction for end in ends if end.verdict is Verdict.DENIED]
        if len(closed) == 2:
            return "denied at both ends: by the source's egress and by the destination's ingress"
        return (
            f"denied by the {'source' if closed[:1] == [Direction.EGRESS] else 'destination'}'s {closed[0]}"
            if closed
            else ""
        )
    isolated = [end.direction for end in ends if end.isolated]
    return "allowed at both ends" if isolated else "allowed: neither end is isolated"


def why_no_endpoints(service: Service, flow: Flow) -> str:
    """Why a Service leads nowhere for *flow*."""
    if not service.headless and all((p.port, p.protocol) != (flow.port, flow.protocol) for p in service.ports):
        listed = ", ".join(f"{p.protocol} {p.port}" for p in service.ports) or "none"
        return f"Service {service.id} has no port {flow.protocol} {flow.port} (it has: {listed})"
    return f"Service {service.id} has no ready backend for {flow.protocol} {flow.port}"
