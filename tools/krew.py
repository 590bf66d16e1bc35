"""Writes what krew installs the kubectl plugin from: an archive, and the manifest with the archive's address and hash.

The same source gives the same archive: names in order, no times, no owners.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

import ringfence  # noqa: E402 (the checkout comes first)

SOURCES = ROOT / "ci" / "krew"


def files() -> Iterator[tuple[str, Path]]:
    """What the archive holds, by its names there: the script that starts it, the package, the pinned requirements."""
    yield "LICENSE", ROOT / "LICENSE"
    yield "kubectl-ringfence", SOURCES / "kubectl-ringfence"
    yield "requirements.txt", ROOT / "requirements" / "run.txt"
    package = ROOT / "src" / "ringfence"
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"ringfence/{path.relative_to(package).as_posix()}", path


def archive() -> bytes:
    """The archive."""
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, path in files():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = path.stat().st_size, 0o755 if name == "kubectl-ringfence" else 0o644
            with path.open("rb") as stream:
                tar.addfile(entry, stream)
    return gzip.compress(tarred.getvalue(), mtime=0)


def manifest(data: bytes, homepage: str, uri: str) -> str:
    """The manifest for the archive *data*, which will be at *uri*."""
    text = (SOURCES / "ringfence.yaml").read_text()
    for word, value in (
        ("VERSION", f"v{ringfence.__version__}"), ("HOMEPAGE", homepage), ("URI", uri),
        ("SHA256", hashlib.sha256(data).hexdigest()),
    ):  # fmt: skip
        text = text.replace(f": {word}\n", f": {value}\n")
    return text


def main() -> None:
    """Write both."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--homepage", required=True, help="the address of the repository")
    arguments.add_argument("--uri", required=True, help="the address of the directory where the archive will be")
    arguments.add_argument("--out", type=Path, default=ROOT / "dist", help="where both are written; default: dist")
    args = arguments.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    name, data = f"ringfence-v{ringfence.__version__}.tar.gz", archive()
    (args.out / name).write_bytes(data)
    (args.out / "ringfence.yaml").write_text(manifest(data, args.homepage, f"{args.uri.rstrip('/')}/{name}"))
    print(f"{args.out / name}\n{args.out / 'ringfence.yaml'}")


if __name__ == "__main__":
    main()
