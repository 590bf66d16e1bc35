"""What is said to people about a difference: names of many ends in few words, ports both ways, policies, risks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.joint import Changed
from ringfence.model.flows import Note, Reason
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Policy
from ringfence.query.blocks import Place
from ringfence.query.diff.blame import Because
from ringfence.query.diff.diff import Diff
from ringfence.query.diff.parts import Break, Change, Effect, Risk
from ringfence.query.regions import Cause
from ringfence.report.findings import finding_line
from ringfence.report.gaps import sentences
from ringfence.report.words import NOTE_TEXT, REASON_TEXT, end_name, human

NAMED: Final = 4
"""Names of one list that are shown; of more the first and the last are, and the middle is counted."""
POLICIES: Final = 3
"""Policies that are named of one side of a change."""
TITLE: Final = {
    Risk.FROM_OUTSIDE: "Newly reachable from outside",
    Risk.FROM_OTHER_NAMESPACES: "Newly reachable from other namespaces",
    Risk.TO_OUTSIDE: "Newly reaching the outside",
    Risk.WITHIN_NAMESPACE: "Newly reachable within a namespace",
    Risk.NONE: "Closed, or no wider than before",
}
BREAK: Final = {
    Break.MISSING: "what it wants is possible no more",
    Break.FORBIDDEN: "what it forbids is possible now",
    Break.UNPROTECTED: "a workload of it is isolated no more",
}
MARK: Final = {Effect.ADDED: "+", Effect.REMOVED: "-", Effect.CHANGED: "~"}


class Line(NamedTuple):
    """Some text and the name of its style."""

    text: str
    style: str = ""


def names(places: Sequence[Place], most: int = NAMED) -> str:
    """A few of *places* by name; many workloads of one namespace by the namespace and their number."""
    if len(places) <= most:
        return ", ".join(map(end_name, places))
    spaces = Counter(one.namespace for one in places if isinstance(one, Workload))
    total = len(places)
    if len(spaces) == 1 and sum(spaces.values()) == total:
        return f"{end_name(places[0])} … {end_name(places[-1])} ({total:,} of namespace {next(iter(spaces))})"
    across = f", in {len(spaces):,} namespaces" if len(spaces) > 1 else ""
    return f"{end_name(places[0])}, {end_name(places[1])} … {end_name(places[-1])} ({total:,}{across})"


def answer_text(answer: Answer) -> str:
    """``TCP 80; some pods: TCP 443; depends (pod-ip-unknown): UDP 53``, or "nothing"."""
    found = [human(answer.allowed)] if answer.allowed else []
    if answer.mixed:
        found.append(f"some pods: {human(answer.mixed)}")
    found += [f"depends ({reason}): {human(ports)}" for reason, ports in answer.open]
    return "; ".join(found) or "nothing"


def ports_text(change: Change) -> str:
    """What was opened, what was closed, or what it was before and after."""
    if change.effect is Effect.ADDED:
        return answer_text(change.after)
    if change.effect is Effect.REMOVED:
        return f"was {answer_text(change.before)}"
    return f"{answer_text(change.before)} → {answer_text(change.after)}"


def because(change: Change, diff: Diff) -> Iterator[str]:
    """The policies responsible: what lets through where something is let through, what shuts out where nothing is."""
    if diff.by == "namespace":
        return
    for name, side in zip(("before", "after"), diff.why(change), strict=True):
        if text := _side(side):
            yield f"{name}: {text}"


def _side(because: Because) -> str:
    found = [_cause(one) for one in because.through if not one.unprotected]
    if found:
        return f"let through by {_some(found)}"
    if because.through:
        return "restricted by no policy"
    shut = [f"{one.policy}{_place(one.file, one.line)}" for one in because.shut]
    return f"shut by {_some(shut)}" if shut else ""


def _cause(cause: Cause) -> str:
    return f"{cause.policy} {cause.rule}{_place(cause.file, cause.line)}"


def _some(texts: Iterable[str]) -> str:
    found = list(dict.fromkeys(texts))
    more = f" and {len(found) - POLICIES} more" if len(found) > POLICIES else ""
    return ", ".join(found[:POLICIES]) + more


def _place(file: str, line: int) -> str:
    if not file:
        return ""
    return f" ({file}:{line})" if line else f" ({file})"


def policy_text(changed: Changed) -> str:
    """``NetworkPolicy shop/web (new/web.yaml:3)``."""
    policy = changed.new or changed.old
    assert policy is not None
    return f"{policy.kind} {policy.id}{where(policy)}"


def policy_effect(changed: Changed) -> Effect:
    """Whether a policy came, went, or is another one."""
    return Effect.ADDED if changed.old is None else Effect.REMOVED if changed.new is None else Effect.CHANGED


def where(policy: Policy) -> str:
    """The place of *policy*, in brackets."""
    line, _ = policy.source.at("")
    return _place(policy.source.file, line)


def summary(diff: Diff) -> str:
    """One sentence: how many pairs were added, removed and changed, and what came and went with them."""
    if diff.empty:
        unlike = f"; {count(len(diff.policies), 'policy', 'policies')} written otherwise" if diff.policies else ""
        return f"No difference in what may connect{unlike}."
    pairs: Counter[Effect] = Counter()
    for change in diff.changes:
        pairs[change.effect] += change.pairs
    said = [f"{pairs[effect]:,} {effect}" for effect in Effect if pairs[effect]]
    total = sum(pairs.values())
    parts = [f"{count(total, 'connection')}: {', '.join(said)}" if said else "no connection differs"]
    if diff.added or diff.removed:
        came = [f"{len(some):,} {word}" for some, word in ((diff.added, "added"), (diff.removed, "removed")) if some]
        parts.append(f"workloads: {', '.join(came)}")
    if diff.policies:
        parts.append(f"{count(len(diff.policies), 'policy', 'policies')} differ{'s' * (len(diff.policies) == 1)}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def unprotected_lines(diff: Diff) -> Iterator[Line]:
    """The workloads that nothing restricts any more, and those that something does now."""
    for direction in Direction:
        found = diff.unprotected[direction]
        if found.lost:
            yield Line(f"Newly unprotected: no policy restricts {direction} of {names(found.lost)}.", "red")
    for direction in Direction:
        found = diff.unprotected[direction]
        if found.gained:
            yield Line(f"Newly protected: a policy restricts {direction} of {names(found.gained)}.", "green")


def broken_lines(diff: Diff) -> Iterator[Line]:
    """The intents that do not hold any more."""
    for one in diff.intents.broken:
        yield Line(f"Broken intent: {one.what}{_place(one.file, one.line)}: {BREAK[one.how]}.", "red")
    if diff.intents.before:
        yield Line(
            f"{count(diff.intents.before, 'intent')} did not hold before either; 'ringfence check' tells.", "dim"
        )
    for finding in diff.intents.findings:
        yield Line(f"Intents are not compared: {finding_line(finding)}", "red")


def doubt_lines(diff: Diff) -> Iterator[Line]:
    """What could hide an allow, or be none: gaps of the input, and policies that ask for what is not in it."""
    for doubt in diff.doubts:
        side = "after" if doubt.new else "before"
        name = f"{doubt.policy.id}{where(doubt.policy)}"
        yield Line(f"{doubt.note}, {side}: {name}: {NOTE_TEXT[doubt.note]}; it may open more than is shown.", "yellow")
    before, after = (list(sentences(gaps)) for gaps in diff.gaps)
    if before == after:
        yield from (Line(f"On both sides: {text}", "yellow") for text in after)
        return
    yield from (Line(f"Before: {text}", "yellow") for text in before)
    yield from (Line(f"After: {text}", "yellow") for text in after)


def legend(changes: Iterable[Change]) -> Iterator[Line]:
    """What the reasons and notes of *changes* mean."""
    reasons: set[Reason] = set()
    notes: set[Note] = set()
    for change in changes:
        reasons.update(reason for answer in (change.before, change.after) for reason, _ in answer.open)
        notes |= change.notes
    yield from (Line(f"{reason}: {REASON_TEXT[reason]}.", "yellow") for reason in sorted(reasons))
    yield from (Line(f"{note}: {NOTE_TEXT[note]}.", "yellow") for note in sorted(notes))


def count(number: int, one: str, several: str = "") -> str:
    """``1 policy``, ``3 policies``."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
