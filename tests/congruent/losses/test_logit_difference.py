import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.congruent.losses import LogitDifferenceInhibition, LogitMatching
from segue.errors import InputError
from tests.congruent.losses.cases import SAME, batch

NEW = torch.tensor([[4.0, 9.0, 5.0], [1.0, 2.0, 3.0]])
OLD = torch.tensor([[5.0, 0.0, 3.0], [1.2, 4.0, 3.0]])
LABELS = torch.tensor([0, 1])


def test_worked_by_hand():
    # differences 1, 9, 2 and 0.2, 2, 0; 0.5 is allowed: 0.5^2 + 8.5^2 + 1.5^2 = 74.75 and 1.5^2 = 2.25
    loss = LogitDifferenceInhibition(margin=0.5, power=2, reduction="none")
    torch.testing.assert_close(loss(NEW, OLD, LABELS), torch.tensor([74.75, 2.25]))


def test_the_top_classes_worked_by_hand():
    # the largest reference logits are classes 0, 2 and 1, 2; the new model's largest one, class 1, is not looked at
    loss = LogitDifferenceInhibition(margin=0.5, power=2, top_k=2, reduction="none")
    torch.testing.assert_close(loss(NEW, OLD, LABELS), torch.tensor([0.25 + 2.25, 2.25]))


def test_without_the_label_worked_by_hand():
    # classes 2, 1 of the first sample and 2, 0 of the second: the labels 0 and 1 are left alone
    loss = LogitDifferenceInhibition(margin=0.5, power=2, top_k=2, exclude_label=True, reduction="none")
    torch.testing.assert_close(loss(NEW, OLD, LABELS), torch.tensor([8.5**2 + 1.5**2, 0.0]))
    every = LogitDifferenceInhibition(margin=0.5, power=2, exclude_label=True, reduction="none")
    torch.testing.assert_close(every(NEW, OLD, LABELS), torch.tensor([8.5**2 + 1.5**2, 0.0]))


@given(st.integers(0, 2**31), st.integers(1, 5))
def test_the_top_k_is_that_of_each_row_by_itself(seed, k):
    new, old, labels = batch(seed, class_map=SAME)
    values = LogitDifferenceInhibition(0.0, 1.0, top_k=k, reduction="none")(new, old, labels)
    for row in range(len(labels)):
        largest = sorted(range(5), key=lambda c, row=row: -old[row, c].item())[:k]
        assert values[row].item() == pytest.approx(sum(abs(new[row, c] - old[row, c]).item() for c in largest))


@given(st.integers(0, 2**31))
def test_the_top_k_is_not_all_classes(seed):
    new, old, labels = batch(seed, class_map=SAME)
    every = LogitDifferenceInhibition(0.0, 2.0)(new, old, labels)
    torch.testing.assert_close(LogitDifferenceInhibition(0.0, 2.0, top_k=5)(new, old, labels), every)
    for k in range(1, 5):
        assert LogitDifferenceInhibition(0.0, 2.0, top_k=k)(new, old, labels) < every


def test_without_margin_it_is_twice_logit_matching():
    new, old, labels = batch(0, class_map=SAME)
    loss = LogitDifferenceInhibition(0.0, 2.0, reduction="none")
    torch.testing.assert_close(loss(new, old, labels), 2 * LogitMatching()(new, old))


def test_classes_outside_the_top_k_and_the_excluded_label_have_no_gradient():
    new, old, labels = batch(0, class_map=SAME)
    new.requires_grad_()
    LogitDifferenceInhibition(0.0, 2.0, top_k=2, exclude_label=True)(new, old, labels).backward()
    assert new.grad is not None
    assert ((new.grad != 0).sum(1) == 2).all()
    assert (new.grad.gather(1, labels[:, None]) == 0).all()


def test_equal_logits_cost_nothing_and_pull_nowhere():
    new = torch.zeros(2, 3, requires_grad=True)
    for power in (1.0, 1.5, 2.0):
        value = LogitDifferenceInhibition(0.0, power)(new, torch.zeros(2, 3), LABELS)
        (gradient,) = torch.autograd.grad(value, new)
        assert value == 0
        assert (gradient == 0).all()


@pytest.mark.parametrize("top_k", [0, -1, 2.0, True, "3"])
def test_a_top_k_that_is_no_number_of_classes_is_one_sentence(top_k):
    with pytest.raises(InputError) as told:
        LogitDifferenceInhibition(top_k=top_k)
    assert str(told.value) == f"top_k is {top_k!r}; pass a whole number of classes from 1, or None for all of them"


@pytest.mark.parametrize(("exclude_label", "choice"), [(False, 3), (True, 2)])
def test_more_classes_than_there_are_is_one_sentence(exclude_label, choice):
    with pytest.raises(InputError) as told:
        LogitDifferenceInhibition(top_k=4, exclude_label=exclude_label)(NEW, OLD, LABELS)
    assert str(told.value) == f"top_k is 4, but there are only {choice} classes to choose from; lower it"


def test_a_margin_below_zero_and_a_power_below_one_are_one_sentence():
    with pytest.raises(InputError) as told:
        LogitDifferenceInhibition(margin=-0.1)
    assert str(told.value) == "margin is -0.1; pass a finite number of at least 0"
    with pytest.raises(InputError) as told:
        LogitDifferenceInhibition(power=0.5)
    assert str(told.value) == "power is 0.5; pass a finite number of at least 1"
