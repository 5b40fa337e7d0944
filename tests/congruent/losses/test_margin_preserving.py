import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from segue.congruent.losses import FocalDistillation, LogitMatching, MarginPreserving
from segue.congruent.objective import Penalized, SeveralReferences
from segue.errors import InputError
from tests.congruent.losses.cases import CLASS_MAP, batch


def test_worked_by_hand():
    # all logits 0, the third class is new and starts log 3 ahead: probabilities 1/5, 1/5, 3/5.
    # The old model is right on the first sample, half a square of 2 away, and weighs 6 x 0.1 there.
    loss = MarginPreserving([0, 1], margin=math.log(3), distance=LogitMatching(), weight=0.1, reduction="none")
    old = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
    values = loss(torch.zeros(2, 3), old, torch.tensor([0, 2]))
    assert values.tolist() == pytest.approx([math.log(5) + 0.1 * 6 * 2, math.log(5 / 3)])


@given(st.integers(0, 2**31))
def test_without_margin_it_is_focal_distillation_beside_the_labels(seed):
    new, old, labels = batch(seed)
    focal = FocalDistillation(distance=LogitMatching(), class_map=CLASS_MAP)
    torch.testing.assert_close(
        MarginPreserving(CLASS_MAP, margin=0.0, distance=LogitMatching(), weight=0.7)(new, old, labels),
        Penalized(focal, 0.7)(new, old, labels),
    )


@given(st.integers(0, 2**31), st.floats(0.1, 8))
def test_a_margin_is_harder_for_old_classes_and_easier_for_new_ones(seed, margin):
    new, old, labels = batch(seed)
    with_margin = MarginPreserving(CLASS_MAP, margin=margin, reduction="none")(new, old, labels)
    without = MarginPreserving(CLASS_MAP, margin=0.0, reduction="none")(new, old, labels)
    known = torch.isin(labels, torch.tensor(CLASS_MAP))
    assert (with_margin[known] > without[known]).all()
    assert (with_margin[~known] < without[~known]).all()


def test_the_papers_second_reference_is_one_more_loss():
    new, old, labels = batch(0)
    independent = torch.randn_like(new)
    loss = SeveralReferences(
        {"old": (MarginPreserving(CLASS_MAP), 1.0), "independent": (FocalDistillation(), 1.0)}, labels_weight=0
    )
    expected = MarginPreserving(CLASS_MAP)(new, old, labels) + FocalDistillation()(new, independent, labels)
    torch.testing.assert_close(loss(new, {"old": old, "independent": independent}, labels), expected)


def test_the_logits_that_are_passed_are_left_as_they_are():
    new, old, labels = batch(0)
    before = new.clone()
    MarginPreserving(CLASS_MAP)(new, old, labels)
    assert torch.equal(new, before)
    assert functional.cross_entropy(new, labels).isfinite()


def test_no_class_map_is_one_sentence():
    with pytest.raises(InputError) as told:
        MarginPreserving(None)
    assert str(told.value) == (
        "class_map is None; pass the new class of each old class, the margin goes to the other ones"
    )


def test_a_margin_below_zero_is_one_sentence():
    with pytest.raises(InputError) as told:
        MarginPreserving([0, 1], margin=-1)
    assert str(told.value) == "margin is -1; pass a finite number of at least 0"
