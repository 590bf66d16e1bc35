"""Small clusters whose answers a reader can work out by hand, one for each thing that a report has to say."""

from __future__ import annotations

from typing import Final

from builders import cluster, namespace, pod, policy, rule, service, workload

from ringfence.model.cluster import Cluster, Gap
from ringfence.model.flows import Note

SHOP: Final = namespace("shop")
WEB: Final = pod("shop/web", "app=web")
DB: Final = pod("shop/db", "app=db")

PLAIN: Final = cluster(SHOP, WEB, DB, policy("shop/guard", selects="app=db", ingress=[rule("app=web", 5432)]))
"""The database takes web on 5432 and nobody else."""

CLOSED: Final = cluster(SHOP, WEB, DB, policy("shop/deny", ingress=[], egress=[]))
"""Nothing in, nothing out: every pair is denied at both ends."""

MIXED: Final = cluster(
    SHOP,
    workload("shop/web", pod("shop/web-0", "app=web,track=new"), pod("shop/web-1", "app=web"), kind="ReplicaSet"),
    DB,
    policy("shop/guard", selects="app=db", ingress=[rule("track=new", 5432)]),
)
"""One of web's two pods wears the label that the database asks for."""

UNKNOWN: Final = cluster(SHOP, WEB, DB, policy("shop/guard", selects="app=db", ingress=[rule("10.0.0.0/8", 5432)]))
"""A block that may hold web, whose address is not in the input (S55)."""

BY_BLOCK: Final = cluster(
    SHOP,
    pod("shop/web", "app=web", ip="10.1.0.1"),
    pod("shop/db", "app=db", ip="10.1.0.2"),
    policy("shop/guard", selects="app=db", ingress=[rule("10.0.0.0/8", 5432)]),
)
"""A block that does hold web (S54)."""

NOTED: Final = cluster(SHOP, WEB, DB, policy("shop/deny", selects="app=db", ingress=[]),
                       Gap(Note.UNMODELLED_POLICY, "CiliumNetworkPolicy x", "shop"))  # fmt: skip
"""Beside the policy stands one of a kind that is not modelled."""

SERVED: Final = cluster(
    SHOP,
    WEB,
    pod("shop/db-0", "app=db", ports=["sql:5432"]),
    pod("shop/db-1", "app=db", ports=["sql:5433"]),
    service("shop/db", "app=db", ports=["80->sql"]),
    service("shop/empty", "app=nothing", ports=[80]),
    policy("shop/guard", selects="app=db", ingress=[rule("app=web", 5432)]),
)
"""A Service whose target port has another number at each backend; the policy names one of them (S62, S75)."""

EVERY: Final[dict[str, Cluster]] = {
    "plain": PLAIN, "closed": CLOSED, "mixed": MIXED, "unknown": UNKNOWN, "by-block": BY_BLOCK, "noted": NOTED,
    "served": SERVED,
}  # fmt: skip
