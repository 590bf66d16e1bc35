"""``ringfence.testing``: what passes, what fails and with which words, and a suite of somebody who uses it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

import ringfence
from ringfence.errors import ArrowError, InputError, UnknownEndpoint, UsageError
from ringfence.testing import assert_allows, assert_checked, assert_denies

EXAMPLE = str(ROOT / "examples" / "task-api")
ALLOWED = "task-api/task-api -> database/postgres:5432"
DENIED = "stranger/stranger -> task-api/task-api:8000"


@pytest.mark.parametrize("source", [EXAMPLE, Path(EXAMPLE), [EXAMPLE], ringfence.load(EXAMPLE)])
def test_every_sort_of_source(source: str) -> None:
    assert_allows(source, ALLOWED)
    assert_denies(source, DENIED)
    assert_denies(source, DENIED.replace("->", "-x"))
    assert_checked(source)


def test_a_name_that_holds_the_sign_of_a_denial_stays_a_name(tmp_path: Path) -> None:
    """``web-x`` ends as ``-x`` begins: only the arrow itself may be rewritten."""
    pods = "".join(
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}\n"
        "spec: {containers: [{name: c, image: i}]}\n" for name in ("web-x", "db")
    )  # fmt: skip
    deny = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\n"
    (tmp_path / "shop.yaml").write_text(f"{pods}{deny}spec: {{podSelector: {{}}, policyTypes: [Ingress]}}\n")
    assert_denies(tmp_path, "shop/web-x -> shop/db:5432")
    assert_denies(tmp_path, "shop/web-x -x shop/db:5432")


def test_what_is_denied_reads_like_explain() -> None:
    with pytest.raises(AssertionError, match="is not allowed for certain") as failed:
        assert_allows(EXAMPLE, DENIED)
    said = str(failed.value)
    assert f"{DENIED}: DENIED" in said
    assert "Entering task-api/task-api (ingress): DENIED" in said
    assert "allow-gateway-ingress.yaml:" in said


def test_what_is_allowed_reads_like_explain() -> None:
    with pytest.raises(AssertionError, match="is not denied for certain") as failed:
        assert_denies(EXAMPLE, ALLOWED)
    assert "allow-database-egress.yaml:13" in str(failed.value)


def test_every_port_is_meant_without_one() -> None:
    with pytest.raises(AssertionError):
        assert_allows(EXAMPLE, "task-api/task-api -> database/postgres")
    with pytest.raises(AssertionError):
        assert_denies(EXAMPLE, "task-api/task-api -> database/postgres")


def test_a_denial_that_could_hide_an_allow_fails(tmp_path: Path) -> None:
    text = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: task-api}\nspec: {}\n"
    (tmp_path / "more.yaml").write_text(text)
    with pytest.raises(AssertionError, match="something of the input had to be left out"):
        assert_denies([EXAMPLE, tmp_path / "more.yaml"], DENIED)
    text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: task-api}\nspec:\n"
    text += "  podSelector: {}\n  ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]\n"
    (tmp_path / "more.yaml").write_text(text)
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: nowhere}\n"
    (tmp_path / "pod.yaml").write_text(pod)
    with pytest.raises(AssertionError, match="is denied, yet an allow could be hidden"):
        assert_denies([EXAMPLE, tmp_path], "nowhere/b -> task-api/task-api:8000")


def test_a_check_that_is_not_clean_says_what_check_says(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as failed:
        assert_checked(EXAMPLE, dns="openshift")
    assert str(failed.value).startswith("check: 3 of 4 intended connections are possible, 2 pairs in excess.")
    with pytest.raises(UsageError, match="no Intents document"):
        assert_checked(ROOT / "examples" / "variants" / "no-dns.yaml")
    (tmp_path / "i.yaml").write_text(
        "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: a}\n"
        "spec: {protect: [task-apo], allow: []}\n"
    )
    with pytest.raises(AssertionError, match="the intents mean nothing here"):
        assert_checked([EXAMPLE, tmp_path / "i.yaml"])


def test_names_outside_are_checked_at_the_addresses_that_they_were_generated_with(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {app: a}}\n"
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: shop}\n"
        "spec:\n  podSelector: {}\n  policyTypes: [Ingress, Egress]\n"
        "  egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}]\n"
    )
    (tmp_path / "intents.yaml").write_text(
        "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: a}\n"
        "spec: {protect: [shop], dns: none, allow: ['shop/a -> https://pay.example.com']}\n"
    )
    aside = tmp_path / "aside"
    aside.mkdir()
    (aside / "pins.yaml").write_text(
        "apiVersion: ringfence.dev/v1alpha1\nkind: Pins\nmetadata: {name: a}\n"
        "spec: {pins: [{host: pay.example.com, cidrs: [203.0.113.0/24]}]}\n"
    )
    source = [tmp_path / "pod.yaml", tmp_path / "intents.yaml"]
    assert_checked(source, pin=["pay.example.com=203.0.113.0/24"])
    assert_checked(source, pins=[aside / "pins.yaml"])
    with pytest.raises(AssertionError, match="--pins"):
        assert_checked(source)
    with pytest.raises(AssertionError, match="in excess"):
        assert_checked(source, pin=["pay.example.com=203.0.113.7"])


def test_what_cannot_be_asked_is_no_failure_of_an_assertion() -> None:
    for arrow, error in (("a => b", ArrowError), ("stranger/nobody -> task-api/task-api:80", UnknownEndpoint)):
        with pytest.raises(error):
            assert_allows(EXAMPLE, arrow)
    with pytest.raises(InputError):
        assert_allows("nowhere", ALLOWED)
    with pytest.raises(UsageError, match="write -> for what is allowed"):
        assert_allows(EXAMPLE, DENIED.replace("->", "-x"))


def test_a_suite_that_uses_it(tmp_path: Path) -> None:
    """Two of three pass, and the third says why as explain would, without the lines of ringfence itself."""
    suite = tmp_path / "test_policies.py"
    suite.write_text(
        "from ringfence.testing import assert_allows, assert_checked, assert_denies\n"
        f"K8S = {EXAMPLE!r}\n"
        f"def test_database():\n    assert_allows(K8S, {ALLOWED!r})\n"
        "def test_intents():\n    assert_checked(K8S)\n"
        f"def test_stranger():\n    assert_allows(K8S, {DENIED!r})\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(suite)], cwd=tmp_path, text=True,
        capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert "1 failed, 2 passed" in ran.stdout
    assert "denied by the destination's ingress" in ran.stdout.lower()
    assert "src/ringfence/testing.py" not in ran.stdout
