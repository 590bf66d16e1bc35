"""Hypothesis strategies for the nouns of the model, up to whole clusters with flows to ask of them."""

from __future__ import annotations

from random import Random

from generate import random_cluster, random_flows
from generate_policies import LABELS
from hypothesis import strategies as st

from ringfence.model.addresses import AddressSet, Family
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Flow
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
