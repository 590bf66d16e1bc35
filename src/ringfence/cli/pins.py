"""``--pin``, ``--pins`` and ``--allow-any-443-outside``: the addresses that stand for names outside the cluster."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.model.pins import Pin


def add(group: argparse._ArgumentGroup, *, pin: str, file: str, any_443: str) -> None:
    """Add the options to *group*, each with what it does for the verb."""
    group.add_argument("--pin", action="append", default=[], metavar="HOST=CIDR,…", help=f"{pin}; may be repeated")
    group.add_argument("--pins", action="append", default=[], metavar="FILE", help=f"{file}; may be repeated")
    group.add_argument("--allow-any-443-outside", action="store_true", help=any_443)


def chosen(args: argparse.Namespace) -> tuple[Pin, ...]:
    """The pins that *args* hold, each name once. Raises: PinError."""
    from ringfence.manifests.pins import read_pins  # noqa: PLC0415
    from ringfence.model.pins import check_unique, parse_pin  # noqa: PLC0415

    pins = (*map(parse_pin, args.pin), *(one for path in args.pins for one in read_pins(path)))
    check_unique(pins, "--pin and --pins")
    return pins
