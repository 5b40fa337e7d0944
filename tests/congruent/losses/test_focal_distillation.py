import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.congruent.losses import Distillation, FocalDistillation, KLDivergence, LogitMatching, MeanLogitMatching
from segue.errors import InputError
from tests.congruent.losses.cases import SAME, batch

OLD = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
NEW = torch.tensor([[3.0, 0.0], [1.0, 4.0], [0.0, 0.0]])
LABELS = torch.tensor([0, 1, 1])


def test_worked_by_hand():
    # half squares 2, 8 and 0; the old model is right on the first sample alone
    loss = FocalDistillation(alpha=1, beta=5, distance=LogitMatching(), reduction="none")
    assert loss(NEW, OLD, LABELS).tolist() == [12.0, 8.0, 0.0]
    loss = FocalDistillation(alpha=0, beta=1, distance=LogitMatching(), reduction="none")
    assert loss(NEW, OLD, LABELS).tolist() == [2.0, 0.0, 0.0]


def test_grown_classes_worked_by_hand():
    # classes swap places and one is new; the second sample is of the new class and is left alone
    loss = FocalDistillation(alpha=1, beta=5, distance=LogitMatching(), class_map=[1, 0], reduction="none")
    new = torch.tensor([[0.0, 3.0, 7.0], [0.0, 3.0, 7.0]])
    old = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert loss(new, old, torch.tensor([1, 2])).tolist() == [12.0, 0.0]
    mean = FocalDistillation(alpha=1, beta=5, distance=LogitMatching(), class_map=[1, 0])
    assert mean(new, old, torch.tensor([1, 2])).item() == 6.0  # of two samples, not of one


def test_permuting_the_weights_against_the_losses_changes_the_loss():
    # weights of shape (n, 1) would give the product of the two means, the same for every order
    weights = torch.tensor([1.0, 0.0, 0.0])

    def loss(order):
        return FocalDistillation(0, 1, distance=LogitMatching(), focus=lambda *_: weights[order])(NEW, OLD, LABELS)

    torch.testing.assert_close(loss([0, 1, 2]), torch.tensor(2 / 3))
    torch.testing.assert_close(loss([1, 0, 2]), torch.tensor(8 / 3))
    torch.testing.assert_close(loss([2, 1, 0]), torch.tensor(0.0))


@given(st.integers(0, 2**31), st.floats(0.5, 100))
def test_without_focus_it_is_plain_distillation(seed, temperature):
    new, old, labels = batch(seed, class_map=SAME)
    focal = FocalDistillation(alpha=1, beta=0, distance=KLDivergence(temperature))
    torch.testing.assert_close(focal(new, old, labels), Distillation(temperature)(new, old, labels), rtol=0, atol=0)


@given(st.integers(0, 2**31))
def test_with_focus_it_is_not(seed):
    new, old, labels = batch(seed, class_map=SAME)
    assert FocalDistillation(1, 5)(new, old, labels) > 1.01 * Distillation(100.0)(new, old, labels)


def test_by_default_it_tends_to_matching_centred_logits():
    new, old, labels = batch(0, class_map=SAME)
    centred = FocalDistillation(distance=MeanLogitMatching())(
        new - new.mean(1, keepdim=True), old - old.mean(1, keepdim=True), labels
    )
    torch.testing.assert_close(FocalDistillation()(new, old, labels), centred, rtol=0.05, atol=0)


def test_samples_outside_the_focus_have_no_gradient_without_alpha():
    new, old, labels = batch(0, class_map=SAME)
    new.requires_grad_()
    FocalDistillation(alpha=0, beta=1)(new, old, labels).backward()
    right = old.argmax(1) == labels
    assert new.grad is not None
    assert (new.grad[~right] == 0).all()
    assert (new.grad[right].abs().sum(1) > 0).all()


def test_the_focus_is_a_weight_and_has_no_gradient():
    new, old, labels = batch(0, class_map=SAME)
    new.requires_grad_()
    chosen = FocalDistillation(focus=lambda new, old, labels, old_labels: new.softmax(1)[:, 0])
    fixed = new.detach().softmax(1)[:, 0]
    given_weights = FocalDistillation(focus=lambda *_: fixed)
    (gradient,) = torch.autograd.grad(chosen(new, old, labels), new)
    (expected,) = torch.autograd.grad(given_weights(new, old, labels), new)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["alpha", "beta"])
@pytest.mark.parametrize("value", [-1, float("nan"), None, float("inf")])
def test_a_weight_that_is_none_is_one_sentence(name, value):
    with pytest.raises(InputError) as told:
        FocalDistillation(**{name: value})
    assert str(told.value) == f"{name} is {value!r}; pass a finite number of at least 0"


def test_a_temperature_in_the_place_of_a_distance_is_one_sentence():
    with pytest.raises(InputError) as told:
        FocalDistillation(distance=100.0)
    assert str(told.value) == "distance is 100.0; pass a callable such as KLDivergence(temperature=100)"


def test_the_name_of_a_focus_is_one_sentence():
    with pytest.raises(InputError) as told:
        FocalDistillation(focus="neg_flip")
    assert str(told.value) == "focus is 'neg_flip'; pass a callable such as segue.congruent.losses.old_correct"
