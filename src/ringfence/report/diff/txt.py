"""A difference as lines, one for each pair, in np-guard's grammar (S142 to S144)."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.engine.compiler.answers import Answer
from ringfence.model.entrances import Door
from ringfence.model.flows import Outside
from ringfence.model.objects import Workload
from ringfence.query.blocks import Place
from ringfence.query.diff.diff import Diff
from ringfence.query.diff.parts import Change, Effect
from ringfence.report.diff import words
from ringfence.report.matrix.columns import plain
from ringfence.report.words import end_id, grammar

HEAD = "Connectivity diff:"
ORDER = (Effect.CHANGED, Effect.ADDED, Effect.REMOVED)


def lines(diff: Diff) -> Iterator[str]:
    """The head and a line for each pair: changed, added, removed, and the same for what comes in by doors.

    Under a profile with notes what the grammar has no words for is appended, and what qualifies all of it comes first.
    Nothing at all is printed for an empty difference (S144).
    """
    found: dict[tuple[bool, Effect], list[str]] = {}
    if diff.by == "namespace":
        for change in diff.changes:
            text = _line(change, change.sources[0], change.destinations[0], diff)
            key = isinstance(change.sources[0], Door), change.effect
            found.setdefault(key, []).append(f"{text} ; pairs: {change.pairs}")
    else:
        came = {id(one): "added" for one in diff.added} | {id(one): "removed" for one in diff.removed}
        for pair in diff.pairs:
            change = Change((pair.src,), (pair.dst,), pair.before, pair.after, 1)
            text = _line(change, pair.src, pair.dst, diff) + _info(pair.src, pair.dst, came)
            found.setdefault((isinstance(pair.src, Door), change.effect), []).append(text)
    if diff.profile.notes:
        yield from (f"# {plain(line.text)}" for line in words.doubt_lines(diff))
    said = False
    for doors in (False, True):
        for effect in ORDER:
            some = sorted(text for text in found.get((doors, effect), ()) if text)
            if some and not said:
                said = True
                yield HEAD
            yield from some


def _line(change: Change, src: Place, dst: Place, diff: Diff) -> str:
    before, after = (_side(answer, full=diff.profile.notes) for answer in (change.before, change.after))
    return (
        f"diff-type: {change.effect}, source: {end_id(src)}, destination: {end_id(dst)}, ref1: {before}, ref2: {after}"
    )


def _side(answer: Answer, *, full: bool) -> str:
    text = grammar(answer.allowed)
    if full and answer.mixed:
        text += f" ; mixed: {grammar(answer.mixed)}"
    if full:
        text += "".join(f" ; implementation-defined: {grammar(ports)} ({reason})" for reason, ports in answer.open)
    return text


def _info(src: Place, dst: Place, came: dict[int, str]) -> str:
    """The workloads of a pair that exist on one side only (S143)."""
    named = [
        (end_id(end), came[id(end)])
        for end in dict.fromkeys((src, dst))
        if isinstance(end, Workload) and not isinstance(end, Door | Outside) and id(end) in came
    ]
    if not named:
        return ""
    return f", workloads-diff-info: workload {' and '.join(name for name, _ in named)} {named[0][1]}"
