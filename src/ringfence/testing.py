"""Assertions about who can reach whom, for your own tests.

They take what ``ringfence`` takes, files and directories, or a cluster that :func:`ringfence.load` made; their messages
read like ``ringfence explain``.

>>> from ringfence.testing import assert_allows, assert_checked, assert_denies
>>> assert_allows("examples/task-api", "task-api/task-api -> database/postgres:5432")
>>> assert_denies("examples/task-api", "stranger/stranger -> task-api/task-api:8000")
>>> assert_checked("examples/task-api")
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ringfence.errors import UsageError
from ringfence.intents.meaning import meaning
from ringfence.intents.outside import at_addresses
from ringfence.manifests import load
from ringfence.manifests.pins import read_pins
from ringfence.model.arrows import parse
from ringfence.model.cluster import Cluster
from ringfence.model.ends import Arrow
from ringfence.model.findings import Finding
from ringfence.model.flows import Verdict
from ringfence.model.intents import Dns
from ringfence.model.pins import check_unique, parse_pin
from ringfence.model.profiles import Profile, named
from ringfence.query.check.check import check
from ringfence.query.explain import Explanation, explain
from ringfence.report.check import table
from ringfence.report.explain import text
from ringfence.report.findings import finding_line
from ringfence.report.words import NOTE_TEXT

__all__ = ["assert_allows", "assert_checked", "assert_denies"]

_LEFT_OUT = "something of the input had to be left out"
Path = str | os.PathLike[str]


def assert_allows(
    source: Path | Sequence[Path] | Cluster, arrow: str, *, namespace: str | None = None, profile: str = "kubernetes"
) -> None:
    """Fail unless everything that *arrow* names is allowed for certain.

    Without a port it is about every port. *namespace* is looked in for names without one, and for objects without one.
    Raises: AssertionError, with what ``ringfence explain`` says, or with what of the input had to be left out;
    ArrowError for text that is no arrow; UnknownEndpoint or AmbiguousEndpoint for a name; InputError for a path.
    """
    __tracebackhide__ = True
    asked = parse(arrow)
    if asked.deny:
        raise UsageError(f"{arrow}: write -> for what is allowed, or ask assert_denies")
    found = _explained(source, asked, namespace, profile)
    if any(one.verdict is not Verdict.ALLOWED for one in found):
        raise AssertionError(f"{arrow}: is not allowed for certain\n\n{_text(found)}")


def assert_denies(
    source: Path | Sequence[Path] | Cluster, arrow: str, *, namespace: str | None = None, profile: str = "kubernetes"
) -> None:
    """Fail unless everything that *arrow* names is denied for certain.

    The arrow may be written with ``-x`` too. A denial that could hide an allow fails: what the input lacks, or what is
    not modelled, may open it.
    Raises: as :func:`assert_allows`.
    """
    __tracebackhide__ = True
    found = _explained(source, replace(parse(arrow), deny=False), namespace, profile)
    if any(one.verdict is not Verdict.DENIED for one in found):
        raise AssertionError(f"{arrow}: is not denied for certain\n\n{_text(found)}")
    if doubts := sorted({note for one in found for note in one.doubts}):
        why = "; ".join(f"{note}: {NOTE_TEXT[note]}" for note in doubts)
        raise AssertionError(f"{arrow}: is denied, yet an allow could be hidden ({why})\n\n{_text(found)}")


def assert_checked(
    source: Path | Sequence[Path] | Cluster,
    *,
    namespace: str | None = None,
    dns: str | None = None,
    pin: Sequence[str] = (),
    pins: Sequence[Path] = (),
    allow_any_443_outside: bool = False,
    profile: str = "kubernetes",
) -> None:
    """Fail unless a check of the Intents documents in *source* is clean: nothing missing, and nothing in excess.

    *dns* stands for what the documents say of it: ``tight``, ``namespace``, ``node-local``, ``openshift`` or ``none``.
    *pin*, ``host=cidr,…``, files of *pins* and *allow_any_443_outside* are what ``ringfence generate`` was given.
    Raises: AssertionError, with what ``ringfence check`` says; UsageError where there is no Intents document;
    InputError for a path; PinError for a pin that cannot be read.
    """
    __tracebackhide__ = True
    how = named(profile)
    cluster = _read(source, namespace, how)
    if not cluster.intents:
        raise UsageError("no Intents document in the input; name one beside the manifests")
    found = meaning(cluster, namespace=namespace, dns=Dns(dns) if dns is not None else None)
    _refuse((one for one in found.findings if one.severity == "error"), "the intents mean nothing here")
    known = [*map(parse_pin, pin), *(one for path in pins for one in read_pins(os.fspath(path)))]
    check_unique(known, "pin and pins")
    checked = check(at_addresses(found, known, any_443=allow_any_443_outside), how)
    _refuse(checked.left_out, _LEFT_OUT)
    if not checked.clean:
        out = io.StringIO()
        table.write(checked, out)
        raise AssertionError(out.getvalue().rstrip())


def _explained(
    source: Path | Sequence[Path] | Cluster, asked: Arrow, namespace: str | None, profile: str
) -> list[Explanation]:
    how = named(profile)
    cluster = _read(source, namespace, how)
    _refuse((one for one in cluster.findings if one.excludes), _LEFT_OUT)
    return explain(cluster, asked, namespace=namespace, profile=how)


def _read(source: Path | Sequence[Path] | Cluster, namespace: str | None, profile: Profile) -> Cluster:
    """The cluster of *source*."""
    if isinstance(source, Cluster):
        cluster = source
    else:
        paths = [source] if isinstance(source, str | os.PathLike) else list(source)
        cluster = load(
            [os.fspath(path) for path in paths], namespace=namespace or "default",
            direct_controller=profile.direct_controller,
        )  # fmt: skip
    return cluster


def _refuse(findings: Iterable[Finding], what: str) -> None:
    lines = [f"  {finding_line(one)}" for one in findings]
    if lines:
        raise AssertionError("\n".join([f"{what}:", *lines]))


def _text(found: list[Explanation]) -> str:
    out = io.StringIO()
    text.write(found, out)
    return out.getvalue().rstrip()
