"""``ringfence probe``: does the cluster do with real connections what its policies say?"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ringfence.cli import cluster as clusters
from ringfence.cli import common, ending, program, telling
from ringfence.cli.asking import agreed
from ringfence.cli.check import understood
from ringfence.cli.wishes import documents
from ringfence.errors import LiveError, UsageError
from ringfence.model.cluster import Cluster

if TYPE_CHECKING:
    from ringfence.cli.wishes import Documents
    from ringfence.live.server.server import Server
    from ringfence.model.arrows import Arrow
    from ringfence.workflow.probing.asked import Asking, Questions
    from ringfence.workflow.probing.planning import Planned
    from ringfence.workflow.probing.results import Probed

FORMATS = ("table", "json", "junit", "md", "tap", "prometheus")
MOST: Final = 200
"""Connections that are tried when nobody says how many."""
PODS: Final = 60
"""Pods that are made at most when nobody says how many."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    parser.add_argument("words", nargs="*", metavar="ARROW",
                        help="'shop/web -> shop/api:8080' wants it open, 'shop/web -x shop/db' wants it shut; without "
                        "any arrow and without --intents everything is asked that may matter")  # fmt: skip
    parser.add_argument(
        "--intents",
        action="append",
        default=[],
        metavar="FILE",
        help="a document of intents: what is wanted, and what never may be; may be repeated",
    )
    clusters.add(parser)
    facts = parser.add_argument_group("facts")
    facts.add_argument("-n", "--namespace", default=None,
                       help="for names without one (default: the context's)")  # fmt: skip
    facts.add_argument("--profile", choices=common.PROFILES, default="kubernetes", metavar="NAME",
                       help="the network plugin's behaviour, also whether it rejects what it denies; one of "
                       f"{', '.join(common.PROFILES)}")  # fmt: skip
    facts.add_argument("--doctor", action="store_true",
                       help="ask first whether policies are enforced, by the doctor's canary; stop if not")  # fmt: skip
    facts.add_argument("--assume-enforced", action="store_true",
                       help="do not say that nobody has shown that policies are enforced")  # fmt: skip
    common.add_intents(facts)
    how = parser.add_argument_group("how it is tried")
    how.add_argument("--max-probes", type=_positive, default=MOST, metavar="N",
                     help=f"connections at most (default: {MOST}); what is left out is told")  # fmt: skip
    how.add_argument("--max-pods", type=_positive, default=PODS, metavar="N",
                     help=f"twins and controls at most (default: {PODS}); what has none is told")  # fmt: skip
    how.add_argument(
        "--image",
        default="busybox",
        help="any image with a shell and nc, of which that of BusyBox is known best (default: busybox)",
    )
    where = how.add_mutually_exclusive_group()
    where.add_argument("--real-targets", action="store_true",
                       help="connect to the pods themselves alone, over TCP; what they do not show is "
                       "unknown")  # fmt: skip
    where.add_argument("--twin-targets", action="store_true",
                       help="connect to no pod of yours: twins listen everywhere, and not only where a pod's own port "
                       "cannot be used")  # fmt: skip
    how.add_argument(
        "--timeout",
        type=_positive,
        default=30,
        metavar="SECONDS",
        help="how long a connection may take to be as predicted (default: 30; AWS may need 120)",
    )
    how.add_argument(
        "--settling",
        type=_positive,
        default=5,
        metavar="SECONDS",
        help="what of a twin's life does not count, as its rules may not be there yet (default: 5)",
    )
    how.add_argument("--deadline", type=_positive, default=600, metavar="SECONDS",
                     help="after which pods end by themselves if nobody removes them (default: 600)")  # fmt: skip
    how.add_argument("--allow-pdb", action="store_true",
                     help="go on though a PodDisruptionBudget or an autoscaler counts the twins")  # fmt: skip
    how.add_argument(
        "--dry-run",
        action="store_true",
        help="print every object, every connection and the rights that are needed, and make nothing",
    )
    how.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--strict", action="store_true", help="what could not be measured fails too")
    parser.add_argument("--all", dest="every", action="store_true", help="list every connection")
    common.add_output(parser, FORMATS)
    parser.set_defaults(pin=[], pins=[], allow_any_443_outside=False)  # names outside are not tried


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Plan, ask, try, compare, and return the exit status."""
    from ringfence.workflow.probing.carrying import carry_out  # noqa: PLC0415
    from ringfence.workflow.probing.planning import asking  # noqa: PLC0415

    arrow = _arrow(args)
    args.namespace = clusters.namespace(args)
    intents = documents(args, args.namespace)
    server = clusters.connected(args)
    cluster = _cluster(args, server, intents)
    ask = asking(cluster, common.profile(args))
    questions = _questions(args, arrow, cluster, ask)
    if questions is None:
        return 2
    planned = _planned(args, ask, questions)
    if not planned.plan.connections:
        _say_refusals(planned)
    if args.dry_run:
        return _dry_run(args, server, planned)
    _tell(args, planned, questions)
    if planned.plan.connections and not _may(args, server, planned):
        return 3
    with ending.gently():
        note = _enforcement(args, server)
        with common.progress("probing", quiet=args.quiet) as progress:
            probed = carry_out(server, planned, say=_say, progress=progress)
    if note:
        probed = replace(probed, notes=(note, *probed.notes))
    _show(args, probed)
    for left in probed.left:
        _say(f"left behind: {left}; remove it with 'ringfence cleanup {probed.run}'")
    return ending.INTERRUPTED if probed.cut else probed.status(strict=args.strict)


_UNPROVEN: Final = (
    "Whether the network plugin enforces policies was not asked first: --doctor does, and --assume-enforced says that "
    "it is known."
)


def _enforcement(args: argparse.Namespace, server: Server) -> str:
    """What is known of enforcement, for the results. Raises: LiveError when the doctor finds that there is none."""
    if not args.doctor:
        return "" if args.assume_enforced else _UNPROVEN
    from ringfence.live.doctor import examine  # noqa: PLC0415

    expected, seen = examine.examine(server)
    found = examine.diagnose(server, expected, examine.plan(expected, seen, image=args.image), tell=_say)
    if found.outcome.left:
        _say(f"the doctor left behind: {'; '.join(found.outcome.left)}")
    if found.state == "not-enforced" and not args.assume_enforced:
        raise LiveError(
            f"context {server.context}: the doctor finds that policies are not enforced, so nothing was probed; "
            "'ringfence doctor' says what to do, and --assume-enforced goes on"
        )
    return f"The doctor's answer beforehand: {found.state}."


def _say(line: str) -> None:
    ending.say(f"{program.name()}: {line}")


def _arrow(args: argparse.Namespace) -> Arrow | None:
    """The arrow that was asked about; None for none. What is wrong with it needs no cluster to be told."""
    from ringfence.model.arrows import parse  # noqa: PLC0415

    if args.words and args.intents:
        raise UsageError("an arrow and --intents: ask for one of them")
    if len(args.words) > 3:
        raise UsageError(f"{len(args.words)} words: put the arrow in quotes, as in 'shop/web -> shop/api:8080'")
    return parse(" ".join(args.words)) if args.words else None


def _cluster(args: argparse.Namespace, server: Server, intents: Documents) -> Cluster:
    """The cluster of *server* as it is now, with the documents of intents."""
    from ringfence.live.picture.reading import read  # noqa: PLC0415

    with common.busy("reading", quiet=args.quiet):
        found = intents.beside(read(server, args.verb, args.namespace))
    telling.tell(found, quiet=args.quiet, verbose=args.verbose)
    return found


def _questions(args: argparse.Namespace, arrow: Arrow | None, cluster: Cluster, ask: Asking) -> Questions | None:
    """What is asked; None when documents of intents mean nothing, which was told."""
    if arrow is not None:
        found = ask.of_arrow(arrow, args.namespace)
    elif args.intents:
        meaning = understood(cluster, args)
        if meaning is None:
            return None
        found = ask.of_intents(meaning)
    else:
        found = ask.of_everything(4 * args.max_probes)
    return found.cut(args.max_probes, args.max_pods, listening=not args.real_targets)


def _planned(args: argparse.Namespace, ask: Asking, questions: Questions) -> Planned:
    from ringfence.live.probe.plan import Settings  # noqa: PLC0415
    from ringfence.workflow.probing.planning import Targets, plan  # noqa: PLC0415

    settings = Settings(args.image, args.deadline, settling=args.settling, timeout=args.timeout)
    targets = Targets.PODS if args.real_targets else Targets.TWINS if args.twin_targets else Targets.EITHER
    return plan(ask, questions, settings=settings, targets=targets)


def _tell(args: argparse.Namespace, planned: Planned, questions: Questions) -> None:
    if args.quiet:
        return
    _say(f"run {planned.plan.run}: {planned.said}; image {planned.plan.settings.image}")
    for why, count in sorted(questions.left_out.items()):
        _say(f"not asked: {count} × {why}")


def _say_refusals(planned: Planned) -> None:
    for why in dict.fromkeys(one.refusal for one in planned.trials if one.refusal):
        _say(why)


def _may(args: argparse.Namespace, server: Server, planned: Planned) -> bool:
    """Whether the run may begin: nobody else minds, and a person agrees."""
    from ringfence.live.probe.beside import counting  # noqa: PLC0415
    from ringfence.live.probe.run import objects  # noqa: PLC0415

    minding = list(counting(server, planned.whole, objects(server, planned.whole)))
    for line in minding:
        _say(line)
    if minding and not args.allow_pdb:
        if args.yes:
            raise UsageError("twins would be counted as pods, see above; go on with --allow-pdb")
        return agreed("Make the twins all the same?", yes=False)
    canary = ", and first the doctor's canary" if args.doctor else ""
    spare = len(planned.instead.twins)
    more = f" (and up to {spare} more where a pod's own port is of no use)" if spare else ""
    return agreed(f"Make {len(planned.plan.twins)} pods{more} in context {server.context}{canary}?", yes=args.yes)


def _dry_run(args: argparse.Namespace, server: Server, planned: Planned) -> int:
    from ringfence.live.probe.run import objects  # noqa: PLC0415
    from ringfence.live.rights import needed  # noqa: PLC0415
    from ringfence.report.probe.plan import lines  # noqa: PLC0415
    from ringfence.report.rbac.yaml import lines as roles  # noqa: PLC0415

    pods = {**objects(server, planned.plan), **objects(server, planned.instead)}
    with common.output(args) as out:
        common.print_lines(lines(planned, pods, roles("probe", needed("probe"), None, None)), out)
    return 0


def _show(args: argparse.Namespace, probed: Probed) -> None:
    with common.output(args) as out:
        if args.format == "json":
            from ringfence.report.probe import json as probe_json  # noqa: PLC0415

            common.write_json(probe_json.document(probed), out)
        elif args.format == "junit":
            from ringfence.report.probe import junit  # noqa: PLC0415

            junit.write(probed, out, strict=args.strict)
        elif args.format == "md":
            from ringfence.report.probe import md  # noqa: PLC0415

            common.print_lines(md.lines(probed), out)
        elif args.format == "tap":
            from ringfence.report.probe import tap  # noqa: PLC0415

            common.print_lines(tap.lines(probed, strict=args.strict), out)
        elif args.format == "prometheus":
            from ringfence.report.probe import prometheus  # noqa: PLC0415

            common.print_lines(prometheus.lines(probed), out)
        else:
            from ringfence.report.probe import table  # noqa: PLC0415

            table.write(probed, out, color=common.wants_color(args), every=args.every)
