import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.flips.counts import Tally, cell_of

CELLS = st.lists(st.integers(0, 4), min_size=1, max_size=60)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=50))
def test_cells_follow_their_definitions(rows):
    old, new, same = (np.array(column) for column in zip(*rows, strict=True))
    expected = [(0 if n else 1) if o else (2 if n else (3 if s else 4)) for o, n, s in rows]
    assert cell_of(old, new, same).tolist() == expected


@given(CELLS, st.data())
def test_sums_agree_with_loops(cells, data):
    weights = data.draw(st.lists(st.floats(0.1, 10), min_size=len(cells), max_size=len(cells)))
    groups = data.draw(st.lists(st.integers(0, 6), min_size=len(cells), max_size=len(cells)))
    tally = Tally.of(np.array(cells, dtype=np.int8), np.array(weights), np.array(groups))
    for cell in range(5):
        here = [w for w, c in zip(weights, cells, strict=True) if c == cell]
        assert tally.counts[cell] == len(here)
        assert tally.sums[cell] == pytest.approx(sum(here))
        assert tally.squares is not None
        assert tally.squares[cell] == pytest.approx(sum(w * w for w in here))
    assert tally.groups is not None
    assert len(tally.groups) == len(set(groups))
    assert tally.groups.sum(axis=0) == pytest.approx(tally.sums)


@given(CELLS)
def test_the_linearised_variance_of_a_mean_is_its_textbook_variance(cells):
    x = (np.array(cells) == 1).astype(float)
    influence = (np.arange(5) == 1) / len(cells) - x.mean() / len(cells)
    assert Tally.of(np.array(cells, dtype=np.int8)).variance(influence) == pytest.approx(x.var() / len(cells))


@given(CELLS)
def test_the_kish_size_of_equal_weights_is_their_number(cells):
    every = np.ones(5, dtype=bool)
    array = np.array(cells, dtype=np.int8)
    assert Tally.of(array).units(every) == pytest.approx(len(cells))
    assert Tally.of(array, np.full(len(cells), 3.0)).units(every) == pytest.approx(len(cells))


def test_too_many_different_groups_are_not_resampled(monkeypatch, rng):
    monkeypatch.setattr("segue.flips.counts.MOST_BOOTSTRAP_PATTERNS", 10)
    groups = rng.random((11, 5))
    assert Tally(groups.sum(axis=0).astype(np.int64), groups=groups).replicates is None
