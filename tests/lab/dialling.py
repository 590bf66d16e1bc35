"""A lab to dial in: hosts by the names of their pods, and what became of each attempt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ringfence.lab.plan.policies import Rules
from ringfence.lab.plan.questions import WORLD, Probe
from ringfence.lab.plan.services import frontends
from ringfence.lab.plan.snapshot import Options, Snapshot, fix
from ringfence.lab.run.lab import Lab, Observation
from ringfence.model.addresses import Address
from ringfence.model.cluster import Cluster
from ringfence.model.observations import Outcome
from ringfence.model.policies import Policy

BARE = Options(companions=False)
"""The cluster as it was written, with nothing that the lab adds."""
PLAIN = Rules()


@dataclass(frozen=True)
class Room:
    """A running lab and the words to ask it with."""

    lab: Lab
    snapshot: Snapshot

    def host(self, name: str) -> int:
        """The number of the host of pod or node *name*; ``world`` is the outside."""
        if name == "world":
            return WORLD
        (found,) = (n for n, host in enumerate(self.snapshot.hosts) if name in (host.name, *(p.id for p in host.pods)))
        return found

    def name(self, host: int | None) -> str | None:
        """The other way round."""
        if host is None:
            return None
        return "world" if host == WORLD else self.snapshot.hosts[host].name

    def address(self, name: str, family: int = 4) -> Address:
        """The address that *name* speaks from."""
        found = self.snapshot.hosts[self.host(name)].address(6 if family == 6 else 4)
        assert found is not None, f"{name} has no address of IPv{family}"
        return found

    def probe(
        self, src: str, to: str | Address, port: int, protocol: str = "TCP", *, backend: int = 0, origin: str = ""
    ) -> Probe:
        """An attempt from *src* to a pod's or node's name, or an address; the world says which address it is at.

        With a *backend*, another server than that one is an error, which the lab tries once more: a source port
        that was used a moment ago still leads to the backend that it led to then.
        """
        at = self.address(to, 6 if ":" in origin else 4) if isinstance(to, str) else to
        dst, target = self.host(to) if isinstance(to, str) else None, port
        if backend:
            (front,) = (
                one
                for one in frontends(self.snapshot)
                if (one.address, one.port, one.entry.protocol) == (at, port, protocol)
            )
            dst, target = front.backends[backend - 1].host, front.backends[backend - 1].port
        own = Address.parse(origin) if origin else self.address(src, at.family)
        return Probe(self.host(src), own, dst, at, protocol, port, target, backend)

    def observe(self, *probes: Probe) -> list[Observation]:
        """What became of *probes*; none of them may fail on its own side."""
        seen = self.lab.measure(probes)
        assert not [one for one in seen if one.outcome is Outcome.ERROR]
        return seen

    def dial(self, src: str, to: str | Address, port: int, protocol: str = "TCP", *, backend: int = 0) -> str | None:
        """Who answered, by name; ``refused`` when somebody said no, and None for silence."""
        (seen,) = self.observe(self.probe(src, to, port, protocol, backend=backend))
        return "refused" if seen.outcome is Outcome.REFUSED else self.name(seen.server)

    def switch(self, policies: Iterable[Policy]) -> None:
        """Put other policies in force."""
        from dataclasses import replace

        self.lab.switch(replace(self.snapshot, cluster=replace(self.snapshot.cluster, policies=tuple(policies))))


@contextmanager
def room(cluster: Cluster, how: Rules = PLAIN, options: Options = BARE) -> Iterator[Room]:
    """The lab of *cluster*."""
    snapshot = fix(cluster, options)
    with Lab.start(snapshot, how) as lab:
        yield Room(lab, snapshot)
