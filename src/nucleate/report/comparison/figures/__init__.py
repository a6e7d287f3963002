"""Figures of a comparison: inline SVG in the colours of the page, each with its text alternative."""
