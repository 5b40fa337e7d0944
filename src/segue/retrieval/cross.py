"""The cross test: is the new embedding model better with the old gallery than the old model was?

The empirical criterion M(new, old) > M(old, old) and the update gain are those of backward-compatible training (Shen et
al., CVPR 2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.checks import counted, group_numbers
from segue.retrieval.cross_result import CrossTest, Mapped, refuse_choices
from segue.retrieval.embedded import embedded
from segue.retrieval.estimates import Undefined
from segue.retrieval.measures import NamedMeasure, named_measure, query_values, refuse_index_for_whole_rankings
from segue.retrieval.nearest import MEMORY, built_index, working_memory
from segue.retrieval.relevance import Relevance
from segue.retrieval.vectors import Vectors, same_dimension


def cross_test(
    queries_old: ArrayLike,
    queries_new: ArrayLike,
    gallery_old: ArrayLike,
    gallery_new: ArrayLike,
    relevance: Relevance,
    *,
    queries_paragon: ArrayLike | None = None,
    gallery_paragon: ArrayLike | None = None,
    queries_to_old: ArrayLike | None = None,
    gallery_to_new: ArrayLike | None = None,
    measure: str = "cmc@1",
    metric: str = "cosine",
    groups: ArrayLike | None = None,
    undefined: Undefined = "leave out",
    confidence: float = 0.95,
    seed: int = 0,
    names: tuple[str, str] = ("old", "new"),
    index: str | None = None,
    memory: int = MEMORY,
) -> CrossTest:
    """Measure each query model on each gallery that matters to an upgrade, on the same queries.

    Args:
        queries_old: The queries embedded by the old model, ``(q, d_old)``.
        queries_new: The same queries embedded by the new model, ``(q, d_new)``.
        gallery_old: The gallery as it is stored, ``(n, d_old)``.
        gallery_new: The same items embedded by the new model, ``(n, d_new)``.
        relevance: What is relevant to these queries in this gallery.
        queries_paragon: The queries embedded by the paragon: the new model trained without any constraint.
        gallery_paragon: The gallery embedded by the paragon.
        queries_to_old: What searches the old gallery in place of ``queries_new``, ``(q, d_old)``: new queries mapped
            to the old space, or the first ``d_old`` columns of a compatible model with extra dimensions.
        gallery_to_new: What ``queries_new`` search in place of the old gallery, ``(n, d_new)``: stored vectors mapped
            to the new space.
        measure: What is measured, such as ``"cmc@1"``, ``"recall@10"``, ``"map"`` or ``"ndcg@10"``; see
            :func:`segue.retrieval.measures.named_measure`.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.
        groups: Which person, product or session each query comes from, ``(q,)``: queries of a group are not taken
            for independent.
        undefined: What queries to which nothing is relevant count: ``"leave out"`` or ``"zero"``.
        confidence: Nominal coverage of the intervals.
        seed: Seed of the bootstrap.
        names: What the old and the new model are called.
        index: The string of a faiss index factory for approximate searches, built over each gallery.
        memory: Bytes of working memory of a search.

    Returns:
        The table, the criterion, the update gain, each with its interval.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        Three queries of three items each. Old queries find the first alone, new ones on the old gallery the second as
        well, new ones on the new gallery all.

        >>> labels, eye = [0, 1, 2], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        >>> old = [[1, 0, 0], [1, 0, 0], [1, 0, 0]]
        >>> mapped = [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
        >>> found = cross_test(old, eye, eye, eye, Relevance.from_labels(labels, labels), queries_to_old=mapped)
        >>> {name: round(cell.value, 3) for name, cell in found.cells.items()}
        {'old_old': 0.333, 'new_old': 0.667, 'new_new': 1.0}
        >>> str(found.compatible)  # of three queries nobody can tell
        "can't tell"
    """
    named = named_measure(measure)
    refuse_choices(undefined, confidence, names, seed)
    working_memory(memory)
    refuse_index_for_whole_rankings(named, index)
    _refuse_index_of_one_gallery(index)
    _refuse_half_given(queries_paragon, gallery_paragon, queries_to_old, gallery_to_new)
    held = embedded(
        {
            "queries_old": queries_old,
            "queries_new": queries_new,
            **_given(queries_paragon=queries_paragon, queries_to_old=queries_to_old),
        },
        {
            "gallery_old": gallery_old,
            "gallery_new": gallery_new,
            **_given(gallery_paragon=gallery_paragon, gallery_to_new=gallery_to_new),
        },
        relevance,
        metric,
    )
    group_numbers(groups, len(relevance), "queries_old")
    pairs = _pairs(held)
    for asked, searched in pairs.values():
        if (asked, searched) == ("queries_new", "gallery_old"):
            _refuse_no_bridge(held[asked].dimension, held[searched].dimension)
        same_dimension(held[asked], held[searched])
    values = _measured(named, held, pairs, relevance, metric, memory, index)
    mapped: Mapped = "queries" if "queries_to_old" in held else "gallery" if "gallery_to_new" in held else "nothing"
    return CrossTest.of(
        **values,
        groups=groups,
        measure=named.name,
        metric=metric,
        mapped=mapped,
        undefined=undefined,
        confidence=confidence,
        seed=seed,
        names=names,
    )


def _given(**vectors: Any) -> dict[str, Any]:
    return {name: values for name, values in vectors.items() if values is not None}


def _pairs(held: dict[str, Vectors]) -> dict[str, tuple[str, str]]:
    """Return which queries search which gallery, by cell."""
    pairs = {
        "old_old": ("queries_old", "gallery_old"),
        "new_old": (
            "queries_to_old" if "queries_to_old" in held else "queries_new",
            "gallery_to_new" if "gallery_to_new" in held else "gallery_old",
        ),
        "new_new": ("queries_new", "gallery_new"),
    }
    return {**pairs, "paragon": ("queries_paragon", "gallery_paragon")} if "queries_paragon" in held else pairs


def _measured(
    measure: NamedMeasure,
    held: dict[str, Vectors],
    pairs: dict[str, tuple[str, str]],
    relevance: Relevance,
    metric: str,
    memory: int,
    index: str | None,
) -> dict[str, NDArray[np.float64]]:
    """Return the values of each query by cell; one index at a time, built over each gallery once."""
    values = {}
    for gallery in dict.fromkeys(searched for _, searched in pairs.values()):
        built = None if index is None else built_index(held[gallery], metric, index, memory)
        for cell, (asked, searched) in pairs.items():
            if searched == gallery:
                values[cell] = query_values(
                    measure.name, held[asked].values, held[gallery].values, relevance,
                    metric=metric, memory=memory, index=built,
                )  # fmt: skip
    return {cell: values[cell] for cell in pairs}


def _refuse_no_bridge(new: int, old: int) -> None:
    if new != old:
        columns = f" (queries_new[:, :{old}] if the model was trained to extend the old one)" if new > old else ""
        raise InputError(
            f"queries_new has {counted(new, 'dimension')} and gallery_old {old:,}, so that new queries can't search "
            f"the old gallery; pass queries_to_old, the queries mapped to the old space{columns}, or gallery_to_new, "
            f"the old gallery mapped to the new one"
        )


def _refuse_half_given(queries_paragon: Any, gallery_paragon: Any, queries_to_old: Any, gallery_to_new: Any) -> None:
    if (queries_paragon is None) != (gallery_paragon is None):
        given, missing = ("gallery", "queries") if queries_paragon is None else ("queries", "gallery")
        raise InputError(f"{given}_paragon is given without {missing}_paragon; pass both, or neither")
    if queries_to_old is not None and gallery_to_new is not None:
        raise InputError(
            "queries_to_old and gallery_to_new are both given; pass one of them: mapped queries search the old "
            "gallery, or new queries the mapped gallery"
        )


def _refuse_index_of_one_gallery(index: Any) -> None:
    if index is not None and not isinstance(index, str):
        raise InputError(
            f"index is a {type(index).__name__}, which holds one gallery; pass the string of an index factory, such as "
            f"'HNSW32', which is built over each"
        )
