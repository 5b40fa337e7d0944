import pytest
import torch

from segue.compatible.losses import EmbeddingRegression, HigherOrderContrastive, InfluenceLoss
from segue.errors import InputError
from tests.compatible.losses.cases import cosine_head, linear_head

NEW, OLD, LABELS = torch.ones(3, 6), torch.ones(3, 4), torch.tensor([0, 1, 2])

MISTAKES = {
    "no tensor": (
        ([[0.0]], OLD, LABELS),
        "new_embeddings is a list; pass a tensor of embeddings, (n, dimension)",
    ),
    "one axis": (
        (NEW, OLD[:, 0], LABELS),
        "old_embeddings have the shape (3,); pass (n, dimension)",
    ),
    "integers": (
        (NEW.long(), OLD, LABELS),
        "new_embeddings are torch.int64; pass embeddings, which are floating-point numbers",
    ),
    "no column": (
        (NEW[:, :0], OLD, LABELS),
        "new_embeddings have no dimension; pass at least one column",
    ),
    "other samples": (
        (NEW, OLD[:2], LABELS),
        "new_embeddings have 3 rows and old_embeddings 2; "
        "pass both models' embeddings of the same samples, in the same order",
    ),
    "old embeddings elsewhere": (
        (NEW, OLD.to("meta"), LABELS),
        "old_embeddings are on meta and new_embeddings on cpu; move them to the same device",
    ),
    "labels elsewhere": (
        (NEW, OLD, LABELS.to("meta")),
        "labels are on meta and new_embeddings on cpu; move them to one device",
    ),
    "too few labels": (
        (NEW, OLD, LABELS[:2]),
        "labels have the shape (2,); pass one class index per row of new_embeddings, (3,)",
    ),
    "a column of labels": (
        (NEW, OLD, LABELS[:, None]),
        "labels have the shape (3, 1); pass one class index per row of new_embeddings, (3,)",
    ),
    "one-hot labels": (
        (NEW, OLD, torch.eye(3)),
        "labels are torch.float32; pass class indices, which are integers",
    ),
    "a list of labels": (
        (NEW, OLD, [0, 1, 2]),
        "labels is a list; pass a tensor of class indices",
    ),
    "no old embeddings": (
        (NEW, None, LABELS),
        "HigherOrderContrastive needs old_embeddings; pass the old model's embeddings of the batch, (n, d_old)",
    ),
    "no labels": (
        (NEW, OLD),
        "HigherOrderContrastive needs labels; pass one class index per row of new_embeddings",
    ),
    "an empty batch": (
        (NEW[:0], OLD[:0], LABELS[:0]),
        "the batch is empty and has no mean; leave empty batches out, or pass reduction='sum'",
    ),
}


@pytest.mark.parametrize(("given", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_batch_is_one_sentence(given, sentence):
    with pytest.raises(InputError) as told:
        HigherOrderContrastive()(*given)
    assert str(told.value) == sentence


def test_an_unknown_reduction_is_one_sentence():
    with pytest.raises(InputError) as told:
        EmbeddingRegression(reduction="average")
    assert str(told.value) == "reduction is 'average'; pass 'none', 'mean' or 'sum'"


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf"), "2", True])
def test_a_setting_that_is_no_number_is_one_sentence(scale):
    with pytest.raises(InputError) as told:
        HigherOrderContrastive(scale)
    assert str(told.value) == f"scale is {scale!r}; pass a finite number above 0"


def test_the_mean_is_that_of_the_samples_that_count():
    # classes 1 and 4 have no row in the old head: dividing by all four would halve the loss
    new, labels = torch.randn(4, 4, dtype=torch.float64), torch.tensor([0, 1, 3, 4])
    torch.testing.assert_close(
        InfluenceLoss(linear_head())(new, labels=labels), InfluenceLoss(linear_head())(new[::2], labels=labels[::2])
    )


def test_a_loss_moves_with_its_old_head_and_keeps_no_parameter():
    loss = InfluenceLoss(cosine_head()).to("meta")
    assert loss.old_head.weights.device.type == "meta"
    assert list(InfluenceLoss(cosine_head()).parameters()) == []


def test_an_old_head_elsewhere_is_one_sentence():
    with pytest.raises(InputError) as told:
        InfluenceLoss(linear_head()).to("meta")(NEW, labels=LABELS)
    assert str(told.value) == (
        "the old classes are on meta and labels on cpu; "
        "move the loss with .to(device), its old head and centres go along"
    )
