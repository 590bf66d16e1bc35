"""Wanted connections, tried before policies are applied and again after: what worked has to work still."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from ringfence.errors import UsageError
from ringfence.intents.wishes import Meaning
from ringfence.live.probe import beside
from ringfence.live.probe.plan import Settings
from ringfence.live.probe.run import objects
from ringfence.live.server.server import Server
from ringfence.model.arrows import parse
from ringfence.model.cluster import Cluster
from ringfence.model.ends import KINDS, Arrow, NameEnd, PortSpec
from ringfence.model.flows import Verdict
from ringfence.model.observations import Outcome
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.asked import Asked, Asking, Questions
from ringfence.workflow.probing.carrying import carry_out
from ringfence.workflow.probing.planning import Planned, Targets, asking, plan
from ringfence.workflow.probing.results import Probed


@dataclass
class Wanted:
    """Tries what documents of intents want, with twins of the pods as they are each time.

    ``picture`` is the cluster as it is now, ``meaning`` what the documents mean in it. ``most`` is how many connections
    are tried at most; *counted* goes on where twins would be counted as pods. ``targets`` are what connections lead to.
    """

    server: Server
    picture: Callable[[], Cluster]
    meaning: Callable[[Cluster], Meaning]
    profile: Profile = KUBERNETES
    settings: Settings = field(default_factory=Settings)
    most: int = 200
    counted: bool = False
    targets: Targets = Targets.EITHER
    say: Callable[[str], None] = lambda _: None

    def __call__(self, again: Collection[str] | None = None) -> Mapping[str, bool | None]:
        """Whether each connection works, by its arrow between two workloads; those of *again* where they are given.

        One works when all tries of it are open; None when that could not be seen.
        Raises: Refused; Unreachable; UsageError where twins would be counted as pods; KeyboardInterrupt also for one
        that came while twins were taken away.
        """
        cluster = self.picture()
        ask = asking(cluster, self.profile)
        arrows = self._arrows(ask) if again is None else {text: parse(text) for text in again}
        asked: list[Asked] = []
        works: dict[str, bool | None] = {}
        for text, arrow in sorted(arrows.items()):
            works[text] = None
            try:
                asked += ask.of_arrow(arrow).asked
            except UsageError as problem:  # an end is gone, or nothing runs there
                self.say(f"{text}: cannot be tried ({problem})")
        if not asked:
            return works
        planned = plan(ask, Questions(asked), settings=self.settings, targets=self.targets)
        self._refuse_counted(planned)
        self.say(planned.said)
        probed = carry_out(self.server, planned, say=self.say)
        for left in probed.left:
            self.say(f"left behind: {left}; remove it with 'ringfence cleanup {probed.run}'")
        if probed.interrupted:
            raise KeyboardInterrupt
        return works | self._works(cluster, probed)

    def _arrows(self, ask: Asking) -> dict[str, Arrow]:
        """Every pair of workloads that something wants to connect, at each port."""
        questions = ask.of_intents(self.meaning(ask.cluster))
        wanted = Questions([one for one in questions.asked if one.wanted is Verdict.ALLOWED]).cut(self.most)
        for why, count in wanted.left_out.items():
            self.say(f"not probed: {count} × {why}")
        found = (_between(ask.cluster, one) for one in wanted.asked)
        return {str(arrow): arrow for arrow in found}

    def _works(self, cluster: Cluster, probed: Probed) -> dict[str, bool | None]:
        works: dict[str, bool | None] = {}
        for cell in probed.cells:
            text = str(_between(cluster, cell.asked))
            seen = None if cell.agreement is Agreement.UNMEASURED else cell.outcomes == {Outcome.OPEN}
            if not seen:
                self.say(f"{text}: {cell.why or cell.measured}")
            known = works.get(text, True)
            works[text] = known and seen if known is not None and seen is not None else None
        return works

    def _refuse_counted(self, planned: Planned) -> None:
        """Raises: UsageError when something else in the cluster would count the twins as pods."""
        if self.counted:
            return
        minding = list(beside.counting(self.server, planned.whole, objects(self.server, planned.whole)))
        if minding:
            raise UsageError(f"{'; '.join(minding)}; go on with --allow-pdb, or without --intents")


def _between(cluster: Cluster, one: Asked) -> Arrow:
    """The arrow from one workload to the other that *one* stands for."""
    ends = []
    for pod in (one.src, one.dst):
        workload = cluster.workload_of[id(pod)]
        kind = workload.kind if workload.kind in KINDS.values() else None
        ends.append(NameEnd(workload.name, workload.namespace, kind))
    return Arrow(ends[0], ends[1], (PortSpec(one.protocol, one.port, one.port),))
