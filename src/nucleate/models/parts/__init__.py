"""Parts that families share: coordinates of the lattice, coupling of like atoms, sizes of cells, counts of atoms."""
