"""``--ingress-controller``: which pods the ways in of the input start at."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ringfence.cli.ends import named_by
from ringfence.errors import UnknownEndpoint, UsageError
from ringfence.model.cluster import Cluster
from ringfence.model.ends import ArrowEnd, ControllerEnd, EveryEnd, LabelEnd, NameEnd
from ringfence.model.intents import Intent, Intents
from ringfence.model.objects import Pod, Workload

FLAG = "--ingress-controller"


def add(group: argparse._ArgumentGroup, *, packets: bool = False) -> None:
    """Add the option to *group*; without it, verbs that send *packets* have nobody in the controller's place."""
    group.add_argument(FLAG, action="append", default=None if packets else [], metavar="END",
                       help="the pods that Ingress objects, Routes and Gateways are served by, such as "
                       "ingress-nginx/controller or ingress-nginx/*; may be repeated")  # fmt: skip


def named(cluster: Cluster, texts: Sequence[str] | None, namespace: str | None) -> Cluster:
    """*cluster* with nobody in place of the controller, when *texts* name its pods: those are pods like others (S88).

    None is for verbs that send packets: nobody knows from where, so that none can stand for it.
    Raises: UsageError for an end that is no pod of the input.
    """
    if texts is None:
        return replace(cluster, doorman=None)
    if not texts:
        return cluster
    from ringfence.model.entrances import Door  # noqa: PLC0415

    for text in texts:
        try:
            found = named_by(FLAG, text, cluster, namespace)
        except UnknownEndpoint as problem:
            if problem.nearest:
                raise
            what = "is not in the input; add the controller's own manifests or pods to the paths"
            raise UsageError(f"{FLAG} {text}: {what}, or leave the option out") from problem
        for one in found:
            if not isinstance(one, Workload | Pod) or isinstance(one, Door):
                raise UsageError(f"{FLAG} {text}: must be pods of the input, such as ingress-nginx/controller")
    written = ends(cluster, texts, namespace)
    return replace(cluster, doorman=None, intents=tuple(_entered(one, written) for one in cluster.intents))


def _entered(document: Intents, written: Sequence[ArrowEnd]) -> Intents:
    """*document* with its arrows that begin at the controller begun at each of the ends *written*."""

    def each(intents: Sequence[Intent]) -> Iterator[Intent]:
        for one in intents:
            starts = written if isinstance(one.arrow.src, ControllerEnd) else (one.arrow.src,)
            yield from (replace(one, arrow=replace(one.arrow, src=end)) for end in starts)

    return replace(document, allow=tuple(each(document.allow)), deny=tuple(each(document.deny)))


def ends(cluster: Cluster, texts: Sequence[str], namespace: str | None) -> list[ArrowEnd]:
    """The ends that *texts* write, each name with its namespace; :func:`named` has seen that they are there."""
    from ringfence.model.arrows import parse_end  # noqa: PLC0415

    found: list[ArrowEnd] = []
    for text in texts:
        end = parse_end(text)
        if isinstance(end, NameEnd | EveryEnd | LabelEnd) and end.namespace is None:
            some = [
                one.namespace for one in named_by(FLAG, text, cluster, namespace) if isinstance(one, Workload | Pod)
            ]
            found += [replace(end, namespace=one) for one in sorted(set(some))]
        else:
            found.append(end)
    return found
