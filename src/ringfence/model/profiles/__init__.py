"""How network plugins differ from the text of the API, as data.

Belongs: one frozen object for each plugin, with what a source says of each property, and nothing that no source says.
The engine reads the few fields that are flags; lint and the reference page read the whole table.
Does not: matching (``engine``), wording of answers (``report``). The lab and a live cluster are facts and need none.
Start at ``profile.Profile``, then ``table``.
"""

from __future__ import annotations

from ringfence.model.profiles.profile import Profile, Traits
from ringfence.model.profiles.table import ALIASES, KUBERNETES, NP_GUARD, PROFILES, named

__all__ = ["ALIASES", "KUBERNETES", "NP_GUARD", "PROFILES", "Profile", "Traits", "named"]
