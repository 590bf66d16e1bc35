"""What the verbs that start a lab share: its size, its snapshot, and a lab that is here already under a name."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.cli import common, program
from ringfence.errors import LabError, UsageError
from ringfence.model.cluster import Cluster

if TYPE_CHECKING:
    from ringfence.lab.plan.questions import Ports
    from ringfence.lab.plan.snapshot import Snapshot
    from ringfence.lab.run.lab import Lab


def add_size(parser: argparse.ArgumentParser) -> None:
    """How large the lab may be."""
    group = parser.add_argument_group("lab")
    group.add_argument("--pods-per-workload", type=_positive, default=None, metavar="N",
                       help="at most N pods of each workload (default: live pods all, 3 of a template)")  # fmt: skip
    group.add_argument("--max-pods", type=_positive, default=300, metavar="N",
                       help="at most N pods in all (default: 300); what is left out is said")  # fmt: skip


OWN_FAILURE = 125
"""The exit status of a command in a pod when the lab itself failed, not the command."""


def in_a_pod(args: argparse.Namespace, work: Callable[[argparse.Namespace, str], int]) -> int:
    """The status of *work* in the pod that the last of ``args.words`` names; the others are the lab's paths."""
    *args.paths, pod = args.words
    if not common.has_input(args):
        raise UsageError(f"{pod}: name files, directories or a running lab before the pod")
    try:
        return work(args, pod)
    except LabError as problem:
        print(f"{program.name()}: {problem}", file=sys.stderr)
        return OWN_FAILURE


def add_rules(parser: argparse.ArgumentParser) -> None:
    """How denials look and what a change does to open connections."""
    group = parser.add_argument_group("behaviour")
    group.add_argument("--reject", action="store_true",
                       help="refuse denied connections at once instead of dropping them")  # fmt: skip
    group.add_argument("--strict", action="store_true",
                       help="a change of policy cuts open connections that it no longer allows")  # fmt: skip


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 up")
    return int(text)


def snapshot(cluster: Cluster, args: argparse.Namespace) -> Snapshot:
    """The fixed snapshot of *cluster*, with what does not fit told before anything starts."""
    from ringfence.lab.plan.snapshot import Options, fix  # noqa: PLC0415

    if not cluster.workloads:
        raise UsageError("the input has no workloads, so there is nothing to connect")
    made = fix(cluster, Options(args.pods_per_workload, args.max_pods))
    for said in made.left_out:
        print(f"the lab leaves out {said}", file=sys.stderr)
    return made


def lab(made: Snapshot, args: argparse.Namespace | None = None) -> Lab:
    """A lab of *made*, started."""
    from ringfence.lab.plan.policies import Rules  # noqa: PLC0415
    from ringfence.lab.run.lab import Lab  # noqa: PLC0415

    how = Rules(args.reject, args.strict) if args is not None else Rules()
    return Lab.start(made, how)


@contextlib.contextmanager
def lab_of(args: argparse.Namespace) -> Iterator[tuple[Lab, int]]:
    """The lab that the paths of *args* name or describe, and the status that reading the input calls for.

    A single word that is no path and names a running lab stands for that lab.
    """
    running = None if args.programs else _running(args.paths)
    if running is not None:
        if args.extra or args.without:
            raise UsageError(f"--with and --without say what a lab is made of; {args.paths[0]} runs already")
        yield running, 0
        return
    cluster = common.load(args)
    with lab(snapshot(cluster, args), args) as started:
        yield started, common.input_status(cluster)


def _running(paths: Sequence[str]) -> Lab | None:
    if len(paths) != 1 or Path(paths[0]).exists():
        return None
    from ringfence.lab.run import registry  # noqa: PLC0415

    return registry.connect(paths[0])


def single_ports(texts: list[str]) -> Ports | None:
    """The ports that ``--port`` names; None when it was not given."""
    from ringfence.workflow.measured import single_ports as singly  # noqa: PLC0415

    wanted = common.ports(texts)
    return None if wanted is None else singly(wanted)


def host(made: Snapshot, text: str, namespace: str | None) -> int:
    """The host of the pod that *text* names: a pod, or a workload, whose first pod is taken."""
    from ringfence.model.arrows import parse_end  # noqa: PLC0415
    from ringfence.model.lookup import endpoints  # noqa: PLC0415
    from ringfence.model.objects import Node, Pod, Workload  # noqa: PLC0415

    for found in endpoints(made.cluster, parse_end(text), namespace=namespace, where="pod"):
        if isinstance(found, Workload):
            return made.host_of[id(found.pods[0])]
        if isinstance(found, Pod | Node):
            return made.host_of[id(found)]
    raise UsageError(f"{text}: name a pod or a workload, such as shop/web")
