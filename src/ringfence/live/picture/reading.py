"""A cluster as answers to be read: every kind that a verb needs, and what was refused of it.

Namespaces, policies and pods are asked for everywhere, also when one namespace is of interest: who may reach it
depends on the others. Where only that namespace may be seen, it is read alone, and what is missing is told.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from typing import Final

from ringfence.errors import LiveError
from ringfence.live.picture.kinds import NEEDED, always, optional
from ringfence.live.server.discovery import discover
from ringfence.live.server.errors import Refused
from ringfence.live.server.pages import Page, pages
from ringfence.live.server.resources import NAMESPACES, Resource
from ringfence.live.server.server import Server
from ringfence.manifests.text.files import Answer

WHERE: Final = "cluster"
"""What the place of an object from a server begins with; a line it has none."""


def read(server: Server, verb: str, namespace: str) -> Iterator[Answer]:
    """What *verb* needs of *server*, kind by kind and page by page; of *namespace* alone what is refused elsewhere.

    Raises: Unreachable; LiveError when not even pods and policies of that namespace may be seen.
    """
    for resource in always(verb):
        yield from listed(server, resource, namespace)
    try:
        found = discover(server)
    except Refused as problem:
        yield Answer(f"{WHERE}/apis", withheld="the kinds of this server are not known", why=problem.message)
        return
    for resource in optional(verb, found.resources):
        yield from listed(server, resource, namespace)
    for group in found.silent:
        if not group.endswith("metrics.k8s.io"):
            why = "its server does not answer"
            yield Answer(f"{WHERE}/apis/{group}", withheld=f"the kinds of {group} are not known", why=why)


def listed(server: Server, resource: Resource, namespace: str) -> Iterator[Answer]:
    """What there is of *resource*, page by page; as ``read``, of one kind."""
    name = f"{WHERE}/{resource.plural}"
    try:
        found = pages(server, resource)
    except Refused as problem:
        if problem.forbidden:
            yield from _in_one(server, resource, namespace, problem)
        elif problem.status not in (404, 405):
            raise
        return
    yield from _each(name, found)


def _each(name: str, found: list[Page]) -> Iterator[Answer]:
    for page in found:
        yield Answer(name, page)
        if isinstance(page, mmap.mmap):
            page.madvise(mmap.MADV_DONTNEED)  # it was read; who looks again gets it from the file


def _in_one(server: Server, resource: Resource, namespace: str, refused: Refused) -> Iterator[Answer]:
    """What there is of *resource* in *namespace* alone, and that the rest was *refused*."""
    name = f"{WHERE}/{resource.plural}"
    missing = f"{resource.plural} were not given"
    try:
        if resource == NAMESPACES:
            one = server.read(resource, namespace)
            alone = {"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": [one]}
            yield Answer(name, json.dumps(alone).encode())
            missing = f"of the namespaces {namespace} alone was given"
        elif resource.namespaced:
            yield from _each(name, pages(server, resource, namespace))
            missing = f"{resource.plural} of namespace {namespace} alone were given"
    except Refused as problem:
        if not (problem.forbidden or problem.not_found):
            raise
        if resource in NEEDED:
            raise LiveError(
                f"context {server.context}: {problem.message}; 'ringfence rbac matrix -n {namespace}' prints the "
                "rights that are needed, and -n names a namespace in which you have them"
            ) from None
    yield Answer(name, withheld=missing, why=refused.message)
