"""Metrics of several models side by side: tables that mark what differs, figures, cells, one page."""
