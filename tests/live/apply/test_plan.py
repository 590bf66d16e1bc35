"""The order of steps, case by case."""

from __future__ import annotations

from collections.abc import Sequence

from builders import policy, rule

from live.apply.transitions import RUN, changes
from ringfence.live.apply.plan import Around, plan
from ringfence.live.apply.steps import Change, Object
from ringfence.live.server.resources import Resource
from ringfence.model.policies import Policy

TMP = f"ringfence-tmp-{RUN}-1"
DENY = policy("shop/deny", types=["Ingress", "Egress"])
WEB = policy("shop/web", selects="app=web", ingress=[rule(ports=80)])
DB = policy("shop/db", selects="app=db", ingress=[rule("app=web", 5432)])
CILIUM = Resource("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy")


def _steps(before: Sequence[Policy], after: Sequence[Policy], **around: object) -> list[str]:
    kept = [one for one in before if one in after]
    made = plan(changes(before, after), Around(kept, **around), RUN)  # type: ignore[arg-type]
    return [f"{one} ({one.why})" if one.why else str(one) for one in made.steps]


def test_nothing_to_change_is_no_step() -> None:
    assert _steps([DENY, WEB], [WEB, DENY]) == []


def test_one_new_policy_is_one_step() -> None:
    assert _steps([], [WEB]) == ["create NetworkPolicy shop/web"]


def test_one_changed_policy_is_one_step() -> None:
    changed = policy("shop/web", selects="app=web", ingress=[rule(ports=81)], egress=[])
    assert _steps([WEB, DB], [changed, DB]) == ["update NetworkPolicy shop/web"]


def test_one_deleted_policy_is_one_step() -> None:
    assert _steps([WEB, DB], [DB]) == ["delete NetworkPolicy shop/web"]


def test_policies_that_share_no_pod_need_nothing_beside_them() -> None:
    assert _steps([], [WEB, DB]) == ["create NetworkPolicy shop/db", "create NetworkPolicy shop/web"]


def test_pods_that_two_new_policies_isolate_are_open_until_both_are_there() -> None:
    assert _steps([], [DENY, WEB]) == [
        f"create temporary NetworkPolicy shop/{TMP} (allows ingress of pods that are not isolated yet)",
        "create NetworkPolicy shop/deny",
        "create NetworkPolicy shop/web",
        f"delete temporary NetworkPolicy shop/{TMP} (allows ingress of pods that are not isolated yet)",
    ]


def test_pods_that_are_isolated_already_are_never_opened() -> None:
    made = plan(changes([DB], [DENY, WEB, DB]), Around([DB]), RUN)
    (opening,) = [one for one in made.steps if one.temporary and one.will]
    assert opening.will is not None
    assert str(opening.will.subject.pods) == "app notin (db)"
    assert opening.after is not None
    assert opening.after["spec"] == {
        "podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]},
        "policyTypes": ["Ingress"],
        "ingress": [{}],
    }


def test_pods_that_are_never_isolated_are_left_as_they_are() -> None:
    more = policy("shop/web-2", selects="app=web", ingress=[rule(ports=81)])
    made = plan(changes([], [WEB, more, DB]), Around(), RUN)
    (opening,) = [one.will for one in made.steps if one.temporary and one.will]
    assert str(opening.subject.pods) == "app=web"


def test_pods_that_are_isolated_by_a_policy_for_all_of_them_need_no_opening() -> None:
    assert _steps([DENY], [DENY, WEB, DB]) == ["create NetworkPolicy shop/db", "create NetworkPolicy shop/web"]


def test_pods_that_lose_two_policies_are_open_until_both_are_gone() -> None:
    assert _steps([DENY, WEB], []) == [
        f"create temporary NetworkPolicy shop/{TMP} (allows ingress of pods that are not isolated any more)",
        "delete NetworkPolicy shop/web",
        "delete NetworkPolicy shop/deny",
        f"delete temporary NetworkPolicy shop/{TMP} (allows ingress of pods that are not isolated any more)",
    ]


def test_what_moves_from_one_changed_policy_to_another_is_held_by_a_copy() -> None:
    old = [policy("shop/a", ingress=[rule(ports=80)]), policy("shop/b", ingress=[rule(ports=81)])]
    new = [policy("shop/a", ingress=[rule(ports=81)]), policy("shop/b", ingress=[rule(ports=80)])]
    assert _steps(old, new) == [
        f"create temporary NetworkPolicy shop/{TMP} (holds what b will say)",
        "update NetworkPolicy shop/a",
        "update NetworkPolicy shop/b",
        f"delete temporary NetworkPolicy shop/{TMP} (holds what b will say)",
    ]


def test_nothing_is_opened_where_other_policies_may_isolate_and_it_is_told() -> None:
    for opaque in ("shop", None):
        made = plan(changes([], [DENY, WEB]), Around(opaque={opaque}), RUN)
        assert [str(one) for one in made.steps] == ["create NetworkPolicy shop/deny", "create NetworkPolicy shop/web"]
        (note,) = made.notes
        assert note == (
            "namespace shop: policies of other kinds may isolate pods here, so nothing is opened for the time of "
            "applying; ingress of pods that several policies isolate or set free may stop between the first step and "
            "the last"
        )


def test_policies_of_other_kinds_come_before_and_go_behind() -> None:
    helper = Object(CILIUM, "shop", "names")
    body = {"metadata": {"name": "names"}}
    made = plan([*changes([], [WEB]), Change(helper, None, body)], Around(), RUN)
    assert [str(one) for one in made.steps if not one.temporary] == [
        "create CiliumNetworkPolicy shop/names",
        "create NetworkPolicy shop/web",
    ]
    made = plan([*changes([WEB], []), Change(helper, body, None)], Around(opaque={"shop"}), RUN)
    assert [str(one) for one in made.steps] == [
        "delete NetworkPolicy shop/web",
        "delete CiliumNetworkPolicy shop/names",
    ]


def test_where_selectors_are_too_many_the_pods_that_are_there_are_covered() -> None:
    many = [policy(f"shop/p{n}", selects=f"a{n}=x;b{n}=y", ingress=[rule(ports=80)]) for n in range(40)]
    made = plan(changes(many, [*many, DENY, WEB]), Around(many, worn=lambda _: [{"app": "web"}]), RUN)
    opening = [one.will for one in made.steps if one.temporary and one.will]
    assert len(opening) == 1
    assert all(
        str(one) == f"a{n} notin (x)"
        for one, n in zip(opening[0].subject.pods.requirements, sorted(range(40), key=str), strict=True)
    )
    assert "too many" in made.notes[0]
