"""One Intents document: its shape, its arrows with short names replaced, and the comments behind them."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from ringfence.errors import ArrowError
from ringfence.manifests.checks import names
from ringfence.manifests.checks.paths import child
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.intents.shapes import API_VERSION, HelperShape, IntentsShape, SpecShape
from ringfence.manifests.objects.fields import mistyped
from ringfence.manifests.text.documents import Item, YamlObject, source
from ringfence.model.arrows import parse, parse_end
from ringfence.model.ends import Arrow, ArrowEnd, HostEnd, NameEnd
from ringfence.model.intents import Companion, Dns, Helper, Intent, Intents

_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]*)`(?: - at `\$\.?([^`]*)`)?")
_MISSING: Final = re.compile(r"Object missing required field `([^`]*)`(?: - at `\$\.?([^`]*)`)?")
_NO_VALUE: Final = re.compile(r"Invalid enum value '([^']*)' - at `\$\.?([^`]*)`")
_EMPTY: Final = re.compile(r"Expected `(str|array)` of length >= 1 - at `\$\.?([^`]*)`")
_FIELDS: Final[Mapping[str, Sequence[str]]] = {
    "": ("apiVersion", "kind", "metadata", "spec"),
    "metadata": ("name", "namespace", "labels", "annotations"),
    "spec": ("protect", "names", "dns", "allow", "deny", "companions"),
}
_BLOCK: Final = re.compile(r"[0-9a-fA-F.:]+/[0-9]+")
_HELPERS: Final = tuple(helper.value for helper in Helper)


def intents(item: Item, _: str, name: str, problems: list[Problem]) -> Intents | None:
    """The Intents in *item*; None with problems where any of it cannot be read: half of them is none."""
    if item.api_version != API_VERSION:
        problems.append(
            Problem("RF065", f"Intents of {item.api_version} are not known", "apiVersion", f"write {API_VERSION}")
        )
        return None
    try:
        spec = item.document.decode(IntentsShape).spec
    except msgspec.ValidationError as mismatch:
        problems.append(_misshaped(item.document.value(), str(mismatch)))
        return None
    reading = _Reading(item, problems)
    found = reading.read(name, spec)
    return None if any(problem.leaves_out_object for problem in problems) else found


def _misshaped(value: Any, text: str) -> Problem:
    """What the library's *text* says of the document *value*, in words of ours."""
    if match := _UNKNOWN.match(text):
        path = match[2] or ""
        known = _FIELDS.get(path, _HELPERS)
        near = difflib.get_close_matches(match[1], known, 1)
        remedy = f"did you mean {near[0]}?" if near else f"the fields here are {', '.join(known)}"
        return Problem("RF061", "unknown field", child(path, match[1]), remedy)
    if match := _MISSING.match(text):
        path = match[2] or ""
        remedy = "list the namespaces that are to be protected" if match[1] == "protect" else f"add {match[1]}"
        return Problem("RF032", f"has no {match[1]}", child(path, match[1]), remedy)
    if match := _NO_VALUE.match(text):
        known = _HELPERS if "companions" in match[2] else tuple(dns.value for dns in Dns)
        near = difflib.get_close_matches(match[1], known, 1)
        remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        return Problem("RF065", f"does not know {match[1]!r}", match[2], remedy)
    if match := _EMPTY.match(text):
        return Problem("RF032", "is empty", match[2], "name at least one" if match[1] == "array" else "write it out")
    found = mistyped(value, text)
    if found.code == "RF016" and found.field in ("spec.allow", "spec.deny"):
        return replace(found, remedy="write each arrow in a line of its own, behind a -")
    if found.code == "RF016" and found.field.startswith(("spec.allow", "spec.deny")):
        return replace(found, remedy="put the arrow in quotes, without a blank before the port: 'ns/a -> ns/b:8080'")
    if found.code == "RF016" and found.field == "spec.names":
        return replace(found, remedy="write short: ns/name for each, as in db: database/postgres")
    return found


@dataclass
class _Reading:
    """A document being read."""

    item: Item
    problems: list[Problem]
    aliases: dict[str, ArrowEnd] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def read(self, name: str, spec: SpecShape) -> Intents:
        """Everything in *spec*; what is wrong is told."""
        place = source(self.item)
        self._protect(spec.protect)
        for short, end in (spec.names or {}).items():
            self._alias(short, end)
        allow = tuple(self._intents(spec.allow or (), "spec.allow", deny=False))
        deny = tuple(self._intents(spec.deny or (), "spec.deny", deny=True))
        companions = tuple(self._companions(spec.companions or ()))
        broken = any(problem.leaves_out_object for problem in self.problems)
        for short in sorted(self.aliases.keys() - self.used) if not broken else ():
            self.problems.append(Problem("RF063", f"no arrow uses the short name {short}", child("spec.names", short)))
        metadata = self.item.document.value().get("metadata", {})
        return Intents(
            name,
            tuple(dict.fromkeys(spec.protect)),
            allow,
            deny,
            companions,
            Dns(spec.dns),
            metadata.get("namespace"),
            place,
        )

    def _protect(self, namespaces: Sequence[str]) -> None:
        seen: set[str] = set()
        for index, namespace in enumerate(namespaces):
            path = f"spec.protect[{index}]"
            if wrong := names.subdomain(namespace):
                self.problems.append(Problem("RF014", f"the namespace {namespace!r} {wrong}", path, "name a namespace"))
            if namespace in seen:
                self.problems.append(Problem("RF064", f"{namespace} is listed twice", path))
            seen.add(namespace)

    def _alias(self, short: str, text: str) -> None:
        path = child("spec.names", short)
        if names.subdomain(short) or "." in short:
            remedy = "use small letters, digits and -"
            self.problems.append(Problem("RF060", f"{short!r} cannot stand in an arrow as a name", path, remedy))
            return
        end = self._end(text, path)
        if isinstance(end, NameEnd) and end.namespace is None and end.kind is None and end.name in self.aliases:
            remedy = "write out what it stands for"
            self.problems.append(Problem("RF060", f"{short} stands for another short name, {end.name}", path, remedy))
        elif end is not None:
            self.aliases[short] = end

    def _end(self, text: str, path: str) -> ArrowEnd | None:
        self._blocks(text, path)
        try:
            return parse_end(text)
        except ArrowError as fault:
            self._unreadable(fault, path)
            return None

    def _blocks(self, text: str, path: str) -> None:
        """Tell of blocks with bits beyond their prefix: 10.0.0.5/8 would be all of 10.0.0.0/8, which nobody wrote."""
        for written in _BLOCK.findall(text):
            try:
                block = ipaddress.ip_interface(written)
            except ValueError:
                continue
            if block.ip != block.network.network_address:
                what = f"{written} has bits beyond its prefix"
                remedy = f"write {block.network}, or the single address {block.ip}"
                self.problems.append(Problem("RF060", what, path, remedy))

    def _unreadable(self, fault: ArrowError, path: str) -> None:
        line, column = self.item.document.locate(path)
        if path.endswith("]"):  # an item of a list stands there itself, and not its key
            column += fault.column
        what = f'"{fault.text}" cannot be read: at its column {fault.column + 1}, expected {fault.expected}'
        self.problems.append(Problem("RF060", what, path, line=line, column=column, file=self.item.file))

    def _intents(self, texts: Sequence[str], path: str, *, deny: bool) -> Iterator[Intent]:
        seen: dict[Arrow, int] = {}
        for index, text in enumerate(texts):
            at = f"{path}[{index}]"
            try:
                arrow = parse(text)
            except ArrowError as fault:
                self._unreadable(fault, at)
                continue
            if arrow.deny is not deny:
                there, sign = ("allow", "->") if deny else ("deny", "-x")
                self.problems.append(
                    Problem("RF062", f'"{text}" is no arrow of this list', at, f"move the {sign} arrow to spec.{there}")
                )
                continue
            self._blocks(text, at)
            arrow = replace(arrow, src=self._meant(arrow.src), dst=self._meant(arrow.dst))
            if isinstance(arrow.dst, HostEnd) and not arrow.ports:  # a short name for https://… brings its port
                arrow = replace(arrow, ports=arrow.dst.ports)
            if arrow in seen:
                self.problems.append(Problem("RF064", f'"{text}" is said twice', at))
                continue
            seen[arrow] = index
            yield Intent(arrow, text, self._comment(at, text), at, source(self.item))

    def _meant(self, end: ArrowEnd) -> ArrowEnd:
        """*end*, or what it is short for."""
        if isinstance(end, NameEnd) and end.namespace is None and end.kind is None and end.name in self.aliases:
            self.used.add(end.name)
            return self.aliases[end.name]
        return end

    def _comment(self, path: str, written: str) -> str:
        document = self.item.document
        return document.comment(path, written) if isinstance(document, YamlObject) else ""

    def _companions(self, asked: Sequence[str | HelperShape]) -> Iterator[Companion]:
        seen: set[Helper] = set()
        for index, one in enumerate(asked):
            path = f"spec.companions[{index}]"
            given: dict[str, Any] = {one: ()} if isinstance(one, str) else msgspec.to_builtins(one)
            if not given:
                self.problems.append(Problem("RF032", "names no companion", path, f"there are {', '.join(_HELPERS)}"))
            for word, texts in given.items():
                helper = Helper(word)
                if helper in seen:
                    self.problems.append(Problem("RF064", f"{word} is asked for twice", path))
                seen.add(helper)
                several = [texts] if isinstance(texts, str) else texts
                ends = [self._end(text, child(path, word)) for text in several]
                yield Companion(
                    helper, tuple(self._meant(end) for end in ends if end is not None), path, source(self.item)
                )
