"""4xx, isolation and policyTypes: for which direction a policy is in force, and what that does."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.policies import Direction
from ringfence.query.lint.check import ERROR, WARNING, Found, check
from ringfence.query.lint.linting import Linting


@check(
    "RF402", "deny-egress-without-type", ERROR,
    title="an egress deny that denies ingress",
    wrong="A policy that is meant to deny egress has no policyTypes; with no egress rule the types become [Ingress], "
    "so it denies ingress and leaves egress open.",
    fix="write policyTypes: [Egress]",
    origin="the API's text on policyTypes; np-guard/netpol-analyzer follows the same default",
)  # fmt: skip
def deny_egress_without_type(lint: Linting) -> Iterator[Found]:
    """No policyTypes, and egress without a rule; or a name that says egress."""
    for policy in lint.policies:
        written = lint.written(policy)
        if written.get("policyTypes") or Direction.EGRESS in policy.directions or not written:
            continue
        if "egress" in written and not written["egress"]:
            severity, path = ERROR, "spec.egress"
        elif "egress" in policy.name.lower() and not policy.ingress:
            severity, path = WARNING, "metadata.name"
        else:
            continue
        yield Found(
            policy, path, "has no policyTypes and no egress rule, so it is in force for ingress alone",
            effect="nobody may come in, and everything may go out", severity=severity,
        )  # fmt: skip
