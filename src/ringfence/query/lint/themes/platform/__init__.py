"""5xx, what the cluster itself does: the API server, webhooks, metrics, probes, pods on the host network.

Belongs: checks of connections that no application opens, and of pods whose traffic is their node's.
Does not: ways in from outside (``ways_in``); which plugin can do what (``plugins``).
Start at ``api_server``, then ``written`` for what the modules here share.
"""
