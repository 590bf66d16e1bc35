"""Drafts of small shops: say what the program is told, the rest is filled in."""

from __future__ import annotations

import io
import json
from typing import Any

from ringfence.infer.draft import infer
from ringfence.infer.nouns import Draft, Inferred
from ringfence.manifests import load
from ringfence.manifests.clues.gather import gather
from ringfence.model.arrows import parse_end
from ringfence.model.clues import Clues

SHOP = """\
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: other}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: redis, namespace: shop}
spec: {selector: {app: redis}, clusterIP: None, ports: [{port: 6379}]}
---
apiVersion: v1
kind: Service
metadata: {name: mysql, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 3306}]}
---
apiVersion: v1
kind: Service
metadata: {name: many, namespace: shop}
spec:
  selector: {app: api}
  ports: [{name: http, port: 80}, {name: grpc, port: 9000}, {name: stats, port: 8125, protocol: UDP}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api-server, namespace: shop}
spec: {template: {metadata: {labels: {app: api}}, spec: {containers: [{name: c, ports: [{containerPort: 8080}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: store, namespace: shop}
spec: {template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: store, namespace: other}
spec: {template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: redis, namespace: shop}
spec: {replicas: 3, serviceName: redis, template: {metadata: {labels: {app: redis}}, spec: {containers: [{name: c}]}}}
"""
"""Services and who is behind them; the program that is told something is not among them."""


def draft(*documents: str, controllers: tuple[str, ...] = ()) -> Draft:
    """The draft of *documents* of YAML, as ``ringfence infer -`` makes it."""
    return both(*documents, controllers=controllers)[0]


def both(*documents: str, controllers: tuple[str, ...] = ()) -> tuple[Draft, Clues]:
    """The draft and the clues of *documents*."""
    data = "\n---\n".join(documents).encode()
    cluster = load(["-"], stdin=io.BytesIO(data))
    clues = gather(cluster, ["-"], stdin=io.BytesIO(data))
    return infer(cluster, clues, [parse_end(text) for text in controllers]), clues


def program(
    env: dict[str, Any] | None = None,
    *,
    args: list[str] | None = None,
    command: list[str] | None = None,
    container: dict[str, Any] | None = None,
    spec: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
) -> str:
    """The Deployment ``shop/web``; a value of *env* that is no text is its ``valueFrom``."""
    variables = [
        {"name": name, "value": value} if isinstance(value, str) else {"name": name, "valueFrom": value}
        for name, value in (env or {}).items()
    ]
    own = {"name": "web", "image": "registry.test/web:1", "env": variables, "args": args or [],
           "command": command or [], **(container or {})}  # fmt: skip
    template = {"metadata": {"labels": {"app": "web"}, "annotations": annotations or {}},
                "spec": {"containers": [own], **(spec or {})}}  # fmt: skip
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
                       "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}})  # fmt: skip


def config(data: dict[str, str], name: str = "settings") -> str:
    """The ConfigMap ``shop/settings``."""
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"},
                       "data": data})  # fmt: skip


MOUNTED: dict[str, Any] = {
    "container": {"volumeMounts": [{"name": "settings", "mountPath": "/etc/web"}]},
    "spec": {"volumes": [{"name": "settings", "configMap": {"name": "settings"}}]},
}
"""What mounts the ConfigMap ``shop/settings``."""


def arrows(found: Draft, *, src: str = "shop/web") -> list[str]:
    """The active arrows that start at *src*, without it, each with how sure it is."""
    return [_short(one, src) for one in found.arrows if str(one.arrow.src) == src and one.active]


def guesses(found: Draft, *, src: str = "shop/web") -> list[str]:
    """The arrows that are written as comments, as :func:`arrows` has them."""
    return [_short(one, src) for one in found.arrows if str(one.arrow.src) == src and not one.active]


def _short(one: Inferred, src: str) -> str:
    return f"{str(one.arrow).removeprefix(f'{src} -> ')} {one.confidence}"


def told(env: dict[str, Any]) -> Draft:
    """The draft of the shop with a program that has the variables *env*."""
    return draft(SHOP, program(env))
