"""A cluster as one file that all verbs read, without secrets: sorted, so that the same cluster gives the same bytes.

It is a List of Kubernetes objects, one a line. What was refused stands in it as the failure of a server, so that
answers from it are as doubtful as those from the cluster.
"""

from __future__ import annotations

import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from ringfence.live.picture.fields import decoder
from ringfence.live.server.server import Json
from ringfence.manifests.text.files import Answer
from ringfence.manifests.text.snapshots import ANNOTATION, VERSION


class _List(msgspec.Struct):
    kind: str
    items: list[msgspec.Raw]
    apiVersion: str = "v1"  # noqa: N815 (the API's spelling)


_LIST: Final = msgspec.json.Decoder(_List)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


@dataclass
class Snapshot:
    """What is kept: objects by what sorts them, each as it will be written; ``counts`` by kind, and what is missing."""

    lines: list[tuple[tuple[str, str, str, str], bytes]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)

    def text(self) -> Iterator[bytes]:
        """The file, in pieces."""
        head = {"apiVersion": "v1", "kind": "List", "metadata": {"annotations": {ANNOTATION: VERSION}}}
        yield _ENCODER.encode(head)[:-1] + b',"items":['
        between = b"\n"
        for _, line in sorted(self.lines):
            yield between + line
            between = b",\n"
        yield b"\n]}\n"


def taken(answers: Iterable[Answer], change: Callable[[Json], Json] = lambda one: one) -> Snapshot:
    """What a snapshot keeps of *answers*; each object goes through *change* before it is written."""
    made = Snapshot()
    for one in objects(answers):
        body = change(one)
        metadata = body.get("metadata") or {}
        order = (body["kind"], body["apiVersion"], metadata.get("namespace") or "", metadata.get("name") or "")
        made.lines.append((order, _ENCODER.encode(body)))
        made.counts[body["kind"]] += 1
        if body["kind"] == "Status":
            made.missing.append(body["message"])
    made.lines = list({line: (order, line) for order, line in made.lines}.values())
    return made


def objects(answers: Iterable[Answer]) -> Iterator[Json]:
    """The objects in *answers*, with what is kept of each; what was refused, or is of a strange form, is a failure."""
    for answer in answers:
        if answer.withheld:
            yield _failure(answer.withheld)
            continue
        page = _LIST.decode(answer.data)
        kind, group = page.kind.removesuffix("List"), page.apiVersion.rpartition("/")[0]
        read = decoder(group, kind)
        for raw in page.items:
            head = {"apiVersion": page.apiVersion, "kind": kind}
            try:
                yield head | read(raw)
            except msgspec.ValidationError:
                yield _failure(f"{kind} {_name(raw)} is of a form that is not known, and was left out")


def _name(raw: Any) -> str:
    found = msgspec.json.decode(raw)
    metadata = found.get("metadata") if isinstance(found, dict) else None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return "without a name"
    return "/".join(filter(None, (metadata.get("namespace"), metadata.get("name"))))


def _failure(message: str) -> Json:
    return {"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "message": message}


def packed(pieces: Iterable[bytes]) -> bytes:
    """*pieces* as a gzip file without name and time."""
    made = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=made, mtime=0) as stream:
        for piece in pieces:
            stream.write(piece)
    return made.getvalue()
