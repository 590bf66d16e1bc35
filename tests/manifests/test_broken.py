"""Broken documents thrown at the reader: it answers with a cluster or with one sentence, and never anything else."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from generate import random_cluster
from hypothesis import given
from hypothesis import strategies as st

from manifests.reading import read
from ringfence.errors import RingfenceError
from ringfence.manifests import CODES, write
from ringfence.manifests.write import documents
from ringfence.model.cluster import Cluster

EXAMPLES = Path(__file__).parent.parent / "data" / "apiserver" / "networkpolicy.json"
JUNK = [b"\x00", b"\t", b"{", b"}", b"[", b"]", b":", b"- ", b"&a ", b"*a ", b"!!int ", b"|", b">", b'"', b"'", b"\xff",
        b"null", b"~", b"---\n", b"...\n", b"? ", b"<<: ", b"%YAML 9\n", b"\r",
        b"9" * 400, b"\xef\xbb\xbf", b"#", b","]  # fmt: skip


def _check(data: bytes) -> Cluster | None:
    """Reads *data*; whatever is told has a known code and a line that is there."""
    try:
        cluster = read(data)
    except RingfenceError as problem:
        return None if str(problem).strip() else pytest.fail("an error without a sentence")
    lines = max(data.count(b"\n"), data.count(b"\r")) + 1
    for finding in cluster.findings:
        assert finding.code in CODES
        assert 0 <= finding.line <= lines
        assert finding.message
    return cluster


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    _check(data)


@given(st.text(alphabet="abc:{}[]-&*!|>'\"#%@ \n\t,?0", max_size=120))
def test_any_text_of_yaml_signs(text: str) -> None:
    _check(text.encode())


def _broken(rng: Random, data: bytes, junk: Sequence[bytes] = JUNK) -> bytes:
    """*data* with a few wounds: cut, doubled, bytes changed, junk put in."""
    for _ in range(rng.randint(1, 3)):
        at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        end = min(end, at + 60)
        data = rng.choice((
            data[:at], data[at:], data[:at] + data[end:], data[:end] + data[at:],
            data[:at] + rng.choice(junk) + data[at:],
            data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
        ))  # fmt: skip
    return data


@pytest.mark.parametrize("seed", range(150))
def test_wounded_manifests(seed: int) -> None:
    rng = Random(seed)
    whole = write(random_cluster(rng)).encode()
    assert _check(whole) is not None
    for _ in range(4):
        _check(_broken(rng, whole[: rng.choice((400, 4000))]))


JSON_JUNK = [*JUNK, b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", rb'"\ud83d"', rb"\ud83d", rb"\udc00",
             rb"\\", rb"\x", b"9" * 5000, b"-", b"01", b"true", b'{"a":' * 300, b"[" * 3000, b"\n",
             b'"kind": 1e999, ']  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_wounded_json(seed: int) -> None:
    """Objects one after the other, and in a List, with the words that JSON does not have among the wounds."""
    rng = Random(seed)
    whole = list(documents(random_cluster(rng)))
    stream = b"\n".join(json.dumps(one, indent=rng.choice((None, 2))).encode() for one in whole)
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": whole}).encode()
    for data in (stream, listed):
        assert _check(data) is not None
        for _ in range(4):
            _check(_broken(rng, data[: rng.choice((400, 4000))], JSON_JUNK))
            _check(_spoilt(rng, data))


def _spoilt(rng: Random, data: bytes) -> bytes:
    """*data*, which is JSON, with one of its values made another: it stays whole around it."""
    at = rng.choice([match.start() for match in re.finditer(rb': (?=["\d])', data)]) + 2
    end = re.compile(rb'"(?:[^"\\]|\\.)*"|[^,}\]\s]+').match(data, at)
    assert end is not None
    words = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", rb'"\ud83d"', b"9" * 5000, b"[" * 700 + b"]" * 700)
    return data[:at] + rng.choice(words) + data[end.end() :]


VALUES = [
    "null",
    "[]",
    "{}",
    "''",
    "1",
    "-1",
    "1.5",
    "true",
    "[null]",
    "[{}]",
    "{a: b}",
    "'x y'",
    "99999999999999999999",
    "[[[]]]",
]


@pytest.mark.parametrize("value", VALUES)
def test_any_field_may_hold_any_type(value: str) -> None:
    """Each field that is read, of each kind, with a value of each type in its place."""
    import yaml

    whole = list(yaml.safe_load_all(write(random_cluster(Random(7)))))
    for document in whole:
        for path in _paths(document):
            changed = _with(document, path, yaml.safe_load(value))
            _check(yaml.safe_dump(changed).encode())


def _paths(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    members: list[tuple[object, object]] = []
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    return [found for key, inner in members for found in [(*path, key), *_paths(inner, (*path, key))]]


def _with(value: object, path: tuple[object, ...], new: object) -> object:
    if not path:
        return new
    if isinstance(value, dict):
        return {key: _with(inner, path[1:], new) if key == path[0] else inner for key, inner in value.items()}
    assert isinstance(value, list)
    return [_with(inner, path[1:], new) if index == path[0] else inner for index, inner in enumerate(value)]
