"""Slow, obvious references: loops that follow the definitions word for word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def score(query: Any, item: Any, metric: str) -> np.float32:
    q, x = [float(number) for number in query], [float(number) for number in item]
    dot = math.fsum(a * b for a, b in zip(q, x, strict=True))
    if metric == "cosine":
        return np.float32(dot / math.sqrt(math.fsum(a * a for a in q) * math.fsum(b * b for b in x)))
    if metric == "l2":
        return np.float32(-math.fsum((a - b) ** 2 for a, b in zip(q, x, strict=True)))
    return np.float32(dot)


def ranking(query: Any, gallery: Any, metric: str, own: int = -1) -> list[tuple[float, int]]:
    """All items, best first, the lower row first among equal scores."""
    scored = [(float(score(query, item, metric)), row) for row, item in enumerate(gallery) if row != own]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1]))


def average_precision(relevant: Sequence[bool], total: int, k: int | None = None) -> float:
    precisions = [sum(relevant[: rank + 1]) / (rank + 1) for rank, good in enumerate(relevant[:k]) if good]
    return sum(precisions) / total if total else math.nan


def ndcg(grades: Sequence[float], all_grades: Sequence[float], k: int | None = None) -> float:
    def dcg(gains: Sequence[float]) -> float:
        return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains[:k]))

    best = dcg(sorted(all_grades, reverse=True))
    return dcg(grades) / best if best else math.nan


def true_accepts(genuine: Sequence[float], impostor: Sequence[float], rate: float) -> tuple[float, float]:
    """Try every score as a threshold; the smallest that lets through few enough impostors wins."""
    for threshold in sorted([*genuine, *impostor]):
        false = sum(score > threshold for score in impostor)
        if false <= rate * len(impostor) + 1e-9 and threshold in impostor:
            return threshold, sum(score > threshold for score in genuine) / len(genuine)
    raise AssertionError("the highest impostor lets nobody through")
