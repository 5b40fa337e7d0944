import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.adapters.backfill_order import by_uncertainty
from segue.adapters.fastfill import FastFill
from segue.adapters.fastfill_loss import fastfill_loss, item_errors
from tests.adapters.bent import refused


def small(**settings):
    return FastFill(**{"width": 24, "epochs": 30, "rate": 0.01, "batch_size": 64, **settings})


@pytest.fixture
def half_lost(rng):
    """Where the first number is positive, the old vector says little of the new one."""
    old = rng.normal(size=(600, 3))
    new = old + (old[:, :1] > 0) * rng.normal(size=(600, 3))
    return old.astype(np.float32), new.astype(np.float32)


def test_the_loss_of_two_items_by_hand():
    mapped, target = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0], [2.0, 4.0]])
    errors = item_errors(mapped, target)
    assert errors.tolist() == [2, 10]  # 4 / 2 and 20 / 2
    doubt = torch.tensor([0.0, math.log(10)])
    # 2 / 2 + 0, and 10 / 10 / 2 + log(10) / 2
    torch.testing.assert_close(fastfill_loss(errors, doubt), torch.tensor([1.0, 0.5 + math.log(10) / 2]))


def test_the_head_adds_its_smoothed_cross_entropy(rng):
    mapped, target, logits = (torch.from_numpy(rng.normal(size=(4, width))) for width in (3, 3, 5))
    labels = torch.tensor([0, 4, 2, 2])
    found = item_errors(mapped, target, logits, labels, amount=0.5)
    for row in range(4):
        scores = logits[row].numpy()
        total = math.log(sum(math.exp(score) for score in scores))
        wanted = [0.02 + (0.9 if place == labels[row] else 0) for place in range(5)]
        entropy = sum(share * (total - score) for share, score in zip(wanted, scores, strict=True))
        expected = sum((mapped[row] - target[row]) ** 2) / 3 + 0.5 * entropy
        assert found[row].item() == pytest.approx(expected.item(), rel=1e-12)


@given(error=st.floats(1e-3, 1e3), doubt=st.floats(-5, 5))
def test_a_variance_of_the_size_of_the_error_costs_least(error, doubt):
    errors = torch.tensor([error], dtype=torch.float64)
    best, other = (fastfill_loss(errors, torch.tensor([s], dtype=torch.float64)) for s in (math.log(error), doubt))
    assert best <= other + 1e-12


def test_permuting_doubts_against_errors_changes_the_loss():
    errors, doubt = torch.tensor([1.0, 9.0]), torch.tensor([0.0, 2.0])
    assert fastfill_loss(errors, doubt).shape == (2,)
    assert fastfill_loss(errors, doubt).mean() != fastfill_loss(errors, doubt.flip(0)).mean()


def test_items_of_which_little_is_known_are_uncertain_and_come_first(half_lost):
    old, new = half_lost
    adapter = small(unit=False).fit(old[:400], new[:400])
    uncertain = adapter.uncertainty(old[400:])
    assert (uncertain.shape, uncertain.dtype) == ((200,), np.float32)
    lost = old[400:, 0] > 0
    assert np.median(uncertain[lost]) > np.median(uncertain[~lost]) + 1
    order = by_uncertainty(adapter, old[400:])
    assert lost[order[:60]].mean() > 0.9
    np.testing.assert_array_equal(np.sort(order), np.arange(200))


def test_a_head_keeps_classes_apart_on_the_mapped_vectors(rng):
    # what tells the classes apart is a dimension so flat that the squared error does not care
    labels = rng.integers(0, 2, 600)
    old = np.column_stack([rng.normal(size=(600, 2)), labels + 0.4 * rng.normal(size=600)])
    new = np.column_stack([10 * rng.normal(size=(600, 3)), 0.1 * (2 * labels - 1)])
    head = (np.array([[0.0, 0, 0, -100], [0, 0, 0, 100]]), np.zeros(2))
    right = []
    for told in ({}, {"labels": labels[:400], "head": head}):
        mapped = small(unit=False, epochs=15).fit(old[:400], new[:400], **told).transform(old[400:])
        right.append(((mapped[:, 3] > 0) == labels[400:]).mean())
    assert right[1] > right[0] + 0.1


def test_the_head_sees_vectors_as_they_are(half_lost):
    # a bias that undoes the head's answer to the target's mean changes nothing but by rounding if both are read right
    old, new = half_lost
    weights, labels = np.random.default_rng(1).normal(size=(3, 3)), np.arange(600) % 3
    shift = np.array([5.0, -3.0, 2.0], dtype=np.float32)
    one = small(unit=False, epochs=3).fit(old, new, labels=labels, head=(weights, np.zeros(3)))
    other = small(unit=False, epochs=3).fit(old, new + shift, labels=labels, head=(weights, -weights @ shift))
    np.testing.assert_allclose(other.transform(old) - shift, one.transform(old), atol=2e-3)


def test_with_side_information_read_back_it_is_bit_for_bit_the_same(half_lost, tmp_path):
    old, new = half_lost
    side = np.abs(new[:, :2])
    adapter = small(epochs=2).fit(old, new, side=side)
    adapter.save_pretrained(tmp_path)
    again = FastFill.from_pretrained(tmp_path)
    np.testing.assert_array_equal(again.transform(old, side=side), adapter.transform(old, side=side))
    np.testing.assert_array_equal(again.uncertainty(old, side=side), adapter.uncertainty(old, side=side))
    np.testing.assert_array_equal(by_uncertainty(again, old, side=side), by_uncertainty(adapter, old, side=side))


def test_the_same_seed_gives_the_same_uncertainty(half_lost):
    one, same, other = (small(epochs=2, seed=seed).fit(*half_lost).uncertainty(half_lost[0]) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3


HEAD = (np.eye(3), np.zeros(3))
LABELS = np.arange(600) % 3


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            {"labels": LABELS},
            "labels were passed without head; pass head=(weights, bias) of the new model's classifier, or leave labels "
            "out",
        ),
        (
            {"head": HEAD},
            "head was passed without labels; pass labels=, the class of each pair, or leave head out",
        ),
        (
            {"labels": LABELS, "head": np.eye(3)},
            "head is no pair; pass head=(weights, bias), of shapes (classes, d_target) and (classes,)",
        ),
        (
            {"labels": LABELS, "head": (np.eye(4), np.zeros(4))},
            "head has weights of shape (4, 4) and a bias of shape (4,); pass shapes (classes, 3) and (classes,)",
        ),
        (
            {"labels": LABELS, "head": (np.eye(3), np.zeros(4))},
            "head has weights of shape (3, 3) and a bias of shape (4,); pass shapes (classes, 3) and (classes,)",
        ),
        (
            {"labels": LABELS, "head": (np.eye(3), [0, np.nan, 0])},
            "head's bias has NaN or infinite numbers; pass the head of a model that works",
        ),
        (
            {"labels": LABELS, "head": (np.eye(3)[:2], np.zeros(2))},
            "labels holds class 2 at row 2, but head has 2 classes, from 0 to 1; pass the head that knows all classes, "
            "or leave these pairs out",
        ),
        (
            {"labels": LABELS - 1, "head": HEAD},
            "labels holds class -1 at row 0, but head has 3 classes, from 0 to 2; pass the head that knows all "
            "classes, or leave these pairs out",
        ),
        (
            {"labels": LABELS[:5], "head": HEAD},
            "target has 600 rows and labels has 5; pass one class per pair",
        ),
        (
            {"labels": LABELS.astype(str), "head": HEAD},
            "labels are strings; pass whole numbers, the row of each class in head's weights",
        ),
    ],
)
def test_labels_and_heads_that_do_not_fit_are_named(told, sentence, half_lost):
    assert refused(lambda: small().fit(*half_lost, **told)) == sentence


def test_other_mistakes_are_named(half_lost):
    old, new = half_lost
    assert refused(lambda: small().uncertainty(old)).startswith("this FastFill is not fitted; ")
    seeing = small(epochs=1).fit(old, new, side=new)
    assert refused(lambda: seeing.uncertainty(old)) == (
        "this FastFill was fitted with side information of 3 dimensions; pass side=, one row for each row of source"
    )
    assert refused(lambda: small(discrimination=-1).fit(old, new)) == (
        "discrimination is -1; pass a finite number of 0 or more"
    )
