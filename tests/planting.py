"""Planted faults: one line of the program made wrong, in a copy that is the program otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from conftest import ROOT

CACHE: Final = "__pycache__"


class Fault(NamedTuple):
    """A line of a file of a room, without its indent, and the wrong line in its place."""

    name: str
    file: str
    right: str
    wrong: str


def planted(fault: Fault, room: str, where: Path) -> Path:
    """A source directory below *where* with *fault* in the file of *room*.

    All else is linked, with what is compiled of it already: dozens of faults would compile the program dozens of times.
    """
    here, there = ROOT / "src" / "ringfence", where / "src" / "ringfence"
    there.mkdir(parents=True)
    for part in (*room.split("/"), fault.file):
        _link(here, there, part)
        here, there = here / part, there / part
        if part != fault.file:
            there.mkdir()
    lines = here.read_text().splitlines()
    places = [number for number, line in enumerate(lines) if line.strip() == fault.right]
    assert len(places) == 1, "the line to spoil must stand in the file once"
    lines[places[0]] = lines[places[0]].replace(fault.right, fault.wrong)
    there.write_text("\n".join(lines) + "\n")
    return where / "src"


def _link(here: Path, there: Path, but: str) -> None:
    """Link all that the package *here* holds into *there*, *but* one of its modules and what is compiled of that."""
    for one in here.iterdir():
        if one.name not in (but, CACHE):
            (there / one.name).symlink_to(one)
    (there / CACHE).mkdir()
    for one in (here / CACHE).glob("*.pyc"):
        if one.name.partition(".")[0] != but.removesuffix(".py"):
            (there / CACHE / one.name).symlink_to(one)
