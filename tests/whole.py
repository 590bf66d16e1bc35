"""Whole clusters against the reference: every pair of pods, or a sample, at each port where an answer may change.

    python tests/whole.py --scale S              every pair of pods
    python tests/whole.py --scale M --alike      every pair, pods that are alike in all that is read taken once
    python tests/whole.py --scale L --sample 50000

Pods are alike when they agree in namespace, the labels that some selector of the input asks for, declared ports, the
host's network and the blocks their addresses lie in; it is looked up here, and the compiler must have them in one
class. Exit status 1 for any disagreement.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.reference.semantics import decide
from ringfence.manifests import load
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Flow
from ringfence.model.objects import Pod
from ringfence.model.policies import Direction
from ringfence.model.ports import MAX_PORT

ROOT = Path(__file__).parent.parent
UNUSED = 65000
Ports = frozenset[tuple[str, int]]


def dump(scale: str) -> Path:
    """The dump of a made cluster, written once."""
    path = ROOT / "bench" / "out" / scale / "cluster.json"
    if not path.exists():
        maker = str(ROOT / "bench" / "clusters.py")
        argv = [sys.executable, maker, "--scale", scale, "--out", str(path.parent), "--json"]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return path


class Whole:
    """A cluster, its compiled answer, and the ports at which answers may change, by namespace and direction."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.reach = Reachability(cluster)
        self._ports: dict[tuple[str, Direction], Ports] = {}

    def ports(self, src: Pod, dst: Pod) -> Iterator[tuple[str, int]]:
        """Every port of the pair where a rule begins or ends, or that *dst* declares, and one that nobody speaks of."""
        declared = {(port.protocol, port.number) for port in dst.ports}
        named = self._cuts(src.namespace, Direction.EGRESS) | self._cuts(dst.namespace, Direction.INGRESS)
        yield from sorted(declared | named | {("TCP", UNUSED), ("SCTP", UNUSED)})

    def _cuts(self, namespace: str, direction: Direction) -> Ports:
        found = self._ports.get((namespace, direction))
        if found is None:
            items = (
                item
                for policy in self.cluster.policies_by_namespace.get(namespace, ())
                for rule in policy.rules(direction)
                for item in rule.ports
            )
            numbers = {
                (item.protocol, number)
                for item in items
                if isinstance(item.port, int)
                for number in (item.port - 1, item.port, (item.end_port or item.port), (item.end_port or item.port) + 1)
                if 1 <= number <= MAX_PORT
            }
            found = self._ports[namespace, direction] = frozenset(numbers)
        return found

    def wrong(self, pairs: Iterable[tuple[Pod, Pod]], counts: Counter[str]) -> Iterator[str]:
        """The flows of *pairs* on which the two witnesses differ."""
        for src, dst in pairs:
            answer, notes = self.reach.answer(src, dst), set[str]()
            for protocol, port in self.ports(src, dst):
                decision = decide(self.cluster, Flow(src, dst, protocol, port), explain=False)
                counts[decision.verdict] += 1
                notes |= decision.notes
                reasons = frozenset(why for why, ports in answer.open if ports.allows(protocol, port))
                compiled = answer.verdict(protocol, port)
                if (decision.verdict, decision.reasons) != (compiled, reasons):
                    yield f"{src.id} -> {dst.id}:{port}/{protocol}: reference {decision.verdict}, compiler {compiled}"
            if notes != answer.notes:
                yield f"{src.id} -> {dst.id}: reference notes {sorted(notes)}, compiler {sorted(answer.notes)}"

    def alike(self) -> list[tuple[Pod, ...]]:
        """The pods in groups that nothing the API reads of a pod tells apart; two of each at most."""
        blocks = [block for found in self.cluster.blocks.values() for block in found]
        asked = self._asked()
        groups: dict[object, list[Pod]] = {}
        for pod in self.cluster.pods:
            inside = tuple(ip in block.addresses for block in blocks for ip in pod.ips)
            labels = tuple(sorted((key, value) for key, value in pod.labels.items() if key in asked))
            node = pod.node if pod.host_network else None
            groups.setdefault((pod.namespace, labels, pod.ports, pod.host_network, inside, node), []).append(pod)
        for pods in groups.values():
            assert len({self.reach.classes.of_party[id(pod)] for pod in pods}) == 1, pods[0].id
        return [tuple(pods[:2]) for pods in groups.values()]

    def _asked(self) -> frozenset[str]:
        """The keys of labels that a selector of pods asks for, wherever it stands."""
        selectors = [policy.subject.pods for policy in self.cluster.policies]
        selectors += [gap.pods for gap in self.cluster.gaps if gap.pods is not None]
        for policy in self.cluster.policies:
            rules = (*policy.ingress, *policy.egress)
            selectors += [peer.pods for rule in rules for peer in rule.peers if peer.pods is not None]
        return frozenset(requirement.key for selector in selectors for requirement in selector.requirements)


def _pairs(whole: Whole, args: argparse.Namespace) -> Iterator[tuple[Pod, Pod]]:
    pods = whole.cluster.pods
    if args.sample:
        rng = Random(args.seed)
        return ((rng.choice(pods), rng.choice(pods)) for _ in range(args.sample))
    if not args.alike:
        return itertools.product(pods, pods)
    groups = whole.alike()
    return ((a[0], b[0] if a is not b else b[-1]) for a in groups for b in groups)


_HELD: list[Whole] = []


def _hold(whole: Whole) -> None:
    """What every process works on; it is there already when the process begins, and is never copied."""
    _HELD.append(whole)


def _share(args: argparse.Namespace, part: int) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    (whole,) = _HELD
    pairs: Iterator[tuple[Pod, Pod]] = itertools.islice(_pairs(whole, args), part, None, args.jobs)
    if part == 0:
        pairs = _told(pairs, counts)
    return counts, list(itertools.islice(whole.wrong(pairs, counts), 20))


def _told(pairs: Iterator[tuple[Pod, Pod]], counts: Counter[str]) -> Iterator[tuple[Pod, Pod]]:
    """*pairs*, and on standard error now and then how far their comparison came."""
    for number, pair in enumerate(pairs):
        if number and number % 50_000 == 0:
            print(f"{number:,} pairs, {sum(counts.values()):,} flows", file=sys.stderr, flush=True)
        yield pair


def main() -> int:
    """Compare, and say what was compared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=("S", "M", "L", "XL"), default="S")
    parser.add_argument("--sample", type=int, default=0, help="so many pairs of pods at random")
    parser.add_argument("--alike", action="store_true", help="take pods that are alike once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    whole = Whole(load([str(dump(args.scale))]))
    whole.reach.answer(
        whole.cluster.pods[0], whole.cluster.pods[-1]
    )  # what is derived once is derived before they part
    parts = [(args, part) for part in range(args.jobs)]
    with multiprocessing.get_context("fork").Pool(args.jobs, _hold, (whole,)) as pool:
        done = pool.starmap(_share, parts)
    counts = sum((one for one, _ in done), Counter[str]())
    wrong = [line for _, lines in done for line in lines]
    for line in wrong:
        print(line)
    told = ", ".join(f"{number:,} {verdict}" for verdict, number in sorted(counts.items()))
    print(f"{args.scale}: {sum(counts.values()):,} flows compared ({told}); {len(wrong)} differ")
    return int(bool(wrong) or not counts)


if __name__ == "__main__":
    sys.exit(main())
