"""8xx, network plugins and dialects: what a plugin does not do, and what documents of other kinds really say.

Belongs: checks that need a profile, and checks on objects of kinds that no answer rests on, read as plain data.
Such a document is judged only as far as its text alone settles it: what depends on more is left alone.
Does not: the tables of plugins (``model.profiles``), names outside as intents mean them (``intents.dialects``).
Start at ``documents``, which the others read with.
"""
