"""Makes the checkout importable in the running environment and puts its commands there.

The same as an editable install, without a build: ``src`` in a path file, and a script for each entry point.
"""

from __future__ import annotations

import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """{head}
import sys

from {module} import {function}

if __name__ == "__main__":
    sys.exit({function}())
"""
LONGEST_HEAD: Final = 127
"""Bytes of a first line that every kernel reads whole."""


def head(python: str) -> str:
    """The first line of a script for *python*, or three lines where the kernel could not read one.

    It splits at blanks and cuts long lines off. ``sh`` does not, and to Python the second and third line are a string.
    """
    plain = f"#!{python}"
    if " " not in python and len(plain.encode()) <= LONGEST_HEAD:
        return plain
    return f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''"


def put(scripts: Path) -> None:
    """Write a script for each entry point of the project into *scripts*."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, entry in project["scripts"].items():
        module, _, function = entry.partition(":")
        script = scripts / name
        script.write_text(SCRIPT.format(head=head(sys.executable), module=module, function=function))
        script.chmod(0o755)


def main() -> None:
    """Write the path file and the scripts."""
    purelib = Path(sysconfig.get_path("purelib"))
    (purelib / "ringfence-checkout.pth").write_text(f"{ROOT / 'src'}\n")
    put(Path(sysconfig.get_path("scripts")))


if __name__ == "__main__":
    main()
