"""Stories that join rooms: a prediction meets packets.

Belongs: what needs both the engine's answers and a lab, and nobody else does: comparing (``compare``), the whole proof
(``prove``), the measured matrix in the words of the predicted one (``measured``), what changed while watching
(``watch``). Does not: answers, packets, or layout. This room hands things from one to the other and keeps them apart.
Start at ``prove``.
"""

from __future__ import annotations
