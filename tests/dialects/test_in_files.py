"""From a file to names: a companion document is a policy that is not modelled, and its gap leads to what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dialects.asking import HTTPS, asked, rule
from ringfence.generate.dialects.asked import Choice
from ringfence.generate.dialects.writing import companions
from ringfence.intents.dialects.reading import names_in
from ringfence.intents.dialects.table import DIALECTS
from ringfence.manifests import load
from ringfence.model.flows import Note
from ringfence.model.hostnames import HostName


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_the_gap_of_a_companion_leads_to_its_names(name: str, ending: str, tmp_path: Path) -> None:
    (companion,) = companions(DIALECTS[name], [rule(asked("api.example.com"))], Choice(unverified=True))
    text = json.dumps(companion.document) if ending == "json" else yaml.safe_dump(companion.document, sort_keys=False)
    path = tmp_path / f"companion.{ending}"
    path.write_text(text)
    (gap,) = load([str(path)]).gaps
    assert gap.note is Note.UNMODELLED_POLICY
    found = names_in(gap.source.value())
    assert found is not None
    assert (found.dialect.name, found.understood, found.namespace) == (name, True, "tasks")
    assert [(one.host, one.ports) for one in found.names] == [(HostName("api.example.com"), HTTPS)]
    assert gap.namespace == (None if name == "clusternetworkpolicy" else "tasks")
