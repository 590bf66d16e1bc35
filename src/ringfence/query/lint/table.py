"""The table: every check of the modules in ``themes``, by code."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Final

from ringfence.errors import UsageError
from ringfence.model.findings import Severity
from ringfence.query.lint import themes
from ringfence.query.lint.check import Check

THEMES: Final = {
    "1": "DNS",
    "2": "ports",
    "3": "selectors and peers",
    "4": "isolation and policyTypes",
    "5": "API server, webhooks, metrics, probes, host network",
    "6": "ingress and load balancers",
    "7": "IP blocks",
    "8": "network plugins and dialects",
    "9": "redundancy, shadowing, hygiene",
}
"""What the hundreds stand for."""
_DIGITS: Final = str.maketrans("OIL", "011")
"""Letters, and the digits that they are taken for."""
_BADNESS: Final = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


@cache
def checks() -> dict[str, Check]:
    """Every check by its code, in their order."""
    found: dict[str, Check] = {}
    for one in _collected():
        other = found.setdefault(one.code, one)
        if other is not one:
            raise ValueError(f"{one.code} is both {other.name} and {one.name}")
    if len({one.name for one in found.values()}) < len(found):
        raise ValueError("two checks have one name")
    return dict(sorted(found.items()))


def _collected() -> Iterator[Check]:
    for module in pkgutil.walk_packages(themes.__path__, f"{themes.__name__}."):
        values = vars(importlib.import_module(module.name)).values()
        yield from (value for value in values if isinstance(value, Check))


def known() -> dict[str, Check]:
    """Every check by its code and by its name."""
    table = checks()
    return table | {one.name: one for one in table.values()}


def meant(words: Sequence[str], where: str) -> list[Check]:
    """The checks that *words* name: codes, beginnings of codes such as RF3, and names; ``all`` is every check.

    Raises: UsageError for a word that is none, with the nearest ones.
    """
    table, found = known(), dict[str, Check]()
    for word in (part.strip() for text in words for part in text.split(",")):
        code = word.upper()
        if word in table or code in table:
            some = [table.get(word) or table[code]]
        elif word == "all":
            some = list(checks().values())
        else:
            some = [one for one in checks().values() if code.startswith("RF") and one.code.startswith(code)]
        if not some:
            near = _near(code) if code.startswith("RF") else get_close_matches(word, table, 2)
            hint = f"did you mean {' or '.join(near)}?" if near else "run 'ringfence lint --list' for all of them"
            raise UsageError(f"{where} {word}: no such check; {hint}")
        found |= {one.code: one for one in some}
    return list(found.values())


def _near(code: str) -> list[str]:
    """The codes that are most like *code*: with a digit for the letter that looks like it, or that begin like it."""
    digits = f"RF{code[2:].translate(_DIGITS)}"
    if digits in checks():
        return [digits]
    theme = [one for one in checks() if one[:3] == digits[:3]]
    return get_close_matches(code, theme, 2, 0.5) or get_close_matches(code, checks(), 2)


def chosen(select: Sequence[str] = (), ignore: Sequence[str] = ()) -> list[Check]:
    """The checks to run: those that are on, or those that *select* names, without those that *ignore* names."""
    wanted = meant(select, "--select") if select else [one for one in checks().values() if one.on]
    out = {one.code for one in meant(ignore, "--ignore")} if ignore else set()
    return [one for one in wanted if one.code not in out]


def at_least(severity: Severity, least: Severity) -> bool:
    """Whether *severity* is as bad as *least* or worse."""
    return _BADNESS[severity] >= _BADNESS[least]
