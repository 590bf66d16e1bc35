"""The table of evidence as a page of the reference."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.live.doctor.evidence import TABLE, THERE, NodeSign, Row, Sign, Where


def evidence() -> Iterator[str]:
    """The page, line by line."""
    yield "| plugin | profile | known by | set to enforce |"
    yield "|---|---|---|---|"
    for row in TABLE:
        yield f"| {row.plugin} | {row.profile or '–'} | {'; '.join(_known_by(row))} | {_enforces(row)} |"


def _known_by(row: Row) -> Iterator[str]:
    if row.workloads:
        names = ", ".join(f"`{name}`" for name in row.workloads)
        yield f"DaemonSet {names} ({', '.join(f'`{one}`' for one in row.namespaces)})"
    if row.images:
        yield f"image with {' and '.join(f'`{part}`' for part in row.images)}"
    if row.labels:
        yield f"label {', '.join(f'`{key}={value}`' for key, value in row.labels)}"
    yield from (_node(one) for one in row.nodes)
    yield from (f"kind `{name}`" for name in row.crds)
    if row.groups:
        yield f"beside it API group {', '.join(f'`{one}`' for one in row.groups)}"


def _node(sign: NodeSign) -> str:
    what = {"kubelet": "a kubelet's version with", "label": "a node's label", "name": "a node's name"}[sign.what]
    return f"{what} `{sign.text}`"


def _enforces(row: Row) -> str:
    """What it is without any sign, and what each sign makes of it."""
    word = {True: "yes", False: "no", None: "not known"}[row.enforces]
    parts = [word, *(text for sign in row.signs if (text := _switch(sign)))]
    told = ", ".join(f"`{sign.key or sign.name}`" for sign in row.signs if not (sign.on or sign.off))
    return "; ".join([*parts, *([f"told: {told}"] if told else []), *([row.remark] if row.remark else [])])


def _switch(sign: Sign) -> str:
    where = {
        Where.CONFIG: f"ConfigMap `{sign.name}`, `{sign.key}`",
        Where.ARGUMENT: f"argument `{sign.key}`",
        Where.CONTAINER: f"container `{sign.name}`",
        Where.NODE_ARGUMENT: f"node's argument `{sign.key}`",
        Where.ROLE: f"ClusterRole `{sign.name}`, the right to list and watch `{sign.key}`",
    }.get(sign.where, "")
    said = [f"{word} {_values(values)}" for word, values in (("on with", sign.on), ("off with", sign.off)) if values]
    return f"{where}: {', '.join(said)}".replace(f": on with `{THERE}`", ": on when there") if said else ""


def _values(values: tuple[str, ...]) -> str:
    return ", ".join(f"`{value}`" for value in values)
