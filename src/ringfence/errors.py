"""Every error a user can cause or meet, as one tree.

::

    RingfenceError
    ├── UsageError            a flag, a path or an arrow that cannot be used (exit 2)
    │   ├── ArrowError        text that is not an arrow; says where and what was expected
    │   ├── HostNameError     text that names no host outside the cluster; says why and what to write
    │   ├── PinError          a pin that cannot be used: addresses a person writes down for a name
    │   ├── UnknownEndpoint   a name that is not in the input; says the nearest ones
    │   └── AmbiguousEndpoint a name that means two things which lead to different ports
    ├── UnsupportedNames      names outside that a dialect cannot say, or would read differently (exit 1)
    ├── InputError            nothing of the input could be used (exit 2)
    └── EnvironmentError_     the machine lacks what the verb needs (exit 3)
        ├── LabError          the packet lab cannot be made or held on this machine
        └── LiveError         the cluster cannot be reached, or refuses what the verb needs

What only a programmer can cause is a ``ValueError`` or ``TypeError``.
"""

from __future__ import annotations


class RingfenceError(Exception):
    """Anything that ringfence says with one sentence instead of a traceback.

    ``exit_status`` is what the command line returns for it.
    """

    exit_status = 2


class UsageError(RingfenceError):
    """A flag, path or argument that cannot be used as given."""


class ArrowError(UsageError):
    """Text that is not an arrow.

    ``text`` is what was given, ``column`` the first character (from 0) that does not fit.
    """

    def __init__(self, text: str, column: int, expected: str) -> None:
        self.text = text
        self.column = column
        self.expected = expected
        super().__init__(f'arrow "{text}": at column {column + 1}, expected {expected}\n  {text}\n  {" " * column}^')


class HostNameError(UsageError):
    """Text that names no host outside the cluster: ``text``, what is ``wrong`` with it, and the ``remedy``."""

    def __init__(self, text: str, wrong: str, remedy: str) -> None:
        self.text = text
        self.wrong = wrong
        self.remedy = remedy
        super().__init__(f"host {text}: {wrong}; {remedy}")


class PinError(UsageError):
    """A pin that cannot be used. ``where`` is the flag, or the file and line, that holds it."""

    def __init__(self, where: str, wrong: str, remedy: str) -> None:
        self.where = where
        self.wrong = wrong
        self.remedy = remedy
        super().__init__(f"{where}: {wrong}; {remedy}")


class UnknownEndpoint(UsageError):
    """A name that no object of the input has. ``nearest`` holds the closest names."""

    def __init__(self, name: str, where: str, nearest: tuple[str, ...] = (), what: str = "endpoint") -> None:
        self.name = name
        self.nearest = nearest
        hint = f"did you mean {' or '.join(nearest)}?" if nearest else "run 'ringfence matrix' to list what there is"
        super().__init__(f"{name} ({where}): no such {what}; {hint}")


class AmbiguousEndpoint(UsageError):
    """A name that is both a workload and a Service which lead to different pod ports, or several of one sort.

    ``spellings`` are the unambiguous ways to write it; ``why`` is how a workload and a Service of one name differ.
    """

    def __init__(self, name: str, where: str, spellings: tuple[str, ...], why: str = "") -> None:
        self.name = name
        self.spellings = spellings
        told = f", as {why}" if why else ""
        super().__init__(f"{name} ({where}): means more than one thing{told}; write {' or '.join(spellings)}")


class UnsupportedNames(RingfenceError):
    """Names outside that a dialect cannot say, or would read differently. ``reasons`` has one sentence for each."""

    exit_status = 1

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__("\n".join(reasons))


class InputError(RingfenceError):
    """Nothing of the input can be used: a missing path, no manifest in it."""


class EnvironmentError_(RingfenceError):  # noqa: N801 (the plain word is a builtin of another meaning)
    """The machine or the cluster lacks what the verb needs."""

    exit_status = 3


class LabError(EnvironmentError_):
    """The packet lab cannot be made, or broke: what the kernel refused, and what to do."""


class LiveError(EnvironmentError_):
    """The cluster cannot be reached, or refuses what the verb needs; says which, and what to do."""
