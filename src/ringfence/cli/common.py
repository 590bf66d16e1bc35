"""Options and ends that verbs share: the input, the cluster's facts, formats, where output goes."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TextIO

from ringfence.cli import cluster, controllers, rendering, telling
from ringfence.errors import ArrowError, EnvironmentError_, UsageError
from ringfence.model import profiles
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster, Facts
from ringfence.model.intents import Dns
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import Profile

if TYPE_CHECKING:
    from ringfence.manifests.memory import Memory
    from ringfence.manifests.programs import Program
    from ringfence.manifests.text.files import Answer

DUMP: Final = (
    "kubectl get pods,deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,services,endpointslices,namespaces,"
    "nodes,networkpolicies,ingresses -A -o json"
)
"""What takes a dump of all that the answers need; Secrets are not among it."""
ALIASES: Final = {"markdown": "md", "yml": "yaml", "text": "txt", "graphviz": "dot"}
"""Other names that a format has elsewhere."""
PROFILES: Final = sorted({*profiles.PROFILES, *profiles.ALIASES})
"""The names of profiles, and their other names."""
OF_SETTINGS: Final = ("infer", "lint")
"""Verbs that read what containers are told, which a snapshot lacks."""
LARGE: Final = 16 << 20
"""Bytes of a file from which on reading it is told."""
PIECE: Final = 1 << 16
"""Characters that are written at once."""


def add_input(
    parser: argparse.ArgumentParser, *, paths: bool = True, profile: bool = True, intents: bool = False
) -> None:
    """The source of manifests and what can be changed about it.

    *profile* is for verbs that predict, *intents* for those that need to know what documents of intents rest on.
    """
    group = parser.add_argument_group("input")
    if paths:
        among = "" if not intents else ", Intents among them" if profile else ", with or without Intents"
        parser.add_argument("paths", nargs="*", metavar="PATH",
                            help=f"files and directories{among}; - reads standard input")  # fmt: skip
        parser.formatter_class = argparse.RawDescriptionHelpFormatter  # a command is not folded
        beside = "intents.yaml " if intents and profile else ""
        parser.epilog = f"a whole cluster, of which Secrets are not needed:\n  {DUMP} | {parser.prog} {beside}-"
    group.add_argument("-n", "--namespace", default=None, help="for objects and names without one (default: default)")
    group.add_argument("--with", dest="extra", action="append", default=[], metavar="FILE",
                       help="as if FILE were applied too; it replaces objects of the same name")  # fmt: skip
    group.add_argument("--without", action="append", default=[], metavar="NS/POLICY",
                       help="as if that policy were deleted")  # fmt: skip
    rendering.configure(group)
    cluster.add_live(parser)
    facts = parser.add_argument_group("facts that files cannot hold")
    for name, what in (("pod", "pods"), ("node", "nodes")):
        facts.add_argument(f"--{name}-cidr", action="append", default=[], metavar="CIDR", type=a_cidr,
                           help=f"where {what} have their addresses; may be repeated")  # fmt: skip
    if intents:
        add_intents(facts)
    if not profile:
        parser.set_defaults(profile="kubernetes")
        if intents:
            controllers.add(facts, packets=True)
        return
    facts.add_argument("--profile", choices=PROFILES, default="kubernetes", metavar="NAME",
                       help="the network plugin's behaviour (default: kubernetes, the text of the API); one of "
                       f"{', '.join(PROFILES)}")  # fmt: skip
    controllers.add(facts)


def add_intents(facts: argparse._ArgumentGroup) -> None:
    """What documents of intents rest on, and cannot say for every cluster."""
    facts.add_argument("--dns", choices=[one.value for one in Dns], default=None,
                       help="how pods reach the DNS, in place of what the intents say")  # fmt: skip
    facts.add_argument("--service-cidr", action="append", default=[], metavar="CIDR", type=a_cidr,
                       help="where Services have their addresses; may be repeated")  # fmt: skip
    facts.add_argument("--api-server", action="append", default=[], metavar="ADDRESS:PORT", type=_api_server,
                       help="where the API server listens, behind its Service; may be repeated")  # fmt: skip


def add_output(
    parser: argparse.ArgumentParser, formats: tuple[str, ...], where: str = "FILE", what: str = "write to FILE"
) -> None:
    """The format, the file and the colour; *where* and *what* say what ``-o`` takes."""
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=formats, default=formats[0], help=f"default: {formats[0]}",
                       type=lambda word: word if word in formats else ALIASES.get(word, word))  # fmt: skip
    group.add_argument("-o", "--output", metavar=where, type=lambda name: _file(name, formats),
                       help=f"{what}, whole or not at all")  # fmt: skip
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                       help="default: auto, which is colour on a terminal unless NO_COLOR is set")  # fmt: skip
    group.add_argument("-q", "--quiet", action="store_true", help="only errors on standard error")
    group.add_argument("-v", "--verbose", action="store_true", help="also what was read and left aside")


def _file(name: str, formats: tuple[str, ...]) -> str:
    """The name of a file; the word for a format is taken for kubectl's ``-o``, of which nobody wants a file."""
    if name in {*formats, *ALIASES, "json", "yaml"}:
        raise argparse.ArgumentTypeError(f"names a file; say --format {name}, or ./{name} for a file of that name")
    return name


def add_view(parser: argparse.ArgumentParser) -> None:
    """Which part of a matrix is wanted."""
    view = parser.add_argument_group("view")
    view.add_argument("--from", dest="src", action="append", default=[], metavar="END",
                      help="only from this end: ns/name, ns/*, [label=value], a CIDR …; may be repeated")  # fmt: skip
    view.add_argument("--to", dest="dst", action="append", default=[], metavar="END",
                      help="only to this end, with the policies and lines that let each source in")  # fmt: skip
    view.add_argument("--port", action="append", default=[], metavar="PORT[/PROTO]",
                      help="only pairs that can connect on this port or range (TCP when not said)")  # fmt: skip
    view.add_argument("--all", dest="every", action="store_true", help="list denied pairs too")
    view.add_argument("--by", choices=("workload", "pod", "namespace"), default=None,
                      help="default: workload; namespace for a whole table of more than 40 workloads")  # fmt: skip


def a_cidr(text: str) -> str:
    """*text*, which must be a CIDR."""
    try:
        AddressSet.of(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(f"{text!r} is not a CIDR such as 10.0.0.0/8") from problem
    if "/" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} has no prefix length, as in 10.0.0.0/8")
    return text


def _api_server(text: str) -> tuple[str, int]:
    """The address and the port of an API server; the address may be a range."""
    address, _, port = text.rpartition(":")
    try:
        (cidr,) = AddressSet.of(address.removeprefix("[").removesuffix("]")).cidrs()
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(port)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address and a port, as in 10.0.0.1:6443") from problem
    return cidr, int(port)


def load(
    args: argparse.Namespace,
    *,
    stdin: BinaryIO | None = None,
    programs: Sequence[Program] | None = None,
    read_too: Collection[str] = (),
    memory: Memory | None = None,
    others: bool = False,
    tell: bool = True,
    given: Iterable[Answer] | None = None,
    may_be_empty: bool = False,
) -> Cluster:
    """The cluster that *args* name, with its findings told on standard error if *tell*; *others* as for reading.

    *stdin* and *programs* stand for what *args* would have opened and run, for a verb that reads twice; *read_too* are
    kinds that it does not leave aside; *memory* is what two readings share. So does *given* for what a server gave.
    With *may_be_empty* no object is an answer.
    """
    from ringfence.manifests import load as read  # noqa: PLC0415

    if not has_input(args):
        raise UsageError("no input: name files or directories, - for standard input, or --live for the cluster")
    if given is None:
        given = cluster.given(args) if cluster.is_live(args) else ()
    pods, nodes = (AddressSet.of(*cidrs) for cidrs in (args.pod_cidr, args.node_cidr))
    services = AddressSet.of(*getattr(args, "service_cidr", ()))
    facts = Facts(pods, nodes, services, tuple(getattr(args, "api_server", ())))
    with busy("reading", quiet=args.quiet or not (_large(args.paths) or given)):
        found = read(
            args.paths, namespace=args.namespace or "default", facts=facts, stdin=stdin, extra=args.extra,
            without=args.without, exclude=args.exclude, direct_controller=profile(args).direct_controller,
            programs=rendering.programs(args) if programs is None else programs,
            others=others,
            memory=memory,
            given=given,
            may_be_empty=may_be_empty,
        )  # fmt: skip
    if args.verb not in OF_SETTINGS:
        told = tuple(one for one in found.findings if one.code != "RF029")
        found = found if told == found.findings else dataclasses.replace(found, findings=told)
    if read_too:
        left = {kind: count for kind, count in found.ignored.items() if kind not in read_too}
        found = dataclasses.replace(found, ignored=left)
    if tell:
        telling.tell(found, quiet=args.quiet, verbose=args.verbose)
    return controllers.named(found, getattr(args, "ingress_controller", None), args.namespace)


def _large(paths: Iterable[str]) -> bool:
    """Whether reading *paths* takes long enough for a word; what is no file may be of any size."""
    return any(not os.path.isfile(path) or os.path.getsize(path) > LARGE for path in paths)


@contextlib.contextmanager
def busy(what: str, *, quiet: bool) -> Iterator[None]:
    """A sign of life on standard error, when a person looks at it, for work that cannot tell how much there is."""
    if quiet or not is_terminal(sys.stderr):
        yield
        return
    from rich.console import Console  # noqa: PLC0415

    with Console(stderr=True).status(f"{what} …"):
        yield


def has_input(args: argparse.Namespace) -> bool:
    """Whether *args* name something to read."""
    return bool(args.paths or args.programs or cluster.is_live(args))


def profile(args: argparse.Namespace) -> Profile:
    """The profile that was asked for."""
    return profiles.named(args.profile)


def input_status(found: Cluster) -> int:
    """2 when something of the input had to be left out of the answers, else 0."""
    return 2 if any(finding.excludes for finding in found.findings) else 0


def ports(texts: list[str]) -> ConnectionSet | None:
    """The ports that ``--port`` names, together; None when it was not given."""
    if not texts:
        return None
    from ringfence.model.arrows import parse_ports  # noqa: PLC0415

    found = ConnectionSet.NONE
    for text in texts:
        try:
            found = found | parse_ports(text)
        except ArrowError as problem:
            raise UsageError(f"--port {text}: expected {problem.expected}") from problem
    return found


@contextlib.contextmanager
def progress(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error for long work, when a person looks at it; nothing in a pipe."""
    if quiet or not is_terminal(sys.stderr):
        yield None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def wants_color(args: argparse.Namespace) -> bool:
    """Whether to colour: asked for, or a terminal and NO_COLOR not set."""
    if args.color != "auto":
        return bool(args.color == "always")
    return args.output is None and is_terminal(sys.stdout) and not os.environ.get("NO_COLOR")


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at *stream*."""
    return stream.isatty()


@contextlib.contextmanager
def output(args: argparse.Namespace) -> Iterator[TextIO]:
    """Where the result goes: standard output, or a file that appears only when all of it was written."""
    if args.output is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            yield sys.stdout
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as problem:
            silence()
            what = f"standard output: cannot be written ({problem.strerror}); make room, or name a file with -o"
            raise EnvironmentError_(what) from problem
        return
    import tempfile  # noqa: PLC0415

    target = Path(args.output)
    if target.exists() and not target.is_file():
        with _as_it_is(target) as stream:  # a device or a pipe is written to, never replaced
            yield stream
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent, text=True)
    except OSError as problem:
        raise UsageError(f"{target}: cannot be written ({problem.strerror}); name a writable file") from problem
    try:
        with open(handle, "w", encoding="utf-8") as stream:
            yield stream
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException as problem:
        Path(name).unlink(missing_ok=True)
        if isinstance(problem, OSError):
            raise UsageError(f"{target}: cannot be written ({problem.strerror})") from problem
        raise


@contextlib.contextmanager
def _as_it_is(target: Path) -> Iterator[TextIO]:
    """What is no regular file, open for writing: nothing can take its place."""
    try:
        with target.open("w", encoding="utf-8") as stream:
            yield stream
    except OSError as problem:
        raise UsageError(f"{target}: cannot be written ({problem.strerror}); name a writable file") from problem


def silence() -> None:
    """Let what is left for standard output go nowhere: it cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_json(document: object, out: TextIO) -> None:
    """*document* as indented JSON."""
    import msgspec  # noqa: PLC0415

    out.write(msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")


def print_lines(lines: Iterable[str], out: TextIO) -> None:
    """Each of *lines* on a line of its own, as they come: many at a time, and never all of them in memory."""
    waiting: list[str] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= PIECE:
            waiting.append("")
            out.write("\n".join(waiting))
            waiting, size = [], 0
    if waiting:
        waiting.append("")
        out.write("\n".join(waiting))
