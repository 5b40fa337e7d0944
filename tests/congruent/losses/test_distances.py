import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from segue.congruent.losses import KLDivergence, LogitMatching, MeanLogitMatching
from segue.errors import InputError


def logits(seed, n=64, classes=10, scale=3.0, dtype=torch.float64):
    draws = torch.Generator().manual_seed(seed)
    new, old = scale * torch.randn(2, n, classes, generator=draws, dtype=torch.float64)
    return new.to(dtype), old.to(dtype)


def textbook(new, old, temperature):
    """The divergence term by term in 64 bits, which is enough for a plain sum."""
    p, q = (old.double() / temperature).softmax(1), (new.double() / temperature).softmax(1)
    return temperature**2 * (p * (p.log() - q.log())).sum(1)


def test_divergence_worked_by_hand():
    # q = (1/4, 3/4), p = (1/2, 1/2) at T = 2: 4 x (log(2) / 2 + log(2/3) / 2) = 2 log(4/3)
    new = 2 * torch.tensor([[1.0, 3.0]], dtype=torch.float64).log()
    old = torch.zeros(1, 2, dtype=torch.float64)
    assert KLDivergence(temperature=2)(new, old).item() == pytest.approx(2 * math.log(4 / 3))


def test_matching_worked_by_hand():
    new, old = torch.tensor([[3.0, 1.0, 0.0, 0.0]]), torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    assert LogitMatching()(new, old).tolist() == [(4 + 1 + 0 + 1) / 2]
    assert MeanLogitMatching()(new, old).tolist() == [(4 + 1 + 0 + 1) / 8]


@given(st.integers(0, 2**31), st.sampled_from([0.5, 1.0, 5.0, 100.0]))
def test_divergence_is_the_textbook_one(seed, temperature):
    new, old = logits(seed)
    torch.testing.assert_close(
        KLDivergence(temperature)(new, old), textbook(new, old, temperature), rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("classes", [2, 10, 1000])
@pytest.mark.parametrize("drift", [3.0, 0.3, 0.03])
def test_32_bits_are_enough_at_a_temperature_of_100(classes, drift):
    old, noise = logits(0, classes=classes, dtype=torch.float32)
    new = (old + drift / 3 * noise).requires_grad_()
    exact_new = new.detach().double().requires_grad_()
    value, exact = KLDivergence(100)(new, old), textbook(exact_new, old, 100)
    error = (value.double() - exact).abs().max() / exact.mean()
    assert error < 5e-3
    (gradient,) = torch.autograd.grad(value.sum(), new)
    (exact_gradient,) = torch.autograd.grad(exact.sum(), exact_new)
    assert (gradient - exact_gradient).norm() / exact_gradient.norm() < 5e-3
    # a plain sum of p log(p / q) is not good enough, or all this would be for nothing
    p = (old / 100).softmax(1)
    plain = 100**2 * functional.kl_div((new / 100).log_softmax(1), p, reduction="none").sum(1)
    assert (plain.double() - exact).abs().max() / exact.mean() > 20 * error


@given(st.integers(0, 2**31), st.sampled_from([1.0, 100.0]), st.floats(1e-4, 30))
def test_divergence_is_not_negative_in_32_bits(seed, temperature, scale):
    old, noise = logits(seed, dtype=torch.float32)
    new = old + scale * noise
    assert (KLDivergence(temperature)(new, old) > -1e-8).all()
    assert (KLDivergence(temperature)(old, old) == 0).all()


@given(st.integers(0, 2**31), st.floats(-50, 50))
def test_divergence_does_not_see_a_shift_of_all_logits(seed, shift):
    new, old = logits(seed)
    divergence = KLDivergence(4.0)
    torch.testing.assert_close(divergence(new + shift, old - shift), divergence(new, old), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("temperature", [100.0, 1000.0])
def test_a_high_temperature_is_logit_matching_of_centred_logits(temperature):
    new, old = logits(1, scale=1.0)
    centred = MeanLogitMatching()(new - new.mean(1, keepdim=True), old - old.mean(1, keepdim=True))
    torch.testing.assert_close(KLDivergence(temperature)(new, old), centred, rtol=10 / temperature, atol=0)
    # and not without centring
    shifted = MeanLogitMatching()(new + 1.0, old)
    assert (KLDivergence(temperature)(new + 1.0, old) - shifted).abs().median() > 0.2


def test_gradients_of_a_high_and_a_low_temperature_are_of_one_scale():
    new, old = logits(2, scale=1.0)
    norms = []
    for temperature in (1.0, 100.0):
        new = new.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(KLDivergence(temperature)(new, old).sum(), new)
        norms.append(gradient.norm())
    assert 0.5 < norms[0] / norms[1] < 2


def test_far_apart_logits_neither_overflow_nor_lose_their_gradient():
    new = torch.tensor([[200.0, 0.0], [0.0, 200.0]], requires_grad=True)
    old = torch.tensor([[0.0, 200.0], [0.0, 200.0]])
    value = KLDivergence(1.0)(new, old)
    assert value.tolist() == [200.0, 0.0]
    value.sum().backward()
    assert new.grad is not None
    assert new.grad.tolist() == [[1.0, -1.0], [0.0, 0.0]]


def test_a_class_that_the_reference_rules_out_has_no_share():
    # -inf, not 0: as a number among the logits it would take probability from the others
    new = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64, requires_grad=True)
    old = torch.tensor([[0.0, 0.0, float("-inf")]], dtype=torch.float64)
    q = new.detach().softmax(1)[0]
    expected = -0.5 * (q[0].log() + q[1].log()) + math.log(0.5)
    value = KLDivergence(1.0)(new, old)
    torch.testing.assert_close(value[0], expected)
    value.sum().backward()
    assert new.grad is not None
    torch.testing.assert_close(new.grad[0], q - torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64))


def test_a_class_that_both_rule_out_is_not_there():
    infinity = torch.full((2, 1), float("inf"))
    new, old = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.5], [3.0, 0.0]])
    with_it = torch.cat([new, -infinity], dim=1).requires_grad_()
    value = KLDivergence(2.0)(with_it, torch.cat([old, -infinity], dim=1))
    torch.testing.assert_close(value, KLDivergence(2.0)(new, old))
    value.sum().backward()
    assert with_it.grad is not None
    assert (with_it.grad[:, 2] == 0).all()


def test_logits_that_are_not_numbers_are_not_hidden():
    old = torch.zeros(2, 3)
    new = torch.tensor([[0.0, float("nan"), 0.0], [0.0, 1.0, 0.0]])
    for distance in (KLDivergence(), LogitMatching(), MeanLogitMatching()):
        assert distance(new, old).isnan().tolist() == [True, False]
        assert distance(old, new).isnan().tolist() == [True, False]


def test_gradients_are_checked():
    new, old = logits(3, n=3, classes=4)
    new.requires_grad_()
    for distance in (KLDivergence(100.0), KLDivergence(1.0), LogitMatching(), MeanLogitMatching()):
        assert torch.autograd.gradcheck(lambda z, d=distance: d(z, old), (new,))
        assert torch.autograd.gradgradcheck(lambda z, d=distance: d(z, old), (new,))


def test_a_temperature_of_zero_is_one_sentence():
    with pytest.raises(InputError) as told:
        KLDivergence(temperature=0.0)
    assert str(told.value) == "temperature is 0.0; pass a finite number above 0"
