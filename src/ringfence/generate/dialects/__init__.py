"""Companion documents: names outside the cluster, in the dialects that can say them.

Belongs: one module for each dialect, which writes plain documents in the order a person would (``asked`` has the
question); what a dialect cannot say or reads differently, which is refused with reason and remedy.
Does not: what dialects there are and how they are read back (``intents.dialects``), text (``manifests``).
Start at ``asked.NamesRule``, then ``writing.companions``.
"""
