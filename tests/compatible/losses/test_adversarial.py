import math

import pytest
import torch
from torch import nn

from segue.compatible.losses import AdversarialAlignment, GradientReversal, reversal_strength
from segue.errors import InputError
from tests.compatible.losses.cases import D_OLD, batch


def discriminator(seed=0, **settings):
    torch.manual_seed(seed)
    return AdversarialAlignment(D_OLD, hidden=8, **settings).double()


def test_it_is_two_cross_entropies_of_one_pass():
    new, old, _ = batch(0)
    loss = discriminator(reduction="none")
    both = torch.cat([nn.functional.normalize(new[:, :D_OLD]), nn.functional.normalize(old)])
    shares = loss.discriminator(both).softmax(dim=1)
    expected = -shares[:12, 0].log() - shares[12:, 1].log()
    torch.testing.assert_close(loss(new, old), expected)


def test_the_gradient_is_reversed_for_the_model_alone():
    new, old, _ = batch(1)
    gradients = {}
    for strength in (1.0, 0.0, -1.0):  # with -1 it is the plain gradient
        loss = discriminator()
        loss.reversal.strength = strength
        fresh = new.clone().requires_grad_()
        loss(fresh, old).backward()
        gradients[strength] = fresh.grad, loss.discriminator[0].weight.grad
    torch.testing.assert_close(gradients[1.0][0], -gradients[-1.0][0])
    assert (gradients[0.0][0] == 0).all()
    torch.testing.assert_close(gradients[1.0][1], gradients[-1.0][1])
    assert gradients[1.0][0].abs().sum() > 0


def test_without_the_reversal_its_gradient_is_that_of_its_values():
    new, old, _ = batch(2, n=5)
    loss = discriminator(reduction="none").eval()
    loss.reversal.strength = -1.0
    assert torch.autograd.gradcheck(lambda e: loss(e, old), (new.requires_grad_(),))


def test_it_learns_to_tell_two_clouds_apart_by_their_means():
    # each side through BatchNorm by itself would lose just that
    draws = torch.Generator().manual_seed(3)
    old = torch.randn(64, D_OLD, generator=draws) + 3
    new = torch.randn(64, D_OLD, generator=draws) - 3
    torch.manual_seed(0)
    loss = AdversarialAlignment(D_OLD, hidden=8)
    step = torch.optim.Adam(loss.parameters(), lr=0.05)
    for _ in range(60):
        step.zero_grad()
        value = loss(new, old)
        value.backward()
        step.step()
    assert value.item() < 0.2 < 2 * math.log(2)


def test_a_single_sample_is_no_error():
    new, old, _ = batch(4, n=1)
    assert discriminator()(new, old).isfinite()


@pytest.mark.parametrize("d_new", [2, D_OLD, 9])
def test_any_dimension_will_do(d_new):
    new, old, _ = batch(5, d_new=d_new)
    assert discriminator()(new, old).isfinite()


def test_half_precision_and_empty_batches():
    new, old, _ = batch(6, dtype=torch.bfloat16)
    assert discriminator().float()(new, old).dtype == torch.float32
    assert discriminator(reduction="sum")(new[:0], old[:0]) == 0


def test_old_embeddings_of_another_dimension_are_one_sentence():
    new, old, _ = batch(7)
    with pytest.raises(InputError) as told:
        discriminator()(new, old[:, :3])
    assert str(told.value) == (
        "old_embeddings have 3 dimensions and the discriminator 4; pass embeddings of the old model that the "
        "discriminator came from"
    )


def test_the_schedules():
    assert reversal_strength(0.0) == 0.0
    assert reversal_strength(1.0) == pytest.approx(math.tanh(5))
    with pytest.raises(InputError, match=r"progress is 1\.5; pass a number from 0 to 1"):
        reversal_strength(1.5)


def test_a_negative_strength_is_one_sentence():
    with pytest.raises(InputError) as told:
        GradientReversal(-1.0)
    assert str(told.value) == "strength is -1.0; pass a finite number of at least 0"
