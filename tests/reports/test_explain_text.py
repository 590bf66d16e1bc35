"""Explanations in sentences: the verdict first, then both ends, each policy and rule."""

from __future__ import annotations

import io
import re

import pytest
from builders import cluster, pod, policy, rule

from reports.shops import BY_BLOCK, CLOSED, EVERY, MIXED, NOTED, PLAIN, SERVED, UNKNOWN
from ringfence.model.arrows import parse
from ringfence.model.cluster import Cluster
from ringfence.query.explain import explain
from ringfence.report.explain import text as explain_text

STYLES = re.compile(r"\x1b\[[0-9;]*m")


def _said(where: Cluster, arrow: str, *, color: bool = False) -> list[str]:
    out = io.StringIO()
    explain_text.write(explain(where, parse(arrow)), out, color=color)
    return out.getvalue().splitlines()


def _about(lines: list[str], start: str) -> list[str]:
    """The lines below the first that begins with *start*, up to the next empty one."""
    first = next(number for number, line in enumerate(lines) if line.strip().startswith(start))
    end = next((number for number, line in enumerate(lines) if number > first and not line), len(lines))
    return [line.strip() for line in lines[first:end]]


def test_allowed() -> None:
    assert _said(PLAIN, "shop/web -> shop/db:5432") == [
        "shop/web -> shop/db:5432: ALLOWED",
        "  Allowed at both ends.",
        "",
        "  Leaving shop/web (egress): ALLOWED",
        "    · no policy isolates shop/web for egress, so nothing is restricted there.",
        "",
        "  Entering shop/db (ingress): ALLOWED",
        "    NetworkPolicy shop/guard (no file): selects shop/db (podSelector app=db) and has 1 rule for ingress",
        "      ✓ spec.ingress[0].from[0] (no file): allows TCP 5432 from podSelector app=web in namespace shop",
    ]


def test_a_pod_to_itself_has_a_reason() -> None:
    """S70."""
    assert _said(CLOSED, "shop/web -> shop/web:80")[:2] == [
        "shop/web -> shop/web:80: ALLOWED",
        "  Allowed: a pod always reaches itself.",
    ]


def test_the_protocol_is_said_when_it_is_not_tcp() -> None:
    said = _said(PLAIN, "shop/web -> shop/db:5432/UDP")
    assert said[0] == "shop/web -> shop/db:5432/UDP: DENIED"
    assert _about(said, "Entering")[2].endswith("allows only TCP 5432")


def test_denied_by_one_end() -> None:
    said = _said(PLAIN, "shop/web -> shop/db:22")
    assert said[:2] == ["shop/web -> shop/db:22: DENIED", "  Denied by the destination's ingress."]
    assert _about(said, "Leaving")[0] == "Leaving shop/web (egress): ALLOWED"
    assert _about(said, "Entering")[0] == "Entering shop/db (ingress): DENIED"
    assert _about(said, "Entering")[2] == "✗ spec.ingress[0].ports (no file): allows only TCP 5432"


def test_denied_by_both_ends_proves_neither() -> None:
    said = _said(CLOSED, "shop/web -> shop/db:5432")
    assert said[0] == "shop/web -> shop/db:5432: DENIED"
    assert said[1].startswith("  Denied at both ends: by the source's egress and by the destination's ingress.")
    assert "proves neither" in said[1]
    assert _about(said, "Leaving") == [
        "Leaving shop/web (egress): DENIED",
        "NetworkPolicy shop/deny (no file): selects shop/web (podSelector {}) and has no rule for egress",
    ]
    assert _about(said, "Entering")[0] == "Entering shop/db (ingress): DENIED"


def test_every_policy_of_the_namespace_is_accounted_for() -> None:
    """One that selects the pod, one that does not, and one whose section is not in force (S34, S38)."""
    where = cluster(
        pod("shop/web", "app=web"),
        pod("shop/db", "app=db"),
        policy("shop/guard", selects="app=db", ingress=[rule("app=web", 5432)]),
        policy("shop/other", selects="app=cache", ingress=[]),
        policy("shop/inert", selects="app=db", ingress=[rule()], types=["Egress"]),
    )
    entering = _about(_said(where, "shop/web -> shop/db:22"), "Entering")
    assert any("shop/other" in line and "does not select shop/db" in line for line in entering)
    assert any("policyTypes does not list Ingress, so they have no effect" in line for line in entering)
    assert any("shop/guard" in line and "selects shop/db" in line for line in entering)


def test_every_port_of_a_pair() -> None:
    """Without a port: the ports that have one decision together, then each with its reasons."""
    said = _said(PLAIN, "shop/web -> shop/db")
    assert said[:4] == [
        "shop/web -> shop/db: DIFFERS BY PORT",
        "  TCP 1-5431,5433-65535, every UDP port, every SCTP port: DENIED (denied by the destination's ingress)",
        "  TCP 5432: ALLOWED (allowed at both ends)",
        "",
    ]
    assert "shop/web -> shop/db on TCP 5432: ALLOWED" in said
    assert _said(CLOSED, "shop/web -> shop/db")[0] == "shop/web -> shop/db on every port: DENIED"


def test_a_port_of_a_name_that_the_pod_has_not() -> None:
    """S63."""
    where = cluster(
        pod("shop/web", "app=web"),
        pod("shop/db", "app=db", ports=["sql:5432"]),
        policy("shop/guard", selects="app=db", ingress=[rule("app=web", ["mysql", 80, "sql"])]),
    )
    rule_line = _about(_said(where, "shop/web -> shop/db:81"), "Entering")[2]
    assert rule_line == (
        "✗ spec.ingress[0].ports (no file): allows only TCP mysql (by name), TCP 80, TCP sql (by name); "
        "shop/db has no TCP port called mysql"
    )


def test_pods_that_differ() -> None:
    said = _said(MIXED, "shop/web -> shop/db:5432")
    assert said[:2] == ["shop/web -> shop/db:5432: MIXED", "  Not the same everywhere: 1 allowed, 1 denied."]
    assert "  shop/web-0 -> shop/db:5432: ALLOWED" in said
    assert "  shop/web-1 -> shop/db:5432: DENIED" in said


def test_a_service_is_resolved_and_said() -> None:
    said = _said(SERVED, "shop/web -> svc/db:80")
    assert said[0] == "shop/web -> shop/svc/db:80: MIXED"
    assert said[2] == (
        "  Service shop/db sends port 80 to shop/db-0:5432, shop/db-1:5433; policies see the pod and its port, "
        "not the Service."
    )
    assert "  shop/web -> shop/db-0:5432: ALLOWED" in said
    assert "  shop/web -> shop/db-1:5433: DENIED" in said


@pytest.mark.parametrize(
    ("arrow", "why"),
    [
        ("shop/web -> svc/empty:80", "  Service shop/empty has no ready backend for TCP 80."),
        ("shop/web -> svc/db:81", "  Service shop/db has no port TCP 81 (it has: TCP 80)."),
    ],
)
def test_a_service_that_leads_nowhere(arrow: str, why: str) -> None:
    assert [line.partition(": ")[2] for line in _said(SERVED, arrow)[:1]] == ["NO-ENDPOINTS"]
    assert _said(SERVED, arrow)[1:] == [why]


def test_an_open_answer_says_what_would_decide_it() -> None:
    said = _said(UNKNOWN, "shop/web -> shop/db:5432")
    assert said[0] == "shop/web -> shop/db:5432: IMPLEMENTATION-DEFINED"
    assert any("pod-ip-unknown: " in line and "--pod-cidr" in line for line in said)
    assert any(line.startswith("      ? spec.ingress[0].from[0]") for line in said)


@pytest.mark.parametrize(
    ("where", "verdict", "note"),
    [(BY_BLOCK, "ALLOWED", "plugin-dependent"), (NOTED, "DENIED", "unmodelled-policy")],
    ids=["allowed", "denied"],
)
def test_a_note_is_said(where: Cluster, verdict: str, note: str) -> None:
    said = _said(where, "shop/web -> shop/db:5432")
    assert said[0].endswith(f": {verdict}")
    assert any(line.startswith(f"  note {note}: ") for line in said)


def test_several_pairs_stand_apart() -> None:
    said = _said(PLAIN, "shop/* -> shop/db:5432")
    assert [line for line in said if line.startswith("shop/")] == [
        "shop/web -> shop/db:5432: ALLOWED",
        "shop/db -> shop/db:5432: ALLOWED",
    ]
    assert said.count("─" * 60) == 1


@pytest.mark.parametrize("name", EVERY)
def test_colour_adds_styles_and_nothing_else(name: str) -> None:
    plain = _said(EVERY[name], "shop/web -> 203.0.113.9:443")
    coloured = _said(EVERY[name], "shop/web -> 203.0.113.9:443", color=True)
    assert not any(STYLES.search(line) for line in plain)
    assert any(STYLES.search(line) for line in coloured)
    assert [STYLES.sub("", line) for line in coloured] == plain


def test_the_verdict_has_a_colour() -> None:
    assert "\x1b[32mALLOWED" in _said(PLAIN, "shop/web -> shop/db:5432", color=True)[0]
    assert "\x1b[31mDENIED" in _said(PLAIN, "shop/web -> shop/db:22", color=True)[0]
    assert "\x1b[33mMIXED" in _said(MIXED, "shop/web -> shop/db:5432", color=True)[0]


def test_no_line_is_folded() -> None:
    """A path and a sentence stay on one line, so that they can be searched."""
    names = ["a" * 60 + str(number) for number in range(4)]
    where = cluster(*(pod(f"shop/{name}", f"app={name}") for name in names),
                    policy("shop/guard", ingress=[rule([f"app={name}" for name in names[1:]], 5432)]))  # fmt: skip
    said = _said(where, f"shop/{names[0]} -> shop/{names[1]}:5432")
    assert max(map(len, said)) > 200
    assert sum(line.strip().startswith("✗") for line in said) == 1
