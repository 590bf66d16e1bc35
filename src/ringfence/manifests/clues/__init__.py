"""What workloads are told: the strings in their variables, arguments and mounted files, with the places of each.

Belongs: finding strings and saying where they stand, for who wants to know whom a program talks to. It is a second pass
over the same files, for the verbs that ask, so that reading a cluster costs nothing more.
Does not: saying what a string means (``infer``); opening a Secret, ever; findings, which the first pass told.
Start at ``gather.gather``, then ``containers.Reader``.
"""
