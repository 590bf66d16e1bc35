"""YAML means what it means to kubectl: the record of its library, document by document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from ringfence.manifests.text.places import Unreadable
from ringfence.manifests.text.yaml_text import compose

CASES: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "data" / "kubectl-yaml" / "values.json").read_text()
)
STRICTER: Final = {
    "a: 1\na: 2\n": "a key that stands twice is refused by the server (S6)",
    "1: a\n'1': b\n": "the same key twice",
    "a: !foo b\n": "no Kubernetes object has a tag",
    **{
        f"? {sign}{word}\n: 1\n": "no number that JSON can hold"
        for sign in ("", "-")
        for word in (".inf", ".nan", ".NaN")
    },
}
"""What ringfence refuses and the library does not, and why."""
BIG: Final = "123456789012345678901234567890"
"""A number that no field of the API holds; the library rounds it."""


def _read(text: str) -> Any:
    """The value as JSON, or None when the document is refused."""
    try:
        composed = compose(text)
    except Unreadable:
        return None
    return None if composed.twice else json.loads(json.dumps({"is": composed.value}))


def test_the_record_is_there() -> None:
    assert len(CASES) > 250
    assert sum("refused" in case for case in CASES) > 10


@pytest.mark.parametrize("case", [c for c in CASES if BIG not in c["yaml"]], ids=lambda case: repr(case["yaml"]))
def test_a_document_means_what_it_means_to_kubectl(case: dict[str, Any]) -> None:
    found = _read(case["yaml"])
    if "refused" in case or case["yaml"] in STRICTER:
        assert found is None
    else:
        assert found == {"is": case["json"]}
        assert json.dumps(found["is"], sort_keys=True) == json.dumps(case["json"], sort_keys=True)
