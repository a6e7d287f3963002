"""Pure functions on tensors: lattices, the torus of fractional coordinates, periodic distances, neighbours."""
