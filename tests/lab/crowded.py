"""One small cluster in which every line of the lab's translation makes a difference; run, it is predicted and measured.

Exit status 1 when a prediction and the kernel disagree, or a flow stays unmeasured.
"""

from __future__ import annotations

import sys

from builders import cluster, namespace, node, pod, policy, port, rule, service

from lab.dialling import BARE
from ringfence.lab.plan.questions import Questions
from ringfence.lab.plan.snapshot import fix
from ringfence.lab.run.lab import Lab
from ringfence.model.cluster import Cluster
from ringfence.model.policies import PortMatch
from ringfence.workflow.compare import Predictions, compare
from ringfence.workflow.judging import Agreement


def crowded() -> Cluster:
    """Two namespaces on two nodes, in both families."""
    return cluster(
        namespace("shop", "team=a"), namespace("bank", "team=b"), namespace("bare"),
        node("n1", "172.18.0.2", "fd00:172::2"), node("n2", "172.18.0.3", "fd00:172::3"),
        pod("shop/web", "app=web,tier=front", ports=["http:8080"], ip=("10.0.0.1", "fd00::1"), node="n1"),
        pod("shop/api", "app=api,tier=back", ports=["http:8081", "http:8082/UDP", port("setup:7777", container="init")],
            ip=("10.0.0.2", "fd00::2"), node="n1"),
        pod("shop/api2", "app=api,tier=front", ports=["http:9091"], ip=("10.0.0.3", "fd00::3"), node="n2"),
        pod("shop/slow", "app=api,tier=front", ports=["http:9092"], ip=("10.0.0.4", "fd00::4"), node="n2", ready=False),
        pod("shop/odd", "app=odd,empty=", ip=("10.0.0.5", "fd00::5"), node="n2"),
        pod("shop/host", "app=web,tier=front", host_network=True, node="n2", ip=("172.18.0.3", "fd00:172::3")),
        pod("bank/web", "app=web,tier=front", ports=["http:8080"], ip=("10.0.1.1", "fd00::11"), node="n1"),
        pod("bank/teller", "app=teller,tier=back", ip=("10.0.1.2", "fd00::12"), node="n2"),
        pod("bare/web", "app=web", ip=("10.0.2.1", "fd00::21"), node="n2"),
        # Rules by port: a range, one port of one protocol, a protocol, a name.
        policy("shop/ports", selects="app=api", ingress=[
            rule(["app=odd"], (7000, 7010)), rule(["app=odd"], 6000, "UDP"), rule(["ns: team=b"], [PortMatch("SCTP")]),
            rule(["app=web", "ns: team=b pods: app=web"], "http"), rule(["app=odd"], "setup")]),
        # A second policy on one of them, and rules that are inert.
        policy("shop/more", selects="app=api;tier=back", ingress=[rule(["ns: kubernetes.io/metadata.name=bare"], 5000)],
               egress=[rule(["app=odd"])], types=["Ingress"]),
        # Out: names at each destination, no peers, and blocks of both families with something cut out.
        policy("shop/out", selects="app=web", egress=[
            rule(["app=api"], "http"), rule([], 53, "UDP"),
            rule(["10.0.1.0/24 except 10.0.1.2/32", "fd00::/120 except fd00::12/128"], 8080),
            rule(["0.0.0.0/0 except 10.0.0.0/8"], 443)]),
        # Every operator, alone in its rule.
        policy("bank/operators", selects="app=teller", ingress=[
            rule(["ns: team=a pods: empty"], 101), rule(["ns: team=a pods: !empty"], 102),
            rule(["ns: team=a pods: tier in (back)"], 103), rule(["ns: team=a pods: tier notin (back)"], 104),
            rule(["app=web"], 105), rule(["ns: team in (a)"], 106)]),
        policy("bare/deny"),
        service("shop/api", "app=api", ports=["a:80->http", "b:81->7005", "c:82->8082/UDP"]),
        service("shop/some", "app=api,tier=front", ports=["80->http"]),
        service("shop/nobody", "app=nobody", ports=[80]),
        service("shop/out", "app=odd", ports=["n:80->101"], type="NodePort"),
    )  # fmt: skip


def main() -> int:
    """Predict, measure, compare, report."""
    snapshot = fix(crowded(), BARE)
    asked = Questions(snapshot)
    (web,) = (pod for pod in snapshot.cluster.pods if pod.id == "shop/web")
    questions = [*asked.inner(), *asked.outward([web]), *asked.through_services(), *asked.through_fronts()]
    with Lab.start(snapshot) as lab:
        observations = lab.measure([probe for question in questions for probe in question.probes])
    found = list(compare(Predictions(snapshot), questions, observations))
    wrong = [one for one in found if one.agreement in (Agreement.DISAGREES, Agreement.UNMEASURED)]
    for one in wrong[:5]:
        print(f"{one.question.src} -> {one.question.dst} {one.question.protocol} {one.question.port}: {one.measured}")
    print(f"{len(found)} flows, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
