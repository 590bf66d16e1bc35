"""The arrow language: one notation for flows in questions, intents, assertions and reports.

::

    flow   = end ( "->" | "-x" ) end [ ":" ports ]
    end    = [ ns "/" ] ( name | kind "/" name | "*" | "[" label "=" value { "," label "=" value } "]" )
           | cidr | "[" ipv6-cidr "]" | [ scheme "://" ] host | "{ingress-controller}"
    host   = [ "*." ] part { "." part }
    ports  = port { "," port }        port = ( number [ "-" number ] | name ) [ "/" ( TCP | UDP | SCTP ) ]

``-x`` stands between blanks, as a name may hold it. A first part that is one of kubectl's kinds is never a namespace:
what lies in a namespace of such a name is reached by setting the namespace. A bare name with a dot in it is a host; a
workload of such a name is written ``ns/name`` or ``kind/name``. Between a namespace and a name any kind may stand, as
pods have owners of kinds that kubectl has no short word for (``ns/rollout/name``). A kind may also be spelled as the
API does (``ns/Rollout/name``). ``*.example.com`` is every name below ``example.com``, at any depth, and not that name
itself. Hosts are read as DNS compares them: capital letters are small ones, a final dot is left out, and letters
outside ASCII become ``xn--`` labels (``hostnames``).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from ringfence.errors import ArrowError, HostNameError
from ringfence.model.ends import (
    KINDS,
    AddressEnd,
    Arrow,
    ArrowEnd,
    ControllerEnd,
    EveryEnd,
    HostEnd,
    LabelEnd,
    NameEnd,
    PortSpec,
)
from ringfence.model.entrances import CONTROLLER
from ringfence.model.hostnames import normal
from ringfence.model.ports import MAX_PORT, PROTOCOLS, ConnectionSet

__all__ = [
    "AddressEnd",
    "Arrow",
    "ArrowEnd",
    "ControllerEnd",
    "EveryEnd",
    "HostEnd",
    "LabelEnd",
    "NameEnd",
    "PortSpec",
    "parse",
    "parse_end",
    "parse_ports",
]

_PART: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SHORT_PART: Final = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LABEL: Final = re.compile(_PART)
_SUBDOMAIN: Final = re.compile(rf"{_PART}(\.{_PART})*")
_HOST: Final = re.compile(rf"{_SHORT_PART}(\.{_SHORT_PART})*")
_LABEL_PART: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KIND: Final = re.compile(r"[a-z][a-z0-9]*")
_API_KIND: Final = re.compile(r"[A-Z][A-Za-z0-9]*(?=/)")
_DOTTED: Final = re.compile(r"[0-9]+(\.[0-9]+)+")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://")

_WORD: Final = re.compile(r"((?!->)[-\w.])+")
_KEY_WORD: Final = re.compile(r"[-\w./]+")
_PORT_WORD: Final = re.compile(r"[-\w]*[^\W0-9_][-\w]*")
_NUMBER: Final = re.compile(r"[0-9]+")
_LETTERS: Final = re.compile(r"[A-Za-z]*")
_BARE_V6: Final = re.compile(r"[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*")

_END_WORDS: Final = "a name, ns/name, ns/*, ns/[label=value], a CIDR, or a host"
_IN_NAMES: Final = "a small letter, a digit, - or ., with a letter or digit at either end of a name"
_IN_HOSTS: Final = "a small letter, a digit, - or ., in a host name whose parts have 1 to 63 characters"
_IN_OTHER_LETTERS: Final = "a letter whose xn-- form all standards agree on, or the xn-- form of that part"
_MAX_LABEL: Final = 63
_MAX_SUBDOMAIN: Final = 253
_MAX_PORT_NAME: Final = 15
_A_PORT: Final = f"a port from 1 to {MAX_PORT}"


def parse(text: str) -> Arrow:
    """The arrow that *text* writes. Raises: ArrowError, with the column and what was expected there."""
    reader = _Reader(text)
    src = reader.end()
    deny = reader.arrow()
    dst = reader.end()
    reader.skip()
    ports = reader.ports() if reader.take(":") else ()
    reader.finish('":" and ports, or the end' if not ports else '"," and another port, or the end')
    if isinstance(dst, HostEnd) and not ports:
        ports = dst.ports
        if dst.scheme and not ports:
            raise reader.fail(f'":" and a port, as {dst.scheme}:// stands for none')
    return Arrow(src, dst, ports, deny, text)


def parse_end(text: str) -> ArrowEnd:
    """The end that *text* writes; an IPv6 block may stand without brackets. Raises: ArrowError."""
    reader = _Reader(text)
    reader.skip()
    end = reader.block_v6() if _BARE_V6.match(text, reader.at) else reader.end()
    reader.finish("the end: ports are given apart")
    return end


def parse_ports(text: str) -> ConnectionSet:
    """The ports that *text* lists, by number; TCP where no protocol is said. Raises: ArrowError."""
    reader = _Reader(text)
    found = ConnectionSet.NONE
    for spec in reader.ports(names=False):
        found = found | spec.ports
    reader.finish('"," and another port, or the end')
    return found


def _misfit(word: str, pattern: re.Pattern[str], most: int) -> int | None:
    """The first place where *word* can no longer become one that *pattern* takes and that has *most* characters."""
    if len(word) <= most and pattern.fullmatch(word):
        return None
    for end in range(1, len(word) + 1):
        begun = word[:end]
        if end > most or not (pattern.fullmatch(begun) or pattern.fullmatch(begun + "a")):
            return end - 1
    return len(word)


class _Reader:
    """Reads from left to right; a failure names the first character that does not fit."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, expected: str, at: int | None = None) -> ArrowError:
        return ArrowError(self.text, self.at if at is None else at, expected)

    def skip(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def take(self, sign: str) -> bool:
        """Whether *sign* stands here; it is passed then."""
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def match(self, pattern: re.Pattern[str], expected: str) -> str:
        """What *pattern* matches here; it is passed."""
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self.fail(expected)
        self.at = found.end()
        return found[0]

    def check(self, word: str, start: int, pattern: re.Pattern[str], most: int, what: str, rule: str = "") -> None:
        """That *word*, which starts at *start*, is *what*: of *pattern* and not too long; *rule* is for its inside."""
        place = _misfit(word, pattern, most)
        if place is not None:
            expected = f"{what} of at most {most} characters" if place >= most else what if place == 0 else rule or what
            raise self.fail(expected, start + place)

    def finish(self, expected: str) -> None:
        self.skip()
        if self.at < len(self.text):
            raise self.fail(expected)

    def arrow(self) -> bool:
        """``-x`` or ``->``; true for the first."""
        before = self.at
        self.skip()
        if self.take("->"):
            return False
        if self.at > before and self.text[self.at : self.at + 3].rstrip() == "-x" and self.take("-x"):
            return True
        raise self.fail('"->", or "-x" between blanks')

    # -- ends -------------------------------------------------------------------------------------------------------

    def end(self) -> ArrowEnd:
        """One end."""
        self.skip()
        if self.text.startswith("[", self.at):
            return self.bracket(None)
        if self.take(CONTROLLER):
            return ControllerEnd()
        if scheme := _SCHEME.match(self.text, self.at):
            self.at = scheme.end()
            return self.host(scheme[1])
        if (bare := _BARE_V6.match(self.text, self.at)) and _is_v6(bare[0]):
            raise self.fail(f"[ before an IPv6 address or block, as in [{bare[0]}]")
        if (word := _WORD.match(self.text, self.at)) and _DOTTED.fullmatch(word[0]):
            return self.block_v4()
        return self.name()

    def host(self, scheme: str) -> HostEnd:
        """What follows ``scheme://``: a host and nothing else of a URL."""
        start = self.at
        if "@" in re.split(r"[/\s]", self.text[start:], maxsplit=1)[0]:
            raise self.fail("a host alone, without a user or password")
        host = self.host_name("a host name; an address stands without a scheme, as in 203.0.113.7:443")
        if self.text[self.at : self.at + 1] in ("/", "?", "#"):
            raise self.fail("the end of the host: a flow has no path")
        return HostEnd(host, scheme)

    def host_name(self, expected: str) -> str:
        """A host in normal form, or ``*.`` and the name above those that are meant."""
        wild = self.take("*.")
        start = self.at
        word = self.match(_WORD, "a host name" if wild else expected)
        try:
            host = normal(word)
        except HostNameError:
            first = next(place for place, char in enumerate(word) if not char.isascii())
            raise self.fail(_IN_OTHER_LETTERS, start + first) from None
        if len(host) > len(word):  # the places of its letters are no longer those of the text
            if not _HOST.fullmatch(host) or len(host) > _MAX_SUBDOMAIN:
                raise self.fail(_IN_HOSTS, start)
        else:
            self.check_host(host, start)
        if wild and "." not in host:
            raise self.fail("a name of two parts or more behind *.", start)
        return f"*.{host}" if wild else host

    def check_host(self, host: str, start: int) -> None:
        self.check(host, start, _HOST, _MAX_SUBDOMAIN, "a host name", _IN_HOSTS)
        last = host.rpartition(".")[2]
        if last.isdigit():
            what = "a host name, whose last part has a letter; an address stands without a scheme"
            raise self.fail(what, start + len(host) - len(last))

    def written_otherwise(self) -> bool:
        """Whether a host stands here, without a scheme, that is not in normal form: of names there is one spelling."""
        word = _WORD.match(self.text, self.at)
        if word is None or "." not in word[0].strip(".") or self.text.startswith("/", word.end()):
            return False
        return word[0].endswith(".") or word[0] != word[0].lower() or not word[0].isascii()

    def name(self) -> ArrowEnd:
        if self.text.startswith("*.", self.at) or self.written_otherwise():
            return HostEnd(self.host_name(_END_WORDS))
        if self.take("*"):
            return EveryEnd()
        start = self.at
        if (api := _API_KIND.match(self.text, start)) and api[0].lower() in KINDS:
            self.at = api.end() + 1
            return self.of_kind(None, KINDS[api[0].lower()])
        first = self.word(_END_WORDS)
        if not self.take("/"):
            if "." not in first:
                return NameEnd(first)
            self.check_host(first, start)
            return HostEnd(first)
        if first in KINDS:
            return self.of_kind(None, KINDS[first])
        self.check(first, start, _LABEL, _MAX_LABEL, "a namespace", "a namespace, which has no dots")
        if self.take("*"):
            return EveryEnd(first)
        if self.text.startswith("[", self.at):
            return self.bracket(first)
        middle = self.at
        if (api := _API_KIND.match(self.text, middle)) and api[0] != "Node":
            self.at = api.end() + 1
            return self.of_kind(first, KINDS.get(api[0].lower(), api[0].lower()))
        second = self.word("a name, kind/name, * or [label=value]")
        if not self.take("/"):
            return NameEnd(second, first)
        kind = KINDS.get(second, second)
        if kind == "Node" or not _KIND.fullmatch(second):
            raise self.fail("a kind that lies in namespaces, such as svc, deploy or pod", middle)
        return self.of_kind(first, kind)

    def of_kind(self, namespace: str | None, kind: str) -> NameEnd:
        start = self.at
        name = self.word(f"the name of a {kind}")
        if kind == "Service":
            self.check(name, start, _LABEL, _MAX_LABEL, "the name of a Service", "a Service's name, which has no dots")
        return NameEnd(name, namespace, kind)

    def word(self, expected: str) -> str:
        """An object's name. An arrow may follow it without a blank: no name ends in a hyphen."""
        start = self.at
        found = self.match(_WORD, expected)
        if not _SUBDOMAIN.match(found):
            raise self.fail(expected, start)
        self.check(found, start, _SUBDOMAIN, _MAX_SUBDOMAIN, "a name", _IN_NAMES)
        return found

    def bracket(self, namespace: str | None) -> ArrowEnd:
        """Labels, or an IPv6 block where no namespace stands before."""
        inside = self.text[self.at :].partition("]")[0]
        self.take("[")
        self.skip()
        if namespace is None and "=" not in inside and ":" in inside:
            block = self.block_v6()
            self.skip()
            if not self.take("]"):
                raise self.fail('"]"')
            return block
        labels: dict[str, str] = {}
        while True:
            self.skip()
            key = self.label_key("label=value" if namespace else "label=value or an IPv6 block")
            self.skip()
            if not self.take("="):
                raise self.fail('"=" and a value')
            self.take("=")
            self.skip()
            start = self.at
            if labels.setdefault(key, value := self.label_value()) != value:
                raise self.fail(f"one value for {key}: no pod wears two", start)
            self.skip()
            if self.take("]"):
                return LabelEnd(tuple(sorted(labels.items())), namespace)
            if not self.take(","):
                raise self.fail('"," or "]"')

    def label_key(self, expected: str) -> str:
        start = self.at
        key = self.match(_KEY_WORD, expected)
        prefix, slash, name = key.rpartition("/")
        if slash:
            self.check(prefix, start, _SUBDOMAIN, _MAX_SUBDOMAIN, "a DNS name before the / of a label's key")
        self.check(name, start + len(key) - len(name), _LABEL_PART, _MAX_LABEL, "a label's key")
        return key

    def label_value(self) -> str:
        start = self.at
        found = _WORD.match(self.text, start)
        if found is None:
            return ""
        self.at = found.end()
        self.check(found[0], start, _LABEL_PART, _MAX_LABEL, "a label's value")
        return found[0]

    def block_v4(self) -> AddressEnd:
        """An IPv4 address or block."""
        for place in range(4):
            if place and not self.take("."):
                raise self.fail('"." and another number: an IPv4 address has four')
            at = self.at
            digits = self.match(_NUMBER, "a number from 0 to 255")
            if len(digits) > 3 or int(digits) > 255 or digits != str(int(digits)):
                raise self.fail("a number from 0 to 255, without zeros in front", at)
            if place == 0:
                start = at
        if self.text.startswith(".", self.at):
            raise self.fail('"/" and a prefix length, or the end of the address: it has four numbers')
        return self.block(self.text[start : self.at], 32)

    def block_v6(self) -> AddressEnd:
        """An IPv6 address or block, without its brackets."""
        start = self.at
        text = self.match(re.compile(r"[0-9A-Fa-f:.]+"), "an IPv6 address or block, as in [2001:db8::/32]")
        if not _is_v6(text):
            raise self.fail("an IPv6 address or block, as in [2001:db8::/32]", start)
        if ipaddress.IPv6Address(text).ipv4_mapped is not None:
            raise self.fail("an IPv4 address as such, as in 10.0.0.0/8", start)
        return self.block(text, 128)

    def block(self, address: str, most: int) -> AddressEnd:
        """*address* with the prefix length that follows; bits beyond the prefix are masked (S21)."""
        if not self.take("/"):
            return AddressEnd(f"{ipaddress.ip_address(address)}/{most}")
        at = self.at
        digits = self.match(_NUMBER, f"a prefix length from 0 to {most}")
        if len(digits) > 3 or int(digits) > most or digits != str(int(digits)):
            raise self.fail(f"a prefix length from 0 to {most}", at)
        return AddressEnd(str(ipaddress.ip_network(f"{address}/{digits}", strict=False)))

    # -- ports ------------------------------------------------------------------------------------------------------

    def ports(self, *, names: bool = True) -> tuple[PortSpec, ...]:
        """One port or several, with commas between; *names* are taken or refused."""
        found = [self.port(names)]
        while True:
            self.skip()
            if not self.take(","):
                return tuple(found)
            found.append(self.port(names))

    def port(self, names: bool) -> PortSpec:
        self.skip()
        start = self.at
        word = _PORT_WORD.match(self.text, start)
        if word:
            if not names:
                raise self.fail("a number: a port's name differs from pod to pod")
            self.at = word.end()
            rule = "a small letter, a digit, or one - between two of them, in a port's name"
            self.check(word[0], start, _PORT_NAME, _MAX_PORT_NAME, "a port's name in small letters", rule)
            return PortSpec(self.protocol(), name=word[0])
        low = high = self.number(f"{_A_PORT} or a port's name" if names else _A_PORT)
        if self.take("-"):
            at = self.at
            high = self.number()
            if high < low:
                raise self.fail(f"a port of at least {low}", at)
        return PortSpec(self.protocol(), low, high)

    def number(self, expected: str = _A_PORT) -> int:
        at = self.at
        digits = self.match(_NUMBER, expected).lstrip("0")
        if not digits or len(digits) > len(str(MAX_PORT)) or int(digits) > MAX_PORT:
            raise self.fail(_A_PORT, at)
        return int(digits)

    def protocol(self) -> str:
        if not self.take("/"):
            return "TCP"
        at = self.at
        name = self.match(_LETTERS, "").upper()
        if name not in PROTOCOLS:
            raise self.fail(f"{', '.join(PROTOCOLS[:-1])} or {PROTOCOLS[-1]}", at)
        return name


def _is_v6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
