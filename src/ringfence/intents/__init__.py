"""Wishes in a cluster: what the arrows of an intents document mean there, for all who generate, check or prove.

Belongs: whom an end stands for (``ends``, ``parties``), with stand-ins for pods that are not there yet; the ports of a
Service as those of its pods (``ports``); the DNS and the companions that are implied (``dns``, ``companions``); wishes
that contradict each other (``contradictions``).
Does not: reading documents (``manifests.intents``), what policies let through (``engine``), writing policies
(``generate``).
Start at ``meaning.meaning``.
"""
