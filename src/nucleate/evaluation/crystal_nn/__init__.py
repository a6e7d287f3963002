"""Coordination environments after CrystalNN, and how much they look like known motifs.

CrystalNN (Pan et al. 2021, Inorg. Chem. 60, 1590) cuts space into Voronoi cells, weighs each neighbour of a site by the
face between the two, by distance and by electronegativity, and reads from the weights how probable each coordination
number is. Order parameters (Zimmermann and Jain 2020, RSC Adv. 10, 6063) say how close the likely neighbours come to a
tetrahedron, an octahedron, and so on. The published metrics take both from pymatgen and matminer; here the same
numbers come from the formulas, compiled:

    neighbours → voronoi → environments → order_parameters

Each of these four is a kernel module: it works on arrays, imports numba, and is imported where it is used. The module
`fingerprint` calls them for one crystal; `motifs` and `radii` are tables.
"""
