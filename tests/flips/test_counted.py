"""A number and its noun agree, in errors, notes and reports."""

import numpy as np
import pytest

from segue.errors import InputError
from segue.flips import compare
from segue.flips.checks import counted


def test_numbers_and_nouns_agree():
    assert counted(1, "row") == "1 row"
    assert counted(0, "row") == "0 rows"
    assert counted(np.int64(1234), "query") == "1,234 queries"
    assert counted(2, "class") == "2 classes"
    assert counted(100 * 0.01, "point") == "1 point"
    assert counted(100 * 0.07, "point") == "7 points"
    assert counted(0.25, "point") == "0.25 points"


def test_one_row_of_two_classes_is_told_in_the_singular():
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.3, 0.7]])
    notes = compare([0, 1, 0, 1], scores, [0, 1, 0, 1]).notes
    assert "old: 1 of 4 rows has two classes at the top; the first column was taken" in notes


def test_one_unknown_label_is_told_in_the_singular():
    scores = np.eye(2)[[0, 1, 0]]
    with pytest.raises(InputError) as caught:
        compare([0, 1, 7], scores, scores)
    assert str(caught.value).startswith("labels has 1 value that no column of new stands for (7")
