"""Lint: its checks by their examples, choosing, setting aside, and the reports."""
