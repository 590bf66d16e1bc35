"""The process that holds a lab, and how to talk to it.

Belongs: starting and ending that process (``lab``), what it does when asked (``owner``), messages (``talk``), the
user's own command inside a pod (``commands``), labs that stay (``registry``), what this machine lacks (``doctor``).
Does not: what the answers mean.
Start at ``lab.Lab``.
"""

from __future__ import annotations
