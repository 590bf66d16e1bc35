"""The rights of a verb, as roles to apply.

Belongs: ``yaml``, a role and its binding with comments.
Does not: which rights (``live.rights``).
Start at ``yaml``.
"""

from __future__ import annotations
