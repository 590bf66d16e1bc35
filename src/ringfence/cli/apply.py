"""``ringfence apply``: put policies into the cluster without cutting what may stay, or take them back."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringfence.cli import cluster, common, ending, rendering, telling
from ringfence.cli.asking import agreed
from ringfence.cli.wishes import documents
from ringfence.errors import EnvironmentError_, UsageError
from ringfence.model.cluster import Cluster
from ringfence.model.findings import Severity
from ringfence.model.profiles import Profile

if TYPE_CHECKING:
    from ringfence.cli.wishes import Documents
    from ringfence.intents.wishes import Meaning
    from ringfence.live.apply.journal import Journal
    from ringfence.live.server.server import Server
    from ringfence.workflow.applying import Outcome, Preview, Probing

FORMATS = ("table", "json")
DRY: Final = "dry-run"
NOTHING: Final = "unchanged"
CONFLICTS: Final = "conflicts"
_UNMODELLED: Final = "RF039"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    parser.add_argument("paths", nargs="*", metavar="PATH",
                        help="files and directories with the policies; - reads standard input")  # fmt: skip
    group = parser.add_argument_group("input")
    group.add_argument("-n", "--namespace", default=None,
                       help="for policies without one (default: that of the context)")  # fmt: skip
    rendering.configure(group)
    group.add_argument("--profile", choices=common.PROFILES, default="kubernetes", metavar="NAME",
                       help="the network plugin's behaviour, for the difference that is shown")  # fmt: skip
    cluster.add(parser.add_argument_group("the cluster"))
    how = parser.add_argument_group("how")
    how.add_argument("--dry-run", action="store_true", help="show what would change, as the server says, and end")
    how.add_argument("--yes", action="store_true", help="do not ask")
    how.add_argument("--prune", action="store_true",
                     help="delete what ringfence applied in these namespaces and is not in the input")  # fmt: skip
    how.add_argument("--force-conflicts", action="store_true", help="take over what belongs to others")
    how.add_argument("--all", dest="every", action="store_true", help="every group of pairs in the difference")
    probing = parser.add_argument_group("wanted connections")
    probing.add_argument("--intents", metavar="FILE", action="append", default=[],
                         help="probe what FILE wants, before and after, and undo all if a connection is cut; may be "
                         "repeated")  # fmt: skip
    probing.add_argument("--image", default=None, help="any image with a shell and nc (default: busybox)")
    probing.add_argument("--allow-pdb", action="store_true",
                         help="go on though a PodDisruptionBudget or an autoscaler counts the twins")  # fmt: skip
    probing.add_argument("--twin-targets", action="store_true",
                         help="connect to no pod of yours: twins listen everywhere")  # fmt: skip
    common.add_intents(probing)
    again = parser.add_argument_group("a run that was stopped")
    ways = again.add_mutually_exclusive_group()
    ways.add_argument("--resume", action="store_true", help="go on where the last run was stopped")
    ways.add_argument("--rollback", action="store_true", help="undo the last run, as far as it came")
    again.add_argument("--journal", metavar="FILE", default=None,
                       help="where it is put down how far it is (default: in XDG_STATE_HOME, by cluster)")  # fmt: skip
    common.add_output(parser, FORMATS)
    parser.set_defaults(pin=[], pins=[], allow_any_443_outside=False)  # names outside are not probed


def run(args: argparse.Namespace) -> int:
    """Show, ask, carry out, and return the exit status."""
    _refuse_what_probes_nothing(args)
    if args.resume or args.rollback:
        return _again(args)
    if not args.paths and not args.programs:
        raise UsageError("no input: name files or directories with policies, or - for standard input")
    if "-" in args.paths and "-" in args.intents:
        raise UsageError("- for the policies and for --intents: standard input can be one of them")
    space = cluster.namespace(args)
    intents = documents(args, space)
    read = _read(args, space)
    server = cluster.connected(args)
    preview = _preview(args, server, read, intents)
    if preview.found.conflicts:
        return _conflicts(args, preview)
    if not preview.plan.steps:
        if args.format == "table":
            _show(args, preview)
        _end(args, preview, None, NOTHING, "nothing to do: all is as it is wanted")
        return 0
    if args.format == "table":
        _shown(args, preview)
    if args.dry_run:
        _end(args, preview, None, DRY, "dry run: nothing was written")
        return 0
    _confirm(args, server)
    return _carry_out(args, server, preview, intents)


_OF_PROBING: Final = (("--image", "image"), ("--allow-pdb", "allow_pdb"), ("--twin-targets", "twin_targets"))
"""What says how the wanted connections are probed, and where it is kept."""


def _refuse_what_probes_nothing(args: argparse.Namespace) -> None:
    """Raises: UsageError for options of a probe where none is made."""
    given = [flag for flag, kept in _OF_PROBING if getattr(args, kept)]
    if args.rollback and (args.intents or given):
        raise UsageError(f"--rollback probes nothing; leave {_listed(['--intents'] * bool(args.intents) + given)} out")
    if given and not args.intents:
        goes = "goes" if len(given) == 1 else "go"
        raise UsageError(
            f"{_listed(given)} {goes} with --intents, as only what it wants is probed; name a document of intents, or "
            f"leave {'it' if len(given) == 1 else 'them'} out"
        )


def _listed(flags: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(flags[:-1]), flags[-1])))


# -- looking --------------------------------------------------------------------------------------------------------


def _read(args: argparse.Namespace, namespace: str) -> Cluster:
    """What the input holds, with what is wrong with it told; it needs no cluster.

    Raises: InputError; UsageError when something had to be left out, or there is no policy.
    """
    from ringfence.live.apply.wanted import holds_policies, left_aside  # noqa: PLC0415
    from ringfence.report.apply.text import left_line  # noqa: PLC0415
    from ringfence.report.findings import finding_lines  # noqa: PLC0415

    side = copy(args)
    side.namespace = namespace
    side.context = side.kubeconfig = None
    side.extra, side.without, side.pod_cidr, side.node_cidr = [], [], [], []
    read = common.load(side, others=True, tell=False)
    told = [one for one in read.findings if one.code != _UNMODELLED]
    for severity, line in finding_lines(told, verbose=args.verbose):
        if severity is Severity.ERROR or not args.quiet:
            print(line, file=sys.stderr)
    if any(one.excludes for one in told):
        raise UsageError("nothing was written, as some of the input cannot be used; mend it, or --exclude its file")
    left = left_aside(read)
    if left and not args.quiet:
        print(left_line(left), file=sys.stderr)
    if not holds_policies(read):
        raise UsageError("no policy in the input; 'ringfence generate' writes policies from intents")
    return read


def _preview(args: argparse.Namespace, server: Server, read: Cluster, intents: Documents) -> Preview:
    from ringfence.live.apply.wanted import Resources, wanted  # noqa: PLC0415
    from ringfence.workflow.applying import How, preview  # noqa: PLC0415

    policies = wanted(read, Resources(server))
    namespaces = {one.object.namespace for one in policies if one.object.namespace}
    if args.namespace:
        namespaces.add(args.namespace)
    with common.busy("reading the cluster", quiet=args.quiet):
        before = _picture(args, server, min(namespaces, default=server.namespace), intents)
    telling.tell(before, quiet=args.quiet, verbose=args.verbose)
    if args.intents:
        _meaning(args, intents, before)  # what is wrong with it is told before anything else
    profile: Profile = common.profile(args)
    how = How(frozenset(namespaces), profile, args.prune, args.force_conflicts)
    with common.busy("asking the server about each step", quiet=args.quiet):
        return preview(server, policies, before, how)


def _picture(args: argparse.Namespace, server: Server, namespace: str, intents: Documents) -> Cluster:
    """The cluster as it is now, with the documents of intents; of *namespace* alone what is refused elsewhere."""
    from ringfence.live.picture.reading import read  # noqa: PLC0415

    return intents.beside(read(server, args.verb, namespace))


def _meaning(args: argparse.Namespace, intents: Documents, found: Cluster) -> Meaning:
    """What the documents of intents mean. Raises: UsageError when some of it means nothing, which was told."""
    from ringfence.cli.check import understood  # noqa: PLC0415

    side = copy(args)
    side.namespace = intents.namespace
    meaning = understood(found, side)
    if meaning is None:
        raise UsageError("nothing was written, as what is wanted is not clear; mend the intents")
    return meaning


def _shown(args: argparse.Namespace, preview: Preview) -> None:
    """Show it to somebody. Raises: EnvironmentError_ when nobody reads it to the end: then nobody knows what to do."""
    try:
        _show(args, preview)
    except BrokenPipeError:
        common.silence()
        raise EnvironmentError_(
            "standard output: nobody reads it any more, so nothing was written; let it be read to the end"
        ) from None


def _show(args: argparse.Namespace, preview: Preview) -> None:
    from ringfence.report.apply import text  # noqa: PLC0415
    from ringfence.report.diff import table  # noqa: PLC0415
    from ringfence.report.screen import UNBOUNDED  # noqa: PLC0415

    with common.output(args) as out:
        width = shutil.get_terminal_size().columns if out.isatty() else UNBOUNDED
        color = common.wants_color(args)
        if preview.plan.steps:
            common.print_lines(table.lines(preview.diff, color=color, width=width, every=args.every), out)
            common.print_lines(["", *text.step_lines(preview)], out)
        common.print_lines(text.standing_lines(preview), out)


def _conflicts(args: argparse.Namespace, preview: Preview) -> int:
    from ringfence.report.apply import text  # noqa: PLC0415

    for line in text.conflict_lines(preview):
        print(line, file=sys.stderr)
    _end(args, preview, None, CONFLICTS, "")
    return 1


def _end(args: argparse.Namespace, preview: Preview, outcome: Outcome | None, word: str, line: str) -> None:
    """How it ended: a document for programs, a line for people."""
    if args.format == "json":
        from ringfence.report.apply import json  # noqa: PLC0415

        with common.output(args) as out:
            common.write_json(json.document(preview, outcome, word), out)
    elif line:
        print(line)


# -- writing --------------------------------------------------------------------------------------------------------


def _confirm(args: argparse.Namespace, server: Server) -> None:
    """Raises: UsageError when nobody can be asked, or the answer is no."""
    twins = ", and make pods to probe it before and after" if args.intents else ""
    what = "Undo it in" if args.rollback else "Apply it to"
    if not agreed(f"{what} context {server.context} ({server.address}){twins}?", yes=args.yes):
        raise UsageError("nothing was written")


def _carry_out(args: argparse.Namespace, server: Server, preview: Preview, intents: Documents) -> int:
    from ringfence.live.apply.journal import lock, place, read  # noqa: PLC0415
    from ringfence.live.apply.run import changed_since  # noqa: PLC0415

    path = Path(args.journal) if args.journal else place(server)
    probing = _probing(args, server, intents)
    with lock(path):
        last = read(path)
        if last is not None and not last.state.ended:
            at = f"{min(last.at + 1, len(last.steps))} of {len(last.steps)}"
            raise UsageError(
                f"{path}: the run of {last.began} stopped at step {at}; go on with 'ringfence apply --resume', or undo "
                "it with 'ringfence apply --rollback'"
            )
        journal = preview.journal(path, datetime.now().astimezone().isoformat(timespec="seconds"))
        moved = list(changed_since(server, journal))
        if moved:
            print(f"{', '.join(moved)} since it was shown; nothing was written, apply again", file=sys.stderr)
            return 1
        return _done(args, server, journal, preview, probing)


def _done(
    args: argparse.Namespace, server: Server, journal: Journal, preview: Preview | None, probing: Probing | None
) -> int:
    """Carry it out, tell how it ended, and give the exit status."""
    from ringfence.report.apply.text import outcome_line  # noqa: PLC0415
    from ringfence.workflow.applying import carry_out  # noqa: PLC0415

    with ending.gently():
        outcome = carry_out(server, journal, _teller(args), probing)
    line = outcome_line(outcome, journal.steps)
    try:
        if preview is not None:
            _end(args, preview, outcome, "", line)
        else:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # how it ended is still told by the exit status
        common.silence()
    return _status(outcome)


def _status(outcome: Outcome) -> int:
    """0 when it is in place; 1 when a wanted connection or somebody else stood against it; 3 for the cluster."""
    from ringfence.live.apply.journal import State  # noqa: PLC0415
    from ringfence.live.server.errors import Refused  # noqa: PLC0415

    if outcome.state is State.COMPLETE:
        return 0
    if isinstance(outcome.problem, KeyboardInterrupt):
        return ending.INTERRUPTED
    if outcome.broken or (isinstance(outcome.problem, Refused) and outcome.problem.conflict):
        return 1
    return 3


def _teller(args: argparse.Namespace) -> Callable[[str], None]:
    return (lambda _: None) if args.quiet else ending.say


def _probing(args: argparse.Namespace, server: Server, intents: Documents) -> Probing | None:
    """What tries the wanted connections, where they were asked for."""
    if not args.intents:
        return None
    from ringfence.live.probe.plan import Settings  # noqa: PLC0415
    from ringfence.workflow.probing.planning import Targets  # noqa: PLC0415
    from ringfence.workflow.verifying import Wanted as Connections  # noqa: PLC0415

    return Connections(
        server,
        lambda: _picture(args, server, intents.namespace, intents),
        lambda found: _meaning(args, intents, found),
        common.profile(args),
        Settings(args.image) if args.image else Settings(),
        counted=args.allow_pdb,
        targets=Targets.TWINS if args.twin_targets else Targets.EITHER,
        say=_teller(args),
    )


# -- a run that was stopped -----------------------------------------------------------------------------------------


def _again(args: argparse.Namespace) -> int:
    """Go on with the last run, or back."""
    from ringfence.live.apply.journal import State, identity, lock, place, read  # noqa: PLC0415
    from ringfence.live.apply.run import changed_since, undo  # noqa: PLC0415

    word = "--resume" if args.resume else "--rollback"
    if args.paths or args.programs:
        raise UsageError(f"{word} takes its steps from the journal; leave the paths out")
    intents = documents(args, cluster.namespace(args))
    server = cluster.connected(args)
    path = Path(args.journal) if args.journal else place(server)
    with lock(path):
        journal = read(path)
        if journal is None:
            raise UsageError(f"{path}: no journal, so no run to go on with; name it with --journal, or its --context")
        if journal.state is State.UNDONE or (args.resume and journal.state is State.COMPLETE):
            raise UsageError(f"{path}: the run of {journal.began} is {journal.state}; there is nothing left to do")
        if args.resume and journal.worked is not None and not args.intents:
            raise UsageError(
                f"{path}: the run of {journal.began} probes what is wanted once more when all is in place; name its "
                "documents again with --intents, or undo it with --rollback"
            )
        here = identity(server)
        if not journal.cluster.is_also(here):
            raise UsageError(
                f"{path}: belongs to another cluster, context {journal.cluster.context} ({journal.cluster.address}); "
                "name it with --context"
            )
        moved = [] if args.force_conflicts else list(changed_since(server, journal))
        if moved:
            print(
                f"{', '.join(moved)} since that run; nothing was written; look at it, and say --force-conflicts to go "
                "over it",
                file=sys.stderr,
            )
            return 1
        _confirm_again(args, server, journal)
        if args.resume:
            return _done(args, server, journal, None, _probing(args, server, intents))
        with ending.gently():
            undo(server, journal, "asked for", _teller(args))
    print("undone, all is as it was before")
    return 0


def _confirm_again(args: argparse.Namespace, server: Server, journal: Journal) -> None:
    if not args.quiet:
        what = "go on with" if args.resume else "undo"
        print(
            f"{what} the run of {journal.began}, which is {journal.state} at step "
            f"{min(journal.at + 1, len(journal.steps))} of {len(journal.steps)}",
            file=sys.stderr,
        )
    _confirm(args, server)
