"""The reference: what the policies of a cluster say about one flow.

Short, slow and obviously right: loops over policies, rules and peers, with the API's sentences beside the branches
and the number of each rule counted as it is applied. Where this and ``compile`` differ, the text of the API says which
one is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import product

from ringfence.engine.reference import steps as say
from ringfence.engine.reference.backends import Backend, backends
from ringfence.engine.reference.matching import Match, Matcher, Party
from ringfence.engine.reference.remarks import Remarks
from ringfence.engine.reference.sides import Side, as_end, both
from ringfence.model.addresses import FAMILIES, AddressSet, Family, edges
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Decision, EndDecision, Flow, Note, Outside, Reason, Step, Verdict
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.policies import Direction, Policy
from ringfence.model.ports import PROTOCOLS
from ringfence.model.profiles import KUBERNETES, Profile


def decide(
    cluster: Cluster,
    flow: Flow,
    profile: Profile = KUBERNETES,
    *,
    hits: Counter[str] | None = None,
    explain: bool = True,
    within: frozenset[Family] = frozenset(),
) -> Decision:
    """The verdict on *flow*, and the steps that led to it at both ends.

    A workload stands for its pods, a Service for its backends, a range of addresses for its cells: where they differ
    the verdict is ``mixed`` and ``parts`` holds each (S76, S123). *hits* counts every rule of the semantics applied.
    Without *explain* no steps are recorded. With *within* parties meet in those families alone, if they have one of
    them in common; a Service says for itself in which it is dialled.
    API: networking.k8s.io/v1 NetworkPolicy.
    Raises: UsageError for an ExternalName Service (S78).
    """
    judge = _Judge(cluster, profile, hits if hits is not None else Counter(), explain)
    return judge.service(flow, flow.dst) if isinstance(flow.dst, Service) else judge.pairs(flow, within)


class _Judge:
    """One question at one cluster."""

    def __init__(self, cluster: Cluster, profile: Profile, hits: Counter[str], explain: bool) -> None:
        self.cluster = cluster
        self.profile = profile
        self.hits = hits
        self.explain = explain
        self.matcher = Matcher(cluster, profile, hits)
        self.remarks = Remarks(cluster, profile, self.matcher)

    # -- from names to single parties --------------------------------------------------------------------------

    def pairs(self, flow: Flow, within: frozenset[Family]) -> Decision:
        """The common answer of every pair of parties behind *flow*'s ends (S123)."""
        assert not isinstance(flow.dst, Service)
        sources, destinations = self._parties(flow.src, Direction.INGRESS), self._parties(flow.dst, Direction.EGRESS)
        pairs = [(s, d) for s, d in product(sources, destinations) if not _itself(s, d)]
        # S125: between replicas policies apply; a pod alone can only reach itself
        pairs = pairs or list(product(sources, destinations))
        parts = [self.one(replace(flow, src=s, dst=d), within=(within,)) for s, d in pairs]
        return self._merge(flow, parts)

    def _parties(self, end: object, outside_as: Direction) -> list[Party]:
        if isinstance(end, Workload):
            return list(end.pods)
        if isinstance(end, Outside):
            return list(self._cells(end, outside_as))
        assert isinstance(end, Pod | Node)
        return [end]

    def _cells(self, outside: Outside, direction: Direction) -> Iterable[Outside]:
        """*outside* cut at every edge of every block, so that each piece has one answer (S128)."""
        blocks = [
            peer.block.addresses
            for policy in self.cluster.policies
            for rule in policy.rules(direction)
            for peer in rule.peers
            if peer.block is not None
        ]
        for family in FAMILIES:
            if not outside.addresses.of_family(family):
                continue
            for low, high in edges(iter(blocks), family):
                piece = AddressSet.interval(family, low, high) & outside.addresses
                if piece:
                    yield Outside(piece)

    def service(self, flow: Flow, service: Service) -> Decision:
        """The answer through *service*, per backend and target port (S75, S76)."""
        found = backends(self.cluster, service, flow.protocol, flow.port, self.hits)
        self.hits["S76"] += 1
        if not found:
            why = say.why_no_endpoints(service, flow)
            return Decision(flow, Verdict.NO_ENDPOINTS, why, notes=self.remarks.of_ends(flow.src))
        parts: list[Decision] = []
        for source in self._parties(flow.src, Direction.INGRESS):
            # S75: who dials one family meets no backend that is one in the other alone
            spoken = self.matcher.families(source)
            for backend in [b for b in found if b.meets(spoken & self.matcher.families(b.party))] or found:
                parts += self._through(flow, service, source, backend)
        return self._merge(flow, parts)

    def _through(self, flow: Flow, service: Service, source: Party, backend: Backend) -> list[Decision]:
        inner = replace(flow, src=source, dst=backend.party, port=backend.port)
        # S75, S78: an endpoint is an address, and is dialled at one of the Service's, so others are not spoken
        within = (backend.families,)
        if source is backend.party:
            found = [self._hairpin(inner, within)]
            if isinstance(source, Pod) and source.replicas > 1:  # another replica may answer
                found.append(self.one(inner, within=within))
            return found
        if isinstance(source, Outside) and service.faces_outside:
            return [self._from_outside(inner, service, backend)]
        if isinstance(backend.party, Outside):
            return [self._to_rewritten(inner, service)]
        return [self.one(inner, within=within)]

    def _hairpin(self, flow: Flow, within: tuple[frozenset[Family], ...]) -> Decision:
        """A pod to itself through a Service (S86): allowed by the rules, else the plugins differ."""
        self.hits["S86"] += 1
        decision = self.one(flow, itself=False, within=within)
        if decision.verdict is Verdict.ALLOWED:
            return decision
        return _third(decision, {Reason.SERVICE_HAIRPIN})

    def _from_outside(self, flow: Flow, service: Service, backend: Backend) -> Decision:
        """From outside through a NodePort or a load balancer (S80, S81)."""
        self.hits["S80"] += 1
        decision = self.one(flow)
        if service.external_traffic_policy == "Local":
            return decision  # the client's address is kept
        self.hits["S81"] += 1
        # With Cluster the source may be a node's address, even the pod's own node, which always gets in (S71).
        every = [
            self.one(replace(flow, src=cell))
            for family in self._backend_families(backend)
            for cell in self._cells(Outside(AddressSet.whole(family)), Direction.INGRESS)
        ]
        same = all(other.verdict is Verdict.ALLOWED for other in every)
        return decision if same else _third(decision, {Reason.SOURCE_REWRITTEN})

    def _backend_families(self, backend: Backend) -> Iterable[Family]:
        if isinstance(backend.party, Outside):
            return FAMILIES
        families = self.matcher.families(backend.party)
        return families & backend.families or families

    def _to_rewritten(self, flow: Flow, service: Service) -> Decision:
        """To a Service address that becomes an outside address on the way (S82)."""
        self.hits["S82"] += 1
        decision = self.one(flow)
        if not isinstance(flow.src, Pod) or self.matcher.is_node(flow.src):
            return decision
        allowed_otherwise = decision.verdict is Verdict.ALLOWED and not self._block_decides(flow)
        if allowed_otherwise:
            return decision
        dialled = [Outside(AddressSet.of(ip)) for ip in service.cluster_ips]
        before = [one for one in dialled if one.family == _family(flow.dst)]
        hopeless = decision.verdict is Verdict.DENIED and before and not any(
            self._block_admits(flow, address) for address in before
        )  # fmt: skip
        if decision.verdict is Verdict.DENIED and (hopeless or not self._any_block(flow)):
            return decision
        return _third(decision, {Reason.SERVICE_TO_EXTERNAL})

    def _block_decides(self, flow: Flow) -> bool:
        assert isinstance(flow.src, Pod)
        side = self._side(Direction.EGRESS, flow.src, _single(flow.dst), _single(flow.dst), flow, _family(flow.dst))
        return side.by_block

    def _block_admits(self, flow: Flow, address: Outside) -> bool:
        assert isinstance(flow.src, Pod)
        side = self._side(Direction.EGRESS, flow.src, address, address, flow, address.family)
        return side.verdict is Verdict.ALLOWED

    def _any_block(self, flow: Flow) -> bool:
        assert isinstance(flow.src, Pod)
        policies = self._applying(flow.src, Direction.EGRESS)
        return any(peer.block is not None for policy in policies for rule in policy.egress for peer in rule.peers)

    # -- one pair of parties -----------------------------------------------------------------------------------

    def one(self, flow: Flow, *, itself: bool = True, within: Iterable[frozenset[Family]] = ()) -> Decision:
        """The answer for two single parties, in every address family that both speak (S57).

        Each set in *within* leaves those of its own, if there are any.
        """
        source, destination = _single(flow.src), _single(flow.dst)
        if itself and _itself(source, destination):
            self.hits["S70"] += 1  # "a pod cannot block access to itself"
            what = "node" if isinstance(source, Node) else "pod"
            step = (say.exempt(f"{say.party_name(source)} is one {what}, and a {what} always reaches itself", "S70"),)
            ends = tuple(EndDecision(direction, Verdict.ALLOWED, step) for direction in _BOTH)
            why = f"allowed: a {what} always reaches itself"
            return Decision(flow, Verdict.ALLOWED, why, notes=self.remarks.of_ends(flow.src), ends=ends)
        families = self._families(source, destination)
        for spoken in within:
            families = [family for family in families if family in spoken] or families
        if not families:
            return Decision(
                flow,
                Verdict.DENIED,
                "the two ends have no address family in common",
                notes=self.remarks.of_ends(flow.src, flow.dst) | self.remarks.noted({Note.NO_COMMON_FAMILY}),
            )
        return self._merge(flow, [self._in_family(flow, source, destination, family) for family in families])

    def _families(self, source: Party, destination: Party) -> list[Family]:
        """The families in which *source* and *destination* can meet; an outside address settles its own."""
        if isinstance(source, Outside):
            return [source.family]
        if isinstance(destination, Outside):
            return [destination.family]
        return sorted(self.matcher.families(source) & self.matcher.families(destination))

    def _in_family(self, flow: Flow, source: Party, destination: Party, family: Family) -> Decision:
        egress = self._side(Direction.EGRESS, source, destination, destination, flow, family)
        ingress = self._side(Direction.INGRESS, destination, source, destination, flow, family)
        notes = set(egress.notes | ingress.notes) | self.remarks.of_ends(flow.src, flow.dst)
        same_node = self._same_node(source, destination)
        if self._node_of(source) is not None or self._node_of(destination) is not None:
            egress, ingress = self._nodes(egress, ingress, source, destination, same_node)
        # S37: allowed only if the source's egress side and the destination's ingress side both allow it
        self.hits["S37"] += 1
        verdict = both(egress.verdict, ingress.verdict)
        reasons = frozenset(egress.reasons | ingress.reasons)
        if flow.established and verdict is Verdict.DENIED:
            self.hits["S43"] += 1
            verdict, reasons = Verdict.IMPLEMENTATION_DEFINED, frozenset({Reason.EXISTING_CONNECTION})
        if verdict is Verdict.ALLOWED and both(egress.without_blocks, ingress.without_blocks) is not Verdict.ALLOWED:
            notes.add(Note.PLUGIN_DEPENDENT)
        if same_node is None and verdict is not Verdict.ALLOWED:
            notes.add(Note.PLACEMENT_UNKNOWN)  # S89: judged as if on another node
        if verdict is not Verdict.IMPLEMENTATION_DEFINED:
            reasons = frozenset()
        ends = (as_end(Direction.EGRESS, egress), as_end(Direction.INGRESS, ingress))
        return Decision(flow, verdict, say.summary(verdict, ends, reasons), reasons, self.remarks.noted(notes), ends)

    # -- one end -----------------------------------------------------------------------------------------------

    def _side(
        self, direction: Direction, subject: Party, peer: Party, destination: Party, flow: Flow, family: Family
    ) -> Side:
        """What the policies of *subject* say about *peer*, in *direction*."""
        if not isinstance(subject, Pod) or self.matcher.is_node(subject):
            return self._unrestricted(subject)
        policies = self._applying(subject, direction)
        steps = self._selection_steps(subject, direction, policies)
        # "If no policies select the pod, all traffic is allowed" in that direction.
        self.hits["S35"] += 1
        if not policies:
            if self.explain:
                text = f"no policy isolates {subject.id} for {direction}, so nothing is restricted there"
                steps.append(say.exempt(text, "S35"))
            return Side(Verdict.ALLOWED, Verdict.ALLOWED, steps=tuple(steps))
        if flow.protocol not in PROTOCOLS:
            self.hits["S74"] += 1  # "network policies are defined for layer 4 connections (TCP, UDP, SCTP)"
            return Side(Verdict.IMPLEMENTATION_DEFINED, Verdict.IMPLEMENTATION_DEFINED, frozenset({Reason.ICMP}),
                         steps=tuple(steps), isolated=True)  # fmt: skip
        return self._rules(direction, policies, peer, destination, flow, family, steps)

    def _unrestricted(self, subject: Party) -> Side:
        """A side that is not a pod restricts nothing (S37, S73)."""
        steps: tuple[Step, ...] = ()
        if isinstance(subject, Pod):
            self.hits["S73"] += 1
            text = f"{subject.id} has hostNetwork: its traffic is its node's, and policies do not select it"
            steps = (say.exempt(text, "S73"),) if self.explain else ()
        elif self.explain:
            steps = (say.exempt(f"{say.party_name(subject)} is not a pod: no policy restricts this end", "S37"),)
        return Side(Verdict.ALLOWED, Verdict.ALLOWED, steps=steps)

    def _applying(self, pod: Pod, direction: Direction) -> list[Policy]:
        """The policies that isolate *pod* for *direction* (S35): they select it and list the direction."""
        found = []
        for policy in self.cluster.policies_by_namespace.get(pod.namespace, ()):
            if direction not in policy.directions:
                if policy.rules(direction):
                    self.hits["S38"] += 1  # policyTypes decides alone: the section has no effect
                continue
            if self.matcher.subject(policy, pod):
                found.append(policy)
        return found

    def _selection_steps(self, pod: Pod, direction: Direction, applying: list[Policy]) -> list[Step]:
        steps: list[Step] = []
        if not self.explain:
            return steps
        for policy in self.cluster.policies_by_namespace.get(pod.namespace, ()):
            if policy in applying:
                continue
            if direction not in policy.directions:
                if policy.rules(direction) and self.matcher.subject(policy, pod):
                    steps.append(say.inert(policy, direction))
            else:
                steps.append(say.unselected(policy, pod))
        return steps

    def _rules(
        self, direction: Direction, policies: list[Policy], peer: Party, destination: Party, flow: Flow,
        family: Family, steps: list[Step],
    ) -> Side:  # fmt: skip
        """The union of what the rules of all *policies* allow (S36): no order, and nothing that takes away."""
        self.hits["S36"] += 1
        best = plain = Verdict.DENIED
        notes: set[Note] = set()
        by_block = True
        for policy in policies:
            if self.explain and isinstance(subject := destination if direction is Direction.INGRESS else flow.src, Pod):
                steps.append(say.isolates(policy, direction, subject))
            # "If this field is empty then this NetworkPolicy does not allow any traffic": no rule, no turn of the loop.
            if not policy.rules(direction):
                self.hits["S39"] += 1
            for rule in policy.rules(direction):
                if not rule.peers and not rule.ports:
                    self.hits["S40"] += 1  # an empty rule allows everything
                peers = self.matcher.peers(policy, rule, peer, family)
                notes |= self.remarks.of_peers(policy, rule.peers, peer)
                # "This rule matches if and only if both ports and from match."
                ports = peers.match is not Match.NO and self.matcher.ports(rule, destination, flow.protocol, flow.port)
                if self.explain:
                    lacking = [item for item in rule.ports if self.matcher.lacks(item, destination)]
                    steps.append(say.rule_outcome(policy, direction, rule, peers, ports, peer, lacking, destination))
                if not ports:
                    continue
                if peers.match is Match.YES:
                    best = Verdict.ALLOWED
                    block = peers.peer is not None and rule.peers[peers.peer].block is not None
                    by_block = by_block and block
                    if not peers.by_block:
                        plain = Verdict.ALLOWED
                elif best is Verdict.DENIED:
                    best = Verdict.IMPLEMENTATION_DEFINED
        reasons = frozenset({Reason.POD_IP_UNKNOWN}) if best is Verdict.IMPLEMENTATION_DEFINED else frozenset()
        return Side(best, plain, reasons, frozenset(notes), tuple(steps), True, best is Verdict.ALLOWED and by_block)

    # -- nodes -------------------------------------------------------------------------------------------------

    def _node_of(self, party: Party) -> str | None:
        """The name of the node that *party* is or acts as; "" when it acts as one that is not known."""
        if isinstance(party, Node):
            return party.name
        if isinstance(party, Pod) and self.matcher.is_node(party):
            return party.node or ""
        return None

    def _same_node(self, source: Party, destination: Party) -> bool | None:
        """Whether a node and a pod are on one machine; None when the input does not say (S89)."""
        if not self.profile.own_node:
            return False
        node, pod = self._node_of(source), destination
        if node is None:
            node, pod = self._node_of(destination), source
        if node is None or not isinstance(pod, Pod) or self.matcher.is_node(pod):
            return False
        return None if not node or pod.node is None else node == pod.node

    def _nodes(
        self, egress: Side, ingress: Side, source: Party, destination: Party, same_node: bool | None
    ) -> tuple[Side, Side]:
        """Both ends, with the rules about a pod's own node applied."""
        if same_node is not True:
            self.hits["S71"] += 1  # another node is an ordinary address
            return egress, ingress
        if self._node_of(source) is not None:
            self.hits["S71"] += 1  # "Traffic from the node the pod runs on is always allowed."
            text = f"{say.party_name(source)} is on the node of {say.party_name(destination)}: always let in"
            step = (say.exempt(text, "S71"),) if self.explain else ()
            return egress, Side(Verdict.ALLOWED, Verdict.ALLOWED, steps=step, isolated=ingress.isolated)
        self.hits["S72"] += 1
        if self.profile.pod_to_own_node == "allowed":
            text = f"{say.party_name(destination)} is the node of {say.party_name(source)}: always let out"
            steps = (say.exempt(text, "S72"),) if self.explain else ()
            return Side(Verdict.ALLOWED, Verdict.ALLOWED, steps=steps, isolated=egress.isolated), ingress
        if egress.verdict is Verdict.DENIED and self.profile.pod_to_own_node == "open":
            # The documentation excepts it in one list and not in another; plugins differ.
            open_end = replace(egress, verdict=Verdict.IMPLEMENTATION_DEFINED,
                               reasons=frozenset({Reason.OWN_NODE_EGRESS}))  # fmt: skip
            return open_end, ingress
        return egress, ingress

    # -- several into one --------------------------------------------------------------------------------------

    def _merge(self, flow: Flow, parts: list[Decision]) -> Decision:
        if len(parts) == 1:
            return replace(parts[0], flow=flow, parts=parts[0].parts or (parts[0],))
        verdicts = {part.verdict for part in parts}
        verdict = verdicts.pop() if len(verdicts) == 1 else Verdict.MIXED
        if verdict is Verdict.MIXED:
            self.hits["S123"] += 1
        reasons = frozenset(reason for part in parts for reason in part.reasons)
        return Decision(
            flow,
            verdict,
            say.summary(verdict, parts[0].ends, reasons, parts),
            reasons,
            frozenset(note for part in parts for note in part.notes),
            parts[0].ends,
            tuple(inner for part in parts for inner in (part.parts or (part,))),
        )


_BOTH = (Direction.EGRESS, Direction.INGRESS)


def _itself(source: object, destination: object) -> bool:
    """Whether the two are one and the same pod; a template for several pods is not (S125)."""
    return source is destination and (not isinstance(source, Pod) or source.replicas == 1)


def _single(end: object) -> Party:
    assert isinstance(end, Pod | Node | Outside)
    return end


def _family(end: object) -> Family:
    assert isinstance(end, Outside)
    return end.family


def _third(decision: Decision, reasons: set[Reason]) -> Decision:
    """*decision* as one that the API leaves open, unless it was open for a reason of its own already."""
    together = frozenset(reasons) | decision.reasons
    text = say.summary(Verdict.IMPLEMENTATION_DEFINED, decision.ends, together)
    return replace(decision, verdict=Verdict.IMPLEMENTATION_DEFINED, reasons=together, reason=text, parts=())
