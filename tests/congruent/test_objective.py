import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from segue.congruent.losses import (
    AnchoredDistillation,
    ChurnDistillation,
    Distillation,
    FocalDistillation,
    GatedDistillation,
    LogitDifferenceInhibition,
    LogitMatching,
    MarginPreserving,
)
from segue.congruent.objective import Mixed, Penalized, SeveralReferences
from segue.errors import InputError
from tests.congruent.losses.cases import CLASS_MAP, SAME, batch

OLD, NEW, LABELS = torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2), torch.tensor([1])
FOCAL = FocalDistillation(distance=LogitMatching())  # 6 x 2 here


def test_worked_by_hand():
    assert Mixed(FOCAL, 0.9)(NEW, OLD, LABELS).item() == pytest.approx(0.1 * math.log(2) + 0.9 * 12)
    assert Penalized(FOCAL, 0.9)(NEW, OLD, LABELS).item() == pytest.approx(math.log(2) + 0.9 * 12)


def test_several_references_worked_by_hand():
    loss = SeveralReferences(
        {"old": (FOCAL, 0.5), "ensemble": (LogitDifferenceInhibition(margin=0), 2.0)}, labels_weight=3
    )
    ensemble = torch.tensor([[1.0, 3.0]])  # squares 1 + 9
    value = loss(NEW, {"ensemble": ensemble, "old": OLD}, LABELS)
    assert value.item() == pytest.approx(3 * math.log(2) + 0.5 * 12 + 2 * 10)


@given(st.integers(0, 2**31), st.floats(0, 1), st.floats(0, 1))
def test_they_are_the_sums_they_say(seed, weight, label_smoothing):
    new, old, labels = batch(seed)
    congruence = FocalDistillation(class_map=CLASS_MAP)
    of_labels = functional.cross_entropy(new, labels, label_smoothing=label_smoothing)
    of_old = congruence(new, old, labels)
    mixed = Mixed(congruence, weight, label_smoothing=label_smoothing)(new, old, labels)
    torch.testing.assert_close(mixed, (1 - weight) * of_labels + weight * of_old)
    penalized = Penalized(congruence, 3 * weight, label_smoothing=label_smoothing)(new, old, labels)
    torch.testing.assert_close(penalized, of_labels + 3 * weight * of_old)
    one = SeveralReferences({"old": (congruence, 3 * weight)}, label_smoothing=label_smoothing)
    torch.testing.assert_close(one(new, {"old": old}, labels), penalized)


@pytest.mark.parametrize("objective", [Mixed, Penalized])
def test_at_weight_zero_only_the_labels_count(objective):
    new, old, labels = batch(0)
    loss = objective(FocalDistillation(class_map=CLASS_MAP), 0.0)
    torch.testing.assert_close(loss(new, old, labels), functional.cross_entropy(new, labels))


def test_mixed_at_weight_one_only_the_old_model_counts():
    new, old, labels = batch(0)
    congruence = FocalDistillation(class_map=CLASS_MAP)
    torch.testing.assert_close(Mixed(congruence, 1.0)(new, old, labels), congruence(new, old, labels))


@pytest.mark.parametrize("objective", [Mixed, Penalized])
def test_the_objectives_reduction_counts_and_not_the_losss(objective):
    new, old, labels = batch(1)
    values = objective(FocalDistillation(class_map=CLASS_MAP, reduction="sum"), 0.5, reduction="none")(new, old, labels)
    assert values.shape == (12,)
    mean = objective(FocalDistillation(class_map=CLASS_MAP, reduction="sum"), 0.5)(new, old, labels)
    torch.testing.assert_close(mean, values.mean())
    total = objective(FocalDistillation(class_map=CLASS_MAP), 0.5, reduction="sum")(new, old, labels)
    torch.testing.assert_close(total, values.sum())


def test_reductions_of_several_references():
    new, old, labels = batch(2)
    losses = {"old": (Distillation(class_map=CLASS_MAP), 1.0), "ensemble": (LogitDifferenceInhibition(), 0.1)}
    references = {"old": old, "ensemble": torch.randn_like(new)}
    values = SeveralReferences(losses, reduction="none")(new, references, labels)
    assert values.shape == (12,)
    torch.testing.assert_close(SeveralReferences(losses)(new, references, labels), values.mean())
    torch.testing.assert_close(SeveralReferences(losses, reduction="sum")(new, references, labels), values.sum())
    with pytest.raises(InputError, match="the batch is empty and has no mean"):
        SeveralReferences(losses)(new[:0], {name: logits[:0] for name, logits in references.items()}, labels[:0])


def test_gradients_are_checked():
    new, old, labels = batch(3)
    new.requires_grad_()
    ensemble = torch.randn_like(new).detach()
    congruence = FocalDistillation(class_map=CLASS_MAP)
    for objective in (Mixed(congruence, 0.9), Penalized(congruence, 2.0, label_smoothing=0.1)):
        assert torch.autograd.gradcheck(lambda z, o=objective: o(z, old, labels), (new,))
    several = SeveralReferences({"old": (congruence, 0.5), "ensemble": (Distillation(), 0.5)})
    assert torch.autograd.gradcheck(lambda z: several(z, {"old": old, "ensemble": ensemble}, labels), (new,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_32_bits(dtype):
    new, old, labels = batch(4, class_map=SAME, dtype=dtype)
    for loss, references in (
        (Mixed(Distillation(), 0.5), old),
        (Penalized(Distillation(), 0.5), old),
        (SeveralReferences({"old": (Distillation(), 0.5)}), {"old": old}),
    ):
        value = loss(new, references, labels)
        assert value.dtype == torch.float32
        wide = {"old": old.float()} if isinstance(references, dict) else old.float()
        torch.testing.assert_close(value, loss(new.float(), wide, labels), rtol=0, atol=0)


def test_a_distance_may_answer_in_another_precision():
    new, old, labels = batch(6, class_map=SAME, dtype=torch.float32)
    wide = FocalDistillation(distance=lambda z, reference: LogitMatching()(z.double(), reference.double()))
    of_old = wide(new, old, labels)
    of_labels = functional.cross_entropy(new, labels).double()
    for loss, references, expected in (
        (Mixed(wide, 0.7), old, 0.3 * of_labels + 0.7 * of_old),
        (Penalized(wide, 0.7), old, of_labels + 0.7 * of_old),
        (SeveralReferences({"old": (wide, 0.7)}), {"old": old}, of_labels + 0.7 * of_old),
    ):
        torch.testing.assert_close(loss(new, references, labels), expected, rtol=1e-6, atol=0)


def test_they_trace_into_one_graph_and_read_no_value():
    new, old, labels = batch(5, dtype=torch.float32)
    for loss, references in (
        (Mixed(FocalDistillation(class_map=CLASS_MAP), 0.5), old),
        (Penalized(FocalDistillation(class_map=CLASS_MAP), 0.5), old),
        (SeveralReferences({"old": (FocalDistillation(class_map=CLASS_MAP), 0.5)}), {"old": old}),
    ):
        torch._dynamo.reset()
        compiled = torch.compile(loss, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(new, references, labels), loss(new, references, labels))
        far = {"old": old.to("meta")} if isinstance(references, dict) else old.to("meta")
        assert loss.to("meta")(new.to("meta"), far, labels.to("meta")).shape == ()


HOLDERS = [
    AnchoredDistillation(),
    ChurnDistillation(),
    GatedDistillation(),
    MarginPreserving([0, 1]),
    Mixed(FOCAL, 0.5),
    Penalized(FOCAL, 0.5),
]


@pytest.mark.parametrize("objective", [Mixed, Penalized])
@pytest.mark.parametrize("holder", HOLDERS, ids=lambda loss: type(loss).__name__)
def test_the_label_term_is_not_added_twice(objective, holder):
    with pytest.raises(InputError) as told:
        objective(holder, 0.5)
    assert str(told.value) == (
        f"{type(holder).__name__} holds the label term already; call it by itself, with no cross-entropy added"
    )


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda loss: type(loss).__name__)
def test_nor_among_several_references(holder):
    with pytest.raises(InputError) as told:
        SeveralReferences({"old": (holder, 1.0)})
    assert str(told.value) == "the loss of 'old' holds the label term already; pass labels_weight=0"
    with pytest.raises(InputError) as told:
        SeveralReferences({"old": (holder, 1.0), "older": (holder, 1.0)}, labels_weight=0)
    assert str(told.value) == "the losses of 'old' and 'older' both hold the label term; keep one of them"
    assert SeveralReferences({"old": (holder, 1.0)}, labels_weight=0).includes_labels


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Mixed(FOCAL, 1.5), "weight is 1.5; pass a number from 0 to 1"),
        (lambda: Penalized(FOCAL, -1), "weight is -1; pass a finite number of at least 0"),
        (lambda: Mixed(FOCAL, 0.5, label_smoothing=2), "label_smoothing is 2; pass a number from 0 to 1"),
        (lambda: Mixed(FOCAL, 0.5, reduction="avg"), "reduction is 'avg'; pass 'none', 'mean' or 'sum'"),
        (
            lambda: Penalized(functional.cross_entropy, 0.5),
            "congruence is a function; pass a loss of segue.congruent.losses",
        ),
        (lambda: SeveralReferences({}), "losses is empty; pass {name of the reference: (loss, weight)}"),
        (
            lambda: SeveralReferences({"old": (FOCAL, -1.0)}),
            "the weight of 'old' is -1.0; pass a finite number of at least 0",
        ),
        (
            lambda: SeveralReferences({"old": FOCAL}),
            "losses hold a FocalDistillation for 'old'; pass a pair (loss, weight)",
        ),
        (
            lambda: SeveralReferences({"old": (torch.nn.CrossEntropyLoss(), 1.0)}),
            "the loss of 'old' is a CrossEntropyLoss; pass a loss of segue.congruent.losses",
        ),
    ],
)
def test_a_mistake_in_the_making_is_one_sentence(make, sentence):
    with pytest.raises(InputError) as told:
        make()
    assert str(told.value) == sentence


@pytest.mark.parametrize(
    ("references", "sentence"),
    [
        (OLD, "reference_logits is a Tensor; pass the logits of each reference by name, 'old', 'ensemble'"),
        ({"old": OLD}, "reference_logits lack 'ensemble'; pass the logits of each reference that has a loss"),
        (
            {"old": OLD, "ensemble": OLD, "older": OLD},
            "reference_logits hold 'older', which has no loss; leave it out, or give it a loss",
        ),
        (
            {"old": OLD, "ensemble": OLD[:, :1]},
            "reference 'ensemble': new_logits have 2 classes and old_logits 1; "
            "pass class_map, the new class of each old class, -1 where it is gone",
        ),
    ],
)
def test_a_mistake_in_the_references_is_one_sentence(references, sentence):
    loss = SeveralReferences({"old": (FOCAL, 1.0), "ensemble": (Distillation(), 1.0)})
    with pytest.raises(InputError) as told:
        loss(NEW, references, LABELS)
    assert str(told.value) == sentence
