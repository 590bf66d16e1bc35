"""YAML and JSON text: values as kubectl reads them, places, and what cannot be read."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.reading import read, told
from ringfence.errors import InputError
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.text import contents, json_text
from ringfence.manifests.text.documents import Item, objects, source, twice_in
from ringfence.manifests.text.files import Answer, File, answered
from ringfence.manifests.text.places import Unreadable
from ringfence.manifests.text.yaml_text import compose, scalar, split


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("On", True), ("y", True), ("no", False), ("N", False), ("off", False), ("~", None), ("", None),
        ("null", None), ("NULL", None), ("nope", "nope"), ("12", 12), ("-3", -3), ("0x1F", 31), ("012", 10),
        ("0o12", 10), ("0b11", 3), ("1_000", 1000), ("08", 8), ("1.5", 1.5), ("1e3", 1000), (".5", 0.5),
        ("2020-01-01", "2020-01-01"), ("10.0.0.0/8", "10.0.0.0/8"), ("1:30", "1:30"), ("-", "-"), ("+", "+"),
        (".", "."), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_plain_scalars_are_what_they_are_to_kubectl(text: str, value: Any) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_scalars_are_text() -> None:
    assert compose("a: 'yes'\nb: \"1\"\nc: !!str 2\nd: |\n  on\n").value == {
        "a": "yes",
        "b": "1",
        "c": "2",
        "d": "on\n",
    }


def test_keys_are_text() -> None:
    assert compose("1: a\ntrue: b\n'': c\n").value == {"1": "a", "true": "b", "": "c"}


def test_merge_keys_fill_in() -> None:
    text = "base: &b {p: 1, q: 2}\nmore: &m {q: 3, r: 4}\nall: {<<: [*b, *m], p: 0}\n"
    assert compose(text).value["all"] == {"p": 0, "q": 2, "r": 4}


def test_documents_end_at_their_markers_wherever_they_stand() -> None:
    text = 'a: 1\n--- # two\nb: "open\n---\nc: 3\n...\nd: 4\n'
    assert [(part, line) for part, line in split(text)] == [
        ("a: 1\n", 1), ('--- # two\nb: "open\n', 2), ("---\nc: 3\n", 4), ("\nd: 4\n", 6),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a:\n\tb: 1\n", "RF003", 2),
        ("a: [1\n", "RF003", 1),
        ("a: *b\n", "RF003", 1),
        ("a: &a [*a]\n", "RF003", 1),
        ("? [1]\n: 2\n", "RF003", 1),
        ("a: b: c\n", "RF003", 1),
        ("<<: 1\n", "RF003", 1),
        ("a: \x01\n", "RF003", 1),
        ("- " * 300, "RF006", 1),
        ("apiVersion: v1\nkind: A\napiVersion: v1\nkind: B\n", "RF003", 3),
    ],
)
def test_unreadable(text: str, code: str, line: int) -> None:
    with pytest.raises(Unreadable) as caught:
        compose(text)
    assert (caught.value.code, caught.value.line) == (code, line)


def _one(text: str, name: str = "a.yaml") -> Item:
    (item,) = objects(File(name, text.encode(), named=True))
    assert isinstance(item, Item)
    return item


PLACES = [
    ("", (1, 1)),
    ("kind", (2, 1)),
    ("metadata.labels[a/b]", (5, 5)),
    ("spec.list[1].deep", (9, 5)),
    ("spec.list[1].absent.more", (9, 5)),
    ("spec.list[7]", (7, 3)),
]


@pytest.mark.parametrize(("path", "place"), PLACES)
def test_places_in_yaml(path: str, place: tuple[int, int]) -> None:
    item = _one("apiVersion: v1\nkind: K\nmetadata:\n  labels:\n    a/b: c\nspec:\n  list:\n  - deep: 1\n  - deep: 2\n")
    assert item.document.locate(path) == place


@pytest.mark.parametrize("before", ["", "\n\n  ", '{"apiVersion": "v1", "kind": "ä"}\n'])
@pytest.mark.parametrize("path", ["", "kind", "metadata.labels[a/b]", "spec.list[1].deep"])
def test_places_in_json(before: str, path: str) -> None:
    text = json.dumps(
        {"apiVersion": "v1", "kind": "K", "metadata": {"labels": {"a/b": "ü"}}, "spec": {"list": [{}, {"deep": 2}]}},
        indent=1,
        ensure_ascii=False,
    )
    *_, item = objects(File("a.json", (before + text).encode(), named=True))
    assert isinstance(item, Item)
    line, column = item.document.locate(path)
    found = (before + text).splitlines()[line - 1][column - 1 :]
    wanted = {"": "{", "kind": '"kind"', "metadata.labels[a/b]": '"a/b"', "spec.list[1].deep": '"deep"'}[path]
    assert found.startswith(wanted)


_NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="[].", exclude_categories=("C", "Z")), min_size=1, max_size=4
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(_NAMES, _VALUES, max_size=4), st.sampled_from([None, 0, 3]), st.booleans())
def test_every_field_of_json_is_found_where_it_stands(spec: dict[str, Any], indent: int | None, listed: bool) -> None:
    """Law: the text at the place of a field begins with its key, or with its value in a list; also in a list's item."""
    body = {"apiVersion": "v1", "kind": "K", "spec": spec}
    whole = (
        {"kind": "List", "items": [{"kind": "Other", "apiVersion": "v1"}, body], "apiVersion": "v1"} if listed else body
    )
    text = json.dumps(whole, indent=indent, ensure_ascii=False)
    *_, item = objects(File("a.json", text.encode(), named=True))
    assert isinstance(item, Item)
    assert item.document.value() == body
    lines = text.split("\n")
    for path, start in _members(spec, "spec"):
        line, column = item.document.locate(path)
        assert lines[line - 1][column - 1 :].startswith(start)


def _members(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            found
            for key, inner in value.items()
            for found in [(f"{path}[{key}]", json.dumps(key, ensure_ascii=False)), *_members(inner, f"{path}[{key}]")]
        ]
    if isinstance(value, list):
        return [
            found
            for index, inner in enumerate(value)
            for found in [
                (f"{path}[{index}]", json.dumps(inner, ensure_ascii=False)[:1]), *_members(inner, f"{path}[{index}]"),
            ]
        ]  # fmt: skip
    return []


@given(_VALUES)
def test_json_is_read_alike_as_yaml(value: Any) -> None:
    """Law: JSON is YAML, to the same value (text without control characters, which YAML does not allow)."""
    assert compose(json.dumps({"value": value}, ensure_ascii=False)).value == {"value": value}


def test_keys_that_stand_twice_in_json() -> None:
    text = '{"apiVersion": "v1",\n "kind": "NetworkPolicy",\n "spec": {"a": [{"b": 1,\n "b": 2}]}}'
    (twice,) = twice_in(_one(text, "a.json"))
    assert (twice.path, twice.line, twice.column, twice.first) == ("spec.a[0].b", 4, 2, 3)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ('{"kind": "Pod", "apiVersion"', "RF004", 1, 29),
        ('{"kind": "Pod",\n "apiVersion": "v', "RF004", 2, 16),
        ('{"kind" "Pod"}', "RF004", 1, 9),
        ('{"kind": "Pod"}\n{"kind"', "RF004", 2, 8),
        ("[" * 100_000, "RF006", 1, 1),
    ],
)
def test_broken_json(text: str, code: str, line: int, column: int) -> None:
    *_, problem = objects(File("a.json", text.encode(), named=True))
    assert isinstance(problem, Problem)
    assert (problem.code, problem.line, problem.column) == (code, line, column)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_words_that_only_javascript_takes_for_numbers(word: str) -> None:
    """Such a document is left out, and those before and behind it are read."""
    pod, node = '{"kind": "Pod", "apiVersion": "v1"}', '{"kind": "Node", "apiVersion": "v1"}'
    text = f'{pod}\n{{"kind": "Pod",\n "x": {word}}}\n{node}'
    for name in ("a.json", "<stdin>"):
        first, problem, last = objects(File(name, text.encode(), named=True))
        assert isinstance(problem, Problem)
        assert (problem.code, problem.message) == ("RF004", f"is not JSON: {word} is no number")
        assert (problem.line, problem.column) == (3, 7)
        assert isinstance(first, Item)
        assert isinstance(last, Item)
        assert (first.kind, last.kind) == ("Pod", "Node")


def test_what_stands_before_a_broken_end_is_read() -> None:
    item, problem = objects(File("a.json", b'{"kind": "Pod", "apiVersion": "v1"}\n{"kind": ', named=True))
    assert isinstance(item, Item)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.line) == ("RF004", 2)


def test_half_of_a_surrogate_pair_is_read_as_the_server_reads_it() -> None:
    """As U+FFFD, with a warning; a whole pair and a backslash before it stay what they are."""
    text = r"""{"kind": "Pod", "apiVersion": "v1",
 "a": ["\ud83d", "\ud83d\ude00", "\\ud83d", "\udc00\udc00"]}"""
    warning, item = objects(File("a.json", text.encode(), named=True))
    assert isinstance(warning, Problem)
    assert isinstance(item, Item)
    assert (warning.code, warning.line, warning.column, warning.refuses) == ("RF008", 2, 9, False)
    assert item.document.value()["a"] == ["\ufffd", "\U0001f600", "\\ud83d", "\ufffd\ufffd"]
    assert item.document.locate("a[3]") == (2, 45)


@pytest.mark.parametrize(("number", "shown"), [("1e999", "1e999"), ("-1e400", "-1e400"), ("9" * 5000, "9" * 20 + "…")])
def test_numbers_beyond_every_float(number: str, shown: str) -> None:
    """Where they are read the object is left out; where they are not, nothing is asked of them."""
    bad = f'{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "a"}},\n "spec": {{"nodeName": {number}}}}}'
    good = f'{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "b"}}, "spec": {{"other": {number}}}}}'
    cluster = read(f"{bad}\n{good}")
    assert [workload.name for workload in cluster.workloads] == ["b"]
    (finding,) = cluster.findings
    assert finding.message == f"has {shown}, which is no number that a server takes"
    assert (finding.code, finding.object, finding.line, finding.column) == ("RF004", "default/a", 2, 23)
    assert finding.excludes


def test_a_place_in_json_that_nests_deeply() -> None:
    """What is not on the way to a field is passed over, however deep it is."""
    deep = "[" * 700 + "]" * 700
    text = f'{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "a"}}, "spec": {{"nodeName": {deep}}}}}'
    (finding,) = read(text).findings
    assert (finding.code, finding.field, finding.line) == ("RF016", "spec.nodeName", 1)
    assert finding.column == text.index('"nodeName"') + 1


def test_typed_lists_give_their_kind_and_version() -> None:
    """S3: an item of a typed list may leave both to the list; one of a plain List may not."""
    typed = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems: [{metadata: {name: a}}, {kind: Other}]\n"
    found = [
        (item.api_version, item.kind)
        for item in objects(File("a", typed.encode(), named=True))
        if isinstance(item, Item)
    ]
    assert found == [("networking.k8s.io/v1", "NetworkPolicy"), ("networking.k8s.io/v1", "Other")]
    plain = "apiVersion: v1\nkind: List\nitems: [{metadata: {name: a}}]\n"
    (problem,) = objects(File("a", plain.encode(), named=True))
    assert isinstance(problem, Problem)
    assert problem.code == "RF010"


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_an_item_of_a_typed_list_says_its_kind_when_it_is_asked_for_as_a_whole(name: str) -> None:
    """Checks look at the whole object, of which a server leaves out the kind in lists."""
    typed = {"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a"}}, {"kind": "Other"}]}
    text = json.dumps(typed) if name == "a.json" else f"# YAML\n{json.dumps(typed)}"
    items = [item for item in objects(File(name, text.encode(), named=True)) if isinstance(item, Item)]
    assert [item.document.value() for item in items] == [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}, {"apiVersion": "v1", "kind": "Other"},
    ]  # fmt: skip


def test_what_a_server_answered_has_no_lines() -> None:
    typed = {"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a"}}]}
    file = answered(Answer("cluster/pods", json.dumps(typed).encode()))
    assert isinstance(file, File)
    (item,) = objects(file)
    assert isinstance(item, Item)
    assert source(item).place("metadata.name") == "cluster/pods"
    withheld = answered(Answer("cluster", withheld="not given were: nodes", why="forbidden"))
    assert isinstance(withheld, Problem)
    assert (withheld.code, withheld.leaves_out_object) == ("RF027", True)


NESTED = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}
    ],
}


@pytest.mark.parametrize("indent", [None, 1])
def test_lists_in_lists_are_taken_apart(indent: int | None) -> None:
    text = json.dumps(NESTED, indent=indent)
    for name, data in (("a.json", text), ("a.yaml", "# a comment makes it YAML\n" + text)):
        found = [item for item in objects(File(name, data.encode(), named=True)) if isinstance(item, Item)]
        assert [(item.kind, item.document.value()["metadata"]["name"]) for item in found] == [
            ("Pod", "a"),
            ("Pod", "b"),
        ]
        line, column = found[1].document.locate("metadata.name")
        assert data.splitlines()[line - 1][column - 1 :].startswith('"name": "b"')


def test_a_list_without_a_list_is_told() -> None:
    for text in ("apiVersion: v1\nkind: List\nitems: {}\n", '{"apiVersion": "v1", "kind": "PodList", "items": 1}'):
        (problem,) = objects(File("a", text.encode(), named=True))
        assert isinstance(problem, Problem)
        assert (problem.code, problem.field) == ("RF010", "items")
    assert [
        item.kind
        for item in objects(File("a", b"apiVersion: v1\nkind: List\nitems:\n", named=True))
        if isinstance(item, Item)
    ] == ["List"]


def test_flow_style_yaml_that_starts_like_json() -> None:
    assert _one("{apiVersion: v1, kind: Pod}\n", "a").kind == "Pod"


@pytest.mark.parametrize(
    ("pod", "field", "says"),
    [
        ('"metadata": {"name": "a", "labels": {"n": 1000000000000000000000000000000}}', "metadata.labels.n", "text"),
        ('"metadata": {"name": "a", "labels": {"n": 7, "n": "7"}}', "metadata.labels", "holds a key twice"),
        ('"metadata": {"name": "a", "labels": {"n": 7}, "labels": "x"}', "metadata.labels", "holds a key twice"),
        (
            '"metadata": {"name": "a"}, "spec": {"containers": [{}, {"ports": 5}], "containers": [{}]}',
            "spec.containers",
            "holds a key twice",
        ),
    ],
)
def test_what_is_of_another_type_is_told_wherever_it_stands(pod: str, field: str, says: str) -> None:
    """Also where the same key stands again later, or the number is so large that it is taken for another type."""
    (finding,) = read(f'{{"apiVersion": "v1", "kind": "Pod", {pod}}}').findings
    assert (finding.code, finding.field) == ("RF016", field)
    assert says in finding.message


def test_a_large_dump_that_was_cut_is_not_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """To say where it ends takes no memory of its size."""
    monkeypatch.setattr(json_text, "end_of", lambda *_: pytest.fail("read it again"))
    pod = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}},\n'
    text = '{"apiVersion": "v1", "kind": "List", "items": [\n' + pod * 2000 + '  {"apiVersion": "v1",  \n\n'
    with pytest.raises(InputError, match=r"<stdin>:2002:23: is not JSON: ends before it is complete"):
        read(text)


def test_a_pipe_that_does_not_wait_is_waited_for() -> None:
    """As one is that another program has set so: nothing there yet is not the end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)

    def write() -> None:
        os.write(writer, b"kind: x")
        os.close(writer)

    later = threading.Timer(0.2, write)
    later.start()
    with open(reader, "rb") as stream:
        assert contents.text("pipe", stream) == b"kind: x"
    later.join()


def test_what_cannot_be_mapped_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not every file system maps files."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(contents, "MAPPED", 4)
    file = tmp_path / "a.json"
    file.write_text("[1, 2]")
    with open(file, "rb", buffering=0) as stream:
        monkeypatch.setattr("ringfence.manifests.text.contents.mmap.mmap", refuse)
        assert contents._mapped(cast("BinaryIO", stream)) is None
        assert stream.tell() == 0, "nothing of it is lost"


@given(st.lists(st.sampled_from(["a", "é", "😀", "\n", "\r\n"]), max_size=40), st.integers(1, 9))
def test_lines_and_columns_are_counted_by_blocks(parts: list[str], size: int) -> None:
    """However the blocks cut lines and characters."""
    text = "".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_BLOCK", size)
        patch.setattr(json_text, "_FEW", 2)
        file = json_text.JsonFile(text.encode())
        for at in range(len(text) + 1):
            before = text[:at]
            expected = (before.count("\n") + 1, at - before.rfind("\n"))
            assert file.line_column(len(before.encode())) == expected


def test_many_findings_in_one_long_line_are_told_in_time() -> None:
    """Their columns are not counted from the line's beginning each time, which took minutes."""
    text = '{"apiVersion": "v1", "kind": "List", "items": [' + "1," * 100_000 + "1]}"
    with pytest.raises(InputError, match="and 99991 more of this kind"):
        read(text)


def test_a_json_object_begins_behind_the_blanks_before_it() -> None:
    text = '\n\n  {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}\n'
    again = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}\n'
    assert told(read(text + again)) == [("RF013", 4, 1, "")]
    assert [one.source.at("") for one in read(text).pods] == [(3, 3)]


@pytest.mark.parametrize("data", [b"\x1f\x8bgarbage", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48"])
def test_what_begins_as_gzip_and_is_none_has_a_remedy_of_its_own(data: bytes) -> None:
    with pytest.raises(InputError, match=r"begins as a gzip file and is none, or not all of one.*; pack it anew"):
        read(data)
