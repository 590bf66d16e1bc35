"""Wishes to policies: what a person wants, as documents that allow exactly that. Pure: no I/O, no terminal.

Belongs: how pods are singled out (``selecting``), in which words a rule gives ports (``ports``), who may reach whom at
which end (``edges``), what a wider rule says already (``needless``), names outside (``outside``, with companion
documents in ``dialects``), names of policies (``naming``) and the documents (``policies``).
Does not: what a wish means (``intents``), what policies let through (``engine``), text and files (``report``, ``cli``).
Start at ``policies.generate``.
"""
