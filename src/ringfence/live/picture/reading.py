"""A cluster as answers to be read: every kind that a verb needs, and what was refused of it.

Namespaces, policies and pods are asked for everywhere, also when one namespace is of interest: who may reach it
depends on the others. Where only that namespace may be seen, it is read alone, and what is missing is told.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ringfence.errors import LiveError
from ringfence.live.picture.kinds import ALWAYS, NEEDED, always, optional
from ringfence.live.server.discovery import discover
from ringfence.live.server.errors import Refused
from ringfence.live.server.pages import Page, pages
from ringfence.live.server.resources import NAMESPACES, Resource
from ringfence.live.server.server import Server
from ringfence.manifests.text.files import Answer

WHERE: Final = "cluster"
"""What the place of an object from a server begins with; a line it has none."""


@dataclass
class Missing:
    """The kinds of which *namespace* alone was given, and those of which nothing was; each with the server's words."""

    namespace: str
    elsewhere: dict[str, str] = field(default_factory=dict)
    everywhere: dict[str, str] = field(default_factory=dict)

    def answers(self) -> Iterator[Answer]:
        """What is to be told of it, in few words however many kinds there are."""
        for what, kinds in ((f"of namespace {self.namespace} alone were given", self.elsewhere),
                            ("not given were", self.everywhere)):  # fmt: skip
            if kinds:
                shown = "pods" if "pods" in kinds else next(iter(kinds))
                yield Answer(WHERE, withheld=f"{what}: {', '.join(sorted(kinds))}", why=kinds[shown])


def read(server: Server, verb: str, namespace: str) -> Iterator[Answer]:
    """What *verb* needs of *server*, kind by kind and page by page; of *namespace* alone what is refused elsewhere.

    Raises: Unreachable; LiveError when not even pods and policies of that namespace may be seen.
    """
    missing = Missing(namespace)
    for resource in always(verb):
        yield from listed(server, resource, missing)
    try:
        found = discover(server)
    except Refused as problem:
        yield Answer(f"{WHERE}/apis", withheld="the kinds of this server are not known", why=problem.message)
    else:
        for resource in optional(verb, found.resources):
            yield from listed(server, resource, missing)
        for group in found.silent:
            if not group.endswith("metrics.k8s.io"):
                why = "its server does not answer"
                yield Answer(f"{WHERE}/apis/{group}", withheld=f"the kinds of {group} are not known", why=why)
    yield from missing.answers()


def listed(server: Server, resource: Resource, missing: Missing) -> Iterator[Answer]:
    """What there is of *resource*, page by page; as ``read``, of one kind. What was refused is noted in *missing*."""
    try:
        found = pages(server, resource)
    except Refused as problem:
        if problem.forbidden:
            yield from _in_one(server, resource, missing, problem)
        elif problem.status >= 500 and resource not in ALWAYS:  # a converter that is down keeps its kind alone away
            missing.everywhere[resource.plural] = problem.message
        elif problem.status not in (404, 405):
            raise
        elif resource in NEEDED:  # every server has these: it is another one, or another path of it
            raise LiveError(
                f"context {server.context}: {server.address} has no {resource.plural} ({problem.message}); is it an "
                "API server, and is its address whole? See whether kubectl version works"
            ) from None
        elif resource in ALWAYS:  # of an older server, or of one that is less than a whole cluster
            missing.everywhere[resource.plural] = problem.message
        return
    yield from _each(resource, found)


def _each(resource: Resource, found: list[Page]) -> Iterator[Answer]:
    for page in found:
        yield Answer(f"{WHERE}/{resource.plural}", page)
        if isinstance(page, mmap.mmap):
            page.madvise(mmap.MADV_DONTNEED)  # it was read; who looks again gets it from the file


def _in_one(server: Server, resource: Resource, missing: Missing, refused: Refused) -> Iterator[Answer]:
    """What there is of *resource* in the one namespace, and that the rest was *refused*."""
    namespace, noted = missing.namespace, missing.elsewhere
    try:
        if resource == NAMESPACES:
            one = server.read(resource, namespace)
            alone = {"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": [one]}
            yield from _each(resource, [json.dumps(alone).encode()])
        elif resource.namespaced:
            yield from _each(resource, pages(server, resource, namespace))
        else:
            noted = missing.everywhere
    except Refused as problem:
        if not (problem.forbidden or problem.not_found):
            raise
        if resource in NEEDED:
            raise LiveError(
                f"context {server.context}: {problem.message}; 'ringfence rbac matrix -n {namespace}' prints the "
                "rights that are needed, and -n names a namespace in which you have them"
            ) from None
        noted = missing.everywhere
    noted[resource.plural] = refused.message
