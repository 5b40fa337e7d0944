import json
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from sklearn.neighbors import KNeighborsClassifier

from segue.errors import InputError
from segue.flips import compare
from tests.flips import slow

ANSWERS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def columns(rows):
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def test_a_case_worked_by_hand():
    #         ++  ++  +-  -+  -+  --same --differ
    labels = ["a", "b", "a", "c", "c", "a", "b"]
    old = ["a", "b", "a", "a", "b", "b", "a"]
    new = ["a", "b", "b", "c", "c", "b", "c"]
    report = compare(labels, old, new)
    assert report.counts.to_dict() == {
        "both_right": 2, "negative_flips": 1, "positive_flips": 2, "both_wrong_same": 1, "both_wrong_differ": 1
    }  # fmt: skip
    assert report.accuracy_old.value == pytest.approx(3 / 7)
    assert report.accuracy_new.value == pytest.approx(4 / 7)
    assert report.relative_negative_flip_rate.value == pytest.approx((1 / 7) / (3 / 7 * 3 / 7))
    assert report.negative_flip_impact.value == pytest.approx(1 / 3)
    assert report.backward_trust_compatibility.value == pytest.approx(2 / 3)
    assert report.backward_error_compatibility_given_old_error.value == pytest.approx(2 / 4)
    assert report.backward_error_compatibility_given_new_error.value == pytest.approx(2 / 3)
    assert report.churn.value == pytest.approx(4 / 7)
    assert report.bad_churn.value == pytest.approx(2 / 7)
    assert report.win_loss_ratio == pytest.approx(1.0)
    assert report.flip_matrix.to_dict() == [{"label": "a", "answer": "b", "count": 1}]
    assert report.flips.to_dict() == {
        "id": [2, 3, 4],
        "flip": ["negative", "positive", "positive"],
        "label": ["a", "c", "c"],
        "old": ["a", "a", "b"],
        "new": ["b", "c", "c"],
    }


@given(ANSWERS)
def test_every_rate_agrees_with_a_loop_over_the_samples(rows):
    labels, old, new = columns(rows)
    found = compare(labels, old, new).rates
    for name, value in slow.rates(labels.tolist(), old.tolist(), new.tolist()).items():
        assert found[name].value == pytest.approx(value, nan_ok=True), name


@given(ANSWERS, st.data())
def test_every_weighted_rate_agrees_with_a_loop_over_the_samples(rows, data):
    labels, old, new = columns(rows)
    weights = data.draw(st.lists(st.floats(0.01, 100), min_size=len(rows), max_size=len(rows)))
    found = compare(labels, old, new, weights=weights).rates
    for name, value in slow.rates(labels.tolist(), old.tolist(), new.tolist(), weights).items():
        assert found[name].value == pytest.approx(value, nan_ok=True, abs=1e-12), name


@given(ANSWERS)
def test_positive_minus_negative_flips_is_the_accuracy_change(rows):
    report = compare(*columns(rows))
    difference = report.positive_flip_rate.value - report.negative_flip_rate.value
    assert report.accuracy_change.value == pytest.approx(difference, abs=1e-12)
    assert report.accuracy_new.value - report.accuracy_old.value == pytest.approx(difference, abs=1e-12)


@given(ANSWERS, st.randoms())
def test_permuting_the_samples_changes_nothing(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert compare(*columns(rows)).to_dict() == compare(*columns(shuffled)).to_dict()


@given(ANSWERS)
def test_swapping_the_models_swaps_the_flips(rows):
    labels, old, new = columns(rows)
    one, other = compare(labels, old, new), compare(labels, new, old)
    assert one.negative_flips == other.positive_flips
    assert one.test.p_value == pytest.approx(other.test.p_value)
    assert one.churn == other.churn


@given(ANSWERS)
def test_every_interval_holds_its_own_estimate(rows):
    for name, rate in compare(*columns(rows)).rates.items():
        assert math.isnan(rate.value) or rate.low <= rate.value <= rate.high, name


@given(ANSWERS)
def test_names_of_classes_do_not_matter(rows):
    labels, old, new = columns(rows)
    names = np.array(["ant", "bee", "cat", "dog"])
    numbers, words = compare(labels, old, new), compare(names[labels], names[old], names[new])
    assert numbers.rates == words.rates


def test_independent_errors_give_a_relative_rate_near_one(rng):
    n = 200_000
    labels = np.zeros(n, dtype=int)
    old, new = (rng.random(n) < 0.2).astype(int), (rng.random(n) < 0.1).astype(int)
    relative = compare(labels, old, new).relative_negative_flip_rate
    assert relative.low < 1 < relative.high
    assert relative.value == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("wrap", [list, np.asarray, pd.Series, pl.Series, torch.tensor], ids=lambda wrap: wrap.__name__)
def test_all_kinds_of_arrays_are_read_alike(wrap):
    labels, old, new = [0, 1, 1, 0, 2], [0, 1, 0, 0, 2], [0, 0, 1, 0, 2]
    assert compare(wrap(labels), wrap(old), wrap(new)).to_dict() == compare(labels, old, new).to_dict()


def test_a_tensor_that_wants_gradients_is_read_too(rng):
    logits = torch.tensor(rng.normal(size=(50, 3)), requires_grad=True)
    labels = rng.integers(0, 3, 50)
    assert compare(labels, logits, logits).churn.value == 0


def test_logits_and_their_probabilities_give_the_same_report(rng):
    labels = rng.integers(0, 4, 300)
    old, new = rng.normal(size=(2, 300, 4)) * 2
    one = compare(labels, old, new)
    other = compare(labels, special.softmax(old, axis=1), special.softmax(new, axis=1))
    for name, rate in one.rates.items():
        assert rate.value == pytest.approx(other.rates[name].value), name
    assert one.flips.columns["new_confidence"] == pytest.approx(other.flips.columns["new_confidence"])


def test_fractional_flips_agree_with_a_loop(rng):
    labels = rng.integers(0, 4, 200)
    old, new = (rng.dirichlet(np.ones(4), 200) + 1.5 * np.eye(4)[labels] * rng.random((200, 1)) for _ in range(2))
    old, new = old / old.sum(axis=1, keepdims=True), new / new.sum(axis=1, keepdims=True)
    flips = [new[i].max() - new[i, y] for i, y in enumerate(labels) if old[i].argmax() == y and new[i].argmax() != y]
    found = compare(labels, old, new).fractional_flips
    assert found is not None
    assert found.value == pytest.approx(sum(flips) / 200)
    assert 0 <= found.low < found.value < found.high <= compare(labels, old, new).negative_flip_rate.high


def test_rounded_probabilities_are_probabilities(rng):
    exact = rng.dirichlet(np.full(50, 0.3), 200)
    labels, old = rng.integers(0, 50, 200), rng.dirichlet(np.full(50, 0.3), 200)
    rounded = compare(labels, labels, exact.round(2)).fractional_flips
    assert rounded is not None
    assert rounded.value == pytest.approx(compare(labels, labels, exact).fractional_flips.value, abs=0.03)
    told = compare(labels, old, rng.random((200, 50))).notes
    assert any("do not sum to 1; read as logits" in note for note in told)


def test_no_probabilities_no_fractional_flips():
    report = compare([0, 1], [0, 1], [0, 0])
    assert report.fractional_flips is None
    assert "fractional_flips" not in report.rates


def test_thresholds_of_each_model_turn_scores_into_answers():
    labels, old, new = [1, 1, 0, 0], [0.9, 0.4, 0.2, 0.1], [0.9, 0.2, 0.4, 0.1]
    report = compare(labels, old, new, thresholds=(0.3, 0.5))
    # old answers 1 1 0 0, new answers 1 0 0 0
    assert (report.negative_flips, report.positive_flips) == (1, 0)
    assert compare(labels, old, new, thresholds=0.3).negative_flips == 2


def test_strings_with_probabilities_need_the_names_of_the_columns(rng):
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    report = compare(["cat", "dog"], probabilities, probabilities[::-1], classes=["cat", "dog"])
    assert report.negative_flips == 2


def test_a_split_class_is_right_when_the_label_is_one_of_its_parts():
    labels = ["cat", "dog", "dog", "fox"]
    report = compare(
        labels, ["pet", "pet", "pet", "pet"], ["cat", "dog", "cat", "fox"], class_map={"pet": ["cat", "dog"]}
    )
    assert (report.negative_flips, report.positive_flips) == (1, 1)
    assert report.churn.value == 2 / 4  # "pet" to "cat" on a dog is a change: it was right and is wrong
    known = {part.value: part.counts for part in report.slices if part.column == "label known to old"}
    assert known["no"].positive_flips == 1
    assert known["yes"].samples == 3
    assert "fox" in report.notes[0]


def test_a_renamed_class_map_changes_nothing():
    labels, old, new = [0, 1, 1, 0, 2], [0, 1, 0, 0, 2], [0, 0, 1, 0, 2]
    names = ["zero", "one", "two"]
    renamed = compare(labels, [names[o] for o in old], new, class_map={"zero": 0, "one": 1, "two": 2})
    assert renamed.rates == compare(labels, old, new).rates


def test_ties_at_the_top_are_told():
    report = compare([0, 1], [[0.5, 0.5], [0.1, 0.9]], [[0.9, 0.1], [0.1, 0.9]])
    assert "1 of 2 rows has two classes at the top" in report.notes[0]


def test_a_perfect_pair_of_models():
    report = compare([0, 1, 2], [0, 1, 2], [0, 1, 2])
    assert report.negative_flip_impact.value == 0
    assert math.isnan(report.backward_error_compatibility_given_old_error.value)
    assert math.isnan(report.win_loss_ratio)
    assert report.test.p_value == 1
    assert len(report.flips) == 0
    json.dumps(report.to_dict(), allow_nan=False)


def test_reports_speak_in_words_html_and_frames():
    report = compare(
        [0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 1, 0], ids=list("wxyz"), slices={"kind": ["<b>", "u", "u", "<b>"]}
    )
    assert "breaks 1 answer that the old model had right" in str(report)
    assert "<b>" not in report._repr_html_().replace("<b></b>", "")
    assert report.to_polars()["id"].to_list() == ["x", "y"]
    assert report.to_pandas()["flip"].tolist() == ["negative", "positive"]
    assert report.flips.complete


N = 5
GOOD = {"labels": [0, 1, 0, 1, 1], "old": [0, 1, 0, 1, 0], "new": [0, 1, 0, 0, 1]}
MISTAKES = [
    ({"old": [0, 1]}, "the arrays differ in length: labels has 5, old has 2, new has 5"),
    ({"labels": []}, "labels is empty"),
    ({"labels": [0.0, 1.0, 0.0, 1.0, 1.0]}, "labels holds floating-point numbers"),
    ({"labels": [0, 1, None, 1, 1]}, "labels has 1 missing value .* first at position 2"),
    ({"new": [0, 1, float("nan"), 0, 1]}, "new has 1 missing value"),
    ({"new": ["0", "1", "0", "0", "1"]}, "labels holds integers .* but new holds strings"),
    ({"old": ["0", "1", "0", "0", "1"]}, "or pass class_map"),
    ({"old": [0, "1", 0, 1, 0]}, "old holds integers|old holds values of type|old holds strings"),
    ({"old": None}, "old is None"),
    ({"old": "01010"}, "old is a str"),
    ({"labels": 3}, "labels is a single int"),
    ({"old": np.zeros((5, 3, 2))}, r"old has shape \(5, 3, 2\)"),
    ({"old": np.full((5, 2), np.nan)}, "old .rows with NaN or infinity. has 5 missing values"),
    ({"old": np.eye(3)[[0, 1, 0, 1, 0]], "new": np.eye(2)[[0, 1, 0, 0, 1]]}, "old knows 3 classes and new 2"),
    ({"labels": [0, 1, 0, 1, 7], "new": np.eye(2)[[0, 1, 0, 0, 1]]}, "labels has 1 value that no column of new"),
    ({"old": np.eye(2)[[0, 1, 0, 1, 0]], "classes": ["a"]}, "old has 2 columns but 1 class is named"),
    ({"old": np.eye(2)[[0, 1, 0, 1, 0]], "classes": [1, 1]}, "name a class twice"),
    ({"classes": 3}, "classes is a single int; pass a list of classes, one per column"),
    ({"old_classes": [0, 2]}, "old answers 1, which its classes don't name; name every class that it may answer"),
    ({"new_classes": ["a", "b"]}, "new answers 0, 1, which its classes don't name"),
    ({"old": np.eye(2)[[0, 1, 0, 1, 0]], "thresholds": 0.5}, "thresholds were given but old has shape"),
    ({"thresholds": (0.5,)}, "thresholds is"),
    ({"thresholds": float("nan")}, "thresholds is nan"),
    ({"labels": ["a", float("nan"), "b", "a", "b"]}, "labels has 1 missing value"),
    ({"labels": ["a", 1, "b", "a", "b"]}, "labels holds values of type int, string"),
    ({"labels": [2**70, 1, 2, 3, 4]}, "labels holds integers beyond 64 bits"),
    ({"thresholds": (0.5, float("nan"))}, "thresholds is"),
    ({"ids": ["a", "b", "a", "c", "c"]}, "ids repeats 2 values .'a', 'c'."),
    ({"ids": ["a", "b"]}, "differ in length: labels has 5, ids has 2"),
    ({"ids": ["a", "b", None, "c", "d"]}, "ids has 1 missing value"),
    ({"weights": [1, 1, -1, 1, 1]}, "weights has 1 value below zero"),
    ({"weights": [1, 1, float("inf"), 1, 1]}, "weights has 1 value below zero, NaN or infinite, first at position 2"),
    ({"weights": [0] * N}, "weights are all zero"),
    ({"weights": ["a"] * N}, "weights has shape"),
    ({"groups": ["x"] * N}, "groups holds a single group"),
    ({"groups": ["x", None, "y", "y", "x"]}, "groups has 1 missing value"),
    ({"slices": {"a": [1, 2]}}, r"slices\['a'\] has 2"),
    ({"slices": [1, 2, 3, 4, 5]}, "slices is a list"),
    ({"slices": {"a": np.zeros((5, 2))}}, r"slices\['a'\] has shape \(5, 2\)"),
    ({"confidence": 95}, "confidence is 95; pass a number between 0 and 1"),
    ({"class_map": {}}, "class_map must be a mapping"),
    ({"class_map": {0: 0}}, r"class_map lacks 1 of the old model's answers \(1\)"),
    ({"class_map": {0: 8, 1: 9}}, "class_map leads to 8, 9, none of which is a label"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), MISTAKES, ids=[words[:40] for _, words in MISTAKES])
def test_mistakes_are_told_in_one_sentence(change, words):
    with pytest.raises(InputError, match=words) as caught:
        compare(**{**GOOD, **change})
    assert "\n" not in str(caught.value)


def test_pandas_columns_in_another_order_are_refused():
    champion = pd.DataFrame({"label": [0, 1, 1], "prediction": [0, 1, 1]}, index=["a", "b", "c"])
    challenger = champion.loc[["c", "b", "a"]]
    with pytest.raises(InputError, match=r"the indices of old and new differ, first at position 0 .a and c."):
        compare(champion["label"], champion["prediction"], challenger["prediction"])
    assert compare(champion["label"], champion["prediction"], challenger["prediction"].sort_index()).churn.value == 0
    assert compare(champion["label"], champion["prediction"], challenger["prediction"].to_numpy()).negative_flips == 2


def test_the_columns_of_a_data_frame_of_probabilities_are_its_classes(rng):
    probabilities = pd.DataFrame(rng.dirichlet(np.ones(3), 50), columns=["a", "b", "c"])
    labels = probabilities.idxmax(axis=1)
    report = compare(labels, probabilities, probabilities[["c", "a", "b"]])
    assert report.accuracy_old.value == report.accuracy_new.value == 1
    assert report.churn.value == 0


def test_few_groups_are_told(rng):
    labels, old, new = rng.integers(0, 2, (3, 100))
    assert "On 100 samples in 3 groups (few enough that" in str(compare(labels, old, new, groups=np.arange(100) % 3))


@pytest.mark.parametrize("seed", [-1, "a", None, True, 0.5])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(InputError) as caught:
        compare(["cat", "dog"], ["cat", "cat"], ["dog", "dog"], seed=seed)
    assert str(caught.value) == f"seed is {seed!r}; pass a whole number of at least 0"


def test_another_vocabulary_is_not_a_very_bad_model():
    with pytest.raises(InputError, match=r"no answer of old .* is ever a label"):
        compare(["cat", "dog"] * 20, ["Cat", "Dog"] * 20, ["cat", "dog"] * 20)


def test_a_very_bad_model_whose_classes_are_named_is_no_other_vocabulary():
    labels = np.array(["cat", "dog"] * 20)
    wrong = np.array(["owl", "pig"] * 20)
    every = np.array(["cat", "dog", "owl", "pig"])
    with pytest.raises(InputError, match=r"no answer of new \(owl, pig, \.\.\.\) is ever a label"):
        compare(labels, labels, wrong)
    for classes in ({"classes": every}, {"new_classes": every.tolist()}):
        report = compare(labels, labels, wrong, **classes)
        assert (report.accuracy_old.value, report.accuracy_new.value) == (1, 0)
    # classes that are named but hold no label are still another vocabulary
    with pytest.raises(InputError, match="no answer of new"):
        compare(labels, labels, wrong, new_classes=["owl", "pig"])
    # so it is with named columns, and with a fitted model that knows its classes
    sure = np.eye(4)[[2, 3] * 20]
    assert compare(labels, labels, sure, new_classes=every).accuracy_new.value == 0
    nearest = KNeighborsClassifier(1).fit(np.arange(4)[:, None], every)
    assert compare(labels, labels, nearest, inputs=np.array([[2], [3]] * 20)).accuracy_new.value == 0


def test_a_frame_of_one_column_of_answers_names_no_class():
    frame = pd.DataFrame({"answer": ["cat", "dog"]})
    assert compare(["cat", "dog"], frame, ["cat", "dog"]).accuracy_old.value == 1


def test_a_column_of_a_thousand_customers_is_no_slice():
    n = 1500
    with pytest.raises(InputError, match="has 1,500 different values"):
        compare(np.zeros(n, int), np.zeros(n, int), np.zeros(n, int), slices={"customer": [f"c{i}" for i in range(n)]})
