"""Public applications with generated policies: inferred, edited as a person would, generated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

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


def make(name: str, run: Run, folder: Path) -> Made:
    """The application *name* with its draft edited and its policies generated, both in *folder*."""
    inputs = tuple(str(APPS / name / file) for file in described()[name]["inputs"])
    drafted = run("infer", *inputs)
    assert drafted.status == 0
    intents, policies = folder / "intents.yaml", folder / "policies"
    intents.write_text(EDITS[name].of(drafted.out))
    generated = run("generate", str(intents), *inputs, "-o", f"{policies}/")
    assert generated.status == 0, generated.err
    return Made(inputs, str(intents), str(policies))
