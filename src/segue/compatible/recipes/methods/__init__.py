"""All ways to make a new network's embeddings work with an old gallery, by name."""

from segue.compatible.recipes.methods.base import Method
from segue.compatible.recipes.methods.registry import METHODS

__all__ = ["METHODS", "Method"]
