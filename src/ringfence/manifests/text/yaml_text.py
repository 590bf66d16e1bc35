"""YAML text to plain data, read as kubectl reads it, with a place for every field when that is asked for.

libyaml does the scanning; values are built here from its events, without recursion. So nesting and aliases are
bounded, a key that stands twice is seen, and a plain scalar means what it means to kubectl (YAML 1.1 words for true
and false, integers in base 8 and 16, no dates).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from ringfence.manifests.checks.paths import child
from ringfence.manifests.text.places import Place, Twice, Unreadable

MAX_DEPTH: Final = 200
"""Levels of nesting; the deepest objects in use, schemas of CustomResourceDefinitions, have about 60."""
MAX_ALIASED: Final = 200_000
"""Values that aliases may stand for in one document."""

_LOADER: Final = getattr(yaml, "CLoader", yaml.Loader)
_BARE_ARROW: Final = re.compile(r"\s*-\s+(([\[{*])[^'\"#]*(?:->|-x)[^'\"#]*)")
"""An item of a list that is an arrow without quotes, and begins as YAML's lists, mappings and aliases do."""
_MARKER: Final = re.compile(r"^(?:---|\.\.\.)(?=\s|$)", re.MULTILINE)
_INTEGER: Final = re.compile(r"[-+]?(?:0b[01]+|0o?[0-7]+|0x[0-9a-fA-F]+|[1-9][0-9]*|0)")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL: Final = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_CORE: Final = "tag:yaml.org,2002:"
_MERGES: Final = f"{_CORE}merge"
"""The tag that some programs write before ``<<``, which means the same with and without it."""
_OPENING: Final = ("apiVersion", "kind")
"""Keys that an object begins with; when one comes again, a new object has begun."""
_WHOLE: Final = 1e21
"""Below this a whole number of the type float is written without an exponent."""
_MERGE: Final = object()
_UNSET: Final = object()


@dataclass(frozen=True, slots=True)
class Composed:
    """One document as plain data; ``place`` is None unless it was asked for. ``foreign`` is the fault of the first tag
    that no object has: such documents are of other programs, but for objects that are broken.
    """

    value: Any
    twice: tuple[Twice, ...]
    place: Place | None
    foreign: Unreadable | None = None


def split(text: str) -> Iterator[tuple[str, int]]:
    """Each document of *text* with the number of its first line, from 1.

    A line that starts with ``---`` or ``...`` ends a document wherever it stands, also in a quoted string, so a broken
    document cannot swallow those that follow.
    """
    start, line = 0, 1
    for match in _MARKER.finditer(text):
        part = text[start : match.start()]
        yield part, line
        line += part.count("\n")
        start = match.start() if match[0] == "---" else match.end()
    yield text[start:], line


def compose(text: str, *, places: bool = False, foreign: bool = False) -> Composed:
    """The one document of *text*. Raises: Unreadable, for foreign tags too unless those may stand there."""
    builder = _Builder(places)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as problem:
        line, column = _where(problem, text)
        raise Unreadable("RF003", _sentence(problem, text, line, column), line, column, _remedy(text, line)) from None
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise Unreadable("RF003", "is not YAML: it holds a control character", line, 1) from None
    if builder.foreign is not None and not foreign:
        raise builder.foreign
    return Composed(builder.root, tuple(builder.twice), builder.place, builder.foreign)


def _where(problem: yaml.MarkedYAMLError, text: str) -> tuple[int, int]:
    """The place of *problem*: where the reader stopped, or where what is not closed began if that is the end."""
    last = len(text.splitlines())
    mark = problem.problem_mark
    if mark is None or (problem.context_mark is not None and mark.line >= last):
        mark = problem.context_mark
    return (min(mark.line + 1, max(last, 1)), mark.column + 1) if mark else (1, 1)


def _sentence(problem: yaml.MarkedYAMLError, text: str, line: int, column: int) -> str:
    lines = text.splitlines()
    if line <= len(lines) and lines[line - 1][column - 1 : column] == "\t":
        return "is not YAML: a tab stands where only blanks may indent"
    context = f"{problem.context}: " if problem.context else ""
    return f"is not YAML: {context}{problem.problem or 'cannot be read'}"


def _remedy(text: str, line: int) -> str:
    """What to do about an arrow whose first sign is one of YAML's own; empty for all else."""
    found = _BARE_ARROW.match("".join(text.splitlines()[line - 1 : line]))
    return f"put the arrow in quotes, as it begins with {found[2]}: '{found[1].strip()}'" if found else ""


class _Frame:
    """A mapping or sequence under construction."""

    __slots__ = ("anchor", "container", "key", "keys", "own", "place", "size")

    def __init__(self, container: dict[str, Any] | list[Any], anchor: str | None, place: Place | None) -> None:
        self.container = container
        self.anchor = anchor
        self.place = place
        self.key: Any = _UNSET
        self.keys: dict[str, int] = {}
        self.own: Place | None = None
        self.size = 1


class _Builder:
    """Takes the events of one document and builds its value."""

    def __init__(self, places: bool) -> None:
        self.places = places
        self.root: Any = None
        self.place: Place | None = None
        self.twice: list[Twice] = []
        self.foreign: Unreadable | None = None
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int, Place | None]] = {}
        self._aliased = 0
        self._ended = False

    def take(self, event: Any) -> None:
        """The next event."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._open({}, event)
        elif kind is yaml.SequenceStartEvent:
            self._open([], event)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close(event)
        elif kind is yaml.AliasEvent:
            self._alias(event)

    def _fail(self, event: Any, message: str, code: str = "RF003") -> Unreadable:
        mark = event.start_mark
        return Unreadable(code, message, mark.line + 1, mark.column + 1)

    def _mark(self, event: Any) -> Place | None:
        return Place(event.start_mark.line + 1, event.start_mark.column + 1) if self.places else None

    def _open(self, container: dict[str, Any] | list[Any], event: Any) -> None:
        if self._wants_key():
            raise self._fail(event, "is not a Kubernetes object: a mapping's key must be text")
        if len(self._stack) >= MAX_DEPTH:
            raise self._fail(event, f"nests deeper than {MAX_DEPTH} levels", "RF006")
        self._stack.append(_Frame(container, event.anchor, self._mark(event)))

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.container, frame.size, frame.place)
        self._add(frame.container, frame.size, frame.place, event)

    def _alias(self, event: Any) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            raise self._fail(event, f"is not YAML: the alias *{event.anchor} has no anchor before it")
        value, size, place = known
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise self._fail(event, f"has aliases that stand for more than {MAX_ALIASED} values", "RF007")
        if self._wants_key():
            self._key(value, event)
            return
        own = self._mark(event)
        if own is not None and place is not None:
            own.members = place.members
        self._add(value, size, own, event)

    def _scalar(self, event: Any) -> None:
        value = self._value(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1, self._mark(event))
        if self._wants_key():
            merges = event.value == "<<" and (event.implicit[0] or event.tag == _MERGES)
            self._key(_MERGE if merges else value, event)
        else:
            self._add(value, 1, self._mark(event), event)

    def _wants_key(self) -> bool:
        if not self._stack:
            return False
        frame = self._stack[-1]
        return frame.key is _UNSET and isinstance(frame.container, dict)

    def _key(self, key: Any, event: Any) -> None:
        frame = self._stack[-1]
        if key is not _MERGE:
            if key is None or isinstance(key, dict | list):
                raise self._fail(event, "is not a Kubernetes object: a mapping's key must be text")
            key = _key_text(key)
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            if key in frame.keys:
                if key in _OPENING and len(self._stack) == 1:
                    missing = self._fail(event, "holds a second object without --- before it")
                    missing.remedy = "put --- between the objects"
                    raise missing
                self.twice.append(Twice(child(self._path(), key), line, column, frame.keys[key]))
            frame.keys[key] = line
        frame.key = key
        frame.own = self._mark(event)

    def _path(self) -> str:
        path = ""
        for frame in self._stack[:-1]:
            path = child(path, len(frame.container) if isinstance(frame.container, list) else str(frame.key))
        return path

    def _add(self, value: Any, size: int, place: Place | None, event: Any) -> None:
        if not self._stack:
            if self._ended:
                raise self._fail(event, "is not YAML: a second document without --- before it")
            self._ended, self.root, self.place = True, value, place
            return
        frame = self._stack[-1]
        frame.size += size
        if isinstance(frame.container, list):
            if frame.place is not None and place is not None:
                frame.place.members[str(len(frame.container))] = place
            frame.container.append(value)
            return
        key, frame.key = frame.key, _UNSET
        if key is _MERGE:
            self._merge(frame.container, value, event)
            return
        frame.container[key] = value
        if frame.place is not None and frame.own is not None:
            if place is not None:
                frame.own.members = place.members
            frame.place.members[key] = frame.own

    def _merge(self, container: dict[str, Any], value: Any, event: Any) -> None:
        """Merged keys come where ``<<`` stands: over those before it, under those behind it; the first source wins."""
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise self._fail(event, "is not YAML: << must merge a mapping")
        for source in reversed(sources):
            container.update(source)

    def _value(self, event: Any) -> Any:
        """The scalar's value; a quoted one is text."""
        tag, text = event.tag, event.value
        if event.implicit[0]:
            value = scalar(text)
            if isinstance(value, float) and not math.isfinite(value):
                raise self._fail(event, f"has {text}, which is no number that a server takes")
            return value
        if tag is None or event.implicit[1] or tag in ("!", f"{_CORE}str", f"{_CORE}timestamp", _MERGES):
            return text
        if tag in (f"{_CORE}{name}" for name in ("int", "float", "bool", "null")):
            return scalar(text)
        if self.foreign is None:
            self.foreign = self._fail(event, f"has the tag {tag.replace(_CORE, '!!')}, which no Kubernetes object has")
        return text


def scalar(text: str) -> Any:
    """What the plain scalar *text* means to kubectl: null, true or false, a number, or text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    if _INTEGER.fullmatch(plain):
        return _integer(plain)
    if _FLOAT.fullmatch(plain):
        return _float(plain, text)
    special = _SPECIAL.fullmatch(text)
    if special:
        return float(f"{special[1] or ''}{special[2] or special[3]}")
    return text


def _float(plain: str, text: str) -> Any:
    """A number with a fraction or exponent; a whole one is written as such on the way to the server: 80.0 is 80."""
    number = float(plain)
    if math.isinf(number):
        return text
    return int(number) if number.is_integer() and abs(number) < _WHOLE else number


def _integer(text: str) -> Any:
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    if len(digits) > 40:  # more than any number of the API: kept as text, as it would be refused anyway
        return text
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        digits = f"0o{digits[1:]}"
    number = int(digits, 0)
    return -number if sign == "-" else number


def _key_text(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return key if isinstance(key, str) else str(key)
