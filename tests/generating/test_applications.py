"""Public applications, from a draft to policies: inferred, edited as a person would, generated, checked and proven."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from conftest import Run
from infer.applications import APPS, described


@dataclass(frozen=True)
class Edit:
    """What a person changes in a draft, line by line: what manifests do not say, and what they say wrongly."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()

    def of(self, draft: str) -> str:
        """*draft*, edited; every edit has to find its line."""
        for old, new in self.rename:
            assert old in draft
            draft = draft.replace(old, new)
        lines = draft.splitlines()
        for gone in self.remove:
            (found,) = [line for line in lines if line.strip().startswith(f"- {gone} ")]
            lines.remove(found)
        at = next(n for n, line in enumerate(lines) if line.startswith("  allow:"))
        lines[at : at + 1] = ["  allow:", *(f"    - {arrow}" for arrow in self.add)] if self.add else [lines[at]]
        return "\n".join(lines) + "\n"


EDITS: Final = {
    "score-demo": Edit(rename=(("{ingress-controller}", "envoy-gateway-system/[app.kubernetes.io/name=envoy]"),)),
    "k8s_guestbook": Edit(),
    "onlineboutique": Edit(),
    "bookinfo": Edit(
        add=(
            "istio-system/[istio=ingressgateway] -> default/svc/productpage:9080",
            "default/productpage-v1 -> default/details:9080",
            "default/productpage-v1 -> default/reviews:9080",
            "default/[app=reviews,version=v2] -> default/ratings:9080",
            "default/reviews-v3 -> default/ratings:9080",
        )
    ),
    "sockshop": Edit(
        add=(
            "sock-shop/front-end -> sock-shop/catalogue:80",
            "sock-shop/front-end -> sock-shop/carts:80",
            "sock-shop/front-end -> sock-shop/orders:80",
            "sock-shop/front-end -> sock-shop/user:80",
            "sock-shop/front-end -> sock-shop/session-db:6379",
            "sock-shop/orders -> sock-shop/orders-db:27017",
            "sock-shop/orders -> sock-shop/user:80",
            "sock-shop/orders -> sock-shop/payment:80",
            "sock-shop/orders -> sock-shop/shipping:80",
            "sock-shop/catalogue -> sock-shop/catalogue-db:3306",
            "sock-shop/shipping -> sock-shop/rabbitmq:5672",
            "sock-shop/queue-master -> sock-shop/rabbitmq:5672",
        ),
        remove=("sock-shop/orders -> sock-shop/carts:9090",),
    ),
}
"""Of Sock Shop and Bookinfo the programs' own source has most names, and no manifest does (``truth.yaml``)."""


@dataclass(frozen=True)
class Made:
    """What was made of one application, as paths that the command line takes."""

    inputs: tuple[str, ...]
    intents: str
    policies: str


@pytest.fixture(params=EDITS)
def made(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> tuple[str, Made]:
    """One application with its draft edited and its policies generated."""
    name = request.param
    inputs = tuple(str(APPS / name / file) for file in described()[name]["inputs"])
    drafted = run("infer", *inputs)
    assert drafted.status == 0
    intents, policies = tmp_path / "intents.yaml", tmp_path / "policies"
    intents.write_text(EDITS[name].of(drafted.out))
    generated = run("generate", str(intents), *inputs, "-o", f"{policies}/")
    assert generated.status == 0, generated.err
    return name, Made(inputs, str(intents), str(policies))


def test_every_application_is_here() -> None:
    assert set(EDITS) == set(described())


def test_nothing_is_missing_and_nothing_in_excess(made: tuple[str, Made], run: Run) -> None:
    _, one = made
    checked = run("check", one.intents, *one.inputs, one.policies)
    assert checked.status == 0
    assert "nothing in excess" in checked.out.splitlines()[0]
    assert "score: 100 % of what is possible is intended, 100 % of what is intended is possible" in checked.out


def test_what_is_open_between_workloads_is_what_is_true_of_the_application(made: tuple[str, Made], run: Run) -> None:
    name, one = made
    found = json.loads(run("matrix", *one.inputs, one.policies, "--format", "json", "-q").out)
    open_ports = {
        f"{src.partition('[')[0]} -> {dst.partition('[')[0]}:{port}"
        for src, dst, allowed in ((pair["src"], pair["dst"], pair.get("allowed", {})) for pair in found["connections"])
        if "/" in src and "/" in dst and not src.endswith("[Service]")
        for low, high in allowed.get("TCP", ())
        for port in range(low, high + 1)
    }
    assert open_ports == {arrow for arrow in described()[name]["truth"] if not arrow.startswith("in -> ")}


@pytest.mark.usefixtures("packets")
def test_packets_prove_it(made: tuple[str, Made], run: Run) -> None:
    _, one = made
    proven = run("prove", one.intents, *one.inputs, one.policies)
    assert proven.status == 0
    assert proven.out.splitlines()[-1].startswith("proven: ")
