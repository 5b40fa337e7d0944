"""Confusion matrices: counted by hand, smoothed, many classes, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.congruent.decisions import Confusion, DiagonalConfusion
from segue.errors import InputError
from tests.congruent.decisions.slow import slow_confusion

LABELS = ["a", "a", "a", "b", "b", "c"]
ANSWERS = ["a", "a", "b", "b", "a", "c"]


def test_the_matrix_is_that_of_the_hand():
    found = Confusion.fit(LABELS, ANSWERS, smoothing=3)
    assert found.classes.tolist() == ["a", "b", "c"]
    # columns are truths: (2 + 1) / (3 + 3), (1 + 1) / 6, (0 + 1) / 6, ...
    assert found.matrix == pytest.approx(
        np.array([[3 / 6, 2 / 5, 1 / 4], [2 / 6, 2 / 5, 1 / 4], [1 / 6, 1 / 5, 2 / 4]]), abs=1e-12
    )
    assert found.samples.tolist() == [3, 2, 1]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1), st.floats(0.01, 10))
def test_the_matrix_agrees_with_a_loop(pairs, smoothing):
    labels, answers = zip(*pairs, strict=True)
    found = Confusion.fit(labels, answers, classes=range(4), smoothing=smoothing)
    slow = slow_confusion(labels, answers, range(4), smoothing)
    assert found.matrix == pytest.approx(np.array([[slow[i, k] for k in range(4)] for i in range(4)]))
    rates = DiagonalConfusion.fit(labels, answers, classes=range(4), smoothing=smoothing)
    assert rates.right == pytest.approx(np.diag(found.matrix))


def test_no_answer_rules_a_class_out_and_an_unseen_class_says_nothing():
    found = Confusion.fit([0] * 1000, [0] * 1000, classes=[0, 1, 2])
    assert (found.matrix > 0).all()
    assert found.matrix[:, 1] == pytest.approx(np.full(3, 1 / 3))


def test_errors_off_the_diagonal_are_spread_evenly():
    found = DiagonalConfusion.fit(LABELS, ANSWERS, smoothing=3)
    likelihood = np.exp(found.log_likelihood(np.array([0, 1, 2])))
    right = np.array([3 / 6, 2 / 5, 2 / 4])
    wanted = np.tile((1 - right) / 2, (3, 1))
    np.fill_diagonal(wanted, right)
    assert likelihood == pytest.approx(wanted)
    assert likelihood.sum(axis=0) == pytest.approx(np.ones(3))  # over all answers, for each truth


def test_a_thousand_classes_need_no_million_cells():
    labels = np.arange(5000) % 1000
    found = DiagonalConfusion.fit(labels, labels)
    likelihood = found.log_likelihood(np.array([7]))
    assert likelihood.shape == (1, 1000)
    assert likelihood.argmax() == 7
    assert found.right == pytest.approx(np.full(1000, (5 + 0.001) / 6))


def test_the_words_name_the_best_and_the_worst_class():
    told = str(Confusion.fit(LABELS, ANSWERS, smoothing=3))
    assert told == (
        "Estimated on 6 labelled samples of 3 classes: right most often on class a (50.0%), least on class b (40.0%)."
    )
    assert "2 classes have no labelled sample" in str(DiagonalConfusion.fit([0, 1], [0, 1], classes=range(4)))


def test_plain_values_for_json():
    assert Confusion.fit([0, 1], [0, 1], smoothing=2).to_dict() == {
        "classes": [0, 1], "matrix": [[2 / 3, 1 / 3], [1 / 3, 2 / 3]], "samples": [1, 1],
    }  # fmt: skip
    assert DiagonalConfusion.fit([0, 1], [0, 1], smoothing=2).to_dict()["right"] == [2 / 3, 2 / 3]


@pytest.mark.parametrize("kind", [Confusion, DiagonalConfusion])
@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"labels": [0, 1], "answers": [0]}, "the arrays differ in length: labels has 2, answers has 1; "
            "pass one value per sample in the same order"),
        ({"labels": [0, None], "answers": [0, 1]}, "labels has 1 missing value (None or NaN), first at position 1; "
            "remove these samples from all arrays or give them a value"),
        ({"labels": [0, 1], "answers": ["0", "1"]}, "labels and answers differ in type (integers and strings); "
            "write both in the same way"),
        ({"labels": [0, 1], "answers": [0, 1], "smoothing": 0}, "smoothing is 0; pass a number above 0, such as 1: "
            "a zero would rule classes out"),
        ({"labels": [0, 1], "answers": [0, 1], "smoothing": float("nan")}, "smoothing is nan; "
            "pass a number above 0, such as 1: a zero would rule classes out"),
        ({"labels": [], "answers": []}, "labels is empty; there is nothing to compare"),
        ({"labels": [1, 1], "answers": [1, 1]}, "classes holds a single class (1); there must be two at least"),
        ({"labels": [0, 1], "answers": [0, 7], "classes": [0, 1]}, "answers holds 7, which is none of "
            "the 2 known classes (0, 1); name every class with classes="),
        ({"labels": [0, 1], "answers": [0, 1], "classes": ["0", "1"]}, "labels holds integers but the "
            "known classes are strings; write both in the same way"),
    ],
)  # fmt: skip
def test_mistakes_are_told(kind, given_, said):
    with pytest.raises(InputError) as error:
        kind.fit(**given_)
    assert str(error.value) == said


def test_a_hand_made_matrix_is_checked():
    classes, samples = np.array([0, 1]), np.array([1, 1])
    for matrix, said in (
        (np.array([[1.0, 0.5], [0.0, 0.5]]), "not above 0"),
        (np.array([[0.9, 0.5], [0.3, 0.5]]), "do not sum to 1"),
        (np.array([[0.9, 0.5]]), "shape"),
        (np.array([[np.nan, 0.5], [0.3, 0.5]]), "not above 0"),
    ):
        with pytest.raises(InputError, match=said):
            Confusion(classes, matrix, samples)
    for right in (np.array([1.0, 0.5]), np.array([0.5])):
        with pytest.raises(InputError, match="right has"):
            DiagonalConfusion(classes, right, samples)
