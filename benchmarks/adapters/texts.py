"""20 Newsgroups as an upgrade: a stored gallery, pairs that both models have embedded, and later queries.

Gallery and pairs are other texts of the train part; the queries are the test part, on which nothing is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from segue.retrieval import Relevance, query_values
from segue.retrieval.cross_result import CrossTest, Mapped

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Values = NDArray[np.float64]

L3 = "paraphrase-MiniLM-L3"
GLOVE = "GloVe-50"
L6 = "all-MiniLM-L6"
DIGITS = "digits"
"""A stand-in for smoke runs: scanned digits at 4 by 4 pixels (old) and at 8 by 8 (new)."""
OLD = (L3, GLOVE)
GALLERY = 4_000


@dataclass(frozen=True, eq=False)
class Embedded:
    """A data set as both models embed it: a part to draw from, and the queries.

    Attributes:
        old: Old vectors of both parts, ``(n, d_old)`` and ``(q, d_old)``.
        new: New vectors, ``(n, d_new)`` and ``(q, d_new)``.
        labels: Classes, ``(n,)`` and ``(q,)``.
    """

    old: tuple[Floats, Floats]
    new: tuple[Floats, Floats]
    labels: tuple[Integers, Integers]


@dataclass(frozen=True, eq=False)
class Case:
    """One draw of gallery and pairs.

    Attributes:
        data: The data set.
        gallery: Rows of the gallery, ``(n,)``.
        pairs: Rows of the pairs, ``(p,)``.
        relevance: What is relevant to the queries in the gallery.
    """

    data: Embedded
    gallery: Integers
    pairs: Integers
    relevance: Relevance

    @property
    def queries(self) -> tuple[Floats, Floats]:
        """The queries as the old and as the new model embeds them."""
        return self.data.old[1], self.data.new[1]

    @property
    def stored(self) -> tuple[Floats, Floats]:
        """The gallery as the old and as the new model embeds it."""
        return self.data.old[0][self.gallery], self.data.new[0][self.gallery]

    @property
    def paired(self) -> tuple[Floats, Floats]:
        """The pairs as the old and as the new model embeds them."""
        return self.data.old[0][self.pairs], self.data.new[0][self.pairs]

    def values(self, measure: str, queries: Floats, gallery: Floats) -> Values:
        """Return the quality of each query's search."""
        return query_values(measure, queries, gallery, self.relevance)

    def ends(self, measure: str) -> tuple[Values, Values]:
        """Return what the old model alone and the new model alone reach."""
        old, new = (self.values(measure, *both) for both in zip(self.queries, self.stored, strict=True))
        return old, new

    def judged(self, measure: str, ends: tuple[Values, Values], values: Values, mapped: Mapped) -> CrossTest:
        """Return the cross test of a map."""
        return CrossTest.of(ends[0], values, ends[1], measure=measure, metric="cosine", mapped=mapped)


def draw(old: str, seed: int, pairs: int, gallery: int = GALLERY) -> Case:
    """Draw a gallery and pairs; with the same seed, fewer pairs are the first of more, and the gallery is the same.

    Args:
        old: The old encoder.
        seed: The seed.
        pairs: How many pairs.
        gallery: How many texts are stored.

    Returns:
        The case.

    Raises:
        UnavailableError: If texts or encoders can't be had.
    """
    data = SOURCES[old]()
    order = np.random.default_rng(seed).permutation(len(data.labels[0]))
    stored, rest = order[:gallery], order[gallery:]
    return Case(data, stored, rest[:pairs], Relevance.from_labels(data.labels[1], data.labels[0][stored]))


@cache
def newsgroups(old: str) -> Embedded:
    """Return 20 Newsgroups as an old encoder and all-MiniLM-L6 embed it."""
    from benchmarks.adapters import glove
    from benchmarks.congruent.encoders import embed
    from benchmarks.congruent.newsgroups import load_newsgroups

    texts = load_newsgroups()
    parts = (texts.train, texts.test)
    before: Callable[[Sequence[str]], Floats] = glove.embed if old == GLOVE else lambda some: embed(some, L3)
    return Embedded(
        old=(before(parts[0].texts), before(parts[1].texts)),
        new=(embed(parts[0].texts), embed(parts[1].texts)),
        labels=(parts[0].labels, parts[1].labels),
    )


@cache
def digits() -> Embedded:
    """Return scanned digits in two resolutions."""
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    sharp = pictures.astype(np.float32)
    blurred = sharp.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    first, later = slice(0, 1400), slice(1400, None)
    return Embedded(
        old=(blurred[first], blurred[later]),
        new=(sharp[first], sharp[later]),
        labels=(labels[first].astype(np.int64), labels[later].astype(np.int64)),
    )


SOURCES: dict[str, Callable[[], Embedded]] = {
    L3: lambda: newsgroups(L3),
    GLOVE: lambda: newsgroups(GLOVE),
    DIGITS: digits,
}
