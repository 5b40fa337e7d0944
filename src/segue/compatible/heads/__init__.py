"""Heads on embeddings: ``head(embeddings) -> logits``, learned, frozen or fixed, one file each."""

from segue.compatible.heads.base import Head
from segue.compatible.heads.cosine import CosineHead
from segue.compatible.heads.fitting import fit_head
from segue.compatible.heads.frozen import FrozenHead
from segue.compatible.heads.linear import LinearHead
from segue.compatible.heads.margins import ArcFaceMargin, CosFaceMargin, Margin
from segue.compatible.heads.new_classes import imprinted_head, with_new_classes
from segue.compatible.heads.simplex import SimplexHead

__all__ = [
    "ArcFaceMargin",
    "CosFaceMargin",
    "CosineHead",
    "FrozenHead",
    "Head",
    "LinearHead",
    "Margin",
    "SimplexHead",
    "fit_head",
    "imprinted_head",
    "with_new_classes",
]
