import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from segue.congruent.losses import MuscleDistillation, next_tokens
from segue.errors import InputError
from tests.congruent.losses import slow

VOCABULARY = 5
CLASS_MAP = (3, 0, -1, 2)  # tokens 1 and 4 are new, old token 2 is gone


def tokens(seed, old_vocabulary=VOCABULARY, dtype=torch.float64):
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, VOCABULARY, (3, 6), generator=draws)
    labels[0, 4:] = labels[1, :2] = -100
    new, teacher = torch.randn(2, 3, 6, VOCABULARY, generator=draws, dtype=torch.float64)
    new = new + 2 * functional.one_hot(labels.clamp(min=0), VOCABULARY) * (torch.arange(6) % 2)[:, None]
    old = torch.randn(3, 6, old_vocabulary, generator=draws, dtype=torch.float64)
    return new.to(dtype), old.to(dtype), labels, teacher.to(dtype)


def slow_values(new, old, labels, teacher, class_map, **settings_):
    rows = [
        slow.muscle(*row, list(class_map), **settings_)
        for row in zip(
            new.flatten(0, 1).tolist(),
            old.flatten(0, 1).tolist(),
            teacher.flatten(0, 1).tolist(),
            labels.flatten().tolist(),
            strict=True,
        )
    ]
    return torch.tensor(rows, dtype=torch.float64).reshape(labels.shape)


def test_worked_by_hand():
    # The new model gives both tokens 1/2, which says the first. Wrong at the first position: log 2 away from the old
    # version, which is sure. Right at the second: the teacher gives 1/4, 3/4. The third is padding; two tokens count.
    new = torch.zeros(1, 3, 2)
    old = torch.tensor([[[99.0, 0.0]] * 3])
    teacher = torch.tensor([[[1.0, 3.0]] * 3]).log()
    labels = torch.tensor([[1, 0, -100]])
    follows_teacher = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    values = MuscleDistillation(reduction="none")(new, old, labels, teacher_logits=teacher)
    assert values[0].tolist() == pytest.approx([math.log(2), follows_teacher, 0.0], rel=1e-5)
    mean = MuscleDistillation()(new, old, labels, teacher_logits=teacher)
    assert mean.item() == pytest.approx((math.log(2) + follows_teacher) / 2, rel=1e-5)


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.sampled_from([0.5, 1.0, 4.0]), st.sampled_from([0.0, 0.5]))
def test_it_agrees_with_its_slow_reference(seed, temperature, labels_weight):
    new, old, labels, teacher = tokens(seed)
    loss = MuscleDistillation(temperature, labels_weight=labels_weight, reduction="none")
    expected = slow_values(
        new, old, labels, teacher, range(VOCABULARY), temperature=temperature, labels_weight=labels_weight
    )
    torch.testing.assert_close(loss(new, old, labels, teacher_logits=teacher), expected, rtol=1e-8, atol=1e-10)


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_it_agrees_with_its_slow_reference_when_tokens_came_and_went(seed):
    new, old, labels, teacher = tokens(seed, len(CLASS_MAP))
    loss = MuscleDistillation(2.0, class_map=CLASS_MAP, reduction="none")
    expected = slow_values(new, old, labels, teacher, CLASS_MAP, temperature=2.0)
    torch.testing.assert_close(loss(new, old, labels, teacher_logits=teacher), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("class_map", [None, CLASS_MAP])
def test_its_gradient_is_that_of_its_values(class_map):
    new, old, labels, teacher = tokens(0, VOCABULARY if class_map is None else len(class_map))
    new.requires_grad_()
    loss = MuscleDistillation(2.0, labels_weight=0.3, class_map=class_map, reduction="none")
    assert torch.autograd.gradcheck(lambda z: loss(z, old, labels, teacher_logits=teacher), (new,))


@pytest.mark.parametrize("junk", [0.0, 1e30, float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("labels_weight", [0.0, 1.0])
def test_padding_changes_nothing_whatever_its_logits(junk, labels_weight):
    new, old, labels, teacher = tokens(1)
    loss = MuscleDistillation(labels_weight=labels_weight)
    expected = loss(new, old, labels, teacher_logits=teacher)
    padding = (labels == -100)[..., None]
    spoilt = [logits.masked_fill(padding, junk) for logits in (new, old, teacher)]
    spoilt[0].requires_grad_()
    value = loss(spoilt[0], spoilt[1], labels, teacher_logits=spoilt[2])
    torch.testing.assert_close(value, expected, rtol=0, atol=0)
    value.backward()
    assert spoilt[0].grad is not None
    assert (spoilt[0].grad[labels == -100] == 0).all()
    assert (spoilt[0].grad[labels != -100].abs().sum(-1) > 0).all()


def test_the_mean_is_over_tokens_and_more_padding_does_not_thin_it():
    new, old, labels, teacher = tokens(2)
    longer = [functional.pad(logits, (0, 0, 0, 4)) for logits in (new, old, teacher)]
    loss = MuscleDistillation()
    torch.testing.assert_close(
        loss(longer[0], longer[1], functional.pad(labels, (0, 4), value=-100), teacher_logits=longer[2]),
        loss(new, old, labels, teacher_logits=teacher),
    )


def test_reductions():
    new, old, labels, teacher = tokens(3)
    values = MuscleDistillation(reduction="none")(new, old, labels, teacher_logits=teacher)
    counted = (labels != -100).sum()
    assert values.shape == labels.shape
    torch.testing.assert_close(MuscleDistillation()(new, old, labels, teacher_logits=teacher), values.sum() / counted)
    total = MuscleDistillation(reduction="sum")(new, old, labels, teacher_logits=teacher)
    torch.testing.assert_close(total, values.sum())


def test_a_batch_of_padding_alone_costs_nothing():
    new, old, labels, teacher = tokens(4)
    new.requires_grad_()
    value = MuscleDistillation()(new, old, torch.full_like(labels, -100), teacher_logits=teacher)
    value.backward()
    assert value == 0
    assert new.grad is not None
    assert (new.grad == 0).all()


def test_the_teacher_is_not_read_at_wrong_tokens_nor_the_old_version_at_right_ones():
    new, old, labels, teacher = tokens(5)
    loss = MuscleDistillation(reduction="none")
    values = loss(new, old, labels, teacher_logits=teacher)
    wrong = new.argmax(2) != labels
    other_teacher = loss(new, old, labels, teacher_logits=torch.randn_like(teacher))
    other_old = loss(new, torch.randn_like(old), labels, teacher_logits=teacher)
    assert torch.equal(other_teacher[wrong], values[wrong])
    assert torch.equal(other_old[~wrong], values[~wrong])
    right = ~wrong & (labels != -100)
    assert (other_teacher[right] != values[right]).all()


def test_no_gradient_flows_into_the_references():
    new, old, labels, teacher = tokens(6)
    for logits in (new, old, teacher):
        logits.requires_grad_()
    MuscleDistillation()(new, old, labels, teacher_logits=teacher).backward()
    assert old.grad is None
    assert teacher.grad is None
    assert new.grad is not None


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_32_bits(dtype):
    new, old, labels, teacher = tokens(7, dtype=dtype)
    loss = MuscleDistillation()
    value = loss(new, old, labels, teacher_logits=teacher)
    assert value.dtype == torch.float32
    expected = loss(new.float(), old.float(), labels, teacher_logits=teacher.float())
    torch.testing.assert_close(value, expected, rtol=0, atol=0)


def test_it_traces_into_one_graph_and_reads_no_value():
    new, old, labels, teacher = tokens(8, len(CLASS_MAP))
    loss = MuscleDistillation(class_map=CLASS_MAP)
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    expected = loss(new, old, labels, teacher_logits=teacher)
    torch.testing.assert_close(compiled(new, old, labels, teacher_logits=teacher), expected)
    new, old, labels, teacher = (tensor.to("meta") for tensor in (new, old, labels, teacher))
    assert loss.to("meta")(new, old, labels, teacher_logits=teacher).shape == ()


def test_next_tokens_are_what_a_causal_model_is_asked():
    # cross-entropy with shifted labels is the loss that causal language models report
    new, _, labels, _ = tokens(9)
    logits, shifted = new[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    expected = functional.cross_entropy(logits, shifted, ignore_index=-100)
    actual = functional.cross_entropy(new.flatten(0, 1), next_tokens(labels).flatten(), ignore_index=-100)
    torch.testing.assert_close(actual, expected)
    assert next_tokens(torch.tensor([[7, 8, -100]])).tolist() == [[8, -100, -100]]


NEW, OLD, LABELS, TEACHER = tokens(0)
MISTAKES = {
    "flat logits": (
        (NEW.flatten(0, 1), OLD, LABELS, TEACHER),
        "new_logits have the shape (18, 5); pass (batch, tokens, vocabulary)",
    ),
    "other tokens": (
        (NEW, OLD[:, :5], LABELS, TEACHER),
        "new_logits have the shape (3, 6, 5) and old_logits (3, 5, 5); "
        "pass both models' logits of the same samples, in the same order",
    ),
    "labels cut": (
        (NEW, OLD, LABELS[:, 1:], TEACHER),
        "labels have the shape (3, 5); pass one class index per row of new_logits, (3, 6)",
    ),
    "another vocabulary": (
        (NEW, OLD[..., :4], LABELS, TEACHER),
        "new_logits have 5 tokens to choose from and old_logits 4; "
        "pass class_map, the new token of each old token, -1 where it is gone",
    ),
    "a teacher of the old version": (
        (NEW, OLD, LABELS, TEACHER[..., :4]),
        "new_logits have 5 tokens to choose from and teacher_logits 4; the teacher must be of the new version",
    ),
    "an empty batch": (
        (NEW[:0], OLD[:0], LABELS[:0], TEACHER[:0]),
        "the batch is empty and has no mean; leave empty batches out, or pass reduction='sum'",
    ),
}


@pytest.mark.parametrize(("given_", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence(given_, sentence):
    new, old, labels, teacher = given_
    with pytest.raises(InputError) as told:
        MuscleDistillation()(new, old, labels, teacher_logits=teacher)
    assert str(told.value) == sentence


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (torch.tensor([1, 2]), "labels have the shape (2,); pass a tensor, (batch, tokens)"),
        ([[1, 2]], "labels is a list; pass a tensor, (batch, tokens)"),
    ],
)
def test_labels_that_can_not_be_shifted_are_one_sentence(labels, sentence):
    with pytest.raises(InputError) as told:
        next_tokens(labels)
    assert str(told.value) == sentence
