"""Ways to make an update, by name."""

from segue.congruent.recipes.methods.base import Method
from segue.congruent.recipes.methods.registry import METHODS

__all__ = ["METHODS", "Method"]
