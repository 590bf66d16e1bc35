"""What was measured, held against what is wanted: arrow by arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.intents.wishes import Ban, Meaning, Wish
from ringfence.lab.plan.questions import Ports, Question
from ringfence.model.addresses import Address
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Pod, Workload
from ringfence.model.observations import Outcome
from ringfence.model.ports import PROTOCOLS, ConnectionSet
from ringfence.query.check.result import Checked, Standing
from ringfence.workflow.compare import Comparison

SHORT = 16
"""Ports of a range up to which all are tried; of a longer one the ends."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow with what became of its flows: how many were ``open``, ``shut``, or tried in vain."""

    arrow: Wish | Ban
    open: int = 0
    shut: int = 0
    failed: int = 0

    @property
    def flows(self) -> int:
        """How many were tried."""
        return self.open + self.shut + self.failed

    @property
    def standing(self) -> Standing:
        """Kept when every flow went as the arrow says; unsure where none was tried or one failed."""
        if self.shut if isinstance(self.arrow, Wish) else self.open:
            return Standing.BROKEN
        return Standing.UNSURE if self.failed or not self.flows else Standing.KEPT


@dataclass(frozen=True)
class Intended:
    """A check of the manifests, and each of its arrows as it was measured. ``lost`` says why some have no place."""

    checked: Checked
    arrows: tuple[Arrow, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether the check is clean and no arrow was measured otherwise."""
        return self.checked.clean and not any(one.standing is Standing.BROKEN for one in self.arrows)

    @property
    def unmeasured(self) -> tuple[Arrow, ...]:
        """The arrows of which nothing is known from packets."""
        return tuple(one for one in self.arrows if one.standing is Standing.UNSURE)


def more_ports(checked: Checked) -> Ports:
    """The ports of arrows that no rule may name: what is missing, and what is forbidden."""
    wanted = [ports for one in checked.missing for _, ports in one.wish.into]
    wanted += [ports for one in checked.forbidden for _, ports in one.ban.into if ports != ConnectionSet.ALL]
    return frozenset(port for ports in wanted for port in _some(ports))


def _some(ports: ConnectionSet) -> Iterator[tuple[str, int]]:
    for protocol, part in ports.items():
        for low, high in part:
            yield from ((protocol, n) for n in (range(low, high + 1) if high - low < SHORT else (low, high)))


def intended(checked: Checked, there: Meaning, comparisons: Sequence[Comparison]) -> Intended:
    """Every arrow of *checked* with the flows of *comparisons* that it speaks of; *there* are the same in the lab."""
    lost = tuple(one.message for one in there.findings if one.severity == "error")
    tried = [one for one in comparisons if one.question.protocol in PROTOCOLS]
    by_source: dict[object, list[Comparison]] = {}
    for one in tried:
        by_source.setdefault(_of(one.question.src), []).append(one)
    arrows: list[Wish | Ban] = [*there.wishes, *there.bans]
    together: dict[tuple[str, str, str], Arrow] = {}
    for seen in (_seen(arrow, there, by_source) for arrow in arrows):  # one arrow may be about several blocks
        key = (str(seen.arrow.intent), str(seen.arrow.intent.arrow), seen.arrow.intent.path)
        known = together.get(key, Arrow(seen.arrow))
        together[key] = Arrow(known.arrow, known.open + seen.open, known.shut + seen.shut, known.failed + seen.failed)
    return Intended(checked, tuple(together.values()), lost)


def _of(end: object) -> object:
    return None if isinstance(end, Address) else id(end)


def _seen(arrow: Wish | Ban, there: Meaning, by_source: dict[object, list[Comparison]]) -> Arrow:
    counts = {"open": 0, "shut": 0, "failed": 0}
    words = {Outcome.OPEN: "open", Outcome.SILENT: "shut"}
    sources = [None] if arrow.src.cidr else [id(pod) for pod in arrow.src.pods]
    for one in (one for key in sources for one in by_source.get(key, ())):
        if _about(arrow, one.question) and not (isinstance(arrow, Wish) and _cut(there, one.question)):
            for seen in one.observations:
                counts[words.get(seen.outcome, "failed")] += 1
    return Arrow(arrow, **counts)


def _about(arrow: Wish | Ban, question: Question) -> bool:
    if question.src is question.dst or not any(_is(question.src, end) for end in arrow.src.ends):
        return False
    return any(ports.allows(question.protocol, question.port) and _is(question.dst, end) for end, ports in arrow.into)


def _cut(there: Meaning, question: Question) -> bool:
    """Whether a companion's ban took that out of a wider block."""
    return isinstance(question.dst, Address) and any(
        ban.helper is not None and _about(ban, question) for ban in there.bans
    )


def _is(party: object, end: End) -> bool:
    if isinstance(end, Outside):
        return isinstance(party, Address) and party in end.addresses
    pods: Iterable[Pod] = end.pods if isinstance(end, Workload) else [end] if isinstance(end, Pod) else []
    return any(pod is party for pod in pods)
