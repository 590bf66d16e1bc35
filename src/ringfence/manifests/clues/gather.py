"""The second pass: what the files say beside what a cluster holds, and the strings of every workload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec

from ringfence.manifests.clues.asking import api_calls, ranges, scrapes, service_scrapes
from ringfence.manifests.clues.containers import Reader, service_variables, templates
from ringfence.manifests.clues.maps import Maps
from ringfence.manifests.programs import Program
from ringfence.manifests.text import documents, files
from ringfence.manifests.text.documents import Item, source
from ringfence.manifests.text.files import File
from ringfence.manifests.text.places import Unreadable
from ringfence.manifests.text.tree import Trees
from ringfence.model.clues import Clue, Clues, Owner, Scrape, Unread, Webhook
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Service, Workload
from ringfence.model.sources import Source


def gather(
    cluster: Cluster,
    paths: Sequence[str],
    *,
    namespace: str = "default",
    stdin: BinaryIO | None = None,
    extra: Sequence[str] = (),
    exclude: Sequence[str] = (),
    programs: Sequence[Program] = (),
) -> Clues:
    """The clues of *cluster*, which was loaded from the same *paths* with the same options.

    What cannot be read was told when the cluster was loaded.
    """
    first, more = _Beside(cluster, namespace), _Beside(cluster, namespace)
    trees = Trees(exclude, [one.source for one in programs])
    first.read(files.printed(one.name, one.output(namespace)) for one in programs)
    first.read(files.read(paths, stdin, trees))
    if extra:
        more.read(files.read(extra, stdin, Trees()))
        first.replace(more)
    clues: list[Clue] = []
    unread: list[Unread] = []
    scraped = [*first.scrapes.values(), *service_scrapes(cluster)]
    probed: list[Owner] = []
    services: dict[str, list[Service]] = {workload.namespace: [] for workload in cluster.workloads}
    for service in cluster.services:
        services.setdefault(service.namespace, []).append(service)
    given = {space: service_variables(found) for space, found in services.items()}
    for workload in cluster.workloads:
        owner = Owner(workload.namespace, workload.kind, workload.name)
        holder = f"{workload.kind} {workload.namespace}/{workload.name}"
        seen: set[tuple[str, str, str]] = set()
        for origin in _sources(workload):
            reader = Reader(owner, holder, origin, first.maps, given[workload.namespace])
            for path, value in templates(origin):
                reader.template(path, value)
                scraped += scrapes(owner, path, value, origin)
            clues += [one for one in reader.clues if not _again((one.sort, one.name, one.written), seen)]
            unread += [one for one in reader.unread if not _again(("unread", one.name, one.why), seen)]
            probed += [owner] if reader.probed and owner not in probed[-1:] else []
    return Clues(tuple(clues), tuple(unread), tuple(dict.fromkeys(scraped)), tuple(first.webhooks.values()),
                 tuple(ranges(cluster)), tuple(probed))  # fmt: skip


def _again(key: tuple[str, str, str], seen: set[tuple[str, str, str]]) -> bool:
    """Whether *key* was seen; it is from now on. Pods of one owner say the same."""
    known = key in seen
    seen.add(key)
    return known


def _sources(workload: Workload) -> list[Source]:
    """Where the workload's containers are described: its own object, or its pods."""
    own = [workload.source] if workload.source.document else []
    return own or [pod.source for pod in workload.pods if pod.source.document]


class _Beside:
    """What a cluster does not hold: ConfigMaps, and who asks to scrape or to be called."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.maps = Maps()
        self.scrapes: dict[tuple[str, ...], Scrape] = {}
        self.webhooks: dict[tuple[str, ...], Webhook] = {}

    def read(self, found: Iterator[Any]) -> None:
        """Every object in the files *found*."""
        for file in found:
            if isinstance(file, File):
                for item in documents.objects(file):
                    if isinstance(item, Item):
                        self._take(item)

    def replace(self, other: _Beside) -> None:
        """Take over what *other* has; its objects stand for those of the same name."""
        self.maps.replace(other.maps)
        self.scrapes |= other.scrapes
        self.webhooks |= other.webhooks

    def _take(self, item: Item) -> None:
        wanted = item.kind == "ConfigMap" and item.api_version == "v1"
        if not wanted and item.kind not in ("ServiceMonitor", "PodMonitor") and not item.kind.endswith("Configuration"):
            return
        try:
            value = item.document.value()
        except (Unreadable, msgspec.ValidationError):
            return  # the first pass told of it
        metadata = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
        name, space = metadata.get("name"), metadata.get("namespace")
        if not isinstance(name, str):
            return
        space = space if isinstance(space, str) and space else self.namespace
        if wanted:
            self.maps.add(space, name, value, source(item))
        for one in api_calls(self.cluster, item, space, name, value):
            if isinstance(one, Scrape):
                self.scrapes[one.by, one.namespace, one.name, str(one.port), one.at] = one
            else:
                self.webhooks[one.by, one.namespace, one.service, str(one.port)] = one
