"""How crystals are drawn: colours and sizes of elements, scenes of balls and bonds, a renderer, a viewer for pages."""
