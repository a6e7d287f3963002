"""Requests into crystals: batching, order, failures, prediction for a formula."""
