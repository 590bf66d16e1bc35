"""Intents that broke: what the newer side's documents want, checked on both sides."""

from __future__ import annotations

from dataclasses import replace

from ringfence.intents.meaning import meaning
from ringfence.intents.wishes import Ban, Wish
from ringfence.model.cluster import Cluster
from ringfence.model.findings import Finding, Severity
from ringfence.model.profiles import Profile
from ringfence.query.check.check import check
from ringfence.query.diff.parts import Break, BrokenIntent, Compared


def compared(old: Cluster, new: Cluster, profile: Profile) -> Compared:
    """The intents of *new*, on both sides; nothing without any. Those of *old* alone are not wanted any more."""
    if not new.intents:
        return Compared()
    now, problems = _broken(new, profile)
    if problems:
        return Compared(findings=problems)
    # What an arrow names may not have been there before: then it was not broken by what is compared.
    was, _ = _broken(replace(old, intents=new.intents), profile)
    known = {(one.what, one.how) for one in was}
    fresh = tuple(one for one in now if (one.what, one.how) not in known)
    return Compared(fresh, len(now) - len(fresh))


def _broken(cluster: Cluster, profile: Profile) -> tuple[list[BrokenIntent], tuple[Finding, ...]]:
    wanted = meaning(cluster)
    wrong = tuple(one for one in wanted.findings if one.severity is Severity.ERROR)
    if wrong:
        return [], wrong
    found = check(wanted, profile)
    made = [_of(one.wish, Break.MISSING) for one in found.missing]
    made += [_of(one.ban, Break.FORBIDDEN) for one in found.broken]
    for one in found.exposed:
        document, path = wanted.protect[one.namespace]
        line, _ = document.source.at(path)
        what = f"protect: {one.namespace} ({one.direction})"
        made.append(BrokenIntent(what, Break.UNPROTECTED, document.source.file, line))
    return list(dict.fromkeys(made)), ()


def _of(one: Wish | Ban, how: Break) -> BrokenIntent:
    intent = one.intent
    line, _ = intent.source.at(intent.path)
    return BrokenIntent(str(intent), how, intent.source.file, line)
