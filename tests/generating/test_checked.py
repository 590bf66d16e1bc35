"""The laws of what is generated, as a check sees them: nothing missing, nothing in excess, and no rule superfluous."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from intending import random_case

from ringfence.generate.policies import Options, generate
from ringfence.intents.meaning import meaning
from ringfence.intents.wishes import Meaning
from ringfence.model.findings import Severity
from ringfence.model.policies import Policy
from ringfence.query.check.check import check

SEEDS = st.integers(0, 2**32 - 1)


def _made(seed: int) -> tuple[Meaning, tuple[Policy, ...]]:
    case = random_case(Random(seed))
    found = meaning(replace(case.cluster, intents=(case.document,)))
    assume(not any(one.severity is Severity.ERROR for one in found.findings))
    made = generate(found, Options(named_ports=True))
    assume(not made.refusals)
    return found, tuple(made.policies)


def _with(found: Meaning, policies: Iterable[Policy]) -> Meaning:
    return replace(found, cluster=replace(found.cluster, policies=tuple(policies)))


@given(SEEDS)
def test_what_is_generated_is_neither_more_nor_less_than_is_wanted(seed: int) -> None:
    found, policies = _made(seed)
    checked = check(_with(found, policies))
    assert (checked.missing, checked.excess, checked.broken) == ((), (), ())
    assert checked.score.share == checked.score.fulfilled == 1


@given(SEEDS)
@settings(max_examples=25)
def test_without_any_one_rule_something_is_missing(seed: int) -> None:
    found, policies = _made(seed)
    for fewer in _each_without_a_rule(policies):
        assert check(_with(found, fewer)).missing


def _each_without_a_rule(policies: tuple[Policy, ...]) -> Iterator[list[Policy]]:
    for at, policy in enumerate(policies):
        for field in ("ingress", "egress"):
            rules = getattr(policy, field)
            for n in range(len(rules)):
                less = replace(policy, **{field: rules[:n] + rules[n + 1 :]})
                yield [*policies[:at], less, *policies[at + 1 :]]
