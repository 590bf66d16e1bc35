"""Paths to a cluster: files, directories, standard input, what-if files, and the order of things."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from generate import random_cluster

from manifests.reading import read
from ringfence.errors import InputError, UnknownEndpoint
from ringfence.manifests import load, write
from ringfence.manifests.write import documents
from ringfence.model.flows import Note

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n"
POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: %s, namespace: shop}
spec: {podSelector: {matchLabels: {app: %s}}}
"""


def _names(*paths: Path) -> list[str]:
    return [workload.name for workload in load([str(path) for path in paths]).workloads]


def test_a_directory_is_read_with_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "a.yaml").write_text(POD % "a")
    (tmp_path / "b" / "b.yml").write_text(POD % "b")
    (tmp_path / "b" / "c" / "c.json").write_text('{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "c"}}')
    (tmp_path / "notes.txt").write_text("not read")
    (tmp_path / ".hidden.yaml").write_text("\tnot read")
    assert _names(tmp_path) == ["a", "b", "c"]
    assert _names(tmp_path / "b", tmp_path / "a.yaml", tmp_path) == ["a", "b", "c"], "a file named twice is read once"


def test_a_missing_path_and_an_empty_directory_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: no such file or directory"):
        load([str(tmp_path / "nowhere.yaml")])
    with pytest.raises(InputError, match="no manifest in this directory"):
        load([str(tmp_path)])


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD % "a")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    cluster = load([str(tmp_path)])
    assert [finding.code for finding in cluster.findings] == ["RF001"]
    assert [gap.note for gap in cluster.gaps] == [Note.INCOMPLETE_INPUT]
    assert len(cluster.workloads) == 1


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_is_no_input(device: str) -> None:
    with pytest.raises(InputError, match=rf"^{device}: is a device, not a file; name a manifest"):
        load([device])


def test_a_pipe_is_read_when_it_is_named_and_not_from_a_directory(tmp_path: Path) -> None:
    """Nobody writes to one that merely lies there."""
    pipe = tmp_path / "b.yaml"
    os.mkfifo(pipe)
    (tmp_path / "a.yaml").write_text(POD % "a")
    cluster = load([str(tmp_path)])
    assert [(finding.code, finding.file) for finding in cluster.findings] == [("RF001", str(pipe))]
    assert [workload.name for workload in cluster.workloads] == ["a"]
    with ThreadPoolExecutor() as other:
        other.submit(pipe.write_text, POD % "b")
        assert _names(pipe) == ["b"]


def test_an_open_file_is_read_by_its_number(tmp_path: Path) -> None:
    """As a shell passes ``<(...)``."""
    out, into = os.pipe()
    os.write(into, (POD % "a").encode())
    os.close(into)
    try:
        assert _names(Path(f"/dev/fd/{out}")) == ["a"]
    finally:
        os.close(out)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings(encoding: str) -> None:
    text = POD % "a" + "# ü\r\n"
    assert len(read(text.encode(encoding)).workloads) == 1


@pytest.mark.parametrize(
    ("data", "line"), [(b"\x00\x01", 0), (b"a: b\nc: \xff\n", 2), (b"\xff\xfe\x00", 0), (b"\xef\xbb\xbf\xff", 0)]
)
def test_what_is_not_text_is_told(tmp_path: Path, data: bytes, line: int) -> None:
    (tmp_path / "a.yaml").write_text(POD % "a")
    (tmp_path / "b.yaml").write_bytes(data)
    (finding,) = load([str(tmp_path)]).findings
    assert (finding.code, finding.line, finding.excludes) == ("RF002", line, True)


def test_a_truncated_dump_is_told(tmp_path: Path) -> None:
    dump = '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"na'
    (tmp_path / "a.yaml").write_text(POD % "a")
    (tmp_path / "dump.json").write_text(dump)
    cluster = load([str(tmp_path)])
    assert [(f.code, f.line) for f in cluster.findings] == [("RF004", 1)]
    assert [gap.namespace for gap in cluster.gaps] == [None], "it may have held anything"


def test_broken_documents_do_not_take_others_with_them() -> None:
    cluster = read(POD % "a" + "---\na: [\n---\n" + POD % "b" + '---\na: "\n---\n' + POD % "c")
    assert [workload.name for workload in cluster.workloads] == ["a", "b", "c"]
    assert [finding.code for finding in cluster.findings] == ["RF003", "RF003"]


def test_an_object_that_stands_many_times_is_told_with_a_few_places() -> None:
    """Each naming all the others would be a million places for a thousand overlays."""
    text = "".join(f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: a, labels: {{n: n{n}}}}}\n" for n in range(1000))
    findings = read(text).findings
    assert len(findings) == 1000
    places = ", ".join(f"<stdin>:{4 * n + 2}" for n in range(5))
    assert findings[999].message.endswith(f"differently: also in {places} and 994 more; none counts")
    assert findings[0].message.endswith(
        "also in <stdin>:6, <stdin>:10, <stdin>:14, <stdin>:18, <stdin>:22 and 994 more; none counts"
    )


def test_with_replaces_objects_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(POLICY % ("one", "a") + "---\n" + POLICY % ("two", "b"))
    (tmp_path / "more.yaml").write_text(POLICY % ("two", "c") + "---\n" + POLICY % ("three", "d"))
    cluster = load([str(tmp_path / "base.yaml")], extra=[str(tmp_path / "more.yaml")])
    assert [(policy.name, str(policy.subject.pods)) for policy in cluster.policies] == [
        ("one", "app=a"), ("three", "app=d"), ("two", "app=c"),
    ]  # fmt: skip
    assert cluster.findings == ()


def test_without_takes_policies_out() -> None:
    text = (POLICY % ("one", "a") + "---\n" + POLICY % ("two", "b")).encode()
    for name, namespace in (("shop/one", "default"), ("one", "shop")):
        cluster = load(["-"], stdin=io.BytesIO(text), without=[name], namespace=namespace)
        assert [policy.name for policy in cluster.policies] == ["two"]
    with pytest.raises(UnknownEndpoint, match=r"shop/on .*no such policy; did you mean shop/one"):
        load(["-"], stdin=io.BytesIO(text), without=["shop/on"])


def test_objects_without_a_namespace_are_in_the_one_given() -> None:
    """S8."""
    text = POD % "a" + "---\n" + POLICY % ("p", "a")
    cluster = read(text, namespace="team")
    assert [workload.namespace for workload in cluster.workloads] == ["team"]
    assert [policy.namespace for policy in cluster.policies] == ["shop"]


@pytest.mark.parametrize("seed", range(60))
def test_what_was_written_reads_back_as_the_same_cluster(seed: int) -> None:
    """Law: read(write(cluster)) is cluster, but for gaps, which are not written."""
    made = random_cluster(Random(seed))
    found = load(["-"], stdin=io.BytesIO(write(made).encode()), facts=made.facts)
    assert {finding.code for finding in found.findings} <= {"RF044"}, "a random name of a port may be no pod's"
    assert dict(found.namespaces) == dict(made.namespaces)
    for what in ("workloads", "nodes", "services", "slices", "policies"):
        assert set(map(repr, map(_shown, getattr(found, what)))) == set(map(repr, map(_shown, getattr(made, what))))
    assert load(["-"], stdin=io.BytesIO(write(found).encode()), facts=made.facts) == found


def _shown(value: object) -> object:
    """The value; sets in it are shown in one order."""
    from dataclasses import fields, is_dataclass

    if is_dataclass(value):
        return [(f.name, _shown(getattr(value, f.name))) for f in fields(value) if f.name != "source"]
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, dict):
        return sorted(value.items())
    return [_shown(one) for one in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("seed", range(30))
def test_the_order_of_documents_changes_nothing(seed: int) -> None:
    """Law."""
    import yaml

    rng = Random(seed)
    written = list(documents(random_cluster(rng)))
    first = read(yaml.safe_dump_all(written))
    rng.shuffle(written)
    assert read(yaml.safe_dump_all(written)) == first
