"""Bytes to nouns and back: YAML and JSON with lines, directories, standard input, lists and dumps.

Inner rooms, each with a charter: ``text`` finds the objects, ``checks`` says what the server refuses, ``objects`` reads
one kind after another, ``ways_in`` what leads traffic in from outside, and ``clues``, in a second pass, what containers
are told.
Belongs: reading as the API server reads (S1 to S33). Here at the top is what sees all kinds at once: ``records`` tells
them apart, ``quick`` is the short way for dumps, and ``plain`` holds what went it. What could not be read is a finding,
and a gap that answers are qualified for.
Does not: verdicts (``engine``); printing (``report``).
Start at ``load.load``, then ``records.record``.
"""

from __future__ import annotations

from ringfence.manifests.checks.codes import CODES, Code
from ringfence.manifests.load import load
from ringfence.manifests.write import write

__all__ = ["CODES", "Code", "load", "write"]
