"""Planted faults: one line of the lab's translation made wrong, and measurement must part from prediction.

Each fault is put into a copy of the source, and a cluster in which every line matters is measured with it. That must
end with disagreements, and not with a crash. Without a fault the same run is clean.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from conftest import ROOT
from planting import Fault, planted

pytestmark = pytest.mark.usefixtures("packets")

POLICIES: Final = [
    Fault(
        "inert-rules-in-force",  # S38
        "policies.py",
        "if direction not in policy.directions:",
        "if direction not in policy.directions and not policy.rules(direction):",
    ),
    Fault(
        "last-policy-wins",  # S36
        "policies.py",
        "isolating.setdefault(id(pod), []).append(number)",
        "isolating[id(pod)] = [number]",
    ),
    Fault(
        "no-default-denial",  # S35
        "policies.py",
        'self._rule(chain, f"{log} {end}")',
        'self._rule(chain, f"{log} accept")',
    ),
    Fault(
        "egress-is-the-last-question",  # S37
        "policies.py",
        'return f"goto {self._name(Direction.INGRESS)}" if direction is Direction.EGRESS else "accept"',
        'return "accept"',
    ),
    Fault(
        "range-off-by-one",  # S60
        "policies.py",
        'return f"{word} dport {item.port}-{item.end_port}"',
        'return f"{word} dport {item.port}-{item.end_port - 1}"',
    ),
    Fault(
        "end-port-ignored",
        "policies.py",
        "if item.end_port is not None and item.end_port != item.port:",
        "if item.end_port is not None and item.end_port == item.port:",
    ),
    Fault(
        "protocol-ignored",  # S61
        "policies.py",
        'return f"{word} dport {item.port}"',
        'return f"meta l4proto {{ tcp, udp, sctp }} th dport {item.port}"',
    ),
    Fault(
        "no-port-means-every-protocol",  # S59
        "policies.py",
        'return f"meta l4proto {word}"  # S59: every port of this protocol, and of no other',
        'return ""',
    ),
    Fault(
        "except-dropped",  # S52
        "policies.py",
        'yield family, f"{inside} {word} != @{self._cut(family, cut)}" if cut else inside',
        "yield family, inside",
    ),
    Fault(
        "no-peers-is-nobody",  # S46
        "policies.py",
        "if not rule.peers:  # S46: everybody, outside addresses too",
        "if rule.peers is None:",
    ),
    Fault(
        "named-port-at-the-wrong-end",  # S62
        "policies.py",
        "at = subjects if direction is Direction.INGRESS else self.selection.every_pod()",
        "at = subjects if direction is Direction.EGRESS else self.selection.every_pod()",
    ),
    Fault(
        "named-port-of-the-first-pod",
        "policies.py",
        "found = tuple(sorted(items))  # the addresses tell the family",
        "found = tuple(sorted(items)[:1])",
    ),
    Fault(
        "own-node-rule-dropped",  # S71
        "policies.py",
        'pairs += [f"{a} . {b}" for a in own for b in addresses]',
        "pairs += []",
    ),
    Fault(
        "every-node-is-the-own-one",
        "policies.py",
        "own = [ip for ip in nodes[host.node].addresses if ip.family == family]",
        "own = [ip for node in nodes.values() for ip in node.addresses if ip.family == family]",
    ),
    Fault(
        "second-family-forgotten",  # S53
        "policies.py",
        'verdicts[ip.family].append(f"{ip} : goto {chain}")',
        'verdicts[ip.family] += [f"{ip} : goto {chain}"] if ip.family == 4 else []',
    ),
    Fault(
        "ports-ored-with-peers",  # S41
        "policies.py",
        'yield f"{peer} {port}".strip()',
        "yield port or peer",
    ),
]
SELECTION: Final = [
    Fault("exists-turned-round", "selection.py", "return value is None", "return value is not None"),
    Fault(
        "in-without-the-key",  # S50
        "selection.py",
        "return value is None or value not in requirement.values",
        "return value is not None and value not in requirement.values",
    ),
    Fault(
        "notin-needs-the-key",  # S50
        "selection.py",
        "return value is not None and value in requirement.values",
        "return value is None or value in requirement.values",
    ),
    Fault(
        "requirements-ored",  # S49
        "selection.py",
        "return not any(_fails(labels.get(requirement.key), requirement) for requirement in selector.requirements)",
        "return not selector.requirements or not all(_fails(labels.get(r.key), r) for r in selector.requirements)",
    ),
    Fault(
        "selectors-ored",  # S47
        "selection.py",
        "if peer.pods is None or wears(pod.labels, peer.pods):",
        "if peer.pods is None or peer.namespaces is not None or wears(pod.labels, peer.pods):",
    ),
    Fault(
        "peer-of-every-namespace",  # S47
        "selection.py",
        'spaces: Sequence[str] = [policy.namespace or ""]',
        "spaces: Sequence[str] = list(self.by_namespace)",
    ),
    Fault("pods-of-a-node-selected", "selection.py", "if not pod.host_network:", "if pod.ips:"),  # S73
    Fault(
        "init-containers-counted",  # S65
        "selection.py",
        'if port.name == name and port.protocol == protocol and port.container in ("main", "restartable-init")',
        "if port.name == name and port.protocol == protocol",
    ),
    Fault(
        "namespace-without-its-name",  # S24
        "selection.py",
        'return own | {"kubernetes.io/metadata.name": name}',
        "return {}",
    ),
]
SERVICES: Final = [
    Fault(
        "first-backend-only",
        "services.py",
        "for number, backend in enumerate(backends[:MOST_BACKENDS], 1):",
        "for number, backend in enumerate(backends[:1] * len(backends), 1):",
    ),
    Fault(
        "backends-past-the-first-unknown",
        "services.py",
        "return list(found)",
        "return list(found)[:1]",
    ),
    Fault("port-for-target-port", "services.py", "return entry.target", "return entry.port"),  # S75
    Fault(
        "unready-backends",  # S76
        "services.py",
        "if same and (pod.ready or service.publish_not_ready):",
        "if same:",
    ),
    Fault(
        "one-label-is-enough",
        "services.py",
        "same = pod.namespace == service.namespace and wanted <= set(pod.labels.items())",
        "same = pod.namespace == service.namespace and bool(wanted & set(pod.labels.items()))",
    ),
    Fault(
        "no-refusal-without-endpoints",
        "services.py",
        "own = {str(a) for s in snapshot.cluster.services if not s.headless for a in addresses_of(s)}",
        "own: set[str] = set()",
    ),
    Fault(
        "first-port-only",
        "services.py",
        "return [front for service in snapshot.cluster.services for entry in service.ports",
        "return [front for service in snapshot.cluster.services for entry in service.ports[:1]",
    ),
]
FAULTS: Final = [*POLICIES, *SELECTION, *SERVICES]


def _run(source: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", str(ROOT / "tests" / "lab" / "crowded.py")],
        env={"PYTHONPATH": f"{source}:{ROOT / 'tests'}", "PYTHONHASHSEED": "0", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_there_are_ten_and_more() -> None:
    assert len(FAULTS) >= 30
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_without_a_fault_the_run_is_clean() -> None:
    done = _run(ROOT / "src")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.file[:-3]}-{fault.name}")
def test_a_fault_is_seen(fault: Fault, tmp_path: Path) -> None:
    done = _run(planted(fault, "lab/plan", tmp_path))
    assert done.returncode == 1, f"not seen: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    assert " 0 wrong" not in done.stdout
