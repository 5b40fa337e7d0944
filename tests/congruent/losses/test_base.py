import pytest
import torch

from segue.congruent.losses import Distillation, FocalDistillation, negative_flip
from segue.errors import InputError

NEW, OLD, LABELS = torch.zeros(3, 4), torch.ones(3, 4), torch.tensor([0, 1, 2])

MISTAKES = {
    "no tensor": (
        ([[0.0]], OLD, LABELS),
        "new_logits is a list; pass a tensor of logits, (n, classes)",
    ),
    "one axis": (
        (NEW, OLD[:, 0], LABELS),
        "old_logits have the shape (3,); pass (n, classes)",
    ),
    "answers, not logits": (
        (NEW, OLD.long(), LABELS),
        "old_logits are torch.int64; pass logits, which are floating-point numbers",
    ),
    "no class": (
        (NEW[:, :0], OLD[:, :0], LABELS),
        "new_logits have no class; pass at least one column",
    ),
    "other samples": (
        (NEW, OLD[:2], LABELS),
        "new_logits have the shape (3, 4) and old_logits (2, 4); "
        "pass both models' logits of the same samples, in the same order",
    ),
    "too few labels": (
        (NEW, OLD, LABELS[:2]),
        "labels have the shape (2,); pass one class index per row of new_logits, (3,)",
    ),
    "a column of labels": (
        (NEW, OLD, LABELS[:, None]),
        "labels have the shape (3, 1); pass one class index per row of new_logits, (3,)",
    ),
    "one-hot labels": (
        (NEW, OLD, torch.eye(4)[:3]),
        "labels are torch.float32; pass class indices, which are integers",
    ),
    "a mask for labels": (
        (NEW, OLD, LABELS > 0),
        "labels are torch.bool; pass class indices, which are integers",
    ),
    "a list of labels": (
        (NEW, OLD, [0, 1, 2]),
        "labels is a list; pass a tensor of class indices",
    ),
    "old logits elsewhere": (
        (NEW, OLD.to("meta"), LABELS),
        "old_logits are on meta and new_logits on cpu; move them to the same device",
    ),
    "labels elsewhere": (
        (NEW, OLD, LABELS.to("meta")),
        "labels are on meta and new_logits on cpu; move them to the same device",
    ),
    "an empty batch": (
        (NEW[:0], OLD[:0], LABELS[:0]),
        "the batch is empty and has no mean; leave empty batches out, or pass reduction='sum'",
    ),
}


@pytest.mark.parametrize(("given", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_batch_is_one_sentence(given, sentence):
    with pytest.raises(InputError) as told:
        Distillation()(*given)
    assert str(told.value) == sentence


@pytest.mark.parametrize(
    ("class_map", "sentence"),
    [
        (
            [0, 1],
            "class_map names 2 old classes, but old_logits have 4; pass one new class index per column of old_logits",
        ),
        ([0, 1, 2, 9], "class_map names the new class 9, but new_logits have only 4 classes; count new classes from 0"),
    ],
)
def test_a_class_map_that_fits_no_batch_is_one_sentence(class_map, sentence):
    with pytest.raises(InputError) as told:
        Distillation(class_map=class_map)(NEW, OLD, LABELS)
    assert str(told.value) == sentence


def test_a_class_map_on_another_device_is_one_sentence():
    with pytest.raises(InputError) as told:
        Distillation(class_map=range(4)).to("meta")(NEW, OLD, LABELS)
    assert str(told.value) == (
        "the loss is on meta and new_logits on cpu; move the loss with .to(device), its class map goes along"
    )


def test_an_unknown_reduction_is_one_sentence():
    with pytest.raises(InputError) as told:
        Distillation(reduction="average")
    assert str(told.value) == "reduction is 'average'; pass 'none', 'mean' or 'sum'"


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf"), "2", True])
def test_a_temperature_that_is_none_is_one_sentence(temperature):
    with pytest.raises(InputError) as told:
        Distillation(temperature)
    assert str(told.value) == f"temperature is {temperature!r}; pass a finite number above 0"


def test_the_old_model_is_right_or_not_on_all_its_classes():
    # its first choice is a class that is gone: wrong, although it is right among the classes that are left
    loss = Distillation(class_map=[0, 1, -1])
    assert loss.old_right(torch.tensor([[2.0, 0.0, 3.0]]), torch.tensor([0])).tolist() == [False]
    assert loss.old_right(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0])).tolist() == [True]


def test_it_prints_its_settings():
    assert repr(Distillation(3.0)) == "Distillation(reduction=mean, distance=KLDivergence(temperature=3.0))"
    told = repr(FocalDistillation(1, 5, focus=negative_flip, class_map=[0]))
    assert "alpha=1, beta=5, distance=KLDivergence(temperature=100.0), focus=negative_flip" in told
