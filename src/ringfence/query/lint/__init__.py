"""Lint: what is wrong or suspicious in policies, asked of the engine and not of their text.

Belongs: the table of checks, the context they ask (``linting``, ``programs``), choosing, grouping and suppressing of
what they find. The checks themselves are in ``themes``, one module or more for each hundred of codes.
Does not: files, options, baselines on disk (``cli``); wording of reports and the examples of the pages (``report``).
Start at ``check.Check``, then ``linting.Linting``, then ``run.lint``.
"""
