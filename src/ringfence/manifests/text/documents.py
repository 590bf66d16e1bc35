"""Bytes to objects: documents split, lists flattened, each object with its source. No meaning yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeVar, cast

import msgspec

from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.text import contents, scalars, snapshots
from ringfence.manifests.text.files import File
from ringfence.manifests.text.heads import ABSENT, MANIFEST_KEYS, Head, inner, items_kind, with_kind
from ringfence.manifests.text.json_objects import JsonObject, json_values
from ringfence.manifests.text.json_text import JsonAnswer, JsonFile
from ringfence.manifests.text.places import Place, Twice, Unreadable
from ringfence.model.sources import Source

T = TypeVar("T")
Quick = Callable[[str, Head, Sequence[JsonObject]], Iterator[tuple[int, JsonObject]]]
"""Takes what it can of the items of a list in JSON, of the file and the list that are named; the others come, with
their numbers, each before the next item is looked at.
"""
_START: Final = 4096
"""Bytes at the beginning of a file that are looked at for what it is."""
SMALL: Final = 1_000_000
"""Bytes up to which text that starts like JSON and is none is tried as YAML, where { and [ are allowed too."""
_ITEM: Final = re.compile(r"items\[(\d+)\]\.?")
_JSON: Final = tuple(f"{name}{packed}" for name in (".json", ".jsonl", ".ndjson") for packed in ("", ".gz"))
_ACTION: Final = re.compile(r"^[ \t-]*\{[{%]", re.MULTILINE)
"""A line that begins with an action of a template."""
_MARKED: Final = re.compile(r"\A(---[^\n]*\n|)\ufeff")
"""A byte order mark before a document, as in files that were joined (kubectl passes over it too)."""
MAX_YAML: Final = 50_000_000
"""Characters of one document of YAML; reading that many takes about a quarter of a minute and 750 MB."""


class YamlDocument:
    """One document of YAML, shared by the objects of a list in it."""

    def __init__(self, text: str, first_line: int) -> None:
        self.text = text
        self.first_line = first_line

    @cached_property
    def place(self) -> Place:
        """The places of all its fields, found by reading it again."""
        from ringfence.manifests.text import yaml_text  # noqa: PLC0415 (a dump in JSON needs no YAML)

        return yaml_text.compose(self.text, places=True, foreign=True).place or Place(1, 1)

    @cached_property
    def lines(self) -> list[str]:
        """Its lines as they stand."""
        return self.text.split("\n")


class YamlObject:
    """An object in a document of YAML. ``prefix`` is its path there: empty, or ``items[3]``."""

    def __init__(self, document: YamlDocument, value: Any, prefix: str = "") -> None:
        self._document = document
        self._value = value
        self._prefix = prefix

    def locate(self, path: str) -> tuple[int, int]:
        """Line and column of the field at *path*, or of the nearest one around it."""
        place = inner(inner(self._document.place, self._prefix), path)
        return place.line + self._document.first_line - 1, place.column

    def comment(self, path: str, written: str) -> str:
        """What a person noted behind the text *written* at *path*, on its line; empty where there is none."""
        line, column = self.locate(path)
        behind = self._document.text.split("\n")[line - self._document.first_line][column - 1 :]
        for spelled in (written, f'"{written}"', f"'{written}'"):
            rest = behind.removeprefix(spelled)
            if rest != behind and rest.lstrip().startswith("#") and rest[:1].isspace():
                return rest.lstrip().lstrip("#").strip()
        return ""

    def find(self, path: str, row: int, words: Sequence[str]) -> tuple[int, int]:
        """Line and column of *words* in the text at *path*, whatever the style it is written in."""
        line, column = self.locate(path)
        first = self._document.first_line
        found = scalars.find(self._document.lines, line - first, column - 1, row, words)
        return (found[0] + first, found[1] + 1) if found else (line, column)

    def value(self) -> Any:
        """The object as plain data."""
        return self._value

    def text(self, line: int) -> str:
        """The *line* of the file, as written."""
        at = line - self._document.first_line
        return self._document.lines[at].rstrip() if 0 <= at < len(self._document.lines) else ""

    def decode(self, shape: type[T]) -> T:
        """The fields of *shape*. Raises: msgspec.ValidationError for one of another type."""
        return msgspec.convert(self._value, shape)

    def read(self, part: Any, shape: type[T]) -> T | None:
        """The fields of *shape* in a part that :meth:`head` found; None where there is none. Raises: as above."""
        return None if part is None else msgspec.convert(part, shape)

    def head(self) -> Head:
        """What the object says of itself."""
        value = self._value
        if not isinstance(value, dict):
            return Head(None, None, mapping=False)
        manifest = bool(MANIFEST_KEYS & value.keys())
        return Head(value.get("apiVersion"), value.get("kind"), items_kind(value.get("items", ABSENT)), manifest,
                    metadata=value.get("metadata"), inside=value.get("items"))  # fmt: skip

    def items(self, inside: list[Any]) -> list[YamlObject]:
        """The items of a list, *inside* its head."""
        path, head = f"{self._prefix}." if self._prefix else "", self.head()
        return [
            YamlObject(self._document, with_kind(value, head), f"{path}items[{n}]") for n, value in enumerate(inside)
        ]


@dataclass(frozen=True, slots=True)
class Item:
    """One object of the input: what it says it is, where it stands, and the keys that stand twice in it.

    ``metadata`` is the part of that name, for ``document.read``.
    """

    api_version: str
    kind: str
    file: str
    document: YamlObject | JsonObject
    twice: tuple[Twice, ...] = ()
    metadata: Any = None

    @property
    def group(self) -> str:
        """The API group; empty for the core one."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version within the group."""
        return self.api_version.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Passed:
    """A file of a directory that holds no object, or, as a ``template``, none before it is rendered."""

    file: str
    template: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """Items of a list of this file were taken by themselves."""

    file: str


def source(item: Item) -> Source:
    """Where *item* came from."""
    return Source(item.file, 0, item.document)


def objects(file: File, quick: Quick | None = None, *, cut: bool = False) -> Iterator[Item | Problem | Passed | Taken]:
    """The objects of *file*, those of lists one by one; what is not one comes as a problem with its place.

    A file that was found in a directory and holds no object at all is passed over. *quick* is offered each item
    of a list in JSON; what it takes does not come. *cut*: as for ``json_values``; all that came before NotWholeError is
    raised has to be forgotten.
    """
    strange: list[Problem] = []
    others = False
    for found in _all(file, quick, cut):
        if isinstance(found, Problem) and _is_no_object(found) and not file.named and not others:
            strange.append(found)
            continue
        others = True
        yield found
    if others or file.named:
        yield from strange
    elif strange:
        yield Passed(file.name)


def _is_no_object(found: object) -> bool:
    return isinstance(found, Problem) and found.code == "RF011"


def _all(file: File, quick: Quick | None, cut: bool) -> Iterator[Item | Problem | Passed | Taken]:
    data = file.data
    start = bytes(data[:_START]).lstrip()[:2]
    if start not in (b"{{", b"{%") and (file.name.endswith(_JSON) or start[:1] in (b"{", b"[")):
        found, fault = json_values(data, JsonAnswer if file.answered else JsonFile, cut=cut)
        if fault is None or file.name.endswith(_JSON) or not (_goes_on(data, fault) or _is_small_yaml(data)):
            for top in [*found, fault] if fault else found:
                if isinstance(top, Unreadable) and not file.named and _has_actions(JsonFile(data).line(top.line), 1):
                    yield Passed(file.name, template=True)
                elif isinstance(top, Unreadable):
                    yield replace(unreadable(file.name, top), text=JsonFile(data).line(top.line))
                else:
                    yield from _expand(file, top, None, (), quick)
            return
    yield from _yaml_items(file)


def unreadable(name: str, fault: Unreadable) -> Problem:
    """The problem of what could not be read in the file called *name*."""
    return Problem(fault.code, fault.message, remedy=fault.remedy, file=name, line=fault.line, column=fault.column)


# -- YAML -----------------------------------------------------------------------------------------------------------


def _goes_on(data: contents.Data, fault: Unreadable) -> bool:
    """Whether what is no JSON any more begins as another document of YAML does: each is then read by itself."""
    return JsonFile(data).line(fault.line).startswith("---")


def _is_small_yaml(data: contents.Data) -> bool:
    if len(data) > SMALL:
        return False
    from ringfence.manifests.text import yaml_text  # noqa: PLC0415 (a dump in JSON needs no YAML)

    try:
        for text, _ in yaml_text.split(bytes(data).decode()):
            yaml_text.compose(text)
    except Unreadable:
        return False
    return True


def _yaml_items(file: File) -> Iterator[Item | Problem | Passed | Taken]:
    from ringfence.manifests.text import yaml_text  # noqa: PLC0415 (a dump in JSON needs no YAML)

    is_template = False
    for part, first_line in yaml_text.split(bytes(file.data).decode()):
        text = _MARKED.sub(r"\1", part, count=1)
        if text.strip() in ("", "---"):
            continue
        try:
            if len(text) > MAX_YAML:
                raise _too_large(text)
            composed = yaml_text.compose(text, foreign=True)
        except Unreadable as fault:
            if not file.named and _has_actions(text, fault.line):
                is_template = True
                continue
            yield _broken(file, text, first_line, fault)
            continue
        if composed.value is None:
            continue
        document = YamlDocument(text, first_line)
        twice = tuple(replace(t, line=t.line + first_line - 1, first=t.first + first_line - 1) for t in composed.twice)
        whole = YamlObject(document, composed.value)
        found = list(_expand(file, whole, None, twice)) if composed.foreign else _expand(file, whole, None, twice)
        if composed.foreign and (whole.head().is_list or not all(map(_is_no_object, found))):
            yield _broken(file, text, first_line, composed.foreign)
        else:
            yield from found
    if is_template:
        yield Passed(file.name, template=True)


def _too_large(text: str) -> Unreadable:
    size, most = (number // 1_000_000 for number in (len(text), MAX_YAML))
    return Unreadable("RF009", f"is a YAML document of {size} MB, and those of more than {most} MB are not read", 1, 1)


def _has_actions(text: str, line: int) -> bool:
    """Whether *text*, which could not be read in *line*, is a template: an action stands there or begins a line."""
    lines = text.split("\n", line)
    return "{{" in lines[min(line, len(lines)) - 1] or _ACTION.search(text) is not None


def _broken(file: File, text: str, first_line: int, fault: Unreadable) -> Problem:
    """The problem of the document *text*, which begins in *first_line* and cannot be read."""
    message, remedy = fault.message, fault.remedy
    if fault.code != "RF009" and "{{" in text:
        if "{{" in text.splitlines()[fault.line - 1]:
            message = "looks like a template, and is not YAML before it is rendered"
        remedy = "render it first, as with helm template"
    line = next(iter(text.split("\n")[fault.line - 1 : fault.line]), "").rstrip()
    return Problem(fault.code, message, remedy=remedy, file=file.name,
                   line=fault.line + first_line - 1, column=fault.column, text=line)  # fmt: skip


# -- both -----------------------------------------------------------------------------------------------------------


def _expand(
    file: File,
    document: YamlObject | JsonObject,
    above: Head | None,
    twice: tuple[Twice, ...],
    quick: Quick | None = None,
) -> Iterator[Item | Problem | Passed | Taken]:
    """The object itself, or the items of a list, of lists in it too.

    *above* is the typed list that it is an item of: one may leave its kind and version to that (S3).
    """
    try:
        head = document.head() if above is None else _below(above, document.head())
        inside: Sequence[YamlObject | JsonObject] = document.items(head.inside) if head.is_list else ()
    except Unreadable as fault:
        yield unreadable(file.name, fault)
        return
    if not head.is_list:
        found = _item(file, document, head, twice)
        yield replace(found, text=document.text(found.line)) if isinstance(found, Problem) else found
        return
    written = snapshots.version(head.metadata) if head.kind == "List" else ""
    if written:
        yield _snapshot(file, written)
        if written != snapshots.VERSION:
            return
    by_item: dict[int, list[Twice]] = {}
    for one in twice:
        match = _ITEM.match(one.path)
        if match is None:
            yield Problem("RF005", _twice_sentence(one), one.path, file=file.name, line=one.line, column=one.column,
                          text=document.text(one.line))  # fmt: skip
        else:
            by_item.setdefault(int(match[1]), []).append(replace(one, path=one.path[match.end() :]))
    left: Iterable[tuple[int, YamlObject | JsonObject]] = enumerate(inside)
    if quick is not None and isinstance(document, JsonObject):
        left = quick(file.name, head, cast("Sequence[JsonObject]", inside))
    came = 0
    for index, item in left:
        came += 1
        yield from _expand(file, item, head, tuple(by_item.get(index, ())), quick)
    if came < len(inside):
        yield Taken(file.name)


def _snapshot(file: File, written: str) -> Problem:
    """What is to be said of a snapshot of the version *written*."""
    if written != snapshots.VERSION:
        return Problem(
            "RF028", f"is a snapshot of version {written}, and this reads {snapshots.VERSION}", file=file.name
        )
    return Problem("RF029", "is a snapshot, without env, arguments and ConfigMaps: who names whom there is not known",
                   file=file.name)  # fmt: skip


def _below(above: Head, head: Head) -> Head:
    """The head of an item of the list *above*: one may leave its kind and version to a typed list (S3)."""
    if above.kind == "List" or not head.mapping:
        return head
    kind = head.kind or above.kind.removesuffix("List")
    return replace(head, api_version=head.api_version or above.api_version, kind=kind)


def _item(
    file: File, document: YamlObject | JsonObject, head: Head, twice: tuple[Twice, ...]
) -> Item | Problem | Passed:
    version, kind = head.api_version, head.kind
    if head.items == "other" and isinstance(kind, str) and kind.endswith("List"):
        line, column = document.locate("items")
        return Problem("RF010", f"is a {kind} whose items are no list", "items", "make items a list",
                       file=file.name, line=line, column=column)  # fmt: skip
    if not file.named and isinstance(head.metadata, dict) and "{{" in str(head.metadata.get("name")):
        return Passed(file.name, template=True)
    if isinstance(version, str) and isinstance(kind, str) and version and kind:
        return Item(version, kind, file.name, document, twice, head.metadata)
    line, column = document.locate("")
    if version is None and kind is None and _is_bare_list(file, document):
        return Problem("RF010", "holds a list of objects and is no List", remedy="put them into the items of a List",
                       file=file.name, line=line, column=column)  # fmt: skip
    if not head.mapping or not head.manifest or (not file.named and _is_something_else(document, head)):
        return Problem("RF011", "is not a Kubernetes object: it has no apiVersion and no kind; left aside",
                       file=file.name, line=line, column=column)  # fmt: skip
    missing = " and ".join(
        name for name, text in (("apiVersion", version), ("kind", kind)) if not isinstance(text, str) or not text
    )
    remedy = "" if " and " in missing else f"add its {missing}"
    if head.items == "list" and kind is None:
        remedy = "add its kind, or take the dump again if it was cut off"
    return Problem("RF010", f"has no {missing}, so it is not known what it is", missing.partition(" ")[0], remedy,
                   file=file.name, line=line, column=column)  # fmt: skip


def _is_bare_list(file: File, document: YamlObject | JsonObject) -> bool:
    """Whether a document without a kind is a list which an object begins, or has one as its ``items``; large files are
    not opened for it.
    """
    try:
        value = document.value() if len(file.data) <= SMALL else None
    except Unreadable:
        return False
    found = value.get("items") if isinstance(value, dict) else value
    first = found[0] if isinstance(found, list) and found else None
    return isinstance(first, dict) and {"apiVersion", "kind"} <= first.keys()


def _is_something_else(document: YamlObject | JsonObject, head: Head) -> bool:
    """Whether a document that lacks its kind or version, found in a directory, was never meant for a server: with
    ``metadata`` and ``spec`` it may be an object that has lost its head, and one that has a part of its head may with
    either of them, or be a list.
    """
    try:
        keys = document.value().keys()
    except Unreadable:
        return False
    if head.api_version is None and head.kind is None:
        return not {"metadata", "spec"} <= keys
    return not {"metadata", "spec", "items"} & keys


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
    return document.twice()
