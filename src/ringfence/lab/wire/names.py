"""The cluster's name service: Services, pods behind headless ones, and names outside, as a cluster answers them."""

from __future__ import annotations

import hashlib
import re
import struct
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from ringfence.lab.plan.services import addresses_of
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.lab.plan.zone import DOMAIN, TTL, Record, Zone, of_address, reverse, start_of_authority
from ringfence.model.addresses import Address

_HEADER: Final = struct.Struct(">HHHHHH")
_PLAIN: Final = 512
"""The most that a client without EDNS takes by UDP."""
_OURS: Final = 4096
"""The most that is sent by UDP to a client with it."""
_LONGEST_CHAIN: Final = 8
_NAMES_A_HOST: Final = (dns.rdatatype.SRV, dns.rdatatype.NS)
_NOWHERE: Final = frozenset(
    ("local", "internal", "invalid", "localhost", "test", "onion", "alt", "arpa", "svc", "pod", "cluster")
)
"""Last labels under which the internet has no host: reserved ones, and those of cluster names that were cut short."""
_TOP: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")


class Names:
    """The name service of one snapshot. It remembers which outside names were asked for, to know them by address."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._zone = Zone(snapshot)
        self._outside = Outside(snapshot)

    def answer(self, query: bytes, by_tcp: bool) -> bytes:
        """The reply to *query*; empty for what deserves none. Never raises, whatever *query* is."""
        if len(query) < _HEADER.size:
            return b""
        _, flags, questions, *_ = _HEADER.unpack_from(query)
        if flags & dns.flags.QR:
            return b""  # a reply to a reply would never end
        if flags >> 11 & 15:
            return _refusal(query, dns.rcode.NOTIMP)
        if questions != 1:
            return _refusal(query, dns.rcode.FORMERR)
        try:
            asked = dns.message.from_wire(query)
            return self._reply(asked, by_tcp)
        except (dns.exception.DNSException, ValueError, struct.error):
            return _refusal(query, dns.rcode.FORMERR)

    def _reply(self, asked: dns.message.Message, by_tcp: bool) -> bytes:
        reply = dns.message.make_response(asked, recursion_available=True, our_payload=_OURS)
        question = asked.question[0]
        if asked.edns > 0:
            reply.set_rcode(dns.rcode.BADVERS)
        elif question.rdclass != dns.rdataclass.IN or dns.rdatatype.is_metatype(question.rdtype):
            reply.set_rcode(dns.rcode.REFUSED)
        else:
            self._fill(reply, question.name, dns.rdatatype.to_text(question.rdtype))
        return reply.to_wire(max_size=65535 if by_tcp else _most(asked), prefer_truncation=True)

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: str) -> None:
        """Put into *reply* what is known of *name*, through the aliases that lead on."""
        if _in_cluster(_text(name)):
            reply.flags |= dns.flags.AA
        for _ in range(_LONGEST_CHAIN):
            found = self._find(_text(name))
            alias = next((record for record in found or () if record.kind == "CNAME"), None)
            fitting = [record for record in found or () if record.kind == kind] or ([alias] if alias else [])
            if fitting:
                reply.answer.append(_together(name, fitting))
            if found is None and not reply.answer:
                reply.set_rcode(dns.rcode.NXDOMAIN)
            if alias is None or kind == "CNAME":
                break
            name = dns.name.from_text(alias.value)
        if not reply.answer:
            zone = _zone_of(_text(name))
            reply.authority.append(_together(dns.name.from_text(f"{zone}."), [start_of_authority(zone)]))
        self._add_addresses(reply)

    def _add_addresses(self, reply: dns.message.Message) -> None:
        """The addresses of the hosts that the answer names, to save a client the next question."""
        hosts = [rdata.target for rrset in reply.answer for rdata in rrset if rdata.rdtype in _NAMES_A_HOST]
        for host in dict.fromkeys(hosts):
            for kind in ("A", "AAAA"):
                fitting = [record for record in self._find(_text(host)) or () if record.kind == kind]
                if fitting:
                    reply.additional.append(_together(host, fitting))

    def _find(self, name: str) -> list[Record] | None:
        """Every record of *name*; None when there is no such name."""
        found = self._zone.find(name)
        if found is not None or _in_cluster(name):
            return found
        if name.endswith(".arpa"):
            return self._outside.named(name)
        return None if self._meant_inside(name) else self._outside.find(name)

    def _meant_inside(self, name: str) -> bool:
        """Whether *name* is a short cluster name that no search domain completed: ``servce.namespace``, mistyped."""
        labels = name.split(".")
        if len(labels) == 1 or labels[-1] not in self._zone.namespaces:
            return False
        return len(labels) == 2 or self._zone.has_service(labels[-2], labels[-1])


class Outside:
    """The names that the cluster does not know: each gets an address kept for documentation, where the world answers.

    The number in ``203.0.113.N`` comes from the name, and the next free one is taken where another name has it. When
    all are given away, names share.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        taken = {*snapshot.by_address, *(a for some in snapshot.load_balancers.values() for a in some)}
        taken |= {address for service in snapshot.cluster.services for address in addresses_of(service)}
        self._free = [number for number in range(1, 255) if not taken & set(_documented(number))]
        self._families = (4, 6) if any(address.family == 6 for address in snapshot.by_address) else (4,)
        self._number_of: dict[str, int] = {}
        self._name_of: dict[str, str] = {}

    def find(self, name: str) -> list[Record] | None:
        """The addresses of *name*; None when the internet cannot have it."""
        above, _, top = name.rpartition(".")
        if not above or top in _NOWHERE or not _TOP.fullmatch(top):
            return None
        return [of_address(address) for address in self.addresses(name)]

    def addresses(self, name: str) -> list[Address]:
        """The addresses that stand for *name*, the same ones each time."""
        number = self._number_of.get(name) or self._new(name)
        return [address for address in _documented(number) if address.family in self._families]

    def named(self, pointer: str) -> list[Record] | None:
        """The name that was given the address which *pointer* spells backwards."""
        name = self._name_of.get(pointer)
        return None if name is None else [Record("PTR", f"{name}.")]

    def _new(self, name: str) -> int:
        start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
        numbers = self._free or list(range(1, 255))
        given = set(self._number_of.values())
        turns = [numbers[(start + step) % len(numbers)] for step in range(len(numbers))]
        free = next((number for number in turns if number not in given), None)
        if free is None:
            return turns[0]  # shared, and not remembered: there is no end to names
        self._number_of[name] = free
        self._name_of.update((reverse(address), name) for address in _documented(free))
        return free


def _documented(number: int) -> tuple[Address, Address]:
    """The two addresses with *number*, which reads the same in both."""
    return Address.parse(f"203.0.113.{number}"), Address.parse(f"2001:db8::{number}")


def _refusal(query: bytes, code: dns.rcode.Rcode) -> bytes:
    """A reply of a header alone, to a query that was not read further."""
    number, flags, *_ = _HEADER.unpack_from(query)
    kept = flags & (15 << 11 | dns.flags.RD)
    return _HEADER.pack(number, dns.flags.QR | kept | code, 0, 0, 0, 0)


def _most(asked: dns.message.Message) -> int:
    """How long a reply by UDP may be."""
    return min(max(asked.payload, _PLAIN), _OURS) if asked.edns >= 0 else _PLAIN


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _in_cluster(name: str) -> bool:
    return name == DOMAIN or name.endswith(f".{DOMAIN}")


def _zone_of(name: str) -> str:
    """The zone that is asked about *name*; empty for the root."""
    return next((z for z in (DOMAIN, "in-addr.arpa", "ip6.arpa") if name == z or name.endswith(f".{z}")), "")


def _together(name: dns.name.Name, records: list[Record]) -> dns.rrset.RRset:
    """Records of one type as the set that goes on the wire, where chance orders it, so that clients spread."""
    values = [dns.rdata.from_text(dns.rdataclass.IN, record.kind, record.value) for record in records]
    return dns.rrset.from_rdata_list(name, TTL, values)
