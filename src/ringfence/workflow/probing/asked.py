"""What a live cluster is asked: single connections between pods that run, few enough to try them all.

Pods that no policy tells apart are one, shown by a pod or two: where there are several nodes, two destinations of a
kind are tried, on different ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ringfence.engine.compiler.reachability import Reachability
from ringfence.errors import UsageError
from ringfence.intents.ports import through
from ringfence.intents.wishes import Ban, Meaning, Wish
from ringfence.live.probe.plan import SPOKEN
from ringfence.live.runs import RUN
from ringfence.model.cluster import Cluster
from ringfence.model.ends import Arrow
from ringfence.model.flows import End, Verdict
from ringfence.model.lookup import sources, targets
from ringfence.model.objects import Pod, Service, Workload
from ringfence.model.policies import Direction, Policy
from ringfence.model.ports import MAX_PORT, ConnectionSet
from ringfence.workflow.judging import Predicted, by_answer

UNNAMED = 31999
"""A port that is tried where none is named."""
_SHORT = 3
"""Ports of an interval up to which all are tried; of a longer one the ends."""

Port = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """One connection: from a pod to a port of another one, by its own address.

    ``wanted`` is how somebody wants it to be, and ``because`` the words that say so. ``named``: they name the port, so
    that the pod may be thought to listen there though no container declares it.
    """

    src: Pod
    dst: Pod
    protocol: str
    port: int
    wanted: Verdict | None = None
    because: str = ""
    named: bool = False


@dataclass
class Questions:
    """What is asked, and sentences about what is not and why."""

    asked: list[Asked] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def cut(self, most: int, pods: int = 1_000_000, *, listening: bool = True) -> Questions:
        """The first *most* of them for which no more than *pods* twins and controls are made; without *listening* none
        but those that connect.

        What is wanted goes first, and of each pair of ends some before any gets more.
        """
        seen: Counter[tuple[int, int]] = Counter()
        ranked: list[tuple[bool, int, int, Asked]] = []
        for place, one in enumerate(self.asked):
            key = (id(one.src), id(one.dst))
            ranked.append((one.wanted is None, seen[key], place, one))
            seen[key] += 1
        ranked.sort(key=lambda item: item[:3])
        found: list[tuple[int, Asked]] = []
        out, stands = Counter(self.left_out), set[object]()
        for _, _, place, one in ranked:
            more: set[object] = {(True, id(one.src))}
            if listening:
                more |= {(False, id(one.dst)), (True, one.src.namespace, one.src.node),
                         (False, one.dst.namespace, one.dst.node)}  # fmt: skip
            if len(found) >= most:
                out[f"more than --max-probes {most}"] += 1
            elif len(stands | more) > pods:
                out[f"more than --max-pods {pods}"] += 1
            else:
                stands |= more
                found.append((place, one))
        found.sort(key=lambda item: item[0])
        return Questions([one for _, one in found], out)


class Asking:
    """Questions about one cluster, as the engine knows it."""

    def __init__(self, cluster: Cluster, reach: Reachability) -> None:
        """*reach* may know of more pods than *cluster*."""
        self.reach = reach
        self.cluster = cluster
        self._of_rules: dict[tuple[str, Direction], frozenset[Port]] = {}

    def predicted(self, one: Asked) -> Predicted:
        """What the engine says about *one*."""
        return by_answer(self.reach.answer(one.src, one.dst), one.protocol, one.port)

    # -- what to ask ------------------------------------------------------------------------------------------------

    def of_arrow(self, arrow: Arrow, namespace: str | None = None) -> Questions:
        """One arrow: ``->`` wants it open, ``-x`` wants it shut. Raises: as looking it up does; UsageError for ends
        between which nothing can be tried.
        """
        found = Questions()
        wanted = Verdict.DENIED if arrow.deny else Verdict.ALLOWED
        starts = sources(self.cluster, arrow.src, namespace)
        for end, ports in targets(self.cluster, arrow, namespace):
            into: Iterable[tuple[End, ConnectionSet | None]]
            into = through(self.cluster, end, ports)[0] if isinstance(end, Service) else [(end, ports)]
            for dst, there in into:
                self._between(found, starts, dst, there, wanted, str(arrow))
        if not found.asked:
            why = "; ".join(found.left_out) or "no pod is behind one of its ends"
            raise UsageError(f'"{arrow.text or arrow}": nothing of it can be tried: {why}')
        return self._once(found)

    def of_intents(self, meaning: Meaning) -> Questions:
        """Every arrow of documents, and what is implied by them: wishes want it open, bans want it shut."""
        found = Questions()
        every: list[Wish | Ban] = [*meaning.wishes, *meaning.bans]
        for one in every:
            wanted = Verdict.ALLOWED if isinstance(one, Wish) else Verdict.DENIED
            for dst, ports in one.into:
                self._between(found, one.src.ends, dst, ports, wanted, str(one.intent))
        found.left_out["names outside the cluster: nobody here knows who answers there"] += len(meaning.names)
        return self._once(found)

    def of_everything(self, most: int = 1_000_000) -> Questions:
        """All pairs of kinds of pods, at the ports that they declare and rules name, and at one that nothing names.

        Of a large cluster as many pairs as give *most* questions, with every kind among them before any comes again.
        """
        found = Questions()
        starts, goals = (self._shown(self.cluster.workloads, found, count) for count in (1, 2))
        found.left_out = Counter({why: n // 2 for why, n in found.left_out.items()})  # it was counted for both ends
        looked = 0
        for shift in range(len(goals)):
            if len(found.asked) >= most:
                break
            for place, src in enumerate(starts):
                self._each(found, [src], [goals[(place + shift) % len(goals)]], None, None, "")
            looked += len(starts)
        if looked < len(starts) * len(goals):
            found.left_out["pairs of kinds that --max-probes has no room for"] = len(starts) * len(goals) - looked
        return self._once(found)

    def _between(
        self, found: Questions, starting: Sequence[End], dst: End, ports: ConnectionSet | None,
        wanted: Verdict | None, because: str,
    ) -> None:  # fmt: skip
        starts = self._shown(starting, found, 1)
        self._each(found, starts, self._shown([dst], found, 2), ports, wanted, because)

    def _each(
        self, found: Questions, starts: Iterable[Pod], goals: Sequence[Pod], ports: ConnectionSet | None,
        wanted: Verdict | None, because: str,
    ) -> None:  # fmt: skip
        for src in starts:
            for goal in goals:
                there = self._other(goal, anywhere=wanted is None) if goal is src else goal
                if there is None:
                    found.left_out["a pod and itself"] += 1
                    continue
                if ports is not None and ports != ConnectionSet.ALL and ports["SCTP"]:
                    found.left_out["SCTP, which a shell with nc does not speak"] += 1
                named = ports is not None and ports != ConnectionSet.ALL
                tried = self._ports(src, there, ports)
                found.asked += [
                    Asked(src, there, *port, wanted, because, named and port[1] != UNNAMED) for port in tried
                ]

    # -- who stands for whom ----------------------------------------------------------------------------------------

    def _shown(self, ends: Sequence[End], found: Questions, most: int) -> list[Pod]:
        """A pod or two of each kind behind *ends*, on different nodes; why others are left out is noted."""
        kinds: dict[int, list[Pod]] = {}
        for end in ends:
            if not isinstance(end, Workload | Pod):
                found.left_out["nodes and addresses outside: twins stand for pods"] += 1
        for pod in (pod for end in ends for pod in _pods(end)):
            why = unfit(pod)
            if why:
                found.left_out[why] += 1
                continue
            kinds.setdefault(self.reach.classes.of_party[id(pod)], []).append(pod)
        return [one for same in kinds.values() for one in _apart(same)[:most]]

    def _other(self, pod: Pod, *, anywhere: bool) -> Pod | None:
        """Another pod of the kind of *pod*, of its workload or of any."""
        kind, workload = self.reach.classes.of_party, self.cluster.workload_of.get(id(pod))
        own = workload.pods if workload is not None else ()
        for other in (*own, *(self.cluster.pods if anywhere else ())):
            if other is not pod and kind[id(other)] == kind[id(pod)] and not unfit(other):
                return other
        return None

    def _once(self, found: Questions) -> Questions:
        """*found* with pairs of the same two kinds once for each node of the destination, as they came."""
        kind = self.reach.classes.of_party
        kept: dict[tuple[object, ...], Asked] = {}
        for one in found.asked:
            pair = (kind[id(one.src)], kind[id(one.dst)], one.dst.node)
            kept.setdefault((*pair, one.protocol, one.port, one.wanted, one.because), one)
        return Questions(list(kept.values()), Counter({why: n for why, n in found.left_out.items() if n}))

    # -- ports ------------------------------------------------------------------------------------------------------

    def _ports(self, src: Pod, dst: Pod, wanted: ConnectionSet | None) -> list[Port]:
        """Single ports for *wanted*, or those that may matter between the two."""
        declared = {(port.protocol, port.number) for port in dst.ports if port.protocol in SPOKEN}
        if wanted is None or wanted == ConnectionSet.ALL:
            named = self._named(src.namespace, Direction.EGRESS) | self._named(dst.namespace, Direction.INGRESS)
            return sorted(declared | {port for port in named if port[0] in SPOKEN} | {("TCP", UNNAMED)})
        found: set[Port] = set()
        for protocol in SPOKEN:
            for low, high in wanted[protocol]:
                inside = {number for one, number in declared if one == protocol and low <= number <= high}
                if high - low < _SHORT:
                    inside |= set(range(low, high + 1))
                elif high - low < MAX_PORT - 1 or not inside:
                    inside |= {low, high} if high - low < MAX_PORT - 1 else {UNNAMED}
                found |= {(protocol, number) for number in inside}
        return sorted(found)

    def _named(self, namespace: str, direction: Direction) -> frozenset[Port]:
        key = (namespace, direction)
        if key not in self._of_rules:
            own = self.cluster.policies_by_namespace.get(namespace, ())
            self._of_rules[key] = frozenset(port for policy in own for port in _edges(policy, direction))
        return self._of_rules[key]


def _pods(end: End) -> Sequence[Pod]:
    """The pods behind *end*."""
    if isinstance(end, Workload):
        return end.pods
    return (end,) if isinstance(end, Pod) else ()


def _edges(policy: Policy, direction: Direction) -> Iterator[Port]:
    """Both ends of what a rule names, and the port after a range."""
    for rule in policy.rules(direction):
        for item in rule.ports:
            if isinstance(item.port, int):
                last = item.end_port or item.port
                after = [last + 1] if last > item.port and last < MAX_PORT else []
                yield from ((item.protocol, number) for number in {item.port, last, *after})


def unfit(pod: Pod) -> str:
    """Why no twin can stand for *pod*; empty when one can."""
    if pod.host_network:
        return "pods on their node's network: policies do not apply to them"
    if RUN in pod.labels:
        return "pods that runs of ringfence made"
    if pod.template or not pod.name:
        return "workloads of which no pod runs"
    return ""


def _apart(same: list[Pod]) -> list[Pod]:
    """Pods of one kind: the first by node and name, and the first on another node."""
    ordered = sorted(same, key=lambda pod: (pod.node or "", pod.name))
    first = ordered[0]
    return [first, *[pod for pod in ordered if pod.node not in (None, first.node)][-1:]]
