"""Metrics: pure functions from crystals to columns, one metric a file, and from columns to a `Result` for each task."""
