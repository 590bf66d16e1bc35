"""The remarks of the reference: what must be said about a flow because the input was incomplete (S87).

A note never changes an answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.engine.reference.matching import Matcher, Party
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.entrances import CONTROLLER
from ringfence.model.flows import Note
from ringfence.model.objects import NAME_LABEL, Pod, Workload
from ringfence.model.policies import Peer, Policy
from ringfence.model.profiles import Profile
from ringfence.model.selectors import Selector


class Remarks:
    """The notes of one cluster under one profile; none at all where the profile has no room for them."""

    def __init__(self, cluster: Cluster, profile: Profile, matcher: Matcher) -> None:
        self.cluster = cluster
        self.profile = profile
        self.matcher = matcher

    def noted(self, notes: Iterable[Note]) -> frozenset[Note]:
        """*notes*, where the profile has room for them."""
        return frozenset(notes) if self.profile.notes else frozenset()

    def of_peers(self, policy: Policy, peers: tuple[Peer, ...], party: Party) -> set[Note]:
        """What must be said because a selector asked for a label that cannot be known."""
        found: set[Note] = set()
        if not isinstance(party, Pod) or self.matcher.is_node(party):
            return found
        for peer in peers:
            if peer.block is None:
                found |= self._unknown_labels(policy, peer, party)
        return found

    def _unknown_labels(self, policy: Policy, peer: Peer, pod: Pod) -> set[Note]:
        namespace = self.cluster.namespace(pod.namespace)
        if peer.namespaces is None:
            if pod.namespace != policy.namespace:
                return set()
            asked = False
        else:
            # S126: an invented namespace has its name label only; another key was asked of what nobody wrote down
            known = Selector(tuple(r for r in peer.namespaces.requirements if r.key == NAME_LABEL))
            asked = namespace.invented and len(known.requirements) < len(peer.namespaces.requirements)
            if not self.matcher.selects(known if asked else peer.namespaces, namespace.labels):
                return set()
        pods = peer.pods or Selector()
        guessed = any(r.key in pod.generated for r in pods.requirements)
        certain = Selector(tuple(r for r in pods.requirements if r.key not in pod.generated))
        if not self.matcher.selects(certain, pod.labels):
            return set()
        return ({Note.NAMESPACE_INVENTED} if asked else set()) | ({Note.INCOMPLETE_INPUT} if guessed else set())

    def of_ends(self, *ends: object) -> frozenset[Note]:
        """The notes that come with an end, whatever the flow: gaps of the input, labels not known, no replicas."""
        found: set[Note] = set()
        for end in ends:
            for pod in end.pods if isinstance(end, Workload) else (end,):
                found |= {gap.note for gap in self.cluster.gaps if self._concerns(gap, pod)}
                if not isinstance(pod, Pod):
                    continue
                workload = self.cluster.workload_of.get(id(pod))
                if workload is not None and workload.no_replicas:
                    found.add(Note.NO_REPLICAS)
                if pod.namespace == CONTROLLER:
                    found.add(Note.CONTROLLER_UNKNOWN)  # S88: a pod of which only this is known
                if self._maybe_selected(pod):
                    found.add(Note.INCOMPLETE_INPUT)
        return self.noted(found)

    def _concerns(self, gap: Gap, party: object) -> bool:
        if gap.namespace is None:
            return True
        if not isinstance(party, Pod) or party.namespace != gap.namespace:
            return False
        return gap.pods is None or self.matcher.selects(gap.pods, party.labels)

    def _maybe_selected(self, pod: Pod) -> bool:
        """Whether a policy asks *pod* for a label whose value only a controller knows."""
        if self.matcher.is_node(pod):
            return False
        for policy in self.cluster.policies_by_namespace.get(pod.namespace, ()):
            requirements = policy.subject.pods.requirements
            if any(r.key in pod.generated for r in requirements):
                certain = Selector(tuple(r for r in requirements if r.key not in pod.generated))
                if self.matcher.selects(certain, pod.labels):
                    return True
        return False
