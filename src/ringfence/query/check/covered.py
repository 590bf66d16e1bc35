"""Pods that a block of addresses holds: an arrow with addresses is about them too, by whatever name they go."""

from __future__ import annotations

from enum import IntEnum

from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.addresses import NEVER_A_POD, AddressSet
from ringfence.model.objects import Pod


class Level(IntEnum):
    """How an end belongs to a wish.

    ``meant``: it is named. ``covered``: the wish's block holds its addresses. ``perhaps``: the block may hold them, as
    they are not known.
    """

    PERHAPS = 0
    COVERED = 1
    MEANT = 2


class Covering:
    """Which pods of a cluster lie in blocks, as policies would match them (S54, S55)."""

    def __init__(self, reach: Reachability) -> None:
        self._classes, self._profile, self._facts = reach.classes, reach.profile, reach.cluster.facts
        self._unknown: dict[tuple[AddressSet, bool], Level | None] = {}

    def level(self, block: AddressSet, pod: Pod) -> Level | None:
        """How *block*, of one family, holds the addresses of *pod*; None when it does not."""
        item = self._classes.items[self._classes.of_party[id(pod)]]
        if not item.node_like and not self._profile.blocks_match_pods:
            return None
        family = block.first().family
        known = self._classes.known_addresses(pod)
        if known:
            mine = [address for address in known if address.family == family]
            inside = sum(address in block for address in mine)
            if not inside:
                return None
            return Level.COVERED if inside == len(mine) else Level.PERHAPS
        if family not in item.families:
            return None
        key = (block, item.node_like)
        if key not in self._unknown:
            said = (self._facts.node_cidrs if item.node_like else self._facts.pod_cidrs) & AddressSet.whole(family)
            where = said or AddressSet.whole(family) - NEVER_A_POD
            self._unknown[key] = Level.COVERED if where <= block else Level.PERHAPS if where & block else None
        return self._unknown[key]
