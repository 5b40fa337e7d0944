import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from segue.errors import InputError
from segue.flips import compare
from segue.flips.gate import Policy, decide
from segue.retrieval.old_head import old_head_accuracy


def items(rng, count=300, classes=5, dimension=6):
    labels = rng.integers(0, classes, size=count)
    centres = 2 * rng.normal(size=(classes, dimension))
    old = centres[labels] + rng.normal(size=(count, dimension))
    return old, old + 0.8 * rng.normal(size=(count, dimension)), labels


def test_it_is_the_comparison_of_what_scikit_learns_head_says(rng):
    old, new, labels = items(rng)
    names = np.array(["ant", "bee", "cat", "dog", "eel"])
    head = LogisticRegression().fit(old[:100], names[labels[:100]])
    columns = {"half": np.arange(300) % 2}
    report = old_head_accuracy(
        head.coef_, head.intercept_, old, new, names[labels], classes=head.classes_, slices=columns
    )
    expected = compare(
        names[labels], head.predict(old), head.predict(new), slices=columns, names=("old embeddings", "new embeddings")
    )
    assert report.to_dict() == expected.to_dict()
    assert report.negative_flips > 0


def test_a_cosine_head_looks_at_directions_alone(rng):
    old, new, labels = items(rng)
    weights = rng.normal(size=(5, 6)) * rng.uniform(0.1, 10, size=(5, 1))
    report = old_head_accuracy(weights, None, old, new, labels, cosine=True)

    def answers(embeddings):
        return [max(range(5), key=lambda c: weights[c] @ x / np.linalg.norm(weights[c])) for x in embeddings]

    assert report.accuracy_old.value == pytest.approx(np.mean(answers(old) == labels))
    assert report.accuracy_new.value == pytest.approx(np.mean(answers(new) == labels))
    assert report.accuracy_new != old_head_accuracy(weights, None, old, new, labels).accuracy_new


@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_scales_and_a_common_bias_change_no_answer(seed, scale, shift):
    rng = np.random.default_rng(seed)
    old, new, labels = items(rng, count=30, classes=3, dimension=2)
    weights, bias = rng.normal(size=(3, 2)), rng.normal(size=3)
    plain = old_head_accuracy(weights, bias, old, new, labels)
    other = old_head_accuracy(scale * weights, scale * bias + shift, old, new, labels)
    assert other.counts == plain.counts
    assert old_head_accuracy(weights, bias, old, old, labels).churn.value == 0


def test_few_items_at_a_time_answer_the_same(rng, monkeypatch):
    from segue.retrieval import old_head

    old, new, labels = items(rng)
    weights = rng.normal(size=(5, 6))
    whole = old_head_accuracy(weights, None, old, new, labels)
    monkeypatch.setattr(old_head, "SLAB", 20)
    assert old_head_accuracy(weights, None, old, new, labels).to_dict() == whole.to_dict()


def test_labels_that_the_head_does_not_know_are_refused_or_counted_apart(rng):
    old, new, labels = items(rng)
    weights = rng.normal(size=(3, 6))
    with pytest.raises(InputError) as caught:
        old_head_accuracy(weights, None, old, new, labels)
    strange = int((labels > 2).sum())
    assert str(caught.value) == (
        f"labels has {strange} items of 2 classes that no row of weights stands for (3, 4); leave these items out, or "
        f"pass unknown='count apart'"
    )
    report = old_head_accuracy(weights, None, old, new, labels, unknown="count apart")
    known = labels < 3
    alone = old_head_accuracy(weights, None, old[known], new[known], labels[known])
    assert report.samples == 300
    assert report.counts.right_old == alone.counts.right_old
    assert report.negative_flips == alone.negative_flips
    of_known = next(part for part in report.slices if part.column == "label known to old" and part.value == "yes")
    assert of_known.accuracy_new.value == alone.accuracy_new.value
    assert "does not know" in report.notes[0]


def test_a_model_that_never_hits_a_label_is_measured_all_the_same(rng):
    # Twelve classes, of which the labels are three; the old embeddings are right, the new ones never near a label.
    labels = rng.integers(0, 3, size=60)
    report = old_head_accuracy(np.eye(12), None, np.eye(12)[labels], np.eye(12)[rng.integers(3, 12, size=60)], labels)
    assert (report.accuracy_old.value, report.accuracy_new.value, report.negative_flips) == (1, 0, 60)
    names = np.array([f"class {number}" for number in range(12)])
    report = old_head_accuracy(
        np.eye(12), None, np.eye(12)[labels], np.eye(12)[labels + 3], names[labels], classes=names,
        unknown="count apart",
    )  # fmt: skip
    assert report.accuracy_new.value == 0


def test_a_gate_decides_on_it(rng):
    old, new, labels = items(rng)
    head = LogisticRegression().fit(old[:100], labels[:100])
    report = old_head_accuracy(head.coef_, head.intercept_, old, -new, labels)
    assert decide(report, Policy(max_nfr=0.01)).exit_code == 1


def test_ties_are_told():
    report = old_head_accuracy([[1.0, 0], [1.0, 0]], None, [[1.0, 0], [2.0, 0]], [[1.0, 0], [2.0, 0]], [0, 1])
    assert report.notes == tuple(
        f"{name}: 2 items with two classes at the top; the first row of weights was taken"
        for name in ("embeddings_old", "embeddings_new")
    )


GOOD = {
    "weights": np.eye(2, 3),
    "bias": [0.0, 0.0],
    "embeddings_old": np.eye(3)[:2],
    "embeddings_new": np.eye(3)[:2],
    "labels": [0, 1],
}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"embeddings_new": np.ones((2, 5))},
            "embeddings_new has 5 dimensions and weights has 3; pass embeddings_new[:, :3] if the new model was "
            "trained so, or map them to the old space with an adapter first",
        ),
        (
            {"embeddings_new": np.ones((2, 1))},
            "embeddings_new has 1 dimension and weights has 3; map them to the old space with an adapter first",
        ),
        (
            {"weights": np.eye(3, 2), "bias": None},
            "embeddings_old has 3 dimensions and weights has 2; pass one row per class, shape (classes, d), which may "
            "be weights.T",
        ),
        (
            {"embeddings_new": np.full((2, 3), np.nan)},
            "embeddings_new has 2 rows with NaN or infinite numbers, first at row 0; remove these rows or embed them "
            "again",
        ),
        ({"bias": [1.0]}, "bias has shape (1,) and weights 2 rows; pass one number per row"),
        ({"bias": [0.0, np.inf]}, "bias is inf at class 1; pass finite numbers"),
        (
            {"cosine": True},
            "bias is given for a cosine head, which has none; pass bias=None, or cosine=False",
        ),
        (
            {"cosine": True, "bias": None, "weights": [[0.0, 0, 0], [1, 0, 0]]},
            "weights has 1 row of zeros, first at row 0; in a cosine head every class has a direction: leave these "
            "classes out, or pass cosine=False",
        ),
        (
            {"classes": ["cat"]},
            "classes names 1 class and weights has 2 rows; pass the class of each row, each once",
        ),
        (
            {"classes": ["cat", "dog"]},
            "no label (0, ...) is a class of the head (cat, ...); pass classes=[...] with the class of each row of "
            "weights, in order",
        ),
        (
            {"labels": [7, 8], "unknown": "count apart"},
            "no label (7, ...) is a class of the head (0, ...); pass classes=[...] with the class of each row of "
            "weights, in order",
        ),
        ({"seed": -1, "labels": [7, 8]}, "seed is -1; pass a whole number of at least 0"),
        ({"unknown": "drop"}, "unknown is 'drop'; pass 'refuse' or 'count apart'"),
        (
            {"labels": [0, 1, 1]},
            "the arrays differ in length: labels has 3, embeddings_old has 2, embeddings_new has 2; pass one value per "
            "sample in the same order",
        ),
    ],
)
def test_mistakes(changed, sentence):
    with pytest.raises(InputError) as caught:
        old_head_accuracy(**(GOOD | changed))
    assert str(caught.value) == sentence
