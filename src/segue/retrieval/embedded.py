"""The same queries and the same gallery, embedded by several models: what must agree between them, and what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any

import numpy as np

from segue.errors import InputError
from segue.flips.checks import counted, same_index
from segue.retrieval.relevance import Relevance
from segue.retrieval.vectors import Vectors, as_vectors, known_metric


def embedded(
    queries: Mapping[str, Any], gallery: Mapping[str, Any], relevance: Relevance, metric: str
) -> dict[str, Vectors]:
    """Read what several models made of the same queries and the same gallery.

    Args:
        queries: Each model's query vectors, ``(q, d)``, by the caller's names.
        gallery: Each model's gallery vectors, ``(n, d)``.
        relevance: What is relevant to the queries in the gallery.
        metric: What vectors are to be compared by.

    Returns:
        The vectors by the caller's names.

    Raises:
        InputError: If something is wrong with the vectors, rows don't match between models or with relevance, or
            relevance could not tell one model from another.
    """
    kind = known_metric(metric)
    refuse_other_relevance(relevance)
    found: dict[str, Vectors] = {}
    for what, given, count in (("queries", queries, len(relevance)), ("gallery items", gallery, relevance.gallery)):
        same_index(given)
        read = {name: as_vectors(values, name, kind) for name, values in given.items()}
        if any(len(vectors) != count for vectors in read.values()):
            told = ", ".join(f"{name} has {len(vectors):,}" for name, vectors in read.items())
            raise InputError(
                f"rows don't match: {told} and relevance knows {count:,} {what}; pass the same {what} in the same "
                f"order for every model, and their relevance"
            )
        found |= read
    refuse_telling_nothing(relevance)
    return found


def refuse_other_relevance(relevance: object) -> None:
    """Refuse relevance in another form, such as the labels themselves.

    Args:
        relevance: What the caller passed.

    Raises:
        InputError: If it is no :class:`segue.retrieval.Relevance`.
    """
    if not isinstance(relevance, Relevance):
        raise InputError(
            f"relevance is a {type(relevance).__name__}; pass Relevance.from_labels(query_labels, gallery_labels) or "
            f"Relevance.from_qrels(...)"
        )


def refuse_relevance_of_others(relevance: Relevance, vectors: Mapping[str, Sized]) -> None:
    """Refuse relevance that belongs to other queries or to another gallery.

    Args:
        relevance: What the caller passed.
        vectors: The queries and the gallery, in this order, by the caller's names.

    Raises:
        InputError: If it is no :class:`segue.retrieval.Relevance`, or there are other numbers of queries or items.
    """
    refuse_other_relevance(relevance)
    (asked, queries), (held, gallery) = vectors.items()
    if (len(queries), len(gallery)) != (len(relevance), relevance.gallery):
        raise InputError(
            f"{asked} and {held} have {len(queries):,} and {counted(len(gallery), 'row')}, relevance "
            f"{len(relevance):,} and {relevance.gallery:,}; pass the relevance of these queries in this gallery"
        )


def refuse_telling_nothing(relevance: Relevance) -> None:
    """Refuse relevance by which all searches are alike.

    Args:
        relevance: What is relevant to the queries in the gallery.

    Raises:
        InputError: If nothing is relevant to any query, or everything to every query.
    """
    if not relevance.totals.any():
        asked = "the query" if len(relevance) == 1 else f"any of the {len(relevance):,} queries"
        raise InputError(
            f"relevance has nothing relevant to {asked}; check that queries and gallery name the same labels or ids"
        )
    held = relevance.gallery - (relevance.exclude >= 0)
    if (relevance.totals == held).all() and len(np.unique(relevance.grades)) == 1:
        raise InputError(
            "relevance has every gallery item relevant to every query, so that any model finds all; pass labels of at "
            "least two classes"
        )
