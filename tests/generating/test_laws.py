"""The laws of what is generated: exactly what was meant is possible, nothing is superfluous, nothing else moves."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from intending import Case, differences, pairs, random_case, reached, wanted

from ringfence.engine.reference.semantics import decide
from ringfence.generate.parts import INTENT, Document, Generated
from ringfence.generate.policies import Options, generate
from ringfence.intents.meaning import meaning
from ringfence.intents.wishes import Meaning
from ringfence.manifests import load
from ringfence.model.findings import Severity
from ringfence.model.flows import Flow, Verdict
from ringfence.model.policies import Direction, Policy
from ringfence.model.ports import ConnectionSet
from ringfence.report.generate import json as as_json
from ringfence.report.generate import yaml as as_yaml
from ringfence.report.generate.objects import plain

SEEDS = st.integers(0, 2**32 - 1)
NAMED = Options(named_ports=True)


def _made(case: Case, options: Options = NAMED) -> tuple[Meaning, Generated] | None:
    """What *case* means and what is written for it; None where something of it is refused."""
    found = meaning(replace(case.cluster, intents=(case.document,)))
    if any(one.severity is Severity.ERROR for one in found.findings):
        return None
    made = generate(found, options)
    return None if made.refusals else (found, made)


def _good(seed: int, options: Options = NAMED) -> tuple[Case, Meaning, Generated]:
    case = random_case(Random(seed))
    made = _made(case, options)
    assume(made is not None)
    assert made is not None
    return case, *made


def test_the_cases_vary() -> None:
    """Most of them can be written, some are refused, and arrows of every kind are among them."""
    cases = [random_case(Random(seed)) for seed in range(200)]
    made = [_made(case) for case in cases]
    assert sum(one is not None for one in made) > 100
    assert sum(one is None for one in made) > 10
    assert sum(len(one[1].documents) for one in made if one) > 500


@given(SEEDS)
def test_exactly_what_is_meant_is_possible(seed: int) -> None:
    _, found, made = _good(seed)
    assert differences(found, made.policies) == []


@given(SEEDS)
def test_no_rule_is_superfluous(seed: int) -> None:
    _, found, made = _good(seed)
    for policy in made.policies:
        for less in _each_without_a_rule(policy):
            policies = [less if one is policy else one for one in made.policies]
            engine = reached(found.cluster, policies)
            assert any(engine.answer(src, dst).possible != wanted(found, src, dst) for src, dst in pairs(found.cluster))


def _each_without_a_rule(policy: Policy) -> list[Policy]:
    ingress, egress = policy.ingress, policy.egress
    return [
        *(replace(policy, ingress=ingress[:at] + ingress[at + 1 :]) for at in range(len(ingress))),
        *(replace(policy, egress=egress[:at] + egress[at + 1 :]) for at in range(len(egress))),
    ]


@given(SEEDS)
def test_the_reference_says_so_too(seed: int) -> None:
    """One flow at a time, on ports at which the answers change and beside them."""
    _, found, made = _good(seed)
    cluster = replace(found.cluster, policies=made.policies)
    some = list(pairs(cluster))
    for src, dst in Random(seed).sample(some, min(len(some), 25)):
        ports = wanted(found, src, dst)
        for protocol, port in (("TCP", 8080), ("TCP", 443), ("UDP", 53), ("TCP", 9090), ("SCTP", 5060)):
            verdict = decide(cluster, Flow(src, dst, protocol, port), explain=False).verdict
            assert (verdict is Verdict.ALLOWED) == ports.allows(protocol, port)


def _texts(made: Generated) -> dict[str, str]:
    return {one.policy.id: as_yaml.text([one], ["shop"]) for one in made.documents}


@given(SEEDS)
def test_one_more_arrow_touches_nothing_else(seed: int) -> None:
    """A policy that does not speak of the new arrow stays; at most it notes one that it holds as well."""
    case, _, after = _good(seed)
    assume(case.document.allow)
    *others, last = case.document.allow
    before = _made(replace(case, document=replace(case.document, allow=tuple(others))))
    assert before is not None
    was = {one.policy.id: one for one in before[1].documents}
    noted = [intent for one in after.documents for intent in one.intents]
    for one in after.documents:
        if str(last) not in one.intents:
            same = was.get(one.policy.id) or _renamed(one, was)
            assert replace(one.policy, name=same.policy.name) == same.policy
            assert set(same.intents) <= set(noted)
            if one.intents == same.intents and one.policy == same.policy:
                assert as_yaml.text([one], ["shop"]) == as_yaml.text([same], ["shop"])
    for before_ in was.values():
        assert set(before_.intents) <= set(noted)


def _renamed(one: Document, was: dict[str, Document]) -> Document:
    """What *one* was called before the new arrow brought another of its name, so that both have a mark now."""
    head, _, _ = one.policy.id.rpartition("-")
    _, _, mark = head.rpartition("-")
    assert re.fullmatch("[0-9a-f]{6}", mark)
    return was[one.policy.id.replace(f"-{mark}", "")]


@given(SEEDS)
def test_the_order_of_the_input_changes_nothing(seed: int) -> None:
    case, _, made = _good(seed)
    chance = Random(seed)
    cluster = replace(
        case.cluster,
        workloads=tuple(chance.sample(case.cluster.workloads, len(case.cluster.workloads))),
        services=tuple(chance.sample(case.cluster.services, len(case.cluster.services))),
    )
    document = replace(
        case.document,
        allow=tuple(chance.sample(case.document.allow, len(case.document.allow))),
        protect=tuple(reversed(case.document.protect)),
    )
    other = _made(Case(cluster, document))
    assert other is not None
    assert as_yaml.text(other[1].documents, ["shop"]) == as_yaml.text(made.documents, ["shop"])


@given(SEEDS)
def test_what_is_there_already_changes_nothing(seed: int) -> None:
    """The policies of an earlier run in the input, or any others, lead to the same text."""
    case, _, made = _good(seed)
    again = _made(replace(case, cluster=replace(case.cluster, policies=made.policies)))
    assert again is not None
    assert _texts(again[1]) == _texts(made)


@given(SEEDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_reads_back(tmp_path: Path, seed: int) -> None:
    """As YAML and as JSON, the same policies, and without a finding: the server's own rules are among what is read."""
    _, _, made = _good(seed)
    for name, text in (
        ("policies.yaml", as_yaml.text(made.documents, ["shop"])),
        ("policies.json", as_json.text(made.documents)),
    ):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        back = load([str(path)])
        assert not back.findings
        assert sorted(back.policies, key=lambda one: one.id) == sorted(made.policies, key=lambda one: one.id)
        by_id = {one.policy.id: one for one in made.documents}
        for policy in back.policies:
            assert policy.source.value() == plain(by_id[policy.id])


@given(SEEDS, st.sampled_from(Direction))
def test_one_direction_alone(seed: int, only: Direction) -> None:
    """The other stays as it is without policies."""
    _, found, made = _good(seed, Options(only=only, named_ports=True))
    engine = reached(found.cluster, made.policies)
    for src, dst in pairs(found.cluster):
        guarded = dst if only is Direction.INGRESS else src
        free = getattr(guarded, "namespace", None) not in found.protect
        expected = ConnectionSet.ALL if free else wanted(found, src, dst)
        assert engine.answer(src, dst).possible == expected


@given(SEEDS)
def test_without_names_of_ports_the_numbers_say_the_same(seed: int) -> None:
    _, found, made = _good(seed, Options())
    rules = [rule for policy in made.policies for rule in (*policy.ingress, *policy.egress)]
    assert not [port for rule in rules for port in rule.ports if isinstance(port.port, str)]
    assert differences(found, made.policies) == []


@given(SEEDS)
def test_selectors_hold_nothing_that_changes(seed: int) -> None:
    """No selector of a document has a label that a rollout or a release changes (RF306)."""
    case, _, made = _good(seed)
    asked = " ".join(map(str, case.document.allow))
    for one in made.documents:
        for key in ("helm.sh/chart", "app.kubernetes.io/version", "pod-template-hash"):
            assert key in asked or key not in _selectors(one)


def _selectors(one: Document) -> str:
    value = plain(one)
    assert value["metadata"]["annotations"][INTENT]
    return str(value["spec"])
