"""Backbones that families share."""
