import math
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.compatible.losses import CrossContrastive, CrossTriplet, HigherOrderContrastive, RegressionAlleviating
from segue.errors import InputError, MissingExtraError
from tests.compatible.losses.cases import batch

EYE = torch.eye(3, dtype=torch.float64)
LABELS = torch.tensor([0, 0, 1])


def test_higher_order_worked_by_hand():
    # equal embeddings: the positive has e^10, the one sample of the other class e^0, the other of its class nothing
    values = HigherOrderContrastive(reduction="none")(EYE, EYE, LABELS)
    assert values.tolist() == pytest.approx([math.log(1 + math.exp(-10))] * 2 + [math.log(1 + 2 * math.exp(-10))])


def test_masked_samples_do_not_add_one_to_the_sum():
    # masked with 0 instead of minus infinity, a batch of one class would have the loss log(e^-10 + 2) + 10
    values = HigherOrderContrastive(reduction="none")(-EYE, EYE, torch.zeros(3, dtype=torch.int64))
    assert values.tolist() == [0.0, 0.0, 0.0]
    values = RegressionAlleviating(reduction="none", hardest=None)(-EYE, EYE, torch.zeros(3, dtype=torch.int64))
    assert values.tolist() == [0.0, 0.0, 0.0]


@given(st.integers(0, 2**31), st.integers(1, 6))
def test_more_samples_of_ones_own_class_change_nothing(seed, more):
    new, old, labels = batch(seed)
    extra_new, extra_old, _ = batch(seed + 1, n=more)
    grown = torch.cat([new, extra_new]), torch.cat([old, extra_old]), torch.cat([labels, labels[:1].expand(more)])
    for loss in (HigherOrderContrastive(reduction="none"), RegressionAlleviating(reduction="none", hardest=None)):
        torch.testing.assert_close(loss(*grown)[0], loss(new, old, labels)[0])


@given(st.integers(0, 2**31))
def test_no_loss_is_below_zero(seed):
    new, old, labels = batch(seed)
    for loss in (HigherOrderContrastive, RegressionAlleviating, CrossContrastive, CrossTriplet):
        assert (loss(reduction="none")(new, old, labels) >= -1e-12).all()


def test_regression_alleviating_worked_by_hand():
    # sample 0: its own old embedding at 60 degrees; the other class's old one at 90 degrees, its new one on top of it
    new = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    old = torch.tensor([[0.5, math.sqrt(0.75)], [0.0, 1.0]], dtype=torch.float64)
    values = RegressionAlleviating(0.5, reduction="none")(new, old, torch.tensor([0, 1]))
    first = math.log(math.exp(1) + 1 + math.exp(2)) - 1
    second = math.log(1 + math.exp(1) + math.exp(2))
    assert values.tolist() == pytest.approx([first, second])


@given(st.integers(0, 2**31))
def test_a_new_negative_makes_regression_alleviating_differ_from_plain_contrast(seed):
    new, old, _ = batch(seed)
    plain = -torch.nn.functional.log_softmax(
        torch.nn.functional.normalize(new[:, :4]) @ torch.nn.functional.normalize(old).T / 0.2, dim=1
    ).diagonal()
    all_different = torch.arange(12)
    values = RegressionAlleviating(0.2, hardest=None, reduction="none")(new, old, all_different)
    assert (values > plain).all()


def test_only_the_hardest_negatives_are_kept():
    new, old, labels = batch(0)
    values = [RegressionAlleviating(0.2, hardest=k)(new, old, labels).item() for k in (1, 3, 11, 12, 100)]
    assert values[0] < values[1] < values[2]
    assert values[2] == pytest.approx(values[3]) == pytest.approx(values[4])
    assert values[4] == pytest.approx(RegressionAlleviating(0.2, hardest=None)(new, old, labels).item())


def test_contrastive_worked_by_hand():
    # sample 0 is on top of its own old embedding and at a right angle to that of its class and to the other
    values = CrossContrastive(1.0, reduction="none")(EYE, EYE, LABELS)
    sums = math.log(math.e + 2)
    assert values.tolist() == pytest.approx([sums - 0.5, sums - 0.5, sums - 1])


def test_ones_own_old_embedding_is_a_positive():
    # without it, classes that occur once would have nothing to learn from
    values = CrossContrastive(1.0, reduction="none")(EYE, EYE, torch.arange(3))
    assert values.tolist() == pytest.approx([math.log(math.e + 2) - 1] * 3)


def test_triplet_worked_by_hand():
    # its own old embedding at distance 0, the nearest of the other class at sqrt(2): satisfied; turned around: not
    new = torch.stack([EYE[0], EYE[2], EYE[2]])
    values = CrossTriplet(margin=0.5, reduction="none")(new, EYE, LABELS)
    assert values.tolist() == pytest.approx([0.0, math.sqrt(2) + 0.5, 0.0])


def test_triplet_takes_the_hardest_negative_of_another_class():
    old = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    new = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    values = CrossTriplet(margin=0.1, reduction="none")(new, old, LABELS)
    # sample 0: the nearest old embedding is of its own class; the other is as far as its own
    assert values[0].item() == pytest.approx(0.1)


def test_a_missing_package_names_its_extra(monkeypatch):
    # and it is looked for when a loss is made, not when the module is imported
    monkeypatch.setitem(sys.modules, "pytorch_metric_learning.losses", None)
    for loss in (CrossContrastive, CrossTriplet):
        with pytest.raises(MissingExtraError, match=r"pip install 'segue\[compatible\]'"):
            loss()


@pytest.mark.parametrize(
    ("loss", "settings", "sentence"),
    [
        (CrossContrastive, {"temperature": 0}, "temperature is 0; pass a finite number above 0"),
        (CrossTriplet, {"margin": 3.0}, "margin is 3.0; pass a number above 0 and up to 2"),
        (RegressionAlleviating, {"temperature": -1.0}, "temperature is -1.0; pass a finite number above 0"),
        (RegressionAlleviating, {"hardest": 0}, "hardest is 0; pass a whole number of at least 1"),
        (RegressionAlleviating, {"hardest": 2.5}, "hardest is 2.5; pass a whole number of at least 1"),
    ],
)
def test_a_setting_out_of_its_range_is_one_sentence(loss, settings, sentence):
    with pytest.raises(InputError) as told:
        loss(**settings)
    assert str(told.value) == sentence
