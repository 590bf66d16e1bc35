"""A difference as people and programs get it: few lines for one change of a large cluster, and what the schema says."""

from __future__ import annotations

import csv as library
import json
import re
from dataclasses import replace
from random import Random
from typing import Any, Final

import pytest
from builders import cluster, namespace, pod, policy, rule, service, workload
from conftest import ROOT
from generate import random_cluster
from jsonschema import Draft202012Validator
from laws.test_diff import changed

from ringfence.model.cluster import Cluster
from ringfence.model.policies import Policy
from ringfence.query.diff.diff import By, diff
from ringfence.query.diff.parts import Risk
from ringfence.report.diff import csv, dot, md, table, txt
from ringfence.report.diff import json as diff_json

SCHEMA: Final = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "diff.schema.json").read_text()))
BYS: Final[tuple[By, ...]] = ("workload", "pod", "namespace")


def large(database: Policy) -> Cluster:
    """1,000 workloads in 50 namespaces, each namespace shut but for its own, and a policy of the database's."""
    items: list[Any] = []
    for number in range(50):
        name = f"team-{number:02}"
        items.append(namespace(name, f"team={number}"))
        items += [
            workload(f"{name}/app-{at:02}", has=f"app=a{at},tier={'web' if at < 5 else 'back'}") for at in range(20)
        ]
        items.append(policy(f"{name}/own", ingress=[rule(peers="")]))
    return cluster(*items, database)


def opened(peers: str) -> Policy:
    """The policy of one database."""
    return policy("team-00/database", selects="app=a19", ingress=[rule(peers=peers, ports=5432)])


@pytest.mark.parametrize("peers", ["ns: {}", "ns: {} pods: tier=web", "ns: team in (1,2,3,4,5)", "0.0.0.0/0"])
def test_one_selector_in_a_thousand_workloads_reads_in_few_lines(peers: str) -> None:
    found = diff(large(opened("tier=web")), large(opened(peers)))
    assert len(found.new.workloads) == 1000
    lines = list(table.lines(found))
    assert 3 < len(lines) < 30
    assert any("team-00/app-19" in line for line in lines)
    assert sum(change.pairs for change in found.changes) >= 100 or peers.startswith("0")


def test_a_protection_that_goes_reads_in_few_lines() -> None:
    old = large(opened("tier=web"))
    new = replace(old, policies=tuple(one for one in old.policies if one.id != "team-07/own"))
    found = diff(old, new)
    lines = list(table.lines(found))
    assert len(lines) < 30
    text = "\n".join(lines)
    assert "Newly unprotected: no policy restricts ingress of team-07/app-00 … team-07/app-19 (20 of namespace" in text
    assert "Newly reachable from outside (20 pairs)" in text
    assert "19,600 pairs" in text
    assert lines.index(next(one for one in lines if "outside" in one)) < text.count("\n")


def test_the_riskiest_is_first() -> None:
    old = large(opened("tier=web"))
    wide = policy("team-00/database", selects="app=a19", ingress=[rule(peers=["ns: {}", "0.0.0.0/0"], ports=5432)])
    risks = [change.risk for change in diff(old, large(wide)).changes]
    assert risks[0] is Risk.FROM_OUTSIDE
    assert risks == sorted(risks, key=list(Risk).index)


def test_the_policy_is_named_with_its_rule() -> None:
    found = diff(large(opened("tier=web")), large(opened("ns: {}")))
    text = "\n".join(table.lines(found))
    assert "after: let through by team-00/database spec.ingress[0]" in text
    assert "Policies that differ: ~ NetworkPolicy team-00/database" in text


def test_what_cannot_be_known_is_told() -> None:
    """A selector asks for labels of a namespace that is not in the input: it may open more than is shown (S126)."""
    ends = [workload("a/web", has="app=web"), workload("b/db", has="app=db")]
    shut = policy("b/db", selects="app=db", ingress=[rule(peers="app=none")])
    asks = policy("b/db", selects="app=db", ingress=[rule(peers="ns: team=red")])
    found = diff(cluster(*ends, shut), cluster(*ends, asks))
    assert not found.changes
    assert [(doubt.note, doubt.new) for doubt in found.doubts] == [("namespace-invented", True)]
    for lines in (table.lines(found), md.lines(found), txt.lines(found)):
        assert "namespace-invented, after: b/db" in "\n".join(lines).replace("\\", "")


@pytest.mark.parametrize("seed", range(30))
def test_any_difference_is_what_the_schema_says(seed: int) -> None:
    rng = Random(seed)
    old = random_cluster(rng)
    new = changed(rng, old)
    for by in BYS:
        found = diff(old, new, by=by)
        document = json.loads("\n".join(diff_json.lines(found)))
        SCHEMA.validate(document)
        assert document["differs"] is not found.empty
        assert sum(document["pairs"].values()) == sum(one["pairs"] for one in document["changes"])


@pytest.mark.parametrize("seed", range(15))
def test_every_format_has_every_pair(seed: int) -> None:
    rng = Random(seed)
    old = random_cluster(rng)
    found = diff(old, changed(rng, old))
    pairs = len(list(found.pairs))
    rows = list(library.reader(csv.lines(found)))
    assert rows[0] == list(csv.HEADER)
    assert len(rows) == pairs + 1
    lines = [line for line in txt.lines(found) if line.startswith("diff-type: ")]
    assert len(lines) == pairs
    arrows = [line for line in dot.lines(found) if " -> " in line and line.startswith("  n")]
    assert len(arrows) == len(found.changes)
    list(table.lines(found, every=True))
    list(md.lines(found))


def test_the_schema_refuses_what_is_not() -> None:
    found = diff(large(opened("tier=web")), large(opened("ns: {}")))
    document = json.loads("\n".join(diff_json.lines(found)))
    document["changes"][0]["risk"] = "some"
    assert not SCHEMA.is_valid(document)


def test_a_comment_is_never_too_large() -> None:
    """Every workload has policies of its own, and all of them change: there are more groups than a comment holds."""
    ends = [workload(f"n{number % 40}/{'long-name-' * 5}{number}", has=f"app=a{number}") for number in range(400)]
    shut, more = [], []
    for n in range(400):
        before = rule(peers=f"ns: {{}} pods: app=a{(n * 7) % 400}", ports=80)
        shut.append(policy(f"n{n % 40}/p{n}", selects=f"app=a{n}", ingress=[before]))
        after = rule(peers="ns: {} pods: app=a1", ports=1000 + n)
        more.append(replace(shut[-1], ingress=(*shut[-1].ingress, after)))
    text = "\n".join(md.lines(diff(cluster(*ends, *shut), cluster(*ends, *more))))
    assert 50_000 < len(text) <= md.LARGEST
    assert md.CUT in text
    assert text.count("<details>") == text.count("</details>")


def test_a_comment_begins_with_what_matters() -> None:
    found = diff(large(opened("tier=web")), large(opened("ns: {}")))
    lines = list(md.lines(found))
    assert lines[0] == md.TITLE
    head = lines[: lines.index("<details>")]
    assert len(head) < 10
    assert any("Newly reachable from other namespaces" in line for line in head)


def test_nothing_is_a_sentence() -> None:
    same = large(opened("tier=web"))
    found = diff(same, large(opened("tier=web")))
    assert list(table.lines(found)) == ["No difference in what may connect."]
    assert list(md.lines(found)) == [md.TITLE, "", "No difference in what may connect."]
    assert list(txt.lines(found)) == []
    assert not re.search("->", "\n".join(dot.lines(found)))


def test_the_same_written_otherwise_is_no_difference() -> None:
    one = policy("a/p", ingress=[rule(peers=["app=web", "app=db"])])
    other = policy("a/p", ingress=[rule(peers="app in (web,db)")])
    ends = [workload("a/web", has="app=web"), workload("a/db", has="app=db")]
    found = diff(cluster(*ends, one), cluster(*ends, other))
    assert found.empty
    assert len(found.policies) == 1
    assert next(table.lines(found)) == "No difference in what may connect; 1 policy written otherwise."


def test_a_service_that_faces_outside_is_a_risk() -> None:
    """The Service becomes a LoadBalancer: the outside comes in by it, on the port that it leads to."""
    web = pod("shop/web", "app=web", ports=[8080], ip="10.0.0.5")
    before = service("shop/web", selects="app=web", ports=["80->8080"])
    after = replace(before, type="LoadBalancer", external_traffic_policy="Local")
    found = diff(cluster(web, before), cluster(web, after))
    (change,) = found.changes
    assert change.risk is Risk.FROM_OUTSIDE
    text = "\n".join(table.lines(found))
    assert "+ outside by svc shop/web -> shop/web: TCP 8080" in text
    line = "source: shop/web[Service], destination: shop/web[Pod], ref1: No Connections, ref2: TCP 8080"
    assert line in "\n".join(txt.lines(found))
    back = diff(cluster(web, after), cluster(web, before))
    assert [str(one.effect) for one in back.changes] == ["removed"]
    assert diff(cluster(web, after), cluster(web, after)).empty
