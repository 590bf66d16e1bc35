"""Deterministic generator of synthetic Kubernetes clusters, for measuring.

    clusters.py --scale S --out DIR [--json] [--yaml] [--yaml-files] [--pods full|slim]
    clusters.py --namespaces 20 --workloads 8 --replicas 4 --policies 9 --out DIR --json

Output (whichever asked for):
    DIR/cluster.json            one `kubectl get ... -o json` style v1 List
    DIR/pods.json ...           the same objects, one List per kind
    DIR/cluster.yaml            one multi-document file
    DIR/files/<kind>/<ns>/<name>.yaml   one file per object
Shape: every cluster has kube-system (kube-dns), monitoring (prometheus) and ingress-nginx; other
namespaces belong to a team and an env, hold `workloads` workloads (Deployments, some StatefulSets
with a per-pod label, a few hostNetwork ones, some finished Job pods) of about `replicas` pods, and
`policies` policies: default-deny (most namespaces), allow-dns, then per-app rules of many shapes.
The same arguments and seed always give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
from dataclasses import dataclass
from typing import Iterator


def dumps(o) -> bytes:
    """JSON without blanks."""
    return json.dumps(o, separators=(",", ":")).encode()


SCALES = {  # namespaces, workloads per ns, replicas per workload, policies per ns
    "S": (10, 10, 3, 6),
    "M": (100, 10, 5, 10),
    "L": (1000, 10, 5, 8),
    "XL": (5000, 6, 5, 8),
}
APPS = [
    "web",
    "api",
    "auth",
    "cart",
    "orders",
    "billing",
    "search",
    "worker",
    "cache",
    "db",
    "queue",
    "gateway",
    "catalog",
    "email",
    "audit",
    "reports",
    "users",
    "images",
    "feed",
    "sessions",
]
TIER = {"web": "frontend", "gateway": "frontend", "db": "data", "cache": "data", "queue": "data"}
PORTS = {"db": ("sql", 5432), "cache": ("redis", 6379), "queue": ("amqp", 5672)}
ENVS = ["prod", "staging", "dev"]


@dataclass
class Config:
    namespaces: int
    workloads: int
    replicas: int
    policies: int
    seed: int = 1
    full: bool = True
    pod_labels: bool = True  # StatefulSet pods carry their per-pod labels


def h(n: int, *parts) -> str:
    return hashlib.md5("/".join(map(str, parts)).encode()).hexdigest()[:n]


def uid(*parts) -> str:
    d = h(32, *parts)
    return f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}"


class Cluster:
    def __init__(self, cfg: Config):
        self.cfg, self.rng = cfg, random.Random(cfg.seed)
        self.teams = max(3, cfg.namespaces // 8)
        self.ip = 0  # pods numbered so far, for their addresses
        self.ns: list[tuple[str, dict]] = []
        system = ["kube-system", "monitoring", "ingress-nginx"]
        for n in system[: max(0, cfg.namespaces - 1)]:
            self.ns.append((n, {"kubernetes.io/metadata.name": n, "purpose": "platform"}))
        for i in range(len(self.ns), cfg.namespaces):
            t, e = f"team-{i % self.teams}", ENVS[self.rng.choices(range(3), (5, 3, 2))[0]]
            n = f"{t}-{e}-{i}"
            lab = {"kubernetes.io/metadata.name": n, "team": t, "env": e}
            if self.rng.random() < 0.15:
                lab["pci"] = "true"
            self.ns.append((n, lab))
        self.apps: dict[str, list[dict]] = {n: self._workloads(n) for n, _ in self.ns}

    # -- workloads ---------------------------------------------------------
    def _workloads(self, ns: str) -> list[dict]:
        r, k = self.rng, self.cfg.workloads
        fixed = {
            "kube-system": [
                (
                    "kube-dns",
                    {"k8s-app": "kube-dns"},
                    [("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"), ("metrics", 9153, "TCP")],
                )
            ],
            "monitoring": [("prometheus", {"app.kubernetes.io/name": "prometheus"}, [("web", 9090, "TCP")])],
            "ingress-nginx": [
                (
                    "controller",
                    {"app.kubernetes.io/name": "ingress-nginx"},
                    [("http", 80, "TCP"), ("https", 443, "TCP")],
                )
            ],
        }
        out = []
        for i in range(k):
            if i == 0 and ns in fixed:
                name, labels, ports = fixed[ns][0]
                out.append(dict(name=name, labels=labels, ports=ports, kind="Deployment", host=False))
                continue
            app = APPS[i % len(APPS)] if i < len(APPS) else f"{APPS[i % len(APPS)]}-{i // len(APPS)}"
            base = app.split("-")[0]
            pname, pnum = PORTS.get(base, ("http", r.choice((8080, 8080, 8000, 3000, 9000))))
            labels = {
                "app": app,
                "app.kubernetes.io/name": app,
                "app.kubernetes.io/part-of": ns.rsplit("-", 1)[0],
                "tier": TIER.get(base, "backend"),
                "version": f"v{r.randint(1, 4)}",
            }
            if r.random() < 0.2:
                labels["egress"] = "internet"
            out.append(
                dict(
                    name=app,
                    labels=labels,
                    host=r.random() < 0.01,
                    job=r.random() < 0.03,
                    kind="StatefulSet" if base in PORTS else "Deployment",
                    ports=[(pname, pnum, "TCP"), ("metrics", r.choice((9102, 9102, 9100)), "TCP")],
                )
            )
        return out

    def namespaces(self) -> Iterator[dict]:
        for n, lab in self.ns:
            yield {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": n,
                    "uid": uid("ns", n),
                    "creationTimestamp": "2026-01-01T00:00:00Z",
                    "labels": lab,
                },
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            }

    def pods(self) -> Iterator[dict]:
        for ns, _ in self.ns:
            for w in self.apps[ns]:
                for i in range(self._reps(ns, w)):
                    yield self._pod(ns, w, i)

    def workloads(self) -> Iterator[dict]:
        """The same cluster as manifests: Deployments and StatefulSets with replicas."""
        for ns, _ in self.ns:
            for w in self.apps[ns]:
                ports = [{"name": p, "containerPort": n, "protocol": proto} for p, n, proto in w["ports"]]
                spec = {
                    "containers": [
                        {"name": w["name"], "image": f"registry.example.com/{w['name']}:1.2.3", "ports": ports}
                    ]
                }
                if w.get("host"):
                    spec["hostNetwork"] = True
                yield {
                    "apiVersion": "apps/v1",
                    "kind": w["kind"],
                    "metadata": {"name": w["name"], "namespace": ns, "labels": w["labels"]},
                    "spec": {
                        "replicas": self._reps(ns, w),
                        "selector": {"matchLabels": w["labels"]},
                        "template": {"metadata": {"labels": w["labels"]}, "spec": spec},
                    },
                }

    def _reps(self, ns: str, w: dict) -> int:
        rep = self.cfg.replicas  # 1..2*rep-1, mean rep, a pure function of the name
        return 1 + int(h(8, self.cfg.seed, ns, w["name"]), 16) % (2 * rep - 1)

    def _pod(self, ns: str, w: dict, i: int) -> dict:
        self.ip += 1
        a = self.ip
        ip = f"10.{128 + (a >> 16)}.{(a >> 8) & 255}.{a & 255}"
        node = f"node-{a // 30}"
        host_ip = f"172.{16 + (a // 30 >> 16)}.{(a // 30 >> 8) & 255}.{a // 30 & 255}"
        labels = dict(w["labels"])
        tmpl = h(10, ns, w["name"])
        if w["kind"] == "StatefulSet":
            name = f"{w['name']}-{i}"
            if self.cfg.pod_labels:
                labels |= {
                    "statefulset.kubernetes.io/pod-name": name,
                    "apps.kubernetes.io/pod-index": str(i),
                    "controller-revision-hash": f"{w['name']}-{tmpl}",
                }
            owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": w["name"]}
        else:
            name = f"{w['name']}-{tmpl}-{h(5, ns, w['name'], i)}"
            labels["pod-template-hash"] = tmpl
            owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{w['name']}-{tmpl}"}
        owner |= {"uid": uid("o", ns, w["name"]), "controller": True, "blockOwnerDeletion": True}
        if w.get("host"):
            ip = host_ip
        ports = [{"name": p, "containerPort": n, "protocol": proto} for p, n, proto in w["ports"]]
        done = bool(w.get("job") and i == 0)
        meta = {"name": name, "namespace": ns, "labels": labels, "ownerReferences": [owner]}
        if not self.cfg.full:
            spec = {
                "containers": [{"name": w["name"], "image": f"registry.example.com/{w['name']}:1.2.3", "ports": ports}]
            }
            if w.get("host"):
                spec["hostNetwork"] = True
            return {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": meta,
                "spec": spec,
                "status": {
                    "phase": "Succeeded" if done else "Running",
                    "hostIP": host_ip,
                    "podIP": ip,
                    "podIPs": [{"ip": ip}],
                },
            }
        u, t = uid("p", ns, name), "2026-06-01T08:00:00Z"
        meta |= {
            "generateName": f"{w['name']}-{tmpl}-",
            "uid": u,
            "resourceVersion": str(10_000_000 + a),
            "creationTimestamp": t,
            "annotations": {
                "kubectl.kubernetes.io/restartedAt": t,
                "prometheus.io/scrape": "true",
                "checksum/config": h(32, ns, w["name"], "cfg") * 2,
            },
        }
        sa = {
            "name": f"kube-api-access-{h(5, name)}",
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            "readOnly": True,
        }
        probe = {
            "httpGet": {"path": "/healthz", "port": w["ports"][0][0], "scheme": "HTTP"},
            "periodSeconds": 10,
            "timeoutSeconds": 1,
            "successThreshold": 1,
            "failureThreshold": 3,
        }
        spec = {
            "volumes": [
                {"name": "config", "configMap": {"name": f"{w['name']}-config", "defaultMode": 420}},
                {
                    "name": sa["name"],
                    "projected": {
                        "defaultMode": 420,
                        "sources": [
                            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                            {
                                "downwardAPI": {
                                    "items": [
                                        {
                                            "path": "namespace",
                                            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                                        }
                                    ]
                                }
                            },
                        ],
                    },
                },
            ],
            "containers": [
                {
                    "name": w["name"],
                    "image": f"registry.example.com/{ns}/{w['name']}:1.2.3@sha256:{h(32, w['name']) * 2}",
                    "ports": ports,
                    "env": [{"name": f"APP_SETTING_{j}", "value": h(12, ns, w["name"], j)} for j in range(8)]
                    + [
                        {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}
                    ],
                    "resources": {
                        "limits": {"cpu": "1", "memory": "512Mi"},
                        "requests": {"cpu": "100m", "memory": "256Mi"},
                    },
                    "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}, sa],
                    "livenessProbe": probe,
                    "readinessProbe": probe,
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "imagePullPolicy": "IfNotPresent",
                    "securityContext": {
                        "capabilities": {"drop": ["ALL"]},
                        "allowPrivilegeEscalation": False,
                        "runAsNonRoot": True,
                    },
                }
            ],
            "restartPolicy": "Never" if done else "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": w["name"],
            "serviceAccount": w["name"],
            "nodeName": node,
            "securityContext": {},
            "schedulerName": "default-scheduler",
            "priority": 0,
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
            "tolerations": [
                {
                    "key": f"node.kubernetes.io/{k}",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 300,
                }
                for k in ("not-ready", "unreachable")
            ],
        }
        if w.get("host"):
            spec["hostNetwork"] = True
        status = {
            "phase": "Succeeded" if done else "Running",
            "conditions": [
                {"type": c, "status": "True", "lastProbeTime": None, "lastTransitionTime": t}
                for c in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "hostIP": host_ip,
            "hostIPs": [{"ip": host_ip}],
            "podIP": ip,
            "podIPs": [{"ip": ip}],
            "startTime": t,
            "qosClass": "Burstable",
            "containerStatuses": [
                {
                    "name": w["name"],
                    "state": {"running": {"startedAt": t}},
                    "lastState": {},
                    "ready": True,
                    "restartCount": 0,
                    "image": spec["containers"][0]["image"],
                    "started": True,
                    "imageID": f"registry.example.com/{w['name']}@sha256:{h(32, w['name']) * 2}",
                    "containerID": f"containerd://{h(32, name) * 2}",
                }
            ],
        }
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}

    # -- policies ----------------------------------------------------------
    def policies(self) -> Iterator[dict]:
        r = random.Random(self.cfg.seed + 2)
        for idx, (ns, nslab) in enumerate(self.ns):
            specs: list[tuple[str, dict]] = []
            mode = r.random()
            deny_in = deny_out = False  # open namespace: only app rules
            if ns != "kube-system" and mode < 0.92:
                deny_in, deny_out = True, mode < 0.72
                types = ["Ingress", "Egress"] if deny_out else ["Ingress"]
                specs.append(
                    (
                        "default-deny-all" if deny_out else "default-deny-ingress",
                        {"podSelector": {}, "policyTypes": types},
                    )
                )
            if deny_out:
                specs.append(
                    (
                        "allow-dns",
                        {
                            "podSelector": {},
                            "policyTypes": ["Egress"],
                            "egress": [
                                {
                                    "to": [
                                        {
                                            "namespaceSelector": {
                                                "matchLabels": {"kubernetes.io/metadata.name": "kube-system"}
                                            },
                                            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                                        }
                                    ],
                                    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
                                }
                            ],
                        },
                    )
                )
            if deny_in:
                specs.append(
                    (
                        "allow-monitoring",
                        {
                            "podSelector": {},
                            "policyTypes": ["Ingress"],
                            "ingress": [
                                {
                                    "from": [
                                        {
                                            "namespaceSelector": {
                                                "matchLabels": {"kubernetes.io/metadata.name": "monitoring"}
                                            },
                                            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
                                        }
                                    ],
                                    "ports": [{"protocol": "TCP", "port": "metrics"}],
                                }
                            ],
                        },
                    )
                )
            k = 0
            while len(specs) < self.cfg.policies:
                specs.append(self._app_policy(r, ns, nslab, k))
                k += 1
            for name, spec in specs[: self.cfg.policies]:
                yield {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "NetworkPolicy",
                    "metadata": {
                        "name": name,
                        "namespace": ns,
                        "uid": uid("np", ns, name),
                        "generation": 1,
                        "creationTimestamp": "2026-01-02T00:00:00Z",
                    },
                    "spec": spec,
                }

    def _app_policy(self, r: random.Random, ns: str, nslab: dict, k: int) -> tuple[str, dict]:
        apps = self.apps[ns]
        w, peer = r.choice(apps), r.choice(apps)
        sel = {"matchLabels": dict(list(w["labels"].items())[:1])}
        psel = {"matchLabels": dict(list(peer["labels"].items())[:1])}
        team = nslab.get("team", "team-0")
        num, named = w["ports"][0][1], w["ports"][0][0]
        port = [{"protocol": "TCP", "port": r.choice((num, num, named))}]
        kind = r.choices(
            ("same", "peer-egress", "team", "nginx", "internet", "range", "expr", "tier-ns", "corp", "all-ns", "both"),
            (22, 16, 10, 10, 8, 4, 8, 6, 6, 3, 7),
        )[0]
        name = f"{w['name']}-{kind}-{k}"
        if kind == "same":
            s = {
                "podSelector": sel,
                "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"podSelector": psel}], "ports": port}],
            }
        elif kind == "peer-egress":
            s = {
                "podSelector": psel,
                "policyTypes": ["Egress"],
                "egress": [{"to": [{"podSelector": sel}], "ports": port}],
            }
        elif kind == "team":
            s = {
                "podSelector": sel,
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [
                            {
                                "namespaceSelector": {"matchLabels": {"team": team}},
                                "podSelector": {"matchLabels": {"tier": "backend"}},
                            }
                        ],
                        "ports": port,
                    }
                ],
            }
        elif kind == "nginx":
            s = {
                "podSelector": {"matchLabels": {"tier": "frontend"}},
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [
                            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
                        ],
                        "ports": [{"protocol": "TCP", "port": "http"}],
                    }
                ],
            }
        elif kind == "internet":
            s = {
                "podSelector": {"matchLabels": {"egress": "internet"}},
                "policyTypes": ["Egress"],
                "egress": [
                    {
                        "to": [
                            {
                                "ipBlock": {
                                    "cidr": "0.0.0.0/0",
                                    "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
                                }
                            }
                        ],
                        "ports": [{"protocol": "TCP", "port": 443}],
                    }
                ],
            }
        elif kind == "range":
            s = {
                "podSelector": sel,
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [{"podSelector": {}}],
                        "ports": [
                            {"protocol": "TCP", "port": 30000, "endPort": 32767},
                            {"protocol": "UDP", "port": 7000 + k, "endPort": 7100 + k},
                        ],
                    }
                ],
            }
        elif kind == "expr":
            s = {
                "podSelector": {
                    "matchExpressions": [
                        {"key": "tier", "operator": "In", "values": ["backend", "data"]},
                        {"key": "legacy", "operator": "DoesNotExist"},
                    ]
                },
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [
                    {
                        "from": [
                            {
                                "podSelector": {
                                    "matchExpressions": [{"key": "version", "operator": "NotIn", "values": ["v1"]}]
                                }
                            }
                        ],
                        "ports": port,
                    }
                ],
                "egress": [
                    {
                        "to": [
                            {
                                "namespaceSelector": {
                                    "matchExpressions": [
                                        {"key": "env", "operator": "In", "values": [nslab.get("env", "prod")]},
                                        {"key": "pci", "operator": "DoesNotExist"},
                                        {"key": "team", "operator": "Exists"},
                                    ]
                                },
                                "podSelector": {"matchLabels": {"tier": "data"}},
                            }
                        ],
                        "ports": [{"protocol": "TCP", "port": 5432}, {"protocol": "TCP", "port": 6379}],
                    }
                ],
            }
        elif kind == "tier-ns":
            s = {
                "podSelector": {"matchLabels": {"tier": "backend"}},
                "policyTypes": ["Egress"],
                "egress": [{"to": [{"namespaceSelector": {"matchLabels": {"team": team}}}]}],
            }
        elif kind == "corp":
            s = {
                "podSelector": sel,
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [
                            {
                                "ipBlock": {
                                    "cidr": r.choice(
                                        ("192.168.0.0/16", "172.16.0.0/12", f"10.{r.randint(0, 127)}.0.0/16")
                                    )
                                }
                            },
                            {"podSelector": psel},
                        ],
                        "ports": port,
                    }
                ],
            }
        elif kind == "all-ns":
            s = {
                "podSelector": sel,
                "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"namespaceSelector": {}}], "ports": port}],
            }
        else:
            s = {
                "podSelector": sel,
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [
                    {"from": [{"podSelector": {}}]},
                    {
                        "from": [
                            {
                                "namespaceSelector": {"matchLabels": {"env": nslab.get("env", "prod")}},
                                "podSelector": {"matchLabels": {"app": "gateway"}},
                            }
                        ],
                        "ports": port,
                    },
                ],
                "egress": [{"to": [{"podSelector": {}}]}],
            }
        return name, s


def to_yaml(o, ind: int = 0, out: list[str] | None = None, first: str = "") -> list[str]:
    """A small block-style YAML writer (strings double-quoted where plain would be unsafe)."""
    out = [] if out is None else out
    pad = " " * ind
    if isinstance(o, dict):
        for i, (k, v) in enumerate(o.items()):
            lead = first if i == 0 and first else pad
            if isinstance(v, (dict, list)) and v:
                out.append(f"{lead}{scalar(k)}:")
                to_yaml(v, ind + 2, out)
            else:
                out.append(f"{lead}{scalar(k)}: {scalar(v)}")
    else:
        for v in o:
            if isinstance(v, (dict, list)) and v:
                to_yaml(v, ind + 2, out, pad + "- ")
            else:
                out.append(f"{pad}- {scalar(v)}")
    return out


_SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def scalar(v) -> str:
    if isinstance(v, str):
        if (
            v
            and v[0] in _SAFE
            and v.replace("-", "a").replace(".", "a").replace("/", "a").replace("_", "a").isalnum()
            and v.lower() not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
        ):
            return v
        return json.dumps(v)
    return json.dumps(v)


def write(c: Cluster, out: str, js: bool, yml: bool, files: bool, manifests: bool = False) -> dict:
    os.makedirs(out, exist_ok=True)
    counts = {}
    fj = open(f"{out}/cluster.json", "wb") if js else None
    fy = open(f"{out}/cluster.yaml", "w") if yml else None
    if fj:
        fj.write(b'{"apiVersion":"v1","items":[\n')
    sep = b""
    for kind, gen in (
        ("namespaces", c.namespaces),
        ("networkpolicies", c.policies),
        ("workloads", c.workloads) if manifests else ("pods", c.pods),
    ):
        n, fk, ksep = 0, None, b""
        if js:
            fk = open(f"{out}/{kind}.json", "wb")
            fk.write(b'{"apiVersion":"v1","items":[\n')
        for o in gen():
            n += 1
            if js:
                b = dumps(o)
                fj.write(sep + b)
                fk.write(ksep + b)
                sep = ksep = b",\n"
            if yml or files:
                text = "\n".join(to_yaml(o)) + "\n"
                if yml:
                    fy.write("---\n" + text)
                if files:
                    d = f"{out}/files/{kind}/{o['metadata'].get('namespace', '_cluster')}"
                    os.makedirs(d, exist_ok=True)
                    with open(f"{d}/{o['metadata']['name']}.yaml", "w") as f:
                        f.write(text)
        counts[kind] = n
        if fk:
            fk.write(b'\n],"kind":"List","metadata":{"resourceVersion":""}}\n')
            fk.close()
    if fj:
        fj.write(b'\n],"kind":"List","metadata":{"resourceVersion":""}}\n')
        fj.close()
    if fy:
        fy.close()
    return counts


def main(argv=None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--scale", choices=SCALES)
    for n in ("namespaces", "workloads", "replicas", "policies"):
        p.add_argument(f"--{n}", type=int)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--out", required=True)
    p.add_argument("--pods", choices=("full", "slim"), default="full")
    p.add_argument("--manifests", action="store_true", help="Deployments and StatefulSets instead of Pods")
    p.add_argument("--no-pod-labels", action="store_true", help="no per-pod labels on StatefulSet pods")
    for n in ("json", "yaml", "yaml-files"):
        p.add_argument(f"--{n}", action="store_true")
    a = p.parse_args(argv)
    base = SCALES[a.scale or "S"]
    cfg = Config(
        *(getattr(a, n) or b for n, b in zip(("namespaces", "workloads", "replicas", "policies"), base)),
        seed=a.seed,
        full=a.pods == "full",
        pod_labels=not a.no_pod_labels,
    )
    counts = write(Cluster(cfg), a.out, a.json, a.yaml, a.yaml_files, a.manifests)
    print(counts, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
