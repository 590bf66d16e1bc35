"""The document of the page about intents: it is read as it stands, and policies can be made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import yaml
from conftest import ROOT, Run
from jsonschema import Draft202012Validator

from docs.pages import FENCE

PAGE: Final = ROOT / "docs" / "reference" / "intents.md"


def _document() -> str:
    (found,) = [text for word, text in FENCE.findall(PAGE.read_text()) if word == "yaml"]
    assert isinstance(found, str)
    return found


def test_it_is_what_the_schema_says() -> None:
    schema = json.loads((PAGE.parent / "intents.schema.json").read_text())
    Draft202012Validator(schema).validate(yaml.safe_load(_document()))


def test_policies_can_be_made_of_it_and_of_the_shop(run: Run, tmp_path: Path) -> None:
    (tmp_path / "intents.yaml").write_text(_document())
    choices = ("--ingress-controller", "ingress-nginx/ingress-nginx-controller", "--pin", "pay.example.com=8.8.4.0/24")
    made = run("generate", str(tmp_path / "intents.yaml"), "examples/shop", *choices)
    assert made.status == 0, made.err
    assert "ringfence.dev/why: this comment is kept, as the reason" in made.out
