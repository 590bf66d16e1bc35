"""The sentences about a check that all formats share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.intents.wishes import Ban, NameWish, Origin, Wish
from ringfence.model.flows import End, Outside
from ringfence.model.policies import Direction
from ringfence.query.check.result import (
    Checked,
    Covered,
    Exposed,
    Forbidden,
    Lack,
    Named,
    Opening,
    Score,
    Shut,
    StrangeName,
    Wanted,
)
from ringfence.query.regions import Cause
from ringfence.report.words import NOTE_TEXT, end_name, human, some

_FEW: Final = 3
NOT_MEASURED: Final = "a companion document holds the name; it is not measured"
CHOICES: Final = "--pin, --pins or --allow-any-443-outside"


def verdict(checked: Checked) -> str:
    """One sentence: whether all that is wanted is possible, and nothing else."""
    kept = len(checked.wanted) - len(checked.missing)
    parts = [f"{kept} of {len(checked.wanted)} intended connections are possible"]
    parts.append(f"{count(pairs(checked.excess), 'pair')} in excess" if checked.excess else "nothing in excess")
    if checked.exposed:
        parts.append(f"{count(len({one.namespace for one in checked.exposed}), 'namespace')} not protected")
    if checked.broken:
        parts.append(f"{len(checked.broken)} of {count(len(checked.forbidden), 'prohibition')} broken")
    elif checked.forbidden:
        parts.append(f"{count(len(checked.forbidden), 'prohibition')} kept" if not _in_doubt(checked) else "")
    if checked.unsure:
        parts.append(f"{count(len(checked.unsure), 'arrow')} unsure")
    if checked.doubts:
        parts.append(count(len(checked.doubts), "doubt"))
    lacking = sum(bool(one.lacking) for one in checked.names)
    if lacking:
        parts.append(f"{count(lacking, 'name')} held by nothing")
    if checked.strange:
        parts.append(f"{count(len(checked.strange), 'name')} that nobody wants")
    if checked.names:
        parts.append(f"{count(len(checked.names), 'arrow')} to names not measured")
    return f"check: {', '.join(part for part in parts if part)}."


def _in_doubt(checked: Checked) -> bool:
    return any(isinstance(one, Forbidden) for one in checked.unsure)


def count(number: int, one: str) -> str:
    """``3 pairs``."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def pairs(openings: tuple[Opening, ...]) -> int:
    """How many pairs of ends *openings* are about."""
    return sum(len(one.sources) for one in openings)


def title(one: Wish | Ban | NameWish) -> str:
    """The arrow as it was written; of what is implied, what it is."""
    if isinstance(one, Wish) and one.origin is Origin.DNS:
        return f"{one.intent}: looking up names"
    if isinstance(one, Wish | Ban) and one.helper is not None:
        return f"{one.intent}: {one.intent.arrow}"
    return str(one.intent)


def lacking(lack: Lack) -> str:
    """What is missing, and between whom."""
    said = []
    if lack.denied:
        said.append(f"{human(lack.denied)} denied{' for some pods' if lack.partly else ''}")
    if lack.undecided:
        said.append(f"{human(lack.undecided)} not decided")
    return f"{_sources(lack)} -> {name_of(lack.destination)}: {', '.join(said)}"


def opened(opening: Opening) -> str:
    """What is open, and between whom."""
    said = [human(opening.possible)] if opening.possible else []
    if opening.undecided:
        said.append(f"perhaps {human(opening.undecided)}")
    return f"{_sources(opening)} -> {name_of(opening.destination)}: {', '.join(said)}"


def _sources(one: Lack | Opening) -> str:
    return some([name_of(end) for end in one.sources])


def name_of(end: End) -> str:
    """What a person calls *end*; of the outside the first ranges, and how many more there are."""
    if isinstance(end, Outside) and len(list(end.addresses.cidrs())) > _FEW:
        ranges = list(end.addresses.ranges())
        more = f" and {len(ranges) - _FEW} more ranges" if len(ranges) > _FEW else ""
        return f"outside ({', '.join(ranges[:_FEW])}{more})"
    return end_name(end)


def why_open(causes: tuple[Cause, ...]) -> Iterator[str]:
    """What lets something through, a line for each end and rule."""
    for one in causes:
        yield f"{one.direction}: {f'{one.policy} {one.rule}{place(one)}' if one.policy else one.text}"


def why_shut(shut: tuple[Shut, ...]) -> Iterator[str]:
    """Who keeps something out, a line for each end."""
    for one in shut:
        if one.policies:
            isolating = some([f"{cause.policy}{place(cause)}" for cause in one.policies])
            yield f"{one.direction}: no rule allows it; the pod is isolated by {isolating}"


def place(cause: Cause) -> str:
    """Where a policy stands, in brackets."""
    return f" ({cause.file}:{cause.line})" if cause.line else ""


def exposed(one: Exposed) -> str:
    """What stands unprotected."""
    way = "enter" if one.direction is Direction.INGRESS else "leave"
    if one.workloads:
        names = some([workload.name for workload in one.workloads])
        return f"{one.namespace}: no policy restricts what may {way} {names} ({one.direction})"
    return f"{one.namespace}: no policy isolates every pod ({one.direction})"


def named(one: Named) -> str:
    """What became of an arrow to a name."""
    if one.lacking:
        held = f"{human(one.lacking)} of the name is held by no companion document, and no NetworkPolicy can hold it"
        return f"{held}; if generate was given {CHOICES}, give check the same"
    return NOT_MEASURED


def strange(one: StrangeName) -> str:
    """A name that nobody wants."""
    return f"{one.host}: {human(one.ports)} is open by {one.what}, and no arrow wants it"


def loose(one: Exposed) -> str:
    """A namespace without default deny whose pods are isolated one by one."""
    return f"{one.namespace}: its pods are isolated one by one ({one.direction}); one with other labels would be open"


def notes(one: Wanted | Forbidden) -> str:
    """Why an arrow is unsure."""
    return "; ".join(f"{note}: {NOTE_TEXT[note]}" for note in sorted(one.notes))


def covered(one: Covered) -> str:
    """The pods that a block covers."""
    return f'"{title(one.wish)}" covers {some([end_name(end) for end in one.pods])} too'


def why_covered(one: Covered) -> str:
    """What that comes to."""
    if isinstance(one.wish, Ban):
        return "other arrows may reach them, and the block is about what is no pod; forbid the pods by name"
    return "they may be reached because of it, and that is not in excess"


def score(one: Score) -> str:
    """The shares, in words; 100 % only where nothing is in excess, or missing."""
    if not one.possible and not one.wanted:
        return "score: nothing is wanted, and nothing is possible"
    return (
        f"score: {_percent(one.intended, one.possible)} of what is possible is intended, "
        f"{_percent(one.kept, one.wanted)} of what is intended is possible"
    )


def _percent(part: int, whole: int) -> str:
    """Rounded down, so that 100 % is all of it; and never 0 % of something."""
    if not whole or part == whole:
        return "100 %"
    tenths = part * 1000 // whole
    if not tenths:
        return "less than 0.1 %" if part else "0 %"
    return f"{tenths // 10}.{tenths % 10} %"
