"""Names outside the cluster, in the one form that everything here compares: what an intent or a policy means by one.

What is written differs by letters' case, a final dot and letters outside ASCII; what it means does not. Letters outside
ASCII become ``xn--`` labels only where the old standard (IDNA 2003, that of Python's own codec) and the new one (IDNA
2008) agree; where they do not, as for the German sharp s, the ``xn--`` form has to be written.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ringfence.errors import HostNameError
from ringfence.model.addresses import is_address

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MAX: Final = 253
_IN_THE_CLUSTER: Final = ("svc", "cluster.local")
_LETTERS: Final = frozenset({"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"})
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_LETTERS_OF_NO_NAME: Final = frozenset("\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")
"""Letters by category which the new standard allows in no name (RFC 5892)."""


class Form(StrEnum):
    """How much a name holds. No intent is ``one-label-of``: some plugins read ``*.`` so."""

    EXACT = "exact"
    ONE_LABEL = "one-label-of"
    SUBDOMAINS = "subdomains-of"


_ORDER: Final = tuple(Form)


@dataclass(frozen=True, slots=True)
class HostName:
    """A name, or the names below one; ``name`` is in small letters of ASCII, without a final dot.

    >>> HostName.parse("*.Example.com.")
    HostName(name='example.com', form=<Form.SUBDOMAINS: 'subdomains-of'>)
    >>> HostName.parse("*.example.com").holds("example.com")
    False
    """

    name: str
    form: Form = Form.EXACT

    @classmethod
    def parse(cls, text: str) -> HostName:
        """What *text* means in an intent, where ``*.`` stands for one label or more. Raises: HostNameError."""
        name = normal(text)
        wild = name.startswith("*.")
        bare = name.removeprefix("*.")
        why = _refused(name, bare)
        if why is not None:
            raise HostNameError(text, *why)
        return cls(bare, Form.SUBDOMAINS if wild else Form.EXACT)

    def holds(self, name: str) -> bool:
        """Whether *name*, in normal form, is one of those meant."""
        if self.form is Form.EXACT:
            return name == self.name
        front = name.removesuffix(f".{self.name}")
        return front not in (name, "") and (self.form is Form.SUBDOMAINS or "." not in front)

    def covers(self, other: HostName) -> bool:
        """Whether every name that *other* holds is held here too."""
        if other.form is Form.EXACT:
            return self.holds(other.name)
        if self.form is Form.EXACT:
            return False
        if self.name == other.name:
            return _ORDER.index(other.form) <= _ORDER.index(self.form)
        return self.form is Form.SUBDOMAINS and self.holds(other.name)

    @property
    def wild(self) -> bool:
        """Whether it holds many names."""
        return self.form is not Form.EXACT

    def __str__(self) -> str:
        return f"*.{self.name}" if self.wild else self.name


def normal(text: str) -> str:
    """*text* in small letters, without a final dot, letters outside ASCII as ``xn--`` labels. Raises: HostNameError."""
    lower = text.lower().removesuffix(".")
    return lower if lower.isascii() else ".".join(_ascii(text, label) for label in lower.split("."))


def _refused(name: str, bare: str) -> tuple[str, str] | None:
    """Why *name* is no name outside, and what to write; None when it is one."""
    if is_address(name.strip("[]")) or is_address(bare) or bare.rpartition(".")[2].isdigit():
        return "is an address, not a name", "write the address or block itself, as in 203.0.113.7"
    if any(sign in name for sign in ":/@?#"):
        return "is more than a name", "write the host alone; the port belongs behind the arrow, and a flow has no path"
    if name == "*":
        return "holds every name there is", "name the hosts, or allow a block of addresses"
    if "*" in bare:
        return "has * elsewhere than as its whole first label", "write *. and the name above, as in *.example.com"
    if any(bare == zone or bare.endswith(f".{zone}") for zone in _IN_THE_CLUSTER):
        return "is a name of this cluster", f"write an arrow to the Service{_service(bare, name)}"
    if "." not in bare:
        return "is a single label", "write the whole name, as in api.example.com"
    if len(name) > _MAX or not all(_LABEL.fullmatch(label) for label in bare.split(".")):
        remedy = (
            "a label is 1 to 63 letters, digits and -, with a letter or digit at either end, and a name at most 253"
        )
        return "is no host name", remedy
    return None


def _service(bare: str, name: str) -> str:
    """How the Service is written whose name in the cluster's DNS *bare* is; nothing when that does not say it."""
    labels = bare.split(".")
    named = bare == name and len(labels) >= 3 and labels[2] == "svc"
    return f": {labels[1]}/svc/{labels[0]}" if named else ", as in shop/svc/api"


def _ascii(text: str, label: str) -> str:
    """*label* as it stands in a DNS question."""
    if label.isascii():
        return label
    same = unicodedata.normalize("NFKC", label) == label and label.casefold() == label
    plain = all(c == "-" or (c.isascii() and c.isalnum()) or _plain(c) for c in label)
    if not (same and plain) or label[0] == "-" or label[-1] == "-" or unicodedata.category(label[0]).startswith("M"):
        remedy = "write that label in its xn-- form, which the owner of the name can tell"
        raise HostNameError(text, f"has a label that standards read in two ways or not at all ({label})", remedy)
    return "xn--" + label.encode("punycode").decode("ascii")


def _plain(char: str) -> bool:
    return (
        unicodedata.category(char) in _LETTERS
        and unicodedata.bidirectional(char) not in _RIGHT_TO_LEFT
        and char not in _LETTERS_OF_NO_NAME
    )
