"""A pretend cluster on this machine: it sends packets and never predicts them.

Every pod of a snapshot becomes a network namespace, the kernel enforces the policies by packet rules made here from
the model alone, and real connections are tried. This room is the third witness, so it may not reach ``engine``, not
even through another room: a witness that reads the prediction is no witness.

Inner rooms, each with a charter: ``kernel`` (system calls), ``plan`` (from a cluster to addresses, rules and questions;
pure), ``net`` (the sandbox and its namespaces), ``wire`` (servers, name service, probes), ``run`` (the process that
holds a lab, and how to talk to it).
Belongs: whatever is needed to start such a cluster, ask it and end it.
Does not: predictions, comparisons, layout.
Start at ``plan.snapshot.fix``, then ``run.lab.Lab``.
"""

from __future__ import annotations
