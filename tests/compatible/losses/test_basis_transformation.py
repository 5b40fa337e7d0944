import math

import pytest
import torch

from segue.compatible.heads import FrozenHead
from segue.compatible.losses import BasisTransformation
from segue.errors import InputError
from tests.compatible.losses.cases import batch, linear_head

DRAWS = torch.Generator().manual_seed(5)
FEATURES = torch.randn(12, 3, generator=DRAWS, dtype=torch.float64)
REFERENCE = torch.randn(12, 3, generator=DRAWS, dtype=torch.float64)


def test_worked_by_hand():
    # cosines 1/2 to the reference and 0 to the old embedding; the head gives the class 1/4
    head = FrozenHead(torch.tensor([[0.0, math.log(3)], [0.0, 0.0]]), class_map=[1, 0])
    new, old = torch.tensor([[0.0, 5.0, 1.0]]), torch.tensor([[2.0, 0.0]])
    features, reference = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, math.sqrt(3)]])
    loss = BasisTransformation(head, (1.0, 10.0, 5.0))
    value = loss(new, old, torch.tensor([0]), features=features, reference=reference)
    assert value.item() == pytest.approx(0.5 + 10 * math.log(4) + 5)


def test_a_sample_of_an_unknown_class_has_the_other_two_terms():
    new, old, _ = batch(0)
    loss = BasisTransformation(linear_head(), (2.0, 10.0, 5.0), reduction="none")
    values = loss(new, old, torch.full((12,), 4), features=FEATURES, reference=REFERENCE)
    cosine = torch.nn.functional.cosine_similarity
    expected = 2 * (1 - cosine(FEATURES, REFERENCE)) + 5 * (1 - cosine(new[:, :4], old))
    torch.testing.assert_close(values, expected)


def test_the_features_are_trained_and_the_reference_is_not():
    new, old, labels = batch(1)
    features, reference = FEATURES.clone().requires_grad_(), REFERENCE.clone().requires_grad_()
    loss = BasisTransformation(linear_head(), reduction="none")
    assert torch.autograd.gradcheck(lambda f: loss(new, old, labels, features=f, reference=REFERENCE), (features,))
    loss(new, old, labels, features=features, reference=reference).sum().backward()
    assert reference.grad is None


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({}, "BasisTransformation needs features; pass the features and what a new model trained by itself makes of"),
        ({"features": FEATURES}, "BasisTransformation needs reference; pass the features and what a new model"),
        ({"features": FEATURES, "reference": REFERENCE[:, :2]}, "reference have 2 dimensions; pass (n, 3)"),
        ({"features": FEATURES[:4], "reference": REFERENCE}, "new_embeddings have 12 rows and features 4;"),
    ],
)
def test_a_mistake_is_one_sentence(more, sentence):
    new, old, labels = batch(2)
    with pytest.raises(InputError) as told:
        BasisTransformation(linear_head())(new, old, labels, **more)
    assert str(told.value).startswith(sentence)


@pytest.mark.parametrize("weights", [1.0, (1.0, 2.0), "abc1"])
def test_weights_that_are_not_three_are_one_sentence(weights):
    with pytest.raises(InputError) as told:
        BasisTransformation(linear_head(), weights)
    assert str(told.value) == f"weights are {weights!r}; pass three, of the feature, the head and the old embedding"


def test_a_negative_weight_is_one_sentence():
    with pytest.raises(InputError, match=r"weights\[1\] is -1.0; pass a finite number of at least 0"):
        BasisTransformation(linear_head(), (1.0, -1.0, 5.0))
