"""A check, case by case: what is missing, in excess, unprotected, forbidden, covered and in doubt, and the score."""

from __future__ import annotations

from builders import cluster, namespace, pod, policy, rule, workload
from wishing import allow, meant

from ringfence.model.cluster import Cluster, Gap
from ringfence.model.flows import Note
from ringfence.model.intents import Companion, Dns, Helper, Intents
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.query.check.check import check
from ringfence.query.check.result import Checked, Opening, Score, Standing
from ringfence.report.words import end_id

DENY = policy("shop/deny", ingress=[], egress=[])
WEB, DB = pod("shop/web", "app=web"), pod("shop/db", "app=db", ports=[5432])
OUT = policy("shop/web-out", selects="app=web", egress=[rule("app=db", 5432)])
IN = policy("shop/db-in", selects="app=db", ingress=[rule("app=web", 5432)])
WANTED = allow("shop/web -> shop/db:5432", protect=("shop",))


def _checked(where: Cluster, *documents: Intents) -> Checked:
    meaning = meant(where, *documents)
    assert [one for one in meaning.findings if one.severity == "error"] == []
    return check(meaning)


def _names(opening: Opening) -> tuple[str, str]:
    (src,) = opening.sources
    return str(getattr(src, "name", "outside")), str(getattr(opening.destination, "name", "outside"))


def test_just_what_is_wanted_is_clean() -> None:
    found = _checked(cluster(WEB, DB, DENY, OUT, IN), WANTED)
    assert found.clean
    assert found.score == Score(1, 1, 1, 1, 1, 1)


def test_a_rule_less_is_missing_at_that_end() -> None:
    for gone, direction in ((OUT, Direction.EGRESS), (IN, Direction.INGRESS)):
        kept = [one for one in (DENY, OUT, IN) if one is not gone]
        found = _checked(cluster(WEB, DB, *kept), WANTED)
        ((lack,),) = [one.missing for one in found.wanted]
        assert lack.denied == ConnectionSet.of(TCP=[5432])
        (shut,) = lack.shut
        assert shut.direction is direction
        assert "shop/deny" in {cause.policy for cause in shut.policies}
        assert (found.score.share, found.score.fulfilled) == (1, 0)


def test_a_port_more_is_in_excess_with_both_rules() -> None:
    wide = [policy("shop/web-out", selects="app=web", egress=[rule("app=db", (5432, 5433))]),
            policy("shop/db-in", selects="app=db", ingress=[rule("app=web", (5430, 5433))])]  # fmt: skip
    found = _checked(cluster(WEB, DB, DENY, *wide), WANTED)
    (opening,) = found.excess
    assert opening.possible == ConnectionSet.of(TCP=[5433])
    causes = [(cause.policy, cause.rule) for cause in opening.causes]
    assert causes == [("shop/web-out", "spec.egress[0].to[0]"), ("shop/db-in", "spec.ingress[0].from[0]")]
    assert found.score == Score(2, 1, 1, 1, 1, 0)
    assert found.score.share == 0.5


def test_what_touches_no_protected_namespace_is_of_no_concern() -> None:
    found = _checked(cluster(WEB, DB, DENY, OUT, IN, pod("other/a"), pod("other/b")), WANTED)
    assert found.clean


def test_a_pod_and_itself_is_never_in_excess_and_another_replica_is() -> None:
    free = policy("shop/free", selects="app=web", ingress=[rule("app=web", 80)], egress=[rule("app=web", 80)])
    document = allow(protect=("shop",))
    assert _checked(cluster(WEB, DENY, free), document).clean
    two = workload("shop/web", pod("shop/web", "app=web", template=True, replicas=2))
    (opening,) = _checked(cluster(two, DENY, free), document).excess
    assert (opening.sources, opening.possible) == ((opening.destination,), ConnectionSet.of(TCP=[80]))


def test_a_pod_and_its_own_node_is_never_in_excess_and_another_node_is() -> None:
    agent = pod("kube/agent", host_network=True, node="n1", ip="10.1.0.1")
    near, far = pod("shop/near", node="n1", ip="10.2.0.1"), pod("shop/far", node="n2", ip="10.2.0.2")
    closed = [policy("shop/deny", ingress=[], egress=[])]
    assert _checked(cluster(agent, near, *closed), allow(protect=("shop",))).clean
    assert _checked(cluster(agent, far, *closed), allow(protect=("shop",))).clean
    opened = policy("shop/open", ingress=[rule("10.1.0.1/32", 9100)])
    assert [
        _names(one) for one in _checked(cluster(agent, near, *closed, opened), allow(protect=("shop",))).excess
    ] == [("outside", "near")]
    found = _checked(cluster(agent, far, *closed, opened), allow(protect=("shop",)))
    assert {_names(one) for one in found.excess} == {("agent", "far"), ("outside", "far")}


def test_only_some_pods_of_a_workload_may_be_meant() -> None:
    one, other = pod("shop/db-0", "app=db,role=primary"), pod("shop/db-1", "app=db")
    both = workload("shop/db", one, other, kind="StatefulSet")
    document = allow("shop/web -> shop/[role=primary]:5432", protect=("shop",))
    found = _checked(cluster(WEB, both, DENY, OUT, IN), document)
    (opening,) = found.excess
    assert _names(opening) == ("web", "db-1")
    assert isinstance(opening.destination, Workload)
    assert not found.missing
    narrow = policy("shop/db-in", selects="role=primary", ingress=[rule("app=web", 5432)])
    assert _checked(cluster(WEB, both, DENY, OUT, narrow), document).clean


def test_a_protected_namespace_without_default_deny() -> None:
    found = _checked(cluster(WEB, DB, OUT, IN), WANTED)
    assert {(one.direction, tuple(w.name for w in one.workloads)) for one in found.exposed} == {
        (Direction.INGRESS, ("web",)),
        (Direction.EGRESS, ("db",)),
    }
    empty = _checked(cluster(namespace("shop")), allow(protect=("shop",)))
    assert [one.direction for one in empty.exposed] == list(Direction)
    assert _checked(cluster(namespace("shop"), DENY), allow(protect=("shop",))).clean


def test_pods_isolated_one_by_one_are_noted() -> None:
    each = [policy(f"shop/{name}", selects=f"app={name}", ingress=[], egress=[]) for name in ("web", "db")]
    found = _checked(cluster(WEB, DB, *each, OUT, IN), WANTED)
    assert found.clean
    assert [one.direction for one in found.loose] == list(Direction)


def test_pods_that_the_block_of_an_arrow_holds_are_noted_and_not_in_excess() -> None:
    web = pod("shop/web", "app=web", ip="10.0.0.1")
    other, far = pod("other/a", ip="10.9.0.1"), pod("other/b", ip="172.16.0.1")
    out = policy("shop/web-out", selects="app=web", egress=[rule("10.0.0.0/8", 443)])
    document = allow("shop/web -> 10.0.0.0/8:443", protect=("shop",))
    found = _checked(cluster(web, other, far, DENY, out), document)
    assert found.clean
    ((covered,),) = [one.pods for one in found.covered]
    assert covered.name == "a"  # type: ignore[union-attr]
    wide = policy("shop/web-out", selects="app=web", egress=[rule("0.0.0.0/0", 443)])
    found = _checked(cluster(web, other, far, DENY, wide), document)
    assert {_names(one) for one in found.excess} == {("web", "b"), ("web", "outside")}


def test_pods_that_a_forbidden_block_holds_are_noted_where_they_may_be_reached() -> None:
    """Policies tell pods from addresses: the ban is kept, and yet what it says of 10.0.0.2 is not so."""
    web, db = pod("shop/web", "app=web", ip="10.0.0.1"), pod("shop/db", "app=db", ip="10.0.0.2")
    quiet = pod("shop/quiet", "app=quiet", ip="10.0.0.3")
    out = policy("shop/web-out", selects="app=web", egress=[rule("app=db", 5432)])
    into = policy("shop/db-in", selects="app=db", ingress=[rule("app=web", 5432)])
    for ban in ("shop/* -x 10.0.0.0/8", "10.0.0.0/8 -x shop/db"):
        document = allow("shop/web -> shop/db:5432", protect=("shop",), deny=(ban,))
        found = _checked(cluster(web, db, quiet, DENY, out, into), document)
        ((noted,),) = [one.pods for one in found.covered]
        assert noted.name == ("db" if ban.startswith("shop") else "web")  # type: ignore[union-attr]
        assert (found.clean, found.broken) == (True, ())
    elsewhere = allow("shop/web -> shop/db:5432", protect=("shop",), deny=("shop/* -x 172.16.0.0/12",))
    assert _checked(cluster(web, db, quiet, DENY, out, into), elsewhere).covered == ()


def test_a_pod_without_known_address_may_lie_in_a_block() -> None:
    out = policy("shop/web-out", selects="app=web", egress=[rule("10.0.0.0/8", 443)])
    found = _checked(cluster(WEB, pod("other/a"), DENY, out), allow("shop/web -> 10.0.0.0/8:443", protect=("shop",)))
    assert (found.clean, len(found.covered)) == (True, 1)


def test_the_metadata_address_is_cut_out_of_a_block_and_forbidden() -> None:
    document = allow("shop/web -> 0.0.0.0/0:80", protect=("shop",), companions=(Companion(Helper.CLOUD_METADATA),))
    cut = policy("shop/web-out", selects="app=web", egress=[rule("0.0.0.0/0 except 169.254.169.254/32", 80)])
    found = _checked(cluster(WEB, DENY, cut), document)
    assert (found.clean, [one.standing for one in found.forbidden]) == (True, [Standing.KEPT])
    whole = policy("shop/web-out", selects="app=web", egress=[rule("0.0.0.0/0", 80)])
    found = _checked(cluster(WEB, DENY, whole), document)
    ((opening,),) = [one.openings for one in found.forbidden]
    assert opening.possible == ConnectionSet.of(TCP=[80])
    assert [end_id(one.destination) for one in found.excess] == ["169.254.169.254-169.254.169.254[External]"]


def test_a_ban_among_the_pods_of_a_namespace_is_not_about_a_pod_and_itself() -> None:
    document = allow(protect=("shop",), deny=("shop/* -x shop/*",))
    assert _checked(cluster(WEB, DB, DENY), document).clean
    found = _checked(cluster(WEB, DB, DENY, OUT, IN), document)
    assert [_names(opening) for one in found.forbidden for opening in one.openings] == [("web", "db")]


def test_a_note_that_could_hide_an_allow_fails_the_ban_and_is_told_once() -> None:
    gap = Gap(Note.UNMODELLED_POLICY, "CiliumNetworkPolicy shop/more", "shop")
    found = _checked(cluster(WEB, DB, DENY, gap), allow(protect=("shop",), deny=("shop/web -x shop/db:5432",)))
    assert [one.standing for one in found.forbidden] == [Standing.UNSURE]
    assert [(one.note, one.what) for one in found.doubts] == [(gap.note, gap.what)]
    assert not found.clean


def test_a_note_that_could_hide_a_denial_makes_the_arrow_unsure() -> None:
    gap = Gap(Note.INCOMPLETE_INPUT, "NetworkPolicy shop/broken", "shop")
    found = _checked(cluster(WEB, DB, DENY, OUT, IN, gap), WANTED)
    assert [one.standing for one in found.wanted] == [Standing.UNSURE]


def test_a_gap_elsewhere_is_a_doubt_only_where_it_could_open_something() -> None:
    gap = Gap(Note.UNMODELLED_POLICY, "CiliumNetworkPolicy other/more", "other")
    others = (pod("other/a", "app=a"), policy("other/deny", ingress=[], egress=[]))
    assert _checked(cluster(WEB, DB, DENY, OUT, IN, *others, gap), WANTED).clean
    admits = policy("shop/admits", selects="app=web", ingress=[rule("ns: kubernetes.io/metadata.name=other", 80)])
    found = _checked(cluster(WEB, DB, DENY, OUT, IN, admits, *others, gap), WANTED)
    assert not found.excess
    assert [one.what for one in found.doubts] == [gap.what]


def test_a_namespace_without_an_object_whose_labels_are_asked_for_is_a_doubt() -> None:
    asks = policy("shop/asks", selects="app=web", ingress=[rule("ns: team=a", 80)])
    found = _checked(cluster(WEB, DB, DENY, OUT, IN, asks, pod("other/a"), namespace("shop")), WANTED)
    assert [one.note for one in found.doubts] == [Note.NAMESPACE_INVENTED]
    assert "other" in found.doubts[0].what


def test_the_dns_is_missing_without_its_rule() -> None:
    dns = pod("kube-system/coredns", "k8s-app=kube-dns", ports=["dns:53/UDP"])
    document = allow("shop/web -> shop/db:5432", protect=("shop",), dns=Dns.TIGHT)
    found = _checked(cluster(WEB, DB, DENY, OUT, IN, dns), document)
    ((one,),) = [[one for one in found.wanted if one.missing]]
    assert {lack.denied for lack in one.missing} == {ConnectionSet.of(TCP=[53], UDP=[53])}
