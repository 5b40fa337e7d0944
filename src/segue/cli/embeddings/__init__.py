"""Embeddings in files: what several models made of the same items, matched by their ids or row by row."""

from __future__ import annotations

from segue.cli.embeddings.items import Items, read_items
from segue.cli.embeddings.parts import Names

__all__ = ["Items", "Names", "read_items"]
