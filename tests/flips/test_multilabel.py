import numpy as np
import pytest

from segue.errors import InputError
from segue.flips import compare


def test_a_sample_is_right_when_all_its_classes_are_and_each_class_is_a_task_of_its_own(rng):
    labels = rng.integers(0, 2, (300, 4))
    old = np.where(rng.random((300, 4)) < 0.9, labels, 1 - labels)
    new = np.where(rng.random((300, 4)) < 0.95, labels, 1 - labels)
    report = compare(labels, old, new, classes=list("wxyz"))
    whole = (
        [("".join(map(str, row))) for row in labels],
        ["".join(map(str, row)) for row in old],
        ["".join(map(str, row)) for row in new],
    )
    assert report.rates == compare(*whole).rates
    for k, name in enumerate("wxyz"):
        part = next(part for part in report.slices if (part.column, part.value) == ("class", name))
        assert part.counts == compare(labels[:, k], old[:, k], new[:, k]).counts


def test_scores_need_thresholds_and_are_cut_at_them(rng):
    labels, scores = np.array([[1, 0], [0, 1]]), np.array([[0.4, 0.1], [0.2, 0.9]])
    assert compare(labels, scores, labels, thresholds=(0.3, 0.5)).accuracy_old.value == 1
    with pytest.raises(InputError, match="old holds values other than 0 and 1"):
        compare(labels, scores, labels)


def test_answers_are_told_by_the_names_of_their_classes():
    report = compare([[1, 1], [0, 0]], [[1, 1], [0, 0]], [[1, 0], [0, 1]], classes=["cat", "dog"])
    assert report.flips.to_dict()["label"] == ["cat+dog", "(none)"]
    assert report.flips.to_dict()["new"] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("old", "words"),
    [
        ([[1, 0, 1], [0, 1, 1]], r"old has shape \(2, 3\) but labels has \(2, 2\)"),
        ([0, 1], r"old has shape \(2,\)"),
        ([[0.5, np.nan], [0, 1]], "old .rows. has 1 missing value"),
        ([[1, 0]], "differ in length"),
    ],
)
def test_mistakes_are_told_in_one_sentence(old, words):
    with pytest.raises(InputError, match=words):
        compare([[1, 0], [0, 1]], old, [[1, 0], [0, 1]])
