"""A run is a Python function that returns a full, typed configuration."""

from nucleate.recipes.recipe import Recipe as Recipe
from nucleate.recipes.recipe import find_recipe as find_recipe
from nucleate.recipes.recipe import with_base as with_base
