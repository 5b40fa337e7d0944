"""What is one is told in the singular."""

import numpy as np
import pytest

from segue.errors import InputError
from segue.retrieval import (
    Relevance,
    at_old_threshold,
    backfill_curve,
    cross_test,
    old_head_accuracy,
    search,
    tar_at_far,
)

ONE, TWO = [[1.0]], [[1.0, 0.0]]
ASKED = Relevance.from_labels([0], [0])
SAID = {
    "queries_new has 1 dimension and gallery_old 2, so that new queries can't search the old gallery; pass "
    "queries_to_old, the queries mapped to the old space, or gallery_to_new, the old gallery mapped to the new one": (
        lambda: cross_test(TWO, ONE, [*TWO, *TWO], [*ONE, *ONE], Relevance.from_labels([0], [0, 1]))
    ),
    "relevance has nothing relevant to the query; check that queries and gallery name the same labels or ids": (
        lambda: cross_test(ONE, ONE, ONE, ONE, Relevance.from_labels([1], [0]))
    ),
    "queries_old and gallery_old have 1 and 1 row, relevance 2 and 2; pass the relevance of these queries in this "
    "gallery": lambda: at_old_threshold(ONE, ONE, ONE, ONE, Relevance.from_labels([0, 1], [0, 1])),
    "gallery_before has 1 row and gallery_after 2; pass the same gallery items in the same order": (
        lambda: backfill_curve(ONE, ONE, [[1.0], [2.0]], [0], ASKED, steps=1)
    ),
    "labels has 1 item of 1 class that no row of weights stands for (3); leave these items out, or pass "
    "unknown='count apart'": lambda: old_head_accuracy(np.eye(2), None, np.eye(2), np.eye(2), [0, 3]),
    "bias has shape (2,) and weights 1 row; pass one number per row": (
        lambda: old_head_accuracy(TWO, [0.0, 0.0], TWO, TWO, [0])
    ),
    "exclude names 1 row outside the gallery's 1, first at query 0 (3); pass rows from 0 to 0, or -1 for none": (
        lambda: search(ONE, ONE, 1, exclude=[3])
    ),
    "far is 0.5, which 1 impostor score can't show; pass at least 2 of them, or a far of at least 1": (
        lambda: tar_at_far([1.0], [0.0], 0.5)
    ),
}


@pytest.mark.parametrize("said", SAID)
def test_it_is_told_in_the_singular(said):
    with pytest.raises(InputError) as caught:
        SAID[said]()
    assert str(caught.value) == said


def test_many_are_told_in_the_plural():
    with pytest.raises(InputError, match="relevance has nothing relevant to any of the 2 queries;"):
        cross_test(np.eye(2), np.eye(2), np.eye(2), np.eye(2), Relevance.from_labels([7, 8], [0, 1]))
