"""What a change opens and closes, as text.

Belongs: a module for each format, and the words that those for people share (``words``).
Does not: comparing (``query.diff``).
Start at ``table.lines``; each format has ``lines(diff)``.
"""
