"""``ringfence generate``: which policies allow what these intents say, and nothing else?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringfence.cli import common, files, pins
from ringfence.errors import UsageError
from ringfence.model.cluster import Cluster
from ringfence.model.findings import Finding, Severity

if TYPE_CHECKING:
    from ringfence.generate.outside import NamesChoice
    from ringfence.generate.parts import Generated
    from ringfence.intents.wishes import Meaning

FORMATS = ("yaml", "json")
REMINDER: Final = (
    "the cluster's network plugin must enforce policies; where none does, these change nothing: ringfence doctor tells"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser, intents=True)
    group = parser.add_argument_group("policies")
    group.add_argument("--only", choices=("ingress", "egress"), default=None,
                       help="one direction alone, for those who go step by step")  # fmt: skip
    group.add_argument("--named-ports", action="store_true",
                       help="name a port where its number differs between pods")  # fmt: skip
    _add_names(parser)
    common.add_output(parser, FORMATS, "FILE|DIR/",
                      "write one file, or into a directory one for each namespace")  # fmt: skip


def _add_names(parser: argparse.ArgumentParser) -> None:
    """How names outside the cluster are held, which NetworkPolicy cannot name."""
    group = parser.add_argument_group("names outside the cluster; without a choice they are refused")
    group.add_argument("--names", metavar="DIALECT", default=None,
                       help="a companion document carries them: cilium (or cilium:1.18), clusternetworkpolicy, antrea, "
                       "gke, eks-auto, ovn-kubernetes")  # fmt: skip
    pins.add(group, pin="the addresses of a name, which a person keeps true",
             file="a file of pins, with the days of their reviews",
             any_443="open TCP 443 of every address outside, to pods with such arrows: a risk")  # fmt: skip
    group.add_argument("--fqdn-depth", choices=("one-label",), default=None,
                       help="let *. be one label, where the dialect knows no more")  # fmt: skip
    group.add_argument("--unverified", action="store_true",
                       help="write a dialect whose schema is not public, too")  # fmt: skip


def _names(args: argparse.Namespace) -> NamesChoice:
    """What was chosen."""
    from ringfence.generate.outside import NamesChoice  # noqa: PLC0415
    from ringfence.intents.dialects.table import named  # noqa: PLC0415

    dialect = named(args.names) if args.names else None
    return NamesChoice(dialect, pins.chosen(args), args.allow_any_443_outside, args.fqdn_depth is not None,
                       args.unverified, args.profile)  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Generate, write, and return the exit status."""
    from ringfence.generate.policies import Options, generate  # noqa: PLC0415
    from ringfence.intents.meaning import meaning  # noqa: PLC0415
    from ringfence.intents.outside import at_addresses  # noqa: PLC0415
    from ringfence.model.intents import Dns  # noqa: PLC0415
    from ringfence.model.policies import Direction  # noqa: PLC0415

    names = _names(args)
    cluster = common.load(args)
    lost = [one for one in cluster.findings if one.excludes and not one.kind.endswith("Policy")]
    if lost:
        return _nothing(f"{_count(len(lost), 'finding')} about the input above must be mended first", 2)
    if not cluster.intents:
        raise UsageError(
            "no document of kind Intents (ringfence.dev/v1alpha1) in the input; 'ringfence infer' drafts one"
        )
    found = meaning(cluster, namespace=args.namespace, dns=Dns(args.dns) if args.dns else None)
    told = at_addresses(found, names.pins, any_443=names.any_443 and names.opens_addresses).findings
    _tell(told, quiet=args.quiet, verbose=args.verbose)
    errors = [one for one in told if one.severity is Severity.ERROR]
    if errors:
        return _nothing(f"{_count(len(errors), 'error')} in the intents", 2)
    if not found.protect:
        raise UsageError("spec.protect of the intents names no namespace, so there is nothing to write")
    options = Options(Direction(args.only) if args.only else None, args.named_ports, names)
    made = generate(found, options)
    _tell((*made.refusals, *made.warnings), quiet=args.quiet, verbose=args.verbose)
    if made.refusals:
        return _nothing(f"no NetworkPolicy can hold {_count(len(made.refusals), 'intent')} as written", 1)
    _write(made, sorted(document.name for document in cluster.intents), args)
    if not args.quiet:
        if not args.only:
            _tell_broken(found, made, args)
        _remind(cluster, made)
    return 0


def _nothing(why: str, status: int) -> int:
    print(f"ringfence: nothing is written: {why}", file=sys.stderr)
    return status


def _tell(findings: Sequence[Finding], *, quiet: bool, verbose: bool) -> None:
    from ringfence.report.findings import finding_lines  # noqa: PLC0415

    for severity, line in finding_lines(findings, verbose=verbose):
        if severity is Severity.ERROR or not quiet:
            print(line, file=sys.stderr)


def _write(made: Generated, sources: Sequence[str], args: argparse.Namespace) -> None:
    """To standard output, into one file, or into one for each namespace of a directory."""
    if not files.names_directory(args.output):
        if args.output is not None:
            _keep_others([Path(args.output)])
        with common.output(args) as out:
            out.write(_text(made, sources, args.format))
        return
    texts = {
        f"{place}.{args.format}": _text(made.within(place), sources, args.format)
        for place in dict.fromkeys(str(one.policy.namespace) for one in made.documents)
    }
    place = Path(args.output)
    _keep_others([place / name for name in texts])
    files.write_all(place, texts)
    for name in _left_over(place, texts):
        print(f"{place / name}: an earlier run wrote it, and its namespace is protected no more; remove it"
              " and what was applied from it", file=sys.stderr)  # fmt: skip


def _keep_others(targets: Iterable[Path]) -> None:
    """Refuse to replace a file that an earlier run did not write: it may be the manifests themselves.

    Raises: UsageError.
    """
    from ringfence.generate.parts import MANAGED_BY  # noqa: PLC0415
    from ringfence.report.generate.yaml import MARKER  # noqa: PLC0415

    label = ": ".join(f'"{word}"' for word in MANAGED_BY)
    for target in targets:
        if not target.is_file():
            continue
        try:
            text = target.read_text(encoding="utf-8", errors="replace")
        except OSError as problem:
            raise UsageError(f"{target}: cannot be read ({problem.strerror}); name another file") from problem
        ours = text.startswith(MARKER) or (text.startswith("{") and label in text)
        if text.strip() and not ours:
            raise UsageError(f"{target}: is there, and 'ringfence generate' did not write it; "
                             "name another file or directory, or move it away")  # fmt: skip


def _text(made: Generated, sources: Iterable[str], form: str) -> str:
    companions = [one for _, one in made.companions]
    if form == "json":
        from ringfence.report.generate import json as as_json  # noqa: PLC0415

        return as_json.text(made.documents, companions)
    from ringfence.report.generate import yaml as as_yaml  # noqa: PLC0415

    return as_yaml.text(made.documents, sources, companions)


def _left_over(place: Path, texts: Iterable[str]) -> list[str]:
    """Files in *place* that an earlier run made and this one did not."""
    from ringfence.report.generate.yaml import MARKER  # noqa: PLC0415

    return [name for name in files.beginning_with(place, ".yaml", MARKER) if name not in set(texts)]


def _remind(cluster: Cluster, made: Generated) -> None:
    """What the policies rest on, in a line each."""
    from ringfence.report.generate.objects import is_generated  # noqa: PLC0415

    others = {one.id for one in cluster.policies if not is_generated(one)}
    if others:
        what = _count(len(others), "policy of the input is", "policies of the input are")
        print(f"{what} left out of account: what they allow is allowed beside", file=sys.stderr)
    if same := sorted(others.intersection(one.id for one in made.policies)):
        what = (
            "is the name of a policy in the input too" if len(same) == 1 else "are names of policies in the input too"
        )
        print(f"{' and '.join(same)} {what}: applying replaces what is there", file=sys.stderr)
    print(REMINDER, file=sys.stderr)


def _tell_broken(found: Meaning, made: Generated, args: argparse.Namespace) -> None:
    """The -x arrows that other arrows break, where only the engine sees it: a block that holds the forbidden pods."""
    bans = [one for one in found.bans if one.helper is None]
    if not bans:
        return
    from ringfence.query.check.check import prohibitions  # noqa: PLC0415
    from ringfence.query.check.result import Standing  # noqa: PLC0415

    alone = replace(found.cluster, policies=made.policies, gaps=())
    for one in prohibitions(replace(found, cluster=alone, bans=tuple(bans)), common.profile(args)):
        if one.standing is Standing.BROKEN:
            intent = one.ban.intent
            print(f'"{intent}" ({intent.place}) is not kept: what it forbids may be open in spite of these policies;'
                  " 'ringfence check' says where, and why", file=sys.stderr)  # fmt: skip


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or f'{one}s'}"
