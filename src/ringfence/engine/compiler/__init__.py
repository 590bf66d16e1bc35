"""The compiler: all flows of a cluster at once, by equivalence classes and sets of them as integers.

Belongs: what is made once (``classes``, ``peers``, ``portlists``, ``sides``), what determines rows (``rulebook``), the
rows (``compile``, ``rows``), and what is asked of them (``reachability``, ``listing``, ``services``, ``entrances``,
``volume``) in the terms of ``answers``.
Does not: anything of ``reference``, not even a helper; why a flow is allowed, policy by policy.
Start at ``reachability.compile``, then ``compile.Table``.
"""
