"""The run: every chosen check asked, equal findings made one, what is ignored set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.model.cluster import Other
from ringfence.model.entrances import Entrance
from ringfence.model.findings import Finding, Place, Severity
from ringfence.model.objects import EndpointSlice, Namespace, Node, Service, Workload
from ringfence.model.policies import Policy
from ringfence.query.lint.check import Check, Found, Thing
from ringfence.query.lint.ignoring import ignores
from ringfence.query.lint.linting import Linting
from ringfence.query.lint.table import at_least


@dataclass(frozen=True)
class Linted:
    """What was found. ``ignored`` counts findings that an annotation names, ``accepted`` those of the baseline."""

    findings: tuple[Finding, ...]
    checks: int
    ignored: int = 0
    accepted: int = 0
    gone: int = 0
    """Findings of the baseline that are there no more."""
    outdone: frozenset[tuple[str, str, str]] = frozenset()
    """Codes, objects and fields of which a check of more to say was found: they are not told."""

    def count(self, severity: Severity) -> int:
        """How many findings are of *severity*."""
        return sum(one.severity is severity for one in self.findings)


def lint(
    linting: Linting, chosen: Sequence[Check], *, least: Severity = Severity.NOTE,
    accepted: Mapping[str, int] | None = None,
) -> Linted:  # fmt: skip
    """What the *chosen* checks find.

    Findings that are less bad than *least* are left out, and so are those whose fingerprints are *accepted*, as often
    as they are.
    """
    made: dict[tuple[str, str, str, str, str], Finding] = {}
    places: dict[tuple[int, str], tuple[int, int]] = {}
    outdone: set[tuple[str, str, str]] = set()
    ignored = 0
    for one in chosen:
        for found in one.look(linting):
            outdone.update((code, id_of(found.thing), found.path) for code in one.over)
            if _is_ignored(one, found.thing):
                ignored += 1
                continue
            finding = _finding(one, found, places)
            made.setdefault((one.code, finding.kind, finding.object, finding.field, finding.message), finding)
    told = [
        finding for finding in made.values()
        if at_least(finding.severity, least) and (finding.code, finding.object, finding.field) not in outdone
    ]  # fmt: skip
    told.sort(key=lambda f: (f.file, f.line, f.column, f.code, f.object, f.message))
    left = Counter(accepted or {})
    kept = [finding for finding in told if not _take(left, finding.fingerprint)]
    return Linted(tuple(kept), len(chosen), ignored, len(told) - len(kept), sum(left.values()), frozenset(outdone))


def _take(left: Counter[str], fingerprint: str) -> bool:
    """Whether one of *fingerprint* is left; then there is one less."""
    if left[fingerprint] <= 0:
        return False
    left[fingerprint] -= 1
    return True


def _is_ignored(one: Check, thing: Thing) -> bool:
    """Whether *thing* says that it lives with *one*, and why; without a reason it does not count."""
    return one.code != "RF912" and any(
        ignore.reason and ignore.check in (one.code, one.code.lower(), one.name) for ignore in ignores(thing)
    )


def _at(thing: Thing, path: str, places: dict[tuple[int, str], tuple[int, int]]) -> tuple[int, int]:
    """Where *path* of *thing* stands; found in the text once, as many findings lead to one place."""
    found = places.get((id(thing.source), path))
    if found is None:
        found = places[id(thing.source), path] = thing.source.at(path)
    return found


def _finding(one: Check, found: Found, places: dict[tuple[int, str], tuple[int, int]]) -> Finding:
    source = found.thing.source
    line, column = _at(found.thing, found.path, places)
    related = [Place(text, thing.source.file, *_at(thing, path, places)) for thing, path, text in found.related]
    return Finding(
        one.code, found.severity or one.severity, found.message, kind_of(found.thing), id_of(found.thing), found.path,
        source.file, line, column, found.remedy or one.fix, effect=found.effect, related=tuple(related),
        text=source.text(line),
    )  # fmt: skip


def kind_of(thing: Thing) -> str:
    """The kind of *thing*."""
    if isinstance(thing, Policy | Workload | Entrance | Other):
        return thing.kind
    return type(thing).__name__


def id_of(thing: Thing) -> str:
    """``namespace/name`` of *thing*, or the name alone."""
    if isinstance(thing, Policy | Service | Entrance | Other):
        return thing.id
    if isinstance(thing, Namespace | Node):
        return thing.name
    assert isinstance(thing, Workload | EndpointSlice)
    return f"{thing.namespace}/{thing.name}"


def baseline(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """*findings* as a baseline keeps them: the fingerprint counts, the rest is for people."""
    return [{"fingerprint": f.fingerprint, "code": f.code, "object": f.object, "message": f.message} for f in findings]
