"""Segue's search, on the vectors as they are: checks, normalisation, proof and ties included."""

from __future__ import annotations

from typing import Any

from benchmarks.retrieval.search_contest.contestant import Found, contest
from segue.retrieval import search


def found(queries: Any, gallery: Any, k: int, metric: str) -> Found:
    """Search."""
    hits = search(queries, gallery, k, metric=metric)
    return hits.rows, hits.scores


if __name__ == "__main__":
    contest(lambda queries, gallery, metric: (queries, gallery), found)
