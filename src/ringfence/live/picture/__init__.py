"""From a server to what is read as manifests: the kinds that a verb needs, and a snapshot of them to keep.

Belongs: which kinds (``kinds``), asking for them and what to do where they are refused (``reading``), what of each
object is kept in a file for others (``snapshot``, ``fields``, ``names``).
Does not: what the objects mean (``manifests``), requests (``server``).
Start at ``reading.read``.
"""

from __future__ import annotations
