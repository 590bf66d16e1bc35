"""From plain data to nouns, one module for each group of kinds: pods and their makers, policies, Services, namespaces.

Belongs: which fields are read and what they mean (``shapes``, ``fields``), each kind's rules, and joining pods to their
owners (``workloads``).
Does not: finding objects (``text``), telling kinds apart (``records``), or what leads traffic in (``ways_in``).
Start at ``policy``, then ``workloads``.
"""
