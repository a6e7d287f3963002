"""Crystals that pictures are tried on: those of the pages."""

from tests.report.conftest import rock_salt

__all__ = ["rock_salt"]
