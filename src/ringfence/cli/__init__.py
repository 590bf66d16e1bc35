"""The command line: one module for each verb, imported when the verb is asked for.

Belongs: arguments, exit statuses, where output goes. A verb parses, calls one library function, prints.
Does not: answers (``query``), layout (``report``).
Start at ``main``; ``common`` has the options that verbs share.
"""

from __future__ import annotations

from ringfence.cli.main import main, parser

__all__ = ["main", "parser"]
