"""Clues: which workload says which string where, before anybody asks what the string means.

A clue holds the text as it was written and where it stands; the place is worked out when it is asked for. What lies in
a Secret is never held: there is an :class:`Unread` in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from ringfence.model.sources import NOWHERE, Source


class Owner(NamedTuple):
    """The workload that says something."""

    namespace: str
    kind: str
    name: str

    @property
    def id(self) -> str:
        """``namespace/name[Kind]``."""
        return f"{self.namespace}/{self.name}[{self.kind}]"


class ClueSort(StrEnum):
    """Where a program finds the string."""

    ENV = "env"
    ARG = "arg"
    COMMAND = "command"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Clue:
    """One string that a container is given.

    ``name`` is the variable, the flag that stands before an argument, or the file. ``written`` is the text as it
    stands at the field ``at`` of the object ``holder`` (``ConfigMap shop/settings``). ``variables`` are the values
    that a reference in it may stand for. Clues of one ``scope`` are beside each other: the variables of one container,
    the lines of one file. ``loose``: a ConfigMap's key that the pod carries and no container mounts.
    """

    owner: Owner
    sort: ClueSort
    name: str
    written: str
    holder: str
    at: str
    scope: str
    source: Source = field(default=NOWHERE, compare=False, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False, hash=False)
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """What a container is given and nobody read: the key of a Secret, or of a ConfigMap that is not in the input.

    ``name`` is the variable, or empty for all that the object holds; ``why`` says what it is.
    """

    owner: Owner
    name: str
    why: str
    secret: bool
    at: str
    source: Source = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scrape:
    """A workload or Service that something wants to scrape: a ServiceMonitor, a PodMonitor, an annotation.

    ``by`` is what says so. ``of_service``: the name is that of a Service, whose pods are meant. ``port`` is a number or
    a name, of a port of the pods (``of_pods``) or of the Service; None means all of them.
    """

    by: str
    namespace: str
    name: str
    of_service: bool
    port: int | str | None
    of_pods: bool
    at: str
    source: Source = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A Service that the API server calls, and what says so."""

    by: str
    namespace: str
    service: str
    port: int
    at: str
    source: Source = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SourceRange:
    """A block of addresses that alone may come in by a Service of type LoadBalancer."""

    namespace: str
    service: str
    cidr: str
    at: str
    source: Source = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Clues:
    """All clues of one input. ``probed`` are the workloads that the kubelet probes."""

    clues: tuple[Clue, ...] = ()
    unread: tuple[Unread, ...] = ()
    scrapes: tuple[Scrape, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    ranges: tuple[SourceRange, ...] = ()
    probed: tuple[Owner, ...] = ()
