"""Families of generative models behind one protocol, their weights, and networks that they share."""
