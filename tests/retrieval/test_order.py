import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segue.retrieval.order import LAST, first, keys, unpacked

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(FLOATS, st.integers(0, 2**32 - 2)), min_size=1, max_size=30, unique_by=lambda pair: pair[1]))
def test_keys_sort_as_score_and_row_do_and_give_both_back(items):
    scores = np.array([score for score, _ in items], dtype=np.float32)
    rows = np.array([row for _, row in items], dtype=np.int64)
    packed = keys(scores, rows)
    wanted = sorted(range(len(items)), key=lambda place: (-scores[place], rows[place]))
    assert packed.argsort().tolist() == wanted
    again_rows, again_scores = unpacked(packed)
    np.testing.assert_array_equal(again_rows, rows)
    np.testing.assert_array_equal(again_scores, scores)
    assert (packed < LAST).all()


def test_what_stands_behind_everything_has_no_row():
    rows, scores = unpacked(first(np.array([[LAST, keys(np.float32([-np.inf]), np.array([4]))[0]]]), 2))
    assert rows.tolist() == [[4, -1]]
    assert np.isneginf(scores).all()
