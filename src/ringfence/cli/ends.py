"""Ends that are the value of an option: ``--from``, ``--to``, ``--ingress-controller``."""

from __future__ import annotations

from ringfence.errors import ArrowError, UsageError
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End
from ringfence.model.objects import Service


def named_by(flag: str, text: str, cluster: Cluster, namespace: str | None) -> list[End | Service]:
    """What *text*, a value of *flag*, names in *cluster*.

    Raises: UsageError for text that is no end; UnknownEndpoint or AmbiguousEndpoint for a name.
    """
    from ringfence.model.arrows import parse_end  # noqa: PLC0415
    from ringfence.model.lookup import endpoints  # noqa: PLC0415

    try:
        end = parse_end(text)
    except ArrowError as problem:
        raise UsageError(f"{flag} {text}: expected {problem.expected}") from problem
    return endpoints(cluster, end, namespace=namespace, where=flag)
