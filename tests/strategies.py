"""Hypothesis strategies for the nouns of the model, up to whole clusters with flows to ask of them."""

from __future__ import annotations

from ipaddress import ip_network
from random import Random

from generate import random_cluster, random_flows
from generate_policies import LABELS
from hypothesis import strategies as st

from ringfence.model.addresses import AddressSet, Family
from ringfence.model.cluster import Cluster
from ringfence.model.ends import (
    KINDS,
    AddressEnd,
    Arrow,
    ArrowEnd,
    ControllerEnd,
    EveryEnd,
    HostEnd,
    LabelEnd,
    NameEnd,
    PortSpec,
)
from ringfence.model.flows import Flow
from ringfence.model.hostnames import Form, HostName
from ringfence.model.policies import PortMatch
from ringfence.model.ports import MAX_PORT, MIN_PORT, PROTOCOLS, ConnectionSet, PortSet
from ringfence.model.selectors import Operator, Requirement, Selector

port_numbers = st.one_of(
    st.integers(MIN_PORT, 12), st.integers(MAX_PORT - 5, MAX_PORT), st.integers(MIN_PORT, MAX_PORT)
)
"""Ports, mostly near the ends of the scale, where an off-by-one shows."""


@st.composite
def port_sets(draw: st.DrawFn) -> PortSet:
    """Sets of up to four ranges, which may overlap or touch as they are given."""
    pairs = draw(st.lists(st.tuples(port_numbers, port_numbers), max_size=4))
    return PortSet.of(*((min(pair), max(pair)) for pair in pairs))


@st.composite
def connection_sets(draw: st.DrawFn) -> ConnectionSet:
    """Sets of ports for each protocol."""
    return ConnectionSet.from_mapping({protocol: draw(port_sets()) for protocol in PROTOCOLS})


@st.composite
def address_sets(draw: st.DrawFn) -> AddressSet:
    """Sets of up to four ranges, of one family or of both."""
    found = AddressSet.NONE
    for _ in range(draw(st.integers(0, 4))):
        family: Family = draw(st.sampled_from((4, 6)))
        last = 2**32 - 1 if family == 4 else 2**128 - 1
        numbers = st.one_of(st.integers(0, 12), st.integers(last - 5, last), st.integers(0, last))
        low, high = sorted((draw(numbers), draw(numbers)))
        found = found | AddressSet.interval(family, low, high)
    return found


label_sets = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in LABELS.items()})
"""Labels of pods and namespaces, the empty value among them."""


@st.composite
def requirements(draw: st.DrawFn) -> Requirement:
    """Requirements of every operator."""
    key = draw(st.sampled_from(sorted(LABELS)))
    operator = draw(st.sampled_from(Operator))
    if operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST):
        return Requirement(key, operator)
    values = draw(st.sets(st.sampled_from((*LABELS[key], "other")), min_size=1))
    return Requirement(key, operator, tuple(sorted(values)))


selectors = st.lists(requirements(), max_size=3).map(lambda found: Selector.of(None, found))
"""Selectors, the empty one among them."""


@st.composite
def port_matches(draw: st.DrawFn) -> PortMatch:
    """Items of a rule's ports: the protocol alone, a number, a range or a name."""
    protocol = draw(st.sampled_from(PROTOCOLS))
    port = draw(st.one_of(st.none(), st.sampled_from(("http", "metrics", "dns")), port_numbers))
    if isinstance(port, int) and draw(st.booleans()):
        return PortMatch(protocol, port, draw(st.integers(port, MAX_PORT)))
    return PortMatch(protocol, port)


label_names = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?", fullmatch=True)
"""Parts of names."""
name_spaces = label_names.filter(lambda name: name not in KINDS)
"""Namespaces that an arrow can name: not those that are called like a kind."""
object_names = st.lists(label_names, min_size=1, max_size=3).map(".".join)
"""Names of objects, with dots in some of them."""


@st.composite
def name_ends(draw: st.DrawFn) -> NameEnd:
    """Names with or without a namespace and a kind; a name alone has no dots, and a kind's word is no namespace."""
    namespace = draw(st.none() | name_spaces)
    kind = draw(st.none() | st.sampled_from(sorted({*KINDS.values()} - ({"Node"} if namespace else set()))))
    plain = kind == "Service" or (namespace is None and kind is None)
    return NameEnd(draw(label_names if plain else object_names), namespace, kind)


@st.composite
def label_ends(draw: st.DrawFn) -> LabelEnd:
    """Labels, some with a prefix and some with the empty value."""
    keys = st.one_of(label_names, st.tuples(object_names, label_names).map("/".join))
    worn = draw(st.dictionaries(keys, st.from_regex(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,5}[A-Za-z0-9])?)?", fullmatch=True),
                                min_size=1, max_size=3))  # fmt: skip
    return LabelEnd(tuple(sorted(worn.items())), draw(st.none() | name_spaces))


address_ends = st.one_of(
    st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 32)),
    st.tuples(st.ip_addresses(v=6).filter(lambda ip: getattr(ip, "ipv4_mapped", None) is None).map(str),
              st.integers(0, 128)),
).map(lambda pair: AddressEnd(str(ip_network(f"{pair[0]}/{pair[1]}", strict=False))))  # fmt: skip
"""Blocks of both families, from one address to all of them."""
hosts = st.tuples(object_names, st.sampled_from(("org", "example.com", "io"))).map(".".join)
"""Names outside the cluster."""
host_names = st.builds(
    HostName, st.sampled_from(("example.com", "a.example.com", "b.a.example.com", "other.org")), st.sampled_from(Form)
)
"""Names of every form, many of them below one another."""
host_ends = st.builds(
    HostEnd,
    st.one_of(hosts, hosts.map("*.{}".format)),
    st.sampled_from((None, "https", "postgres")),
)
"""Hosts, some with a scheme, and some that stand for all names below one."""


def arrow_ends() -> st.SearchStrategy[ArrowEnd]:
    """Ends of every form."""
    return st.one_of(
        name_ends(),
        st.none().map(EveryEnd),
        name_spaces.map(EveryEnd),
        label_ends(),
        address_ends,
        host_ends,
        st.just(ControllerEnd()),
    )


@st.composite
def port_specs(draw: st.DrawFn) -> PortSpec:
    """Ports of an arrow: a number, a range or a name."""
    protocol = draw(st.sampled_from(PROTOCOLS))
    if draw(st.booleans()):
        return PortSpec(protocol, name=draw(st.sampled_from(("http", "dns-tcp", "8080-web", "a"))))
    low, high = sorted((draw(port_numbers), draw(port_numbers)))
    return PortSpec(protocol, low, draw(st.sampled_from((low, high))))


@st.composite
def arrows(draw: st.DrawFn) -> Arrow:
    """Arrows of every form; a host with a scheme has a port always."""
    dst = draw(arrow_ends())
    ports = tuple(draw(st.lists(port_specs(), max_size=3)))
    if isinstance(dst, HostEnd) and not ports:
        ports = dst.ports
    return Arrow(draw(arrow_ends()), dst, ports, draw(st.booleans()))


seeds = st.integers(0, 2**32 - 1)
"""Seeds of :mod:`generate`: a failing one is a whole counter-example in one number."""


def clusters() -> st.SearchStrategy[Cluster]:
    """Whole clusters."""
    return seeds.map(lambda seed: random_cluster(Random(seed)))


@st.composite
def clusters_with_flows(draw: st.DrawFn, count: int = 30) -> tuple[Cluster, list[Flow]]:
    """A cluster and *count* flows to ask of it."""
    rng = Random(draw(seeds))
    cluster = random_cluster(rng)
    return cluster, random_flows(rng, cluster, count)
