"""The checks, by theme: ``dns`` 1xx, ``ports`` 2xx, ``selectors`` 3xx, ``isolation`` 4xx, ``platform`` 5xx,
``ways_in`` 6xx, ``blocks`` 7xx, ``plugins`` 8xx, ``hygiene`` 9xx.

Belongs: functions decorated with ``check``, one for each code. A theme that grows past one module becomes a package;
the table finds every module here by itself, and what a module keeps to itself is nobody else's.
Does not: questions that several checks ask (``linting``).
Start at ``selectors``.
"""
