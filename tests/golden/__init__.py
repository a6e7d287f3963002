"""Published values, row by row; `prototypes` is part of the repository, the rest is looked for in ../shared."""
