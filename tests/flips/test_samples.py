import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import MissingExtraError
from segue.flips.samples import FlipMatrix, FlippedSamples


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz")), max_size=60))
def test_the_matrix_counts_every_pair(pairs):
    labels, answers = (np.array([pair[k] for pair in pairs], dtype=np.str_) for k in (0, 1))
    matrix = FlipMatrix.of(labels, answers)
    found = {(row["label"], row["answer"]): row["count"] for row in matrix.to_dict()}
    assert found == {pair: pairs.count(pair) for pair in set(pairs)}
    assert matrix.counts.tolist() == sorted(matrix.counts.tolist(), reverse=True)
    rows, columns, dense = matrix.dense()
    assert dense.sum() == len(pairs)
    assert all(dense[rows.index(a), columns.index(b)] == count for (a, b), count in found.items())


def test_a_part_of_the_flips_says_that_it_is_a_part():
    part = FlippedSamples({"id": np.array([1, 2])}, negative=2, positive=1)
    assert not part.complete
    assert len(FlippedSamples({}, 0, 0)) == 0


@pytest.mark.parametrize(("module", "method"), [("polars", "to_polars"), ("pandas", "to_pandas")])
def test_a_missing_frame_library_names_the_extra_that_brings_it(monkeypatch, module, method):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'segue\[frames\]'"):
        getattr(FlippedSamples({"id": np.array([1])}, 1, 0), method)()
