"""What workloads are told: the strings in their variables, arguments and mounted files, with the places of each.

Belongs: finding strings and saying where they stand, for who wants to know whom a program talks to, and which hosts a
string names by its form alone (``forms``). It is a second pass over the same files, for the verbs that ask, so that
reading a cluster costs nothing more.
Does not: saying who a host is in the cluster and what follows (``infer``, ``query.lint``); opening a Secret, ever;
findings, which the first pass told.
Start at ``gather.gather``, then ``containers.Reader``.
"""
