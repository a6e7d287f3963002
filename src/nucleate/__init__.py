"""Nucleate: train, run, judge and show generative models of inorganic crystals."""

__version__ = "0.1.0"
