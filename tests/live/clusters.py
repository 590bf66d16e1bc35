"""Clusters to put into the fake API server, as objects."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from fakeapi import FakeApi, kind

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = "gateway.networking.k8s.io"


@cache
def _made(namespaces: int) -> str:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        words = ["--namespaces", str(namespaces), "--workloads", "4", "--replicas", "2", "--policies", "6"]
        subprocess.run(
            [sys.executable, str(ROOT / "bench" / "clusters.py"), *words, "--out", folder, "--json"], check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return Path(folder, "cluster.json").read_text()


def made(namespaces: int = 6) -> list[dict[str, Any]]:
    """A cluster of live pods with all that a server writes into them; each object stands once."""
    found = {}
    for one in json.loads(_made(namespaces))["items"]:
        metadata = one["metadata"]
        found[one["kind"], metadata.get("namespace", ""), metadata["name"]] = one
    return list(found.values())


def manifests(folder: str) -> list[dict[str, Any]]:
    """The objects of a folder of manifests that a server has."""
    found = [one for path in sorted((ROOT / folder).glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]
    return [one for one in found if one and one["kind"] not in ("Intents", "Kustomization")]


def add_kinds(api: FakeApi) -> None:
    """Kinds that some servers have."""
    api.kinds.add(
        kind(f"{GATEWAY}/v1", "gateways", "Gateway"),
        kind(f"{GATEWAY}/v1", "httproutes", "HTTPRoute"),
        kind(f"{GATEWAY}/v1beta1", "referencegrants", "ReferenceGrant"),
        kind("cilium.io/v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy"),
        kind("cilium.io/v2", "ciliumnodes", "CiliumNode", namespaced=False),
        kind("policy.networking.k8s.io/v1alpha1", "adminnetworkpolicies", "AdminNetworkPolicy", namespaced=False),
        kind("example.com/v1", "hostfirewalls", "HostFirewall", namespaced=False),
        kind("example.com/v1", "widgets", "Widget"),
    )


def dump(objects: list[dict[str, Any]], path: Path) -> str:
    """*objects* in a file, as kubectl prints them."""
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, separators=(",", ":")))
    return str(path)
