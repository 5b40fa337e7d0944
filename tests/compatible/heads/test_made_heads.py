import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from segue.compatible.heads import FrozenHead, fit_head, imprinted_head, with_new_classes
from segue.errors import InputError

OLD = FrozenHead([[1.0, 0.0], [0.0, 1.0]], [0.5, -0.5], class_map=[4, 0])
STORED = torch.tensor([[2.0, 0.0], [0.0, 2.0], [8.0, 6.0], [5.0, 5.0]])
LABELS = torch.tensor([3, 3, 1, 4])


def test_only_new_classes_get_a_row_of_means():
    wider = with_new_classes(OLD, STORED, LABELS)
    assert wider.rows.class_of_row.tolist() == [4, 0, 1, 3]
    assert wider.weights.tolist() == [[1.0, 0.0], [0.0, 1.0], [8.0, 6.0], [1.0, 1.0]]
    assert wider.bias.tolist() == [0.5, -0.5, 0.0, 0.0]


def test_for_a_cosine_head_rows_are_directions_of_unit_vectors():
    old = FrozenHead([[3.0, 0.0]], scale=12.0)
    wider = with_new_classes(old, [[9.0, 0.0], [0.0, 1.0], [4.0, 3.0]], [1, 1, 2])
    assert wider.scale == 12.0
    torch.testing.assert_close(wider.weights, torch.tensor([[3.0, 0.0], [0.5**0.5, 0.5**0.5], [0.8, 0.6]]))


@given(st.integers(0, 2**31))
def test_the_old_answers_about_old_classes_stay(seed):
    draws = torch.Generator().manual_seed(seed)
    wider = with_new_classes(OLD, torch.randn(9, 2, generator=draws), torch.arange(9) % 3 + 1)
    embeddings = torch.randn(5, 2, generator=draws)
    assert torch.equal(wider(embeddings)[:, :2], OLD(embeddings))


def test_rows_made_of_stored_vectors_are_the_means_of_a_loop():
    draws = np.random.default_rng(0)
    stored, labels = draws.normal(size=(200, 5)), draws.integers(0, 7, 200) * 3
    head = imprinted_head(stored, labels, scale=2.0)
    for row, label in enumerate(range(0, 21, 3)):
        mean = np.mean([v / np.linalg.norm(v) for v, k in zip(stored, labels, strict=True) if k == label], axis=0)
        np.testing.assert_allclose(head.weights[row], mean / np.linalg.norm(mean), rtol=1e-6, atol=1e-7)
    assert head.rows.class_of_row.tolist() == list(range(0, 21, 3))
    assert head.weights.dtype == torch.float32


def test_classes_are_imprinted_in_the_order_asked_for():
    head = imprinted_head(STORED, LABELS, [4, 1])
    assert head.rows.class_of_row.tolist() == [4, 1]
    torch.testing.assert_close(head.weights, torch.tensor([[0.5**0.5, 0.5**0.5], [0.8, 0.6]]))


def test_a_fitted_head_is_that_of_scikit_learn():
    draws = np.random.default_rng(1)
    labels = draws.integers(0, 4, 300) + 2
    stored = draws.normal(size=(300, 6)) + 1.5 * np.eye(6)[labels]
    head = fit_head(stored, labels, penalty=1 / 300)
    oracle = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000).fit(stored, labels)
    shares = head(torch.from_numpy(stored)).softmax(1).numpy()
    np.testing.assert_allclose(shares, oracle.predict_proba(stored), atol=1e-5)
    assert head.rows.class_of_row.tolist() == oracle.classes_.tolist()


def test_fitting_is_deterministic_even_without_gradients_around():
    draws = np.random.default_rng(2)
    stored, labels = draws.normal(size=(50, 3)), draws.integers(0, 2, 50)
    with torch.no_grad():
        first = fit_head(stored, labels)
    assert torch.equal(first.weights, fit_head(stored, labels).weights)
    assert torch.equal(first.bias, fit_head(stored, labels).bias)


ONES = np.ones((2, 2))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: with_new_classes(torch.eye(2), ONES, [0, 1]),
            "old_head is a Tensor; pass FrozenHead.of(head), or FrozenHead(weights, bias)",
        ),
        (
            lambda: with_new_classes(OLD, np.ones((2, 3)), [1, 2]),
            "embeddings_old have 3 dimensions and old_head 2; pass embeddings of the model that the head belongs to",
        ),
        (
            lambda: with_new_classes(OLD, ONES, [4, 0]),
            "labels hold no class that old_head does not know; use old_head as it is",
        ),
        (
            lambda: imprinted_head(ONES, [0]),
            "labels have the shape (1,); pass one class index per row of embeddings_old, (2,)",
        ),
        (
            lambda: imprinted_head(ONES, [0.0, 1.0]),
            "labels hold float64 values; pass class indices, which are integers",
        ),
        (
            lambda: imprinted_head(ONES, [0, -1]),
            "labels hold -1; pass class indices from 0, and leave other samples out",
        ),
        (
            lambda: imprinted_head([[1.0, float("nan")]], [0]),
            "embeddings_old has 1 row with NaN or infinite numbers, first at row 0; remove these rows or "
            "embed them again",
        ),
        (
            lambda: imprinted_head([[1.0, 0.0], [0.0, 0.0]], [0, 0]),
            "embeddings_old has 1 row of zeros, first at row 1; a zero vector has no direction: leave these rows out",
        ),
        (
            lambda: imprinted_head([[1.0, 0.0], [-2.0, 0.0]], [5, 5]),
            "the old embeddings of class 5 cancel out and have no common direction; leave the class out, or check its "
            "labels",
        ),
        (
            lambda: imprinted_head(ONES, [0, 1], [0, 7]),
            "class 7 has no row in embeddings_old; pass at least one old embedding of each class, or leave the class "
            "out",
        ),
        (
            lambda: imprinted_head(ONES, [0, 1], [1, 1]),
            "classes are [1, 1]; pass different class indices, at least one",
        ),
        (
            lambda: imprinted_head(np.ones((0, 2)), []),
            "embeddings_old is empty (shape (0, 2)); pass at least one vector",
        ),
        (
            lambda: fit_head(ONES, [3, 3]),
            "labels hold the class 3 alone; a head needs at least two classes",
        ),
        (lambda: fit_head(ONES, [0, 1], penalty=0), "penalty is 0; pass a finite number above 0"),
    ],
)
def test_a_mistake_is_one_sentence(make, sentence):
    with pytest.raises(InputError) as told:
        make()
    assert str(told.value) == sentence
