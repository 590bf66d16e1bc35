"""Each rule that a flow can apply has a small example here."""

from __future__ import annotations

import re
from pathlib import Path

import fuzz


def test_each_rule_has_an_example() -> None:
    """A test names the rule it pins in its docstring."""
    named = {
        rule
        for path in Path(__file__).parent.glob("test_*.py")
        for text in re.findall(r'^    """(.+?)"""', path.read_text(), re.MULTILINE | re.DOTALL)
        for rule in re.findall(r"\bS\d+\b", text)
    }
    assert [rule for rule in fuzz.COUNTED if rule not in named] == []
