"""The map of crystals: embeddings, their projection to a plane, and one HTML page to explore it."""
