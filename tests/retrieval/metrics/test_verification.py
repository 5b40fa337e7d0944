import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from segue.errors import InputError
from segue.retrieval import tar_at_far
from tests.retrieval import slow

SCORES = st.lists(st.integers(0, 12), min_size=1, max_size=25)


@given(genuine=SCORES, impostor=SCORES, far=st.sampled_from([0.1, 0.2, 0.25, 0.5, 0.9]))
def test_the_threshold_agrees_with_trying_all_of_them(genuine, impostor, far):
    if far * len(impostor) < 1:
        with pytest.raises(InputError, match=r"impostor scores? can't show"):
            tar_at_far(genuine, impostor, far)
        return
    found = tar_at_far(genuine, impostor, far)
    threshold, tar = slow.true_accepts(genuine, impostor, far)
    assert (found.threshold, found.tar.value) == (threshold, pytest.approx(tar))
    assert found.far.value <= far
    assert found.tar.low <= found.tar.value <= found.tar.high
    assert found.accepted.mean() == pytest.approx(tar)


def test_it_is_a_point_of_scikit_learns_curve(rng):
    genuine, impostor = rng.normal(1, 1, size=500), rng.normal(0, 1, size=2000)
    found = tar_at_far(genuine, impostor, 0.01)
    false, true, _ = roc_curve(np.repeat([1, 0], [500, 2000]), np.concatenate([genuine, impostor]),
                               drop_intermediate=False)  # fmt: skip
    assert found.tar.value == pytest.approx(true[false <= 0.01].max())
    assert found.far.value == pytest.approx(0.01)


def test_the_interval_covers_what_the_threshold_adds(rng):
    # P(genuine > t) at the true threshold of the impostors' distribution
    true = 0.37
    covered = 0
    for seed in range(200):
        found = tar_at_far(rng.normal(1.9945, 1, size=400), rng.normal(0, 1, size=500), 0.01, seed=seed)
        covered += found.tar.low <= true <= found.tar.high
    assert covered >= 180


def test_words_and_json():
    found = tar_at_far([0.9, 0.8, 0.6, 0.3], [0.7, 0.5, 0.4, 0.2, 0.1], far=0.2)
    assert str(found).startswith("75.00% [")
    assert "of 4 genuine pairs are accepted at the threshold 0.5" in str(found)
    assert found.to_dict()["threshold"] == 0.5


def test_a_bad_seed_is_told_before_scores_are_sorted():
    with pytest.raises(InputError) as caught:
        tar_at_far([0.5], [0.1], far=0.5, seed=-1)
    assert str(caught.value) == "seed is -1; pass a whole number of at least 0"


@pytest.mark.parametrize(
    ("genuine", "impostor", "far", "sentence"),
    [
        ([1.0], [0.0] * 100, 1e-4, "far is 0.0001, which 100 impostor scores can't show; pass at least 10,000 of them, "
                                   "or a far of at least 0.01"),
        ([1.0], [0.0] * 100, 0, "far is 0; pass a number between 0 and 1, such as 0.001"),
        ([], [0.0], 0.5, "genuine has shape (0,); pass at least one score, shape (n,)"),
        ([1.0, np.nan], [0.0] * 9, 0.5, "genuine has 1 NaN or infinite score, first at position 1; remove these "
                                        "pairs"),
    ],
)  # fmt: skip
def test_mistakes(genuine, impostor, far, sentence):
    with pytest.raises(InputError) as caught:
        tar_at_far(genuine, impostor, far)
    assert str(caught.value) == sentence
