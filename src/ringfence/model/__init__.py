"""Nouns: what a cluster is made of, and what can be asked and answered about it.

Belongs: frozen values and the algebra of sets (ports, addresses); names and how to look them up. Standard library only.
Does not: verdicts. Selectors, peers, ports and Services are matched by each witness with code of its own, so that
their agreement means something.
Start at ``cluster.Cluster``, then ``policies.Policy`` and ``flows.Decision``.
"""
