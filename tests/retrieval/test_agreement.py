import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from segue.errors import InputError
from segue.retrieval.agreement import adjusted_rand, bcubed

PARTITIONS = st.integers(1, 30).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 5), min_size=n, max_size=n) for _ in range(2)))
)


def slow_bcubed(reference, clusters):
    """Item by item, as Amigo et al. define it: correctness of all pairs, each item with itself included."""
    n = range(len(reference))
    together = [[clusters[i] == clusters[j] for j in n] for i in n]
    belong = [[reference[i] == reference[j] for j in n] for i in n]
    both = [sum(t and b for t, b in zip(together[i], belong[i], strict=True)) for i in n]
    return (
        sum(both[i] / sum(together[i]) for i in n) / len(n),
        sum(both[i] / sum(belong[i]) for i in n) / len(n),
    )


@given(PARTITIONS)
def test_bcubed_agrees_with_the_loop(both):
    found = bcubed(*both)
    precision, recall = slow_bcubed(*both)
    assert (found.precision, found.recall) == (pytest.approx(precision), pytest.approx(recall))
    assert found.f1 == pytest.approx(2 * precision * recall / (precision + recall))
    swapped = bcubed(*both[::-1])
    assert (swapped.precision, swapped.recall) == (pytest.approx(recall), pytest.approx(precision))


@given(PARTITIONS)
def test_adjusted_rand_agrees_with_scikit_learn(both):
    assert adjusted_rand(*both) == pytest.approx(adjusted_rand_score(*both), abs=1e-12)


def test_the_example_of_amigo_and_others_by_hand():
    # three clusters of a, a, b / b, b / c: the a's see 2/3, their b 1/3, the other b's and c all; recall 1, 1, and
    # 1/3, 2/3, 2/3 for the b's
    found = bcubed(["a", "a", "b", "b", "b", "c"], [0, 0, 0, 1, 1, 2])
    assert found.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 3) / 6)
    assert found.recall == pytest.approx((2 + 1 / 3 + 2 / 3 + 2 / 3 + 1) / 6)


def test_names_of_clusters_mean_nothing(rng):
    one, other = rng.integers(0, 7, size=(2, 200))
    names = np.array(["g", "f", "e", "d", "c", "b", "a"])
    found, renamed = bcubed(one, other), bcubed(names[one], other - 100)
    assert (renamed.precision, renamed.recall) == (pytest.approx(found.precision), pytest.approx(found.recall))
    assert adjusted_rand(one, other) == adjusted_rand(names[one], other - 100)


@pytest.mark.parametrize("same", [np.zeros(5, dtype=int), np.arange(5), np.array([3])])
def test_the_same_partition_agrees_wholly_even_where_chance_would_too(same):
    assert adjusted_rand(same, same) == 1.0
    assert bcubed(same, same).f1 == 1.0


def test_many_items_do_not_overflow():
    # 4e5 items: the product of two numbers of pairs leaves 64 bits
    one = np.repeat([0, 1], 200_000)
    assert adjusted_rand(one, one) == 1.0
    assert adjusted_rand(one, np.tile([0, 1], 200_000)) == pytest.approx(-2.5e-6, rel=0.01)


def test_words_and_json():
    found = bcubed([0, 0, 1], [1, 1, 1])
    assert str(found) == "B-cubed F1 71.43% (precision 55.56%, recall 100.00%)"
    assert json.loads(json.dumps(found.to_dict()))["recall"] == 1.0


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            lambda: bcubed([0, 1], [0]),
            "the arrays differ in length: reference has 2, clusters has 1; pass one value per sample in the same order",
        ),
        (lambda: adjusted_rand([], []), "one is empty; there is nothing to compare"),
        (
            lambda: bcubed([0, 1], ["a", None]),
            "clusters has 1 missing value (None or NaN), first at position 1; remove these samples from all arrays or "
            "give them a value",
        ),
    ],
)
def test_mistakes(made, sentence):
    with pytest.raises(InputError) as caught:
        made()
    assert str(caught.value) == sentence
