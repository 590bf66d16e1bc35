"""``ringfence lint``: what is wrong or suspicious in these policies?"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from ringfence import __version__
from ringfence.cli import common
from ringfence.cli.cluster import listed
from ringfence.errors import UsageError
from ringfence.model.findings import Finding, Severity
from ringfence.model.intents import Dns
from ringfence.query.lint.run import Linted

FORMATS: Final = ("text", "json", "sarif", "junit", "github", "gitlab", "md")
NEED_LINES: Final = ("sarif", "github", "gitlab")
"""Formats for places in a repository."""
ENFORCED: Final = "policies need a network plugin that enforces them; manifests cannot tell whether there is one"
"""RF801: true of every input, so that it is said once, and is no finding."""
BASELINE: Final = 1
"""The version of the file."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser)
    common.add_intents(parser.add_argument_group("more facts"))
    group = parser.add_argument_group("checks")
    group.add_argument("--select", action="append", default=[], metavar="CHECK",
                       help="only these: codes, beginnings such as RF3, names, or all; may be repeated")  # fmt: skip
    group.add_argument("--ignore", action="append", default=[], metavar="CHECK", help="all but these; may be repeated")
    group.add_argument("--severity", choices=tuple(map(str, Severity)), default="note",
                       help="nothing less bad than this (default: note)")  # fmt: skip
    group.add_argument("--fail-on", choices=("error", "warning"), default="error",
                       help="exit with 1 on findings of this severity (default: error)")  # fmt: skip
    group.add_argument("--closed", action="store_true",
                       help="the input is the whole cluster: what is not in it is not there")  # fmt: skip
    group.add_argument("--baseline", metavar="FILE", help="leave out the findings that FILE accepts")
    group.add_argument("--write-baseline", metavar="FILE", help="accept today's findings: write them to FILE")
    group.add_argument("--fix", action="store_true",
                       help="mend what a safe change of text settles, once it is proven; print the patch")  # fmt: skip
    group.add_argument("--dry-run", action="store_true", help="with --fix: print the patch and write nothing")
    group.add_argument("--diff", action="store_true", help="the same as --fix --dry-run")
    group.add_argument("--explain", metavar="CHECK", help="print the page of a check, and read nothing")
    group.add_argument("--list", action="store_true", help="list the checks, and read nothing")
    common.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> int:
    """Answer, print, and return the exit status."""
    from ringfence.query.lint import table  # noqa: PLC0415

    if args.list or args.explain:
        with common.output(args) as out:
            common.print_lines(_explained(args.explain) if args.explain else _listed(), out)
        return 0
    chosen = table.chosen(args.select, args.ignore)
    accepted = read_baseline(args.baseline) if args.baseline else None
    if args.profile == "np-guard":
        raise UsageError("--profile np-guard is for comparing matrices; lint under that of your network plugin")
    if args.dry_run and not args.fix:
        raise UsageError("--dry-run goes with --fix")
    if args.live and args.format in NEED_LINES:
        raise UsageError(f"--format {args.format} points at lines, and a cluster has none; use text, json, junit or md")
    if args.live and (args.fix or args.diff):
        raise UsageError("--fix mends text, and a cluster has none; lint the manifests that are applied to it")
    from ringfence.query.lint.linting import Linting  # noqa: PLC0415
    from ringfence.query.lint.run import lint  # noqa: PLC0415

    cluster = common.load(args, others=True, tell=False)
    dns_at = Dns(args.dns) if args.dns else Dns.TIGHT
    closed = args.closed or (args.live and not common.input_status(cluster))  # a cluster is all that it has
    linting = Linting(cluster, common.profile(args), closed=closed, dns_at=dns_at, today=date.today())
    if args.fix or args.diff:
        from ringfence.cli.mending import mend  # noqa: PLC0415

        return mend(args, linting, chosen)
    result = lint(linting, chosen, least=Severity(args.severity), accepted=accepted)
    if args.write_baseline:
        write_baseline(args.write_baseline, result.findings)
        return common.input_status(cluster)
    result = replace(result, findings=_with_reading(cluster.findings, result, Severity(args.severity)))
    if (place := listed(args, cluster)) is not None:
        result = replace(result, findings=tuple(one for one in result.findings if _is_about(one, place)))
    with common.output(args) as out:
        _show(result, args, out)
    if cluster.policies and args.format == "text" and not args.quiet:
        print(ENFORCED, file=sys.stderr)
    failing = {"error": (Severity.ERROR,), "warning": (Severity.ERROR, Severity.WARNING)}[args.fail_on]
    return common.input_status(cluster) or int(any(one.severity in failing for one in result.findings))


def _is_about(finding: Finding, namespace: str) -> bool:
    """Whether *finding* is about something in *namespace*, or about what answers lack."""
    within = finding.object.partition("/")[0] if "/" in finding.object else ""
    return finding.excludes or within == namespace or (finding.kind, finding.object) == ("Namespace", namespace)


def _with_reading(reading: tuple[Finding, ...], result: Linted, least: Severity) -> tuple[Finding, ...]:
    """What reading had to say, and what was found, in the order of the places: one kind of finding for both."""
    from ringfence.query.lint.table import at_least  # noqa: PLC0415

    told = [
        one for one in reading
        if (one.excludes or at_least(one.severity, least)) and (one.code, one.object, one.field) not in result.outdone
    ]  # fmt: skip
    return tuple(sorted([*told, *result.findings], key=lambda f: (f.file, f.line, f.column, f.code, f.message)))


def _show(result: Linted, args: argparse.Namespace, out: Any) -> None:
    if args.format == "text":
        from ringfence.report.lint.text import lines  # noqa: PLC0415
        from ringfence.report.screen import show  # noqa: PLC0415

        show(lines(result, verbose=args.verbose), out, color=common.wants_color(args), fold=False)
        return
    from ringfence.report.lint import data  # noqa: PLC0415

    if args.format in ("junit", "github", "md"):
        common.print_lines({"junit": data.junit, "github": data.github, "md": data.md}[args.format](result), out)
    elif args.format == "sarif":
        common.write_json(data.sarif_document(result, __version__), out)
    else:
        common.write_json(data.json(result) if args.format == "json" else data.gitlab(result), out)


def _explained(word: str) -> list[str]:
    from ringfence.query.lint.table import meant  # noqa: PLC0415
    from ringfence.report.lint.pages import page  # noqa: PLC0415

    return [line for one in meant([word], "--explain") for line in page(one)]


def _listed() -> list[str]:
    from ringfence.query.lint.table import checks  # noqa: PLC0415

    wide = max(len(one.name) for one in checks().values())
    return [
        f"{one.code}  {one.name:<{wide}}  {one.severity if one.on else 'off':<7}  {one.title}"
        for one in checks().values()
    ]


def read_baseline(name: str) -> Counter[str]:
    """The fingerprints that the file *name* accepts. Raises: UsageError for what is none, or of another version."""
    try:
        found = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as problem:
        raise UsageError(
            f"--baseline {name}: cannot be read ({problem.strerror}); write it with --write-baseline"
        ) from problem
    except ValueError as problem:
        raise UsageError(f"--baseline {name}: is no baseline; write it with --write-baseline") from problem
    if (
        not isinstance(found, dict)
        or found.get("kind") != "lint-baseline"
        or not isinstance(found.get("findings"), list)
    ):
        raise UsageError(f"--baseline {name}: is no baseline; write it with --write-baseline")
    if found.get("version") != BASELINE:
        written = found.get("version")
        raise UsageError(
            f"--baseline {name}: is of version {written}, this reads {BASELINE}; write it anew with --write-baseline"
        )
    prints = [one["fingerprint"] for one in found["findings"] if isinstance(one, dict) and "fingerprint" in one]
    if len(prints) < len(found["findings"]) or not all(isinstance(one, str) for one in prints):
        raise UsageError(f"--baseline {name}: has a finding without fingerprint; write it anew with --write-baseline")
    return Counter(prints)


def write_baseline(name: str, findings: tuple[Finding, ...]) -> None:
    """Write what is accepted of *findings* to the file *name*."""
    from ringfence.query.lint.run import baseline  # noqa: PLC0415

    target = argparse.Namespace(output=name)
    with common.output(target) as out:
        common.write_json({"kind": "lint-baseline", "version": BASELINE, "findings": baseline(findings)}, out)
