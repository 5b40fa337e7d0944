import numpy as np
import pytest

from segue.errors import InputError
from segue.retrieval import Hits


def test_hits_tell_what_they_hold_and_become_json():
    hits = Hits(np.array([[3, -1]]), np.array([[0.5, -np.inf]]))
    assert str(hits) == "1 query, up to 2 hits each; 1 query has fewer."
    assert hits.to_dict() == {"rows": [[3, -1]], "scores": [[0.5, None]]}


@pytest.mark.parametrize(
    ("rows", "scores", "sentence"),
    [
        ([[0, 1]], [[0.5]], "rows has shape (1, 2) and scores (1, 1); pass one row and one score per query and rank, "
                            "shape (q, k) both"),
        ([[0, 1]], [[0.5, 0.6]], "scores rise for 1 query, first at query 0; pass each gallery row once, best first"),
        ([[0, 1], [2, 2]], [[1, 0], [1, 0]], "a gallery row is found twice for 1 query, first at query 1; pass each "
                                             "gallery row once, best first"),
        ([[-1, 1]], [[0.5, 0.4]], "rows has a negative number before a hit; pass -1 only behind the last hit of a "
                                  "query"),
        ([[0, 1]], [[0.5, np.nan]], "scores has 1 NaN; pass -inf for what is missing"),
        ([[0.0, 1.0]], [[0.5, 0.4]], "rows holds float64 and scores float64 values; pass integers and numbers"),
    ],
)  # fmt: skip
def test_mistakes(rows, scores, sentence):
    with pytest.raises(InputError) as caught:
        Hits(np.array(rows), np.array(scores))
    assert str(caught.value) == sentence
