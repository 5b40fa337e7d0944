"""What holds for each loss of the form (new, old, labels)."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.congruent.losses import CongruentLoss, MarginPreserving
from segue.errors import InputError
from tests.congruent.losses.cases import CASES, CLASS_MAP, NEW_CLASSES, SAME, batch

every_loss = pytest.mark.parametrize("case", CASES, ids=str)


def plain(case, **settings_):
    """The loss for equal class sets; margin-preserving training has no meaning without a map."""
    if case.loss is MarginPreserving:
        return case.loss(class_map=SAME, **settings_)
    return case.loss(**settings_)


@every_loss
@settings(max_examples=10)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 12))
def test_it_agrees_with_its_slow_reference(case, seed, n):
    new, old, labels = batch(seed, n, class_map=SAME)
    values = plain(case, reduction="none")(new, old, labels)
    torch.testing.assert_close(values, case.slow_values(new, old, labels, SAME), rtol=1e-9, atol=1e-9)


@every_loss
@settings(max_examples=10)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 12))
def test_it_agrees_with_its_slow_reference_when_classes_came_and_went(case, seed, n):
    new, old, labels = batch(seed, n)
    values = case.loss(class_map=CLASS_MAP, reduction="none")(new, old, labels)
    torch.testing.assert_close(values, case.slow_values(new, old, labels, CLASS_MAP), rtol=1e-9, atol=1e-9)


@every_loss
def test_its_gradient_is_that_of_its_values(case):
    new, old, labels = batch(1)
    new.requires_grad_()
    # the focus and the gate are step functions of the new logits: no sample may sit on a step
    for class_map, reference in ((CLASS_MAP, old), (SAME, batch(2, class_map=SAME)[1])):
        loss = case.loss(class_map=class_map, reduction="none")
        assert torch.autograd.gradcheck(lambda z, loss=loss, old=reference: loss(z, old, labels), (new,))


@every_loss
def test_it_reduces_to_the_mean_over_all_samples_and_to_the_sum(case):
    new, old, labels = batch(3)
    values = case.loss(class_map=CLASS_MAP, reduction="none")(new, old, labels)
    assert values.shape == (12,)
    torch.testing.assert_close(case.loss(class_map=CLASS_MAP)(new, old, labels), values.sum() / 12)
    torch.testing.assert_close(case.loss(class_map=CLASS_MAP, reduction="sum")(new, old, labels), values.sum())


@every_loss
def test_a_sample_counts_by_itself(case):
    new, old, labels = batch(4)
    loss = case.loss(class_map=CLASS_MAP, reduction="none")
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(loss(new[order], old[order], labels[order]), loss(new, old, labels)[order])
    alone = [loss(new[[row]], old[[row]], labels[[row]]) for row in range(12)]
    torch.testing.assert_close(loss(new, old, labels), torch.cat(alone))


@every_loss
def test_a_map_onto_itself_is_no_map(case):
    new, old, labels = batch(6, class_map=SAME)
    torch.testing.assert_close(case.loss(class_map=SAME)(new, old, labels), plain(case)(new, old, labels))


@every_loss
def test_renumbering_the_old_classes_changes_nothing(case):
    new, old, labels = batch(7, class_map=SAME)
    order = [4, 2, 0, 1, 3]
    renumbered = case.loss(class_map=order)(new, old[:, order], labels)
    torch.testing.assert_close(renumbered, case.loss(class_map=SAME)(new, old, labels))


@every_loss
def test_no_gradient_flows_into_the_old_model(case):
    new, old, labels = batch(8)
    new.requires_grad_()
    old.requires_grad_()
    case.loss(class_map=CLASS_MAP)(new, old, labels).backward()
    assert old.grad is None
    assert new.grad is not None
    assert new.grad.abs().sum() > 0


@every_loss
def test_a_distilled_sample_of_a_new_class_is_left_alone_or_learned_from_its_label_alone(case):
    new, old, labels = batch(9)
    of_new_class = ~torch.isin(labels, torch.tensor(CLASS_MAP))
    assert 0 < of_new_class.sum() < 12
    new.requires_grad_()
    loss = case.loss(class_map=CLASS_MAP, reduction="none")
    values = loss(new, old, labels)[of_new_class]
    (gradient,) = torch.autograd.grad(values.sum(), new)
    if loss.includes_labels:
        other = loss(new, torch.randn_like(old), labels)[of_new_class]
        torch.testing.assert_close(values, other, rtol=0, atol=0)
        assert (values > 0).all()
    else:
        assert (values == 0).all()
        assert (gradient == 0).all()


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_32_bits(case, dtype):
    new, old, labels = batch(10, dtype=dtype)
    new.requires_grad_()
    loss = case.loss(class_map=CLASS_MAP)
    value = loss(new, old, labels)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(new.detach().float(), old.float(), labels), rtol=0, atol=0)
    value.backward()
    assert new.grad is not None
    assert new.grad.dtype == dtype
    assert new.grad.isfinite().all()


@every_loss
def test_logits_from_an_autocast_model_give_the_loss_of_32_bits(case):
    new, old, labels = batch(11, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        new_half = new @ torch.eye(NEW_CLASSES)
        assert new_half.dtype == torch.bfloat16
        value = case.loss(class_map=CLASS_MAP)(new_half, old, labels)
    torch.testing.assert_close(
        value, case.loss(class_map=CLASS_MAP)(new_half.float(), old, labels), rtol=1e-5, atol=1e-6
    )


@every_loss
def test_cached_references_may_be_of_another_precision(case):
    new, old, labels = batch(12, dtype=torch.float32)
    loss = case.loss(class_map=CLASS_MAP)
    assert loss(new, old.double(), labels).dtype == torch.float32
    torch.testing.assert_close(loss(new, old.half(), labels), loss(new, old.half().float(), labels), rtol=0, atol=0)


@every_loss
def test_large_logits_stay_finite(case):
    new, old, labels = batch(13, dtype=torch.float32)
    new = (300 * new).requires_grad_()
    value = case.loss(class_map=CLASS_MAP)(new, 300 * old, labels)
    value.backward()
    assert value.isfinite()
    assert new.grad is not None
    assert new.grad.isfinite().all()


@every_loss
def test_an_empty_batch_has_a_sum_and_no_mean(case):
    new, old, labels = batch(14, n=0)
    assert case.loss(class_map=CLASS_MAP, reduction="sum")(new, old, labels) == 0
    assert case.loss(class_map=CLASS_MAP, reduction="none")(new, old, labels).shape == (0,)
    with pytest.raises(InputError, match="the batch is empty and has no mean"):
        case.loss(class_map=CLASS_MAP)(new, old, labels)


@every_loss
def test_labels_of_any_integer_type_are_welcome(case):
    new, old, labels = batch(15)
    loss = case.loss(class_map=CLASS_MAP)
    for dtype in (torch.int32, torch.uint8):
        torch.testing.assert_close(loss(new, old, labels.to(dtype)), loss(new, old, labels), rtol=0, atol=0)


@pytest.mark.parametrize("case", {type(case.loss(class_map=CLASS_MAP)): case for case in CASES}.values(), ids=str)
def test_it_traces_into_one_graph(case):
    new, old, labels = batch(16, dtype=torch.float32)
    loss = case.loss(class_map=CLASS_MAP)
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(new, old, labels), loss(new, old, labels))


@every_loss
def test_it_keeps_nothing_in_a_checkpoint(case):
    assert case.loss(class_map=CLASS_MAP).state_dict() == {}


@every_loss
def test_it_computes_on_the_meta_device_so_no_check_reads_a_value(case):
    loss = case.loss(class_map=CLASS_MAP).to("meta")
    new, old, labels = (tensor.to("meta") for tensor in batch(17))
    assert loss(new, old, labels).shape == ()


@pytest.mark.parametrize("case", [case for case in CASES if case.loss is not MarginPreserving], ids=str)
def test_it_refuses_grown_classes_without_a_map(case):
    new, old, labels = batch(18)
    with pytest.raises(InputError) as told:
        case.loss()(new, old, labels)
    assert str(told.value) == (
        "new_logits have 5 classes and old_logits 4; "
        "pass class_map, the new class of each old class, -1 where it is gone"
    )


def test_every_loss_that_is_exported_is_in_the_table():
    from segue.congruent import losses

    exported = {getattr(losses, name) for name in losses.__all__}
    classes = {kind for kind in exported if isinstance(kind, type) and issubclass(kind, CongruentLoss)}
    tested = {type(case.loss(class_map=CLASS_MAP)) for case in CASES}
    assert classes - {CongruentLoss} == tested
