"""Stories that join rooms: a prediction meets packets, in the lab or in a live cluster.

Belongs: what needs both the engine's answers and a witness, and nobody else does: when they agree (``judging``); of the
lab comparing (``compare``), the whole proof (``prove``), the measured matrix in the words of the predicted one
(``measured``), what changed while watching (``watch``); of a live cluster real connections (``probing``), and applying,
held against the prediction (``applying``) and against twins (``verifying``).
Does not: answers, packets, or layout. This room hands things from one to the other and keeps them apart.
Start at ``prove``.
"""

from __future__ import annotations
