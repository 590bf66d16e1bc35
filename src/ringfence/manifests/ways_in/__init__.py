"""What leads traffic in from outside: Ingress objects, OpenShift's Routes, routes and gateways of the Gateway API.

Belongs: reading such objects (``entrances``, ``gateways``, ``route_shapes``), and settling what they lead to when
all is read (``entering``).
Does not: Services of a type that opens a port of its own (``objects.core``), or what comes through (``engine``).
Start at ``entrances.READERS``, then ``entering.settle``.
"""
