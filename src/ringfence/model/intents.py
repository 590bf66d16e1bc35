"""What a person wants: which connections there shall be, and which never, as written in a document of kind Intents.

The ends of arrows are words here; what they mean in a cluster is the business of the room ``intents``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ringfence.model.ends import Arrow, ArrowEnd
from ringfence.model.sources import NOWHERE, Source

GROUP: Final = "ringfence.dev"
VERSION: Final = "v1alpha1"
KIND: Final = "Intents"


class Dns(StrEnum):
    """How the pods of protected namespaces reach the DNS.

    ``tight``: the cluster's DNS pods, UDP and TCP. ``namespace``: every pod of their namespace. ``node-local``: the
    address of the cache on each node, and the DNS pods. ``openshift``: OpenShift's DNS pods, which listen on 5353.
    ``none``: not at all.
    """

    TIGHT = "tight"
    NAMESPACE = "namespace"
    NODE_LOCAL = "node-local"
    OPENSHIFT = "openshift"
    NONE = "none"


class Helper(StrEnum):
    """What real clusters need beside an application's own connections; each is asked for by name.

    ``kube-apiserver``: pods that call the API server. ``prometheus``: who scrapes metrics. ``webhooks``: the API server
    calls admission webhooks. ``kubelet-probes``: the node probes its pods. ``cloud-metadata``: nobody reads the cloud's
    metadata address.
    """

    KUBE_APISERVER = "kube-apiserver"
    PROMETHEUS = "prometheus"
    WEBHOOKS = "webhooks"
    KUBELET_PROBES = "kubelet-probes"
    CLOUD_METADATA = "cloud-metadata"


@dataclass(frozen=True, slots=True)
class Intent:
    """One arrow of a document: ``->`` what shall be possible, or ``-x`` what never may be.

    ``arrow`` has its aliases replaced; ``written`` is how it stands in the file; ``comment`` is what stands behind it
    there. ``path`` is its field in the document.
    """

    arrow: Arrow
    written: str = ""
    comment: str = ""
    path: str = ""
    source: Source = field(default=NOWHERE, compare=False, repr=False)

    @property
    def place(self) -> str:
        """``file:line``."""
        return self.source.place(self.path)

    def __str__(self) -> str:
        return self.written or str(self.arrow)


@dataclass(frozen=True, slots=True)
class Companion:
    """A helper that was asked for, and the ``ends`` that it is about: empty where it is left to the helper."""

    helper: Helper
    ends: tuple[ArrowEnd, ...] = ()
    path: str = ""
    source: Source = field(default=NOWHERE, compare=False, repr=False)

    @property
    def place(self) -> str:
        """``file:line``."""
        return self.source.place(self.path)


@dataclass(frozen=True, slots=True)
class Intents:
    """One document of them.

    ``protect`` are the namespaces in which nothing is possible but what an arrow allows. ``namespace`` is looked in for
    names without one; None looks everywhere. ``allow`` and ``deny`` are in the order of the file.
    """

    name: str
    protect: tuple[str, ...] = ()
    allow: tuple[Intent, ...] = ()
    deny: tuple[Intent, ...] = ()
    companions: tuple[Companion, ...] = ()
    dns: Dns = Dns.TIGHT
    namespace: str | None = None
    source: Source = field(default=NOWHERE, compare=False, repr=False)
