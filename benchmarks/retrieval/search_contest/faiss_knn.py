"""faiss alone, on vectors that already are as it needs them."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from benchmarks.retrieval.search_contest.contestant import Found, contest


def ready(queries: Any, gallery: Any, metric: str) -> Any:
    """Normalise for cosine."""
    if metric == "cosine":
        gallery = np.array(gallery)
        faiss.normalize_L2(gallery)
        faiss.normalize_L2(queries)
    return queries, gallery


def knn(queries: Any, gallery: Any, k: int, metric: str) -> Found:
    """Search."""
    kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    scores, rows = faiss.knn(queries, gallery, k, metric=kind)
    return rows, -scores if metric == "l2" else scores


if __name__ == "__main__":
    contest(ready, knn)
