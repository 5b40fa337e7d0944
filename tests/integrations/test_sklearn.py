from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV, cross_validate
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from segue.errors import InputError
from segue.flips import compare
from segue.integrations.sklearn import negative_flip_scorer
from tests.integrations.pages import run_section

X, Y = make_classification(
    300, 6, n_informative=4, n_classes=2, weights=[0.85], flip_y=0.1, class_sep=0.7, random_state=0
)
WORDS = np.array(["no", "yes"])[Y]
LEARN, HELD = slice(0, 150), slice(150, 300)


def stump(labels: Any = Y) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=2, random_state=0).fit(X[LEARN], labels[LEARN])


NEW = {
    "pipeline": lambda y: make_pipeline(StandardScaler(), LogisticRegression()).fit(X[LEARN], y[LEARN]),
    "forest": lambda y: RandomForestClassifier(5, random_state=0).fit(X[LEARN], y[LEARN]),
    "no predict_proba": lambda y: LinearSVC(random_state=0).fit(X[LEARN], y[LEARN]),
    "predict_proba that is not available": lambda y: SVC().fit(X[LEARN], y[LEARN]),
    "hard voting": lambda y: VotingClassifier([("a", stump()), ("b", LogisticRegression())]).fit(X[LEARN], y[LEARN]),
    "grid search": lambda y: GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2).fit(X[LEARN], y[LEARN]),
}  # fmt: skip


@pytest.mark.parametrize("labels", [Y, WORDS, WORDS.astype(object)], ids=["integers", "strings", "objects"])
@pytest.mark.parametrize("kind", NEW)
def test_estimators_and_their_predictions_give_the_same_report(kind: str, labels: Any) -> None:
    old, new = stump(labels), NEW[kind](labels)
    asked = compare(labels[HELD], old, new, inputs=X[HELD])
    told = compare(labels[HELD], old.predict(X[HELD]), new.predict(X[HELD]))
    assert asked.counts == told.counts
    assert asked.counts.negative_flips + asked.counts.positive_flips > 0
    assert (asked.fractional_flips is None) == (not hasattr(new, "predict_proba"))


def test_a_tuned_threshold_decides_not_the_largest_probability() -> None:
    new = TunedThresholdClassifierCV(LogisticRegression(), scoring="balanced_accuracy", cv=3).fit(
        X[LEARN], WORDS[LEARN]
    )
    answers = new.predict(X[HELD])
    most_probable = new.classes_[new.predict_proba(X[HELD]).argmax(axis=1)]
    assert (answers != most_probable).any()
    asked = compare(WORDS[HELD], stump(WORDS), new, inputs=X[HELD])
    assert asked.counts == compare(WORDS[HELD], stump(WORDS).predict(X[HELD]), answers).counts
    confidence = np.asarray(asked.flips.columns["new_confidence"])
    assert (confidence < 0.5).any()  # the answer's own probability, though the other class is more probable


def test_an_estimator_beside_answers_that_are_known() -> None:
    known = stump().predict(X[HELD])
    assert compare(Y[HELD], known, NEW["forest"](Y), inputs=X[HELD]).accuracy_old.value == np.mean(known == Y[HELD])


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames_with_words_go_through_pipelines(frame: Any) -> None:
    table = frame({"colour": np.array(["red", "green"])[(X[:, 0] > 0).astype(int)].tolist(), "size": X[:, 1].tolist()})

    def fitted(model: Any) -> Any:
        encoder = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
        return make_pipeline(encoder, model).fit(table[LEARN], WORDS[LEARN])

    old, new = fitted(DecisionTreeClassifier(max_depth=2)), fitted(LogisticRegression())
    report = compare(WORDS[HELD], old, new, inputs=table[HELD], slices={"colour": table["colour"][HELD]})
    assert report.counts == compare(WORDS[HELD], old.predict(table[HELD]), new.predict(table[HELD])).counts
    assert len(report.slices) == 2


class Columns:
    """Answers as gradient boosting libraries give them, ``(n, 1)``."""

    def predict(self, inputs: Any) -> Any:
        return stump().predict(inputs)[:, None]


class Probabilities:
    """Probabilities from ``predict`` itself, as neural network libraries give them."""

    def predict(self, inputs: Any) -> Any:
        return stump().predict_proba(inputs)


def test_models_of_other_libraries_that_predict() -> None:
    wanted = compare(Y[HELD], stump(), NEW["forest"](Y), inputs=X[HELD])
    for old in (Columns(), Probabilities()):
        assert compare(Y[HELD], old, NEW["forest"](Y), inputs=X[HELD]).counts == wanted.counts


def test_multi_label_estimators() -> None:
    data, truth = make_multilabel_classification(200, 5, n_classes=3, random_state=0)
    old = MultiOutputClassifier(DecisionTreeClassifier(max_depth=1)).fit(data[:100], truth[:100])
    new = MultiOutputClassifier(LogisticRegression()).fit(data[:100], truth[:100])
    asked = compare(truth[100:], old, new, inputs=data[100:])
    assert asked.counts == compare(truth[100:], old.predict(data[100:]), new.predict(data[100:])).counts
    assert len(asked.slices) == 3


GOOD = stump()
MISTAKES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "not fitted": (LogisticRegression(), {"inputs": X}, r"new \(LogisticRegression\) can't predict from inputs: T"),
    "no inputs": (GOOD, {}, "old is a fitted DecisionTreeClassifier; pass inputs=X as well"),
    "a class": (LogisticRegression, {"inputs": X}, r"new is the class LogisticRegression, not a model; pass a fitted"),
    "other features": (GOOD, {"inputs": X[:, :2]}, r"old \(DecisionTreeClassifier\) can't predict .* has 2 features"),
    "other length": (GOOD, {"inputs": X[:10]}, "differ in length: labels has 300, old has 10"),
    "regression": (LinearRegression().fit(X, Y), {"inputs": X}, r"new.predict\(inputs\) holds floating-point numbers"),
    "NaN": (GOOD, {"inputs": "not a matrix"}, "old .* can't predict from inputs"),
    "thresholds": (GOOD, {"inputs": X, "thresholds": 0.3}, r"thresholds .* old is an estimator .*_proba\(X\)\[:, 1\]"),
    "words": (stump(WORDS), {"inputs": X}, "labels .* new"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_told_in_one_sentence(case: str) -> None:
    new, options, sentence = MISTAKES[case]
    with pytest.raises(InputError, match=sentence) as caught:
        compare(Y, GOOD, new, **options)
    assert "\n" not in str(caught.value)


def test_cross_validation_scores_flips_beside_accuracy() -> None:
    old = stump()
    scores = cross_validate(
        LogisticRegression(), X[HELD], Y[HELD], cv=3, return_estimator=True, return_indices=True,
        scoring={"accuracy": "accuracy", "neg_nfr": negative_flip_scorer(old)},
    )  # fmt: skip
    for new, rows, score in zip(scores["estimator"], scores["indices"]["test"], scores["test_neg_nfr"], strict=True):
        held = Y[HELD][rows]
        report = compare(held, old.predict(X[HELD][rows]), new.predict(X[HELD][rows]))
        assert score == -report.negative_flip_rate.value


def test_grid_search_picks_the_candidate_that_breaks_least() -> None:
    old = LogisticRegression(C=0.01).fit(X[LEARN], Y[LEARN])
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 100.0]}, scoring=negative_flip_scorer(old, "churn"), cv=3)
    search.fit(X[HELD], Y[HELD])
    assert search.best_params_ == {"C": 0.01}


def test_scorers_take_weights_and_travel_to_other_processes() -> None:
    old, new = stump(), NEW["forest"](Y)
    weights = np.linspace(0.1, 2, 150)
    scorer = pickle.loads(pickle.dumps(negative_flip_scorer(old, "accuracy_change")))
    expected = compare(Y[HELD], old, new, inputs=X[HELD], weights=weights).accuracy_change.value
    assert scorer(new, X[HELD], Y[HELD], sample_weight=weights) == pytest.approx(expected)


def test_scorers_that_cannot_score_are_refused() -> None:
    with pytest.raises(InputError, match="old is 'list'; pass the old model, fitted"):
        negative_flip_scorer([0, 1])
    with pytest.raises(InputError, match="rate is 'nfr', which has no better direction; pass one of accuracy_old"):
        negative_flip_scorer(stump(), "nfr")
    with pytest.raises(InputError, match="fractional_flips needs probabilities, but LinearSVC has no predict_proba"):
        negative_flip_scorer(stump(), "fractional_flips")(NEW["no predict_proba"](Y), X, Y)


def test_the_example_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_section("scikit-learn")
