"""Embeddings: vectors of crystals, between which a distance means something. One a module."""
