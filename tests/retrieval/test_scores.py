import numpy as np
import pytest

from segue.errors import InputError
from segue.retrieval import pair_scores
from segue.retrieval.scores import score_matrix, scores_of
from tests.retrieval import slow

METRICS = ("cosine", "inner-product", "l2")


@pytest.mark.parametrize("metric", METRICS)
def test_pairs_agree_with_loops(metric, rng):
    left, right = rng.normal(size=(30, 9)), rng.normal(size=(30, 9))
    wanted = [slow.score(a, b, metric) for a, b in zip(left, right, strict=True)]
    np.testing.assert_allclose(pair_scores(left, right, metric=metric), wanted, rtol=1.3e-7)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["normal", "zeros and ones", "far away", "the same"])
def test_a_matrix_of_scores_holds_the_very_scores_of_its_pairs(metric, kind, rng):
    made = {
        "normal": lambda rows: rng.normal(size=(rows, 33)),
        "zeros and ones": lambda rows: rng.integers(0, 2, size=(rows, 33)) + np.eye(rows, 33),
        "far away": lambda rows: rng.normal(size=(rows, 33)) + 1e4,
        "the same": lambda rows: np.full((rows, 33), 0.1),
    }[kind]
    queries, gallery = made(20), made(150)
    matrix = score_matrix(queries, np.arange(20), gallery, 50, 150, metric)
    asking, asked = np.divmod(np.arange(2000), 100)
    np.testing.assert_array_equal(matrix.ravel(), scores_of(queries, asking, gallery, asked + 50, metric))


def test_pairs_of_another_number_are_refused():
    with pytest.raises(InputError, match="left has 2, right has 3"):
        pair_scores(np.eye(2, 4), np.eye(3, 4))
