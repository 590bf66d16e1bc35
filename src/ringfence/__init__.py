"""Network policy for Kubernetes, proven: who can reach whom, on exactly which ports, and why.

>>> import ringfence
>>> cluster = ringfence.load("examples/task-api")
>>> [e.verdict.value for e in ringfence.explain(cluster, "task-api/test-pod -> task-api/task-api:8000")]
['denied']

Start at :func:`load`, then :func:`matrix` and :func:`explain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.model.cluster import Cluster
    from ringfence.query.explain import Explanation
    from ringfence.query.matrix import By, Matrix

__all__ = ["__version__", "explain", "load", "matrix"]
__version__ = "0.1.0"


def load(*paths: str, namespace: str = "default", exclude: Sequence[str] = (), profile: str = "kubernetes") -> Cluster:
    """The cluster that the manifests in *paths* describe: files, directories, or ``-`` for standard input.

    Objects without a namespace are in *namespace*. *exclude* are patterns of files and folders that are left out, as in
    a ``.gitignore``. What could not be read is in ``Cluster.findings``.
    Raises: InputError for a path that is not there, or when there is no manifest in any; UsageError for an unknown
    *profile*.
    """
    from ringfence.manifests import load as read
    from ringfence.model.profiles import named

    return read(paths, namespace=namespace, exclude=exclude, direct_controller=named(profile).direct_controller)


def matrix(
    cluster: Cluster, *, by: By = "workload", by_pod: bool = False, every: bool = False, profile: str = "kubernetes"
) -> Matrix:
    """Every pair of workloads, and of workloads and the outside, with the ports that are open between them.

    Plainly denied pairs are listed only with *every*. What ``Matrix.gaps`` names may change answers, of pairs that
    are not listed too. *by* is "workload", "pod" or "namespace"; *by_pod* is another way to say "pod".
    ``Matrix.blocks()`` goes through it one destination at a time and keeps nothing;
    ``Matrix.connections`` is all of it.
    Raises: UsageError for an unknown *profile*.
    """
    from ringfence.model.profiles import named
    from ringfence.query.matrix import matrix as ask

    return ask(cluster, by="pod" if by_pod else by, every=every, profile=named(profile))


def explain(
    cluster: Cluster, arrow: str, *, namespace: str | None = None, profile: str = "kubernetes"
) -> Sequence[Explanation]:
    """Why the flow that *arrow* names (``ns/a -> ns/b:8000``) is allowed or not, one explanation for each pair of ends.

    Raises: ArrowError for text that is no arrow; UnknownEndpoint or AmbiguousEndpoint for a name; UsageError for an
    unknown *profile*.
    """
    from ringfence.model.arrows import parse
    from ringfence.model.profiles import named
    from ringfence.query.explain import explain as ask

    return ask(cluster, parse(arrow), namespace=namespace, profile=named(profile))
