"""Bytes to objects: documents split, lists flattened, each object with its source. No meaning yet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final, Literal, TypeVar

import msgspec

from ringfence.manifests.checks.paths import parts
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.text import json_text, yaml_text
from ringfence.manifests.text.files import File
from ringfence.manifests.text.json_text import JsonFile
from ringfence.manifests.text.yaml_text import Place, Twice, Unreadable
from ringfence.model.sources import Source

T = TypeVar("T")
SMALL: Final = 1_000_000
"""Bytes up to which text that starts like JSON and is none is tried as YAML, where { and [ are allowed too."""
_ITEM: Final = re.compile(r"items\[(\d+)\]\.?")
_MANIFEST_KEYS: Final = frozenset({"metadata", "spec", "kind", "apiVersion"})


Items = Literal["absent", "list", "other"]
_ABSENT: Final = object()


class _Head(msgspec.Struct):
    apiVersion: Any = None  # noqa: N815 (the API's spelling)
    kind: Any = None
    metadata: msgspec.Raw = msgspec.Raw()
    spec: msgspec.Raw = msgspec.Raw()
    items: msgspec.Raw = msgspec.Raw()


_HEADS: Final = msgspec.json.Decoder(_Head)
_ANYTHING: Final = msgspec.json.Decoder(msgspec.Raw)
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Head:
    """What an object says of itself: values as they stand, what its ``items`` are, and whether it is a mapping that has
    the keys of a Kubernetes object.
    """

    api_version: Any
    kind: Any
    items: Items = "absent"
    manifest: bool = False
    mapping: bool = True

    @property
    def is_list(self) -> bool:
        """Whether it is a list of objects (S3)."""
        return self.items == "list" and isinstance(self.kind, str) and self.kind.endswith("List")


def _items_kind(value: object) -> Items:
    if value is _ABSENT or value is None:
        return "absent"
    return "list" if isinstance(value, list) else "other"


class YamlDocument:
    """One document of YAML, shared by the objects of a list in it."""

    def __init__(self, text: str, first_line: int) -> None:
        self.text = text
        self.first_line = first_line

    @cached_property
    def place(self) -> Place:
        """The places of all its fields, found by reading it again."""
        return yaml_text.compose(self.text, places=True).place or Place(1, 1)


class YamlObject:
    """An object in a document of YAML. ``prefix`` is its path there: empty, or ``items[3]``."""

    def __init__(self, document: YamlDocument, value: Any, prefix: str = "") -> None:
        self._document = document
        self._value = value
        self._prefix = prefix

    def locate(self, path: str) -> tuple[int, int]:
        """Line and column of the field at *path*, or of the nearest one around it."""
        place = _inner(_inner(self._document.place, self._prefix), path)
        return place.line + self._document.first_line - 1, place.column

    def value(self) -> Any:
        """The object as plain data."""
        return self._value

    def decode(self, shape: type[T]) -> T:
        """The fields of *shape*. Raises: msgspec.ValidationError for one of another type."""
        return msgspec.convert(self._value, shape)

    def head(self) -> Head:
        """What the object says of itself."""
        value = self._value
        if not isinstance(value, dict):
            return Head(None, None, mapping=False)
        manifest = bool(_MANIFEST_KEYS & value.keys())
        return Head(value.get("apiVersion"), value.get("kind"), _items_kind(value.get("items", _ABSENT)), manifest)

    def items(self) -> list[YamlObject]:
        """The items of a list."""
        path = f"{self._prefix}." if self._prefix else ""
        return [YamlObject(self._document, value, f"{path}items[{n}]") for n, value in enumerate(self._value["items"])]


class JsonObject:
    """An object in a file of JSON; decoded when asked for."""

    def __init__(self, file: JsonFile, data: Any, start: Callable[[], int]) -> None:
        self._file = file
        self.data = data
        self.start = start

    def locate(self, path: str) -> tuple[int, int]:
        """Line and column of the field at *path*, or of the nearest one around it."""
        return self.at(_inner(self._place, path).column)

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of the byte at *offset* within the object."""
        return self._file.line_column(self.start() + offset)

    @cached_property
    def _place(self) -> Place:
        try:
            return json_text.places(bytes(self.data))
        except RecursionError:
            return Place(0, 0)  # nested too deeply to look inside: the object's own place stands for all

    def value(self) -> Any:
        """The object as plain data. Raises: Unreadable for what no server holds: a number beyond a float, a nest too
        deep.
        """
        with self.held():
            return msgspec.json.decode(self.data)

    def decode(self, shape: type[T]) -> T:
        """The fields of *shape*. Raises: msgspec.ValidationError for one of another type; Unreadable, as ``value``."""
        with self.held():
            return msgspec.json.decode(self.data, type=shape)

    def head(self) -> Head:
        """What the object says of itself. Raises: Unreadable, as ``value``."""
        try:
            with self.held():
                found = _HEADS.decode(self.data)
        except msgspec.ValidationError:
            return Head(None, None, mapping=False)
        manifest = any(map(len, (found.metadata, found.spec))) or (found.apiVersion, found.kind) != (None, None)
        first = bytes(memoryview(found.items)[:1])
        items: Items = "list" if first == b"[" else "absent" if first in (b"", b"n") else "other"
        return Head(found.apiVersion, found.kind, items, manifest)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Tells of a number that is too large where it stands, and of a nest that is too deep."""
        try:
            yield
        except RecursionError:
            raise Unreadable("RF006", "nests too deeply", *self.at(0)) from None
        except msgspec.ValidationError as problem:
            if "out of range" not in str(problem):
                raise
            text, offset = json_text.beyond(bytes(self.data))
            raise Unreadable("RF004", f"has {text}, which is no number that a server takes", *self.at(offset)) from None

    def items(self) -> list[JsonObject]:
        """The items of a list. Raises: Unreadable, as ``value``."""
        with self.held():
            raws = _RAWS.decode(_HEADS.decode(self.data).items)
        starts = _Starts(self, raws)
        return [JsonObject(self._file, raw, partial(starts.of, n)) for n, raw in enumerate(raws)]


@dataclass(frozen=True, slots=True)
class Item:
    """One object of the input: what it says it is, where it stands, and the keys that stand twice in it."""

    api_version: str
    kind: str
    file: str
    document: YamlObject | JsonObject
    twice: tuple[Twice, ...] = ()

    @property
    def group(self) -> str:
        """The API group; empty for the core one."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version within the group."""
        return self.api_version.rpartition("/")[2]


def source(item: Item) -> Source:
    """Where *item* came from."""
    return Source(item.file, 0, item.document)


def objects(file: File) -> Iterator[Item | Problem]:
    """The objects of *file*, those of lists one by one; what is not one comes as a problem with its place."""
    data = file.data
    start = data.lstrip()[:2]
    if start != b"{{" and (file.name.endswith(".json") or start[:1] in (b"{", b"[")):
        found, fault = _json(data)
        if fault is None or file.name.endswith(".json") or len(data) > SMALL or not _is_yaml(data):
            for top in [*found, fault] if fault else found:
                if isinstance(top, Unreadable):
                    yield unreadable(file.name, top)
                else:
                    yield from _expand(file, top, None, ())
            return
    yield from _yaml_items(file)


def unreadable(name: str, fault: Unreadable) -> Problem:
    """The problem of what could not be read in the file called *name*."""
    return Problem(fault.code, fault.message, remedy=fault.remedy, file=name, line=fault.line, column=fault.column)


# -- YAML -----------------------------------------------------------------------------------------------------------


def _is_yaml(data: bytes) -> bool:
    try:
        for text, _ in yaml_text.split(data.decode()):
            yaml_text.compose(text)
    except Unreadable:
        return False
    return True


def _yaml_items(file: File) -> Iterator[Item | Problem]:
    for text, first_line in yaml_text.split(file.data.decode()):
        if not text.strip():
            continue
        try:
            composed = yaml_text.compose(text)
        except Unreadable as problem:
            if "{{" in text:
                if "{{" in text.splitlines()[problem.line - 1]:
                    problem.message = "looks like a template, and is not YAML before it is rendered"
                problem.remedy = "render it first, as with helm template"
            yield Problem(problem.code, problem.message, remedy=problem.remedy, file=file.name,
                          line=problem.line + first_line - 1, column=problem.column)  # fmt: skip
            continue
        if composed.value is None:
            continue
        document = YamlDocument(text, first_line)
        twice = tuple(replace(t, line=t.line + first_line - 1, first=t.first + first_line - 1) for t in composed.twice)
        yield from _expand(file, YamlObject(document, composed.value), None, twice)


# -- JSON -----------------------------------------------------------------------------------------------------------


def _json(data: bytes) -> tuple[list[JsonObject | Unreadable], Unreadable | None]:
    """The values of *data*, which may follow one another, or why one cannot be read; and what ends it too early."""
    found: list[JsonObject | Unreadable] = []
    file = JsonFile(data)
    try:
        _ANYTHING.decode(data)
    except (msgspec.DecodeError, RecursionError) as problem:
        if isinstance(problem, RecursionError):
            return found, json_text.unreadable(data, problem)
    else:
        return [JsonObject(file, data, lambda: 0)], None
    mended, offset = json_text.whole_pairs(data)
    file = JsonFile(mended)
    if offset is not None:
        half = "has half of a surrogate pair, read as U+FFFD as the API server reads it"
        found.append(Unreadable("RF008", half, *file.line_column(offset)))
    try:
        found.extend(_stream(file))
    except Unreadable as fault:
        return found, fault
    return found, None


def _stream(file: JsonFile) -> Iterator[JsonObject | Unreadable]:
    """The values of JSON text one after the other, as ``kubectl get -o json`` prints when asked twice.

    Raises: Unreadable where the text is none, so that the end of a value cannot be found.
    """
    text, at, start = file.data.decode(), 0, 0
    while True:
        before = at
        at = json_text.skip(text, at)
        if at == len(text):
            return
        try:
            end = json_text.end_of(text, at)
        except (json.JSONDecodeError, RecursionError) as problem:
            raise json_text.unreadable(file.data, problem) from None
        start += len(text[before:at].encode())
        piece = text[at:end].encode()
        yield _piece(file, piece, start)
        start += len(piece)
        at = end


def _piece(file: JsonFile, piece: bytes, start: int) -> JsonObject | Unreadable:
    """The value in *piece*, which begins at *start* of *file*; or why it is no JSON, as with NaN in it."""
    try:
        _ANYTHING.decode(piece)
    except RecursionError:
        return Unreadable("RF006", "nests too deeply", *file.line_column(start))
    except msgspec.DecodeError as problem:
        text, offset = json_text.no_number(piece)
        what = f"{text} is no number" if text else str(problem)
        return Unreadable("RF004", f"is not JSON: {what}", *file.line_column(start + offset))
    return JsonObject(file, piece, partial(int, start))


class _Starts:
    """Where the items of a list begin in the file, found once, when a line is asked for."""

    def __init__(self, top: JsonObject, raws: Sequence[msgspec.Raw]) -> None:
        self._top = top
        self._raws = raws

    def of(self, index: int) -> int:
        """The offset of item *index* in the file."""
        return self._starts[index]

    @cached_property
    def _starts(self) -> list[int]:
        data = bytes(self._top.data)
        at, base, found = json_text.items_start(data), self._top.start(), []
        for raw in self._raws:
            while data[at] in b" \t\r\n,":
                at += 1
            found.append(base + at)
            at += len(raw)
        return found


# -- both -----------------------------------------------------------------------------------------------------------


def _expand(
    file: File, document: YamlObject | JsonObject, above: Head | None, twice: tuple[Twice, ...]
) -> Iterator[Item | Problem]:
    """The object itself, or the items of a list, of lists in it too.

    *above* is the typed list that it is an item of: one may leave its kind and version to that (S3).
    """
    try:
        head = document.head()
        inside: Sequence[YamlObject | JsonObject] = document.items() if head.is_list else ()
    except Unreadable as fault:
        yield unreadable(file.name, fault)
        return
    if above is not None and above.kind != "List" and head.mapping:
        kind = head.kind or above.kind.removesuffix("List")
        head = replace(head, api_version=head.api_version or above.api_version, kind=kind)
    if not head.is_list:
        yield _item(file, document, head, twice)
        return
    by_item: dict[int, list[Twice]] = {}
    for one in twice:
        match = _ITEM.match(one.path)
        if match is None:
            yield Problem("RF005", _twice_sentence(one), one.path, file=file.name, line=one.line, column=one.column)
        else:
            by_item.setdefault(int(match[1]), []).append(replace(one, path=one.path[match.end() :]))
    for index, inner in enumerate(inside):
        yield from _expand(file, inner, head, tuple(by_item.get(index, ())))


def _item(file: File, document: YamlObject | JsonObject, head: Head, twice: tuple[Twice, ...]) -> Item | Problem:
    version, kind = head.api_version, head.kind
    if head.items == "other" and isinstance(kind, str) and kind.endswith("List"):
        line, column = document.locate("items")
        return Problem("RF010", f"is a {kind} whose items are no list", "items", "make items a list",
                       file=file.name, line=line, column=column)  # fmt: skip
    if isinstance(version, str) and isinstance(kind, str) and version and kind:
        return Item(version, kind, file.name, document, twice)
    line, column = document.locate("")
    if not head.mapping or not head.manifest:
        return Problem("RF011", "is not a Kubernetes object: it has no apiVersion and no kind; left aside",
                       file=file.name, line=line, column=column)  # fmt: skip
    missing = " and ".join(
        name for name, text in (("apiVersion", version), ("kind", kind)) if not isinstance(text, str) or not text
    )
    return Problem("RF010", f"has no {missing}, so it is not known what it is", missing.partition(" ")[0],
                   file=file.name, line=line, column=column)  # fmt: skip


def _twice_sentence(one: Twice) -> str:
    return f"the key stands twice: first in line {one.first}"


def twice_problem(one: Twice) -> Problem:
    """The problem of a key that stands twice."""
    return Problem("RF005", _twice_sentence(one), one.path, line=one.line, column=one.column)


def twice_in(item: Item) -> tuple[Twice, ...]:
    """The keys that stand twice in *item*, also when it is JSON, with their lines. Raises: Unreadable."""
    document = item.document
    if isinstance(document, YamlObject):
        return item.twice
    with document.held():
        found = json_text.duplicates(bytes(document.data))
    return tuple(Twice(one.path, *document.at(one.column), first=document.at(one.first)[0]) for one in found)


def _inner(place: Place, path: str) -> Place:
    """The place of the member at *path*, or of the nearest one around it."""
    for part in parts(path):
        member = place.members.get(part)
        if member is None:
            return place
        place = member
    return place
