"""Lists that are cut into their items unread come to what they are when they are read from one end to the other."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.errors import InputError
from ringfence.manifests import load
from ringfence.manifests.text import json_objects
from ringfence.manifests.text.json_objects import json_values
from ringfence.manifests.text.json_pieces import NotWholeError, pieces
from ringfence.manifests.text.json_text import JsonFile
from ringfence.model.cluster import Cluster


def _pod(number: int, **more: Any) -> dict[str, Any]:
    ports = [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": f"pod-{number}", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "a", "ports": ports, "args": ["},", "{", "]\n}", '"},\n{"']}]},
        "status": {"phase": "Running", "podIP": f"10.0.0.{number + 1}"},
        **more,
    }  # fmt: skip


ITEMS: list[Any] = [
    *map(_pod, range(5)),
    {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}, {"port": 81}]},
    },
]  # fmt: skip


def _lines(items: list[Any]) -> str:
    rows = ",\n".join(json.dumps(item, separators=(",", ":")) for item in items)
    return f'{{"apiVersion":"v1","items":[\n{rows}\n],"kind":"List","metadata":{{"resourceVersion":""}}}}\n'


def _indented(items: list[Any]) -> str:
    return json.dumps({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {}}, indent=4)


def _head_first(items: list[Any]) -> str:
    return json.dumps(
        {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items}, indent=1
    )


def _typed(items: list[Any]) -> str:
    """A list that says what its pods are."""
    bare = [{k: v for k, v in item.items() if k != "apiVersion"} if isinstance(item, dict) else item for item in items]
    for item in bare:
        if isinstance(item, dict) and item.get("kind") == "Pod":
            del item["kind"]
    return json.dumps({"kind": "PodList", "apiVersion": "v1", "items": bare}, indent=2)


@pytest.mark.parametrize("write", [_lines, _indented, _head_first])
def test_items_are_found_by_what_stands_between_them(write: Any) -> None:
    text = write(ITEMS)
    found = pieces(text.encode())
    assert found is not None
    assert [json.loads(bytes(found.piece(n))) for n in range(len(found))] == ITEMS
    assert [text[found.of(n)] for n in range(len(found))] == ["{"] * len(ITEMS)
    assert json.loads(found.frame)["items"] == []


@pytest.mark.parametrize("behind", ["", "\n", "\n\n "])
def test_where_an_item_is_a_line_the_lines_are_known(behind: str) -> None:
    text = _lines(ITEMS).replace("pod-1", "pöd-1😀").replace('"List"', '"Líst"') + behind
    text = text.replace('{"apiVersion"', '\n {\n  "metadata": {"a": "é"}, "apiVersion"', 1)
    data = text.encode()
    found = pieces(data)
    assert found is not None
    assert found.lines is not None
    told, known = JsonFile(data), JsonFile(data)
    known.ends = found.lines
    for offset in range(len(data)):
        assert known.line_column(offset) == told.line_column(offset)
    for number in range(1, data.count(b"\n") + 4):
        assert known.line(number) == told.line(number)


@pytest.mark.parametrize(
    "text",
    [
        _indented(ITEMS),
        _head_first(ITEMS),
        _lines(ITEMS).replace('"spec"', '\n"spec"', 1),
        _lines(ITEMS).replace("},\n{", "},\n\n{"),
        _lines(ITEMS).replace("},\n{", "},  {"),
    ],
    ids=["indented", "head-first", "line-in-an-item", "two-lines", "no-line"],
)
def test_where_lines_end_elsewhere_too_they_are_not_known(text: str) -> None:
    found = pieces(text.encode())
    assert found is not None
    assert found.lines is None


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"apiVersion": "v1", "kind": "List", "items": ITEMS}, separators=(",", ":")),
        _lines(ITEMS[:1]),
        _lines([]),
        json.dumps(ITEMS, indent=2),
        json.dumps({"metadata": {"items": ITEMS}, "apiVersion": "v1", "kind": "List"}, indent=2),
        json.dumps({"apiVersion": "v1", "kind": "List", "items": ITEMS, "status": {"items": [{}]}}, indent=2),
        "",
        "{",
    ],
    ids=["no-blanks", "one-item", "no-item", "bare-array", "nested", "more-behind", "empty", "brace"],
)
def test_a_list_that_does_not_show_its_items_is_not_cut(text: str) -> None:
    assert pieces(text.encode()) is None


def test_a_piece_that_is_not_whole_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_objects, "_LARGE", 0)
    text = _lines(ITEMS).replace('"pod-3"', '"pod-3"}')
    (top,), fault = json_values(text.encode(), cut=True)
    assert fault is None
    assert isinstance(top, json_objects.JsonObject)
    items = top.items(top.head().inside)
    assert [item.head().kind for item in items[:3]] == ["Pod", "Pod", "Pod"]
    with pytest.raises(NotWholeError):
        items[3].head()


def _read(path: Path) -> tuple[Cluster | None, str]:
    """The cluster of *path*, and what was said; or why there is none."""
    try:
        found = load([str(path)])
    except InputError as problem:
        return None, str(problem)
    told = [(f.code, f.message, f.line, f.column, f.field) for f in found.findings]
    places = [(str(pod.source), pod.source.value()) for pod in found.pods]
    return found, str((told, places, found.ignored, found.gaps))


def _wound(rng: Random, text: str) -> str:
    """*text* with a few characters lost, doubled or put elsewhere."""
    for _ in range(rng.randint(0, 2)):
        at, to = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
        to = min(to, at + rng.choice((1, 3, 40, 4000)))
        text = rng.choice(
            (text[:at] + text[to:], text[:to] + text[at:], text[:at] + rng.choice('{}[],"\n') + text[at:], text[:at])
        )
    return text


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), write=st.sampled_from((_lines, _indented, _head_first, _typed)), wild=st.booleans())
def test_cut_or_read_from_end_to_end_it_is_the_same(
    seed: int, write: Any, wild: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = Random(seed)
    items: list[Any] = [rng.choice(ITEMS) if rng.random() < 0.2 else _pod(n) for n in range(rng.randint(2, 6))]
    if rng.random() < 0.3:
        items[rng.randrange(len(items))] = rng.choice((5, None, [], {}, "text", [{}], {"apiVersion": 1e400}))
    path = tmp_path_factory.mktemp("cut") / "dump.json"
    path.write_text(_wound(rng, write(items)) if wild else write(items))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_objects, "_LARGE", 0)
        cut = _read(path)
        patch.setattr(json_objects, "pieces", lambda _: None)
        assert _read(path) == cut
