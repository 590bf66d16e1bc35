"""``ringfence.toml``, or ``[tool.ringfence]`` in ``pyproject.toml``: what options are when nobody gives them.

The file lies in the current directory or in one above it, up to the root of the repository. Its keys are the long
options without their dashes; those of one verb stand in a table of its name.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ringfence.errors import UsageError

OWN: Final = "ringfence.toml"
SHARED: Final = "pyproject.toml"
GENERAL: Final = frozenset({
    "profile", "namespace", "exclude", "pod-cidr", "node-cidr", "service-cidr", "api-server", "dns",
    "ingress-controller",
})  # fmt: skip
"""Keys for every verb: facts about the cluster and how the input is read. A verb without the option passes it over."""
OF_VERBS: Final = {
    "lint": frozenset({"select", "ignore", "severity", "fail-on", "closed", "baseline"}),
}
"""Keys that one verb has in a table of its own."""


def settings(start: Path | None = None) -> tuple[Path, Mapping[str, Any]] | None:
    """The file that counts in the directory *start*, and what it says; None where there is none.

    Raises: UsageError for a file that cannot be read, is no TOML, or has a key that is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        for path in (folder / OWN, folder / SHARED):
            found = _read(path) if path.is_file() else None
            if found is not None:
                _refuse_unknown(path, found)
                return path, found
        if (folder / ".git").exists():
            return None
    return None


def _read(path: Path) -> Mapping[str, Any] | None:
    """What *path* says of ringfence; None for a pyproject.toml that says nothing of it."""
    import tomllib  # noqa: PLC0415 (most directories have no such file)

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UsageError(f"{path}: cannot be read ({problem.strerror})") from problem
    except ValueError as problem:
        if path.name == SHARED:
            return None  # it is of other tools first, and they will say so
        raise UsageError(f"{path}: is no TOML: {problem}") from problem
    if path.name == OWN:
        return found
    tool = found.get("tool")
    said = tool.get("ringfence") if isinstance(tool, dict) else None
    if said is not None and not isinstance(said, dict):
        raise UsageError(f"{path}: [tool.ringfence] is no table")
    return said


def _refuse_unknown(path: Path, found: Mapping[str, Any]) -> None:
    for key, value in found.items():
        if key in OF_VERBS:
            if not isinstance(value, dict):
                raise UsageError(f"{path}: {key} is a table, [{key}]")
            for inner in value:
                _refuse(path, inner, OF_VERBS[key], f" in [{key}]")
        else:
            _refuse(path, key, GENERAL, "", OF_VERBS)


def _refuse(path: Path, key: str, known: frozenset[str], where: str, tables: Mapping[str, Any] | None = None) -> None:
    if key in known:
        return
    from difflib import get_close_matches  # noqa: PLC0415 (a mistake is rare)

    near = get_close_matches(key, [*known, *(tables or ())], 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
    raise UsageError(f"{path}: no such key {key!r}{where}; {hint}")


def words(verb: str, parser: argparse.ArgumentParser, found: tuple[Path, Mapping[str, Any]]) -> Iterator[str]:
    """The options of *verb* that the settings stand for; those that *parser* does not have are passed over.

    A relative path, as of a baseline, is taken from the directory of the file.
    """
    path, said = found
    inner = said.get(verb, {})
    for key, value in (*((k, v) for k, v in said.items() if k not in OF_VERBS), *inner.items()):
        flag = f"--{key}"
        action = parser._option_string_actions.get(flag)
        if action is None:
            continue
        if action.nargs == 0:
            if not isinstance(value, bool):
                raise UsageError(f"{path}: {key} is true or false")
            if value:
                yield flag
            continue
        several = isinstance(value, list) and isinstance(action.default, list)
        for one in value if several else [value]:
            if not isinstance(one, str):
                more = ", or a list of texts" if isinstance(action.default, list) else ""
                raise UsageError(f"{path}: {key} is text{more}")
            yield f"{flag}={path.parent / one if key == 'baseline' else one}"


def given(arguments: Sequence[str]) -> set[str]:
    """The long options among *arguments*; each stands in for all that the settings say of it."""
    return {word.partition("=")[0] for word in arguments if word.startswith("--")}
