"""What holds for each compatible loss."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.compatible.losses import AdversarialAlignment, CompatibleLoss
from segue.errors import InputError
from segue.training.identity import digest_of
from tests.compatible.losses.cases import CASES, D_OLD, batch

every_loss = pytest.mark.parametrize("case", CASES, ids=str)


@every_loss
@settings(max_examples=8)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 12), d_new=st.sampled_from([2, D_OLD, 6]))
def test_it_agrees_with_its_slow_reference_whatever_the_dimensions(case, seed, n, d_new):
    new, old, labels = batch(seed, n, d_new)
    expected, counts = case.expected(new, old, labels)
    values = case.loss(reduction="none")(new, old, labels)
    torch.testing.assert_close(values, expected, rtol=1e-8, atol=1e-8)
    mean = case.loss()(new, old, labels)
    torch.testing.assert_close(mean, expected.sum() / counts.sum().clamp(min=1), rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(case.loss(reduction="sum")(new, old, labels), values.sum())


@every_loss
@pytest.mark.parametrize("d_new", [2, 6])
def test_its_gradient_is_that_of_its_values(case, d_new):
    new, old, labels = batch(1, n=7, d_new=d_new)
    new.requires_grad_()
    loss = case.loss(reduction="none")
    assert torch.autograd.gradcheck(lambda e: loss(e, old, labels), (new,))


@every_loss
def test_the_order_of_the_batch_does_not_matter(case):
    new, old, labels = batch(2)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    loss = case.loss(reduction="none")
    torch.testing.assert_close(loss(new[order], old[order], labels[order]), loss(new, old, labels)[order])


@every_loss
def test_labels_belong_to_their_rows(case):
    # values of shape (n, 1) times (n,) would be summed over all pairs, whatever the order
    new, old, labels = batch(3)
    loss = case.loss()
    value = loss(new, old, labels)
    if loss.needs_labels:
        assert not torch.isclose(loss(new, old, labels.roll(1)), value, rtol=1e-12, atol=0)
    if loss.needs_old:
        assert not torch.isclose(loss(new, old.roll(1, dims=0), labels), value, rtol=1e-12, atol=0)
    assert value.shape == ()


@every_loss
def test_lengths_matter_where_they_are_said_to(case):
    new, old, labels = batch(4)
    factors = torch.linspace(0.1, 3.0, 12, dtype=torch.float64)[:, None]
    same = torch.isclose(case.loss()(factors * new, old, labels), case.loss()(new, old, labels))
    assert bool(same) != case.lengths_matter


@every_loss
def test_dimensions_beyond_the_old_ones_are_free(case):
    new, old, labels = batch(5)
    other = torch.cat([new[:, :D_OLD], torch.randn(12, 9, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(case.loss()(other, old, labels), case.loss()(new, old, labels))


@every_loss
def test_no_gradient_flows_into_the_old_model_or_its_head(case):
    new, old, labels = batch(6)
    new.requires_grad_()
    old.requires_grad_()
    loss = case.loss()
    loss(new, old, labels).backward()
    assert old.grad is None
    assert new.grad is not None
    assert new.grad.abs().sum() > 0
    assert {name for name, _ in loss.named_parameters()} <= {"weight"}


@every_loss
def test_embeddings_that_are_equal_opposite_or_zero_have_a_finite_gradient(case):
    _, old, labels = batch(7)
    for start in (old, -old, torch.zeros_like(old)):
        new = start.clone().requires_grad_()
        value = case.loss()(new, old, labels)
        value.backward()
        assert value.isfinite()
        assert new.grad is not None
        assert new.grad.isfinite().all()


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_32_bits(case, dtype):
    new, old, labels = batch(8, dtype=dtype)
    new.requires_grad_()
    loss = case.loss().float()
    value = loss(new, old, labels)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(new.detach().float(), old.float(), labels), rtol=0, atol=0)
    value.backward()
    assert new.grad is not None
    assert new.grad.dtype == dtype
    assert new.grad.isfinite().all()


@every_loss
def test_autocast_rounds_nothing_inside(case):
    new, old, labels = batch(9, dtype=torch.float32)
    loss = case.loss().float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(new, old, labels)
    torch.testing.assert_close(value, loss(new, old, labels), rtol=0, atol=0)


@every_loss
def test_an_empty_batch_has_a_sum_and_no_mean(case):
    new, old, labels = batch(10, n=0)
    assert case.loss(reduction="sum")(new, old, labels) == 0
    assert case.loss(reduction="none")(new, old, labels).shape == (0,)
    with pytest.raises(InputError, match="the batch is empty and has no mean"):
        case.loss()(new, old, labels)


@every_loss
def test_a_batch_in_which_nothing_counts_is_0_with_a_gradient_of_0(case):
    # one class throughout, which the old model does not know
    new, old, _ = batch(11)
    new.requires_grad_()
    labels = torch.full((12,), 4)
    expected, counts = case.expected(new, old, labels)
    value = case.loss()(new, old, labels)
    torch.testing.assert_close(value, expected.sum() / counts.sum().clamp(min=1))
    value.backward()
    assert new.grad is not None
    assert new.grad.isfinite().all()
    if not counts.any():
        assert value == 0
        assert (new.grad == 0).all()


@every_loss
def test_labels_of_any_integer_type_are_welcome(case):
    new, old, labels = batch(12)
    for dtype in (torch.int32, torch.uint8):
        torch.testing.assert_close(
            case.loss()(new, old, labels.to(dtype)), case.loss()(new, old, labels), rtol=0, atol=0
        )


@every_loss
def test_what_is_needed_must_be_passed_and_nothing_else(case):
    new, old, labels = batch(13)
    loss = case.loss()
    if loss.needs_old:
        with pytest.raises(InputError, match=r"needs old_embeddings; pass the old model's embeddings of the batch"):
            loss(new, labels=labels)
    else:
        torch.testing.assert_close(loss(new, labels=labels), loss(new, old, labels))
    if loss.needs_labels:
        with pytest.raises(InputError, match=r"needs labels; pass one class index per row of new_embeddings"):
            loss(new, old)


@pytest.mark.parametrize("case", [case for case in CASES if not case.name.startswith("contrastive")], ids=str)
def test_it_traces_into_one_graph(case):
    # pytorch-metric-learning's contrastive loss looks at how many pairs it has, and doesn't
    new, old, labels = batch(14, dtype=torch.float32)
    loss = case.loss().float()
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(new, old, labels), loss(new, old, labels))


@pytest.mark.parametrize("case", [case for case in CASES if not case.name.startswith("contrastive")], ids=str)
def test_it_computes_on_the_meta_device_so_no_check_waits_for_a_value(case):
    loss = case.loss().to("meta")
    new, old, labels = (tensor.to("meta") for tensor in batch(15))
    assert loss(new, old, labels).shape == ()


@every_loss
def test_a_training_tells_it_apart_by_its_settings(case):
    others = [digest_of(other.loss()) for other in CASES if other is not case]
    assert digest_of(case.loss()) == digest_of(case.loss())
    assert digest_of(case.loss()) not in others


@every_loss
def test_it_prints_its_settings(case):
    assert "reduction=mean" in repr(case.loss())


def test_every_loss_that_is_exported_is_in_the_table():
    from segue.compatible import losses

    exported = {getattr(losses, name) for name in losses.__all__}
    classes = {kind for kind in exported if isinstance(kind, type) and issubclass(kind, CompatibleLoss)}
    # its gradient is reversed on purpose; it has tests of its own
    assert classes - {CompatibleLoss, AdversarialAlignment} == {type(case.loss()) for case in CASES}
