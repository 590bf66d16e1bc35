"""Dialects that can name a host: what each can say, and how its documents are read back.

Belongs: the table of dialects and who reads them (``table``); a companion document as names, ports and DNS
(``reading``, and one module for each dialect).
Does not: writing such documents (``generate.dialects``), what a name means (``model.hostnames``).
Start at ``table.DIALECTS``, then ``reading.names_in``.
"""
