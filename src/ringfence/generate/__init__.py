"""Intents to policies: NetworkPolicies that allow what was meant, and nothing else.

Belongs: how pods are singled out (``selecting``), in which words a rule gives ports (``ports``), who may reach whom at
which end (``edges``), what a wider rule says already (``needless``), names and documents (``naming``, ``policies``).
Does not: looking arrows up (``intents``), what policies let through (``engine``), text and files (``report``, ``cli``).
Start at ``policies.generate``.
"""
