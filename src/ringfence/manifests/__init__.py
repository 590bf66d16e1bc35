"""Bytes to nouns and back: YAML and JSON with lines, directories, standard input, lists and dumps.

Belongs: reading as the API server reads (S1 to S33), one module for each group of kinds; what could not be read is a
finding, and a gap that answers are qualified for.
Does not: verdicts (``engine``); printing (``report``).
Start at ``load.load``. ``text`` finds the objects, ``checks`` says what the server refuses, ``records`` tells kinds
apart, ``policy`` reads NetworkPolicies strictly, ``workloads`` joins pods to their owners,
and ``entering`` settles the ways in.
"""

from __future__ import annotations

from ringfence.manifests.checks.codes import CODES, Code
from ringfence.manifests.load import load
from ringfence.manifests.write import write

__all__ = ["CODES", "Code", "load", "write"]
