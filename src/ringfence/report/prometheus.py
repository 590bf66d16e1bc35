"""Results as Prometheus reads them: text of numbers, for the node exporter's directory of files or for a push gateway.

Whatever verb they come from, they are gauges called ``ringfence_…``: how things stood when the verb ran. No time is
written, as both readers refuse it or have their own; so the same result is the same text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ringfence import __version__

Labels = tuple[tuple[str, str], ...]
_VALUE: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Family:
    """A number that is known for each set of labels: its name, what it says, and the samples in the order they have."""

    name: str
    about: str
    samples: Mapping[Labels, float]


def one(name: str, about: str, value: float) -> Family:
    """A number without labels."""
    return Family(name, about, {(): value})


def by(name: str, about: str, label: str, values: Mapping[str, float]) -> Family:
    """A number for each value of *label*."""
    return Family(name, about, {((label, key),): value for key, value in values.items()})


def info(**more: str) -> Family:
    """Which version the numbers come from, and what else they rest on."""
    labels = (("version", __version__), *sorted(more.items()))
    return Family("ringfence_info", "The version of ringfence that ran, and what it assumed; always 1.", {labels: 1})


def lines(families: Iterable[Family]) -> Iterator[str]:
    """*families* as text; one without samples is left out, as a type without a number says nothing."""
    for family in families:
        if not family.samples:
            continue
        yield f"# HELP {family.name} {family.about.translate(_HELP)}"
        yield f"# TYPE {family.name} gauge"
        for labels, value in family.samples.items():
            told = ",".join(f'{name}="{text.translate(_VALUE)}"' for name, text in labels)
            yield f"{family.name}{f'{{{told}}}' if told else ''} {_number(value)}"


def _number(value: float) -> str:
    """The shortest text that is read back as the same number."""
    return repr(float(value)) if isinstance(value, float) and not value.is_integer() else str(int(value))
