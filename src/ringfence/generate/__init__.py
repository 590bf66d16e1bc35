"""Wishes to policies: what a person wants, as documents that allow exactly that.

Belongs: NetworkPolicies from wishes; companion documents for names outside (``dialects``). Pure: no I/O, no terminal.
Does not: what a wish means (``intents``), text (``manifests``), what policies let through (``engine``).
Start at ``dialects.writing``.
"""
