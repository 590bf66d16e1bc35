"""A file of pins: what is read, and the sentence for each mistake."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ringfence.errors import InputError, PinError
from ringfence.manifests.pins import read_pins
from ringfence.model.hostnames import HostName

HEAD = "apiVersion: ringfence.dev/v1alpha1\nkind: Pins\n"


def written(where: Path, text: str) -> str:
    path = where / "pins.yaml"
    path.write_text(text)
    return str(path)


def test_a_file_of_pins(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + """metadata: {name: outside}
spec:
  pins:
  - host: API.openai.com
    cidrs: [203.0.113.0/24, 198.51.100.7]
    reviewed: 2026-11-01
    review-after: "2027-05-01"
  - {host: "*.example.com", cidrs: ["2001:db8::/32"]}
---
""" + HEAD + "spec: {pins: [{host: a.io, cidrs: [192.0.2.1]}]}\n")  # fmt: skip
    first, second, third = read_pins(path)
    assert (first.host, first.cidrs) == (HostName("api.openai.com"), ("203.0.113.0/24", "198.51.100.7/32"))
    assert (first.reviewed, first.review_after) == (date(2026, 11, 1), date(2027, 5, 1))
    assert (str(first.source), str(second.host), second.reviewed) == (f"{path}:6", "*.example.com", None)
    assert third.source.line == 14


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("", 0, "holds no pins; write a document with apiVersion: ringfence.dev/v1alpha1 and kind: Pins"),
        ("apiVersion: v1\nkind: Pod\n", 2, "is a Pod of v1; write apiVersion: ringfence.dev/v1alpha1, kind: Pins"),
        (
            HEAD.replace("alpha1", "beta1") + "spec: {}\n",
            2,
            "is a Pins of ringfence.dev/v1beta1; write apiVersion: ringfence.dev/v1alpha1, kind: Pins",
        ),
        (HEAD, 1, "spec is no mapping; write spec: {pins: [{host: api.example.com, cidrs: [203.0.113.0/24]}]}"),
        (
            HEAD + "spec:\n  pins: []\n",
            4,
            "spec.pins lists no pin; write one, as in {host: api.example.com, cidrs: [203.0.113.0/24]}",
        ),
        (HEAD + "spec:\n  pin: []\n", 4, "spec.pin is no field of pins; the fields here are pins"),
        (
            HEAD + "specs: {}\n",
            3,
            "specs is no field of pins; the fields here are apiVersion, kind, metadata, spec",
        ),
        (
            HEAD + "spec:\n  pins:\n  - a.io\n",
            5,
            "spec.pins[0] is no mapping; write {host: api.example.com, cidrs: [203.0.113.0/24]}",
        ),
        (
            HEAD + "spec:\n  pins:\n  - cidrs: [192.0.2.1]\n",
            5,
            "spec.pins[0] has no host in text; write host: api.example.com",
        ),
        (
            HEAD + "spec:\n  pins:\n  - host: a.io\n    cidrs: 192.0.2.1\n",
            6,
            "spec.pins[0].cidrs is no list of texts; write cidrs: [203.0.113.0/24]",
        ),
        (
            HEAD + "spec:\n  pins:\n  - host: a.io\n    cidr: [192.0.2.1]\n",
            6,
            "spec.pins[0].cidr is no field of pins; the fields here are host, cidrs, reviewed, review-after",
        ),
        (
            HEAD + "spec:\n  pins:\n  - host: a.io\n    cidrs: [192.0.2.1]\n    reviewed: 1.11.2026\n",
            7,
            "spec.pins[0].reviewed is no day; write it as 2026-11-01",
        ),
        (
            HEAD + "spec:\n  pins:\n  - host: a.io\n    cidrs: [192.0.2.1]\n    reviewed: 2026-02-30\n",
            7,
            "spec.pins[0].reviewed is no day; write it as 2026-11-01",
        ),
        (
            HEAD + "spec:\n  pins:\n  - host: a.io\n    cidrs: [10.0.0.1]\n",
            5,
            (
                "10.0.0.1 touches 10.0.0.0/8 (private), where no name outside is; "
                "write an arrow to the address or the Service instead, or leave that part out"
            ),
        ),
        (
            HEAD + "spec:\n  pins:\n  - {host: a.io, cidrs: [192.0.2.1]}\n  - {host: A.io, cidrs: [192.0.2.2]}\n",
            0,
            "a.io is pinned twice; put its addresses into one pin",
        ),
    ],
)
def test_each_mistake_has_a_sentence(tmp_path: Path, text: str, line: int, sentence: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PinError) as caught:
        read_pins(path)
    assert str(caught.value) == f"{path}:{line}: {sentence}" if line else f"{path}: {sentence}"


@pytest.mark.parametrize("text", ["a: [", HEAD + "kind: Pins\n", "- a\n- b\n", "\x00"])
def test_what_is_no_document_is_told_by_file(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PinError) as caught:
        read_pins(path)
    assert caught.value.where.startswith(path)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_pins(str(tmp_path / "none.yaml"))
