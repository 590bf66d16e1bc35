"""Bytes to objects: files, text, documents and lists, each object with the places of its fields. No meaning yet.

Belongs: encodings, YAML and JSON, where one document ends and the next begins.
Does not: what an object is (``records``), or whether the server would take it (``checks``).
Start at ``documents.objects``.
"""
