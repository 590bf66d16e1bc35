"""What lint found, as text, JSON, SARIF, JUnit, annotations of GitHub, code quality of GitLab and Markdown; and the
pages of the checks.

``examples`` holds for each check the manifests that trigger it, the place marked, and the nearest ones that do not:
the pages show them, and the tests run them.
Belongs: layout and wording. Does not: findings (``query.lint``).
Start at ``text`` and ``pages``.
"""
