import math

import pytest
import torch
from torch import nn

from segue.compatible.heads import FrozenHead, LinearHead
from segue.compatible.losses import InfluenceDistillation, InfluenceLoss
from segue.errors import InputError

# logits log 1 and log 3 for the embedding (1, log 3): the classes get 1/4 and 3/4
HEAD = FrozenHead([[0.0, 0.0], [0.0, 1.0]], class_map=[5, 2])
NEW = torch.tensor([[1.0, math.log(3), 8.0]] * 3)


def test_worked_by_hand():
    # class 5 has row 0 and class 2 row 1; class 0 is unknown, and not taken for the class of row 0
    values = InfluenceLoss(HEAD, reduction="none")(NEW, labels=torch.tensor([5, 2, 0]))
    assert values.tolist() == pytest.approx([math.log(4), math.log(4 / 3), 0.0])
    mean = InfluenceLoss(HEAD)(NEW, labels=torch.tensor([5, 2, 0]))
    assert mean.item() == pytest.approx((math.log(4) + math.log(4 / 3)) / 2)


def test_distillation_worked_by_hand():
    old = torch.tensor([[7.0, math.log(2)]] * 3)  # the old embedding gets 1/3 and 2/3
    value = math.log(4) / 3 + math.log(4 / 3) * 2 / 3
    assert InfluenceDistillation(HEAD)(NEW, old).item() == pytest.approx(value)
    loss = InfluenceDistillation(HEAD, new_classes_only=True, reduction="none")
    assert loss(NEW, old, torch.tensor([5, 2, 0])).tolist() == pytest.approx([0.0, 0.0, value])


def test_both_together_count_each_sample_once():
    new, old, labels = torch.randn(6, 2), torch.randn(6, 2), torch.tensor([5, 2, 0, 1, 5, 9])
    counted = [
        loss(HEAD, reduction="none", **more)(new, old, labels) > 0
        for loss, more in ((InfluenceLoss, {}), (InfluenceDistillation, {"new_classes_only": True}))
    ]
    assert (counted[0] ^ counted[1]).all()


def test_classes_that_grew_without_a_map_are_one_sentence():
    # cutting the labels off at the old classes would train samples of new classes as old ones
    with pytest.raises(InputError) as told:
        InfluenceLoss(FrozenHead(torch.eye(2)))(NEW, labels=torch.tensor([0, 1, 2]))
    assert str(told.value) == (
        "labels hold the class 2, but the old model's classes are 0 to 1; "
        "pass class_map, the new class of each old class, and samples of others are left out"
    )


def test_a_negative_label_without_a_map_is_one_sentence():
    with pytest.raises(InputError, match="labels hold the class -1, but the old model's classes are 0 to 1;"):
        InfluenceLoss(FrozenHead(torch.eye(2)))(NEW, labels=torch.tensor([0, -1, 2]))


def test_training_changes_the_embeddings_and_not_the_head():
    head = LinearHead(2, 2)
    before = head.weight.detach().clone()
    encoder = nn.Linear(3, 2)
    loss = InfluenceLoss(FrozenHead.of(head))
    step = torch.optim.SGD([*encoder.parameters(), *loss.parameters()], lr=0.5)
    first = None
    for _ in range(50):
        step.zero_grad()
        value = loss(encoder(NEW), labels=torch.tensor([1, 1, 1]))
        first = value.item() if first is None else first
        value.backward()
        step.step()
    assert value.item() < first
    assert torch.equal(loss.old_head.weights, before)
    assert head.weight.grad is None


@pytest.mark.parametrize("loss", [InfluenceLoss, InfluenceDistillation])
def test_a_head_that_is_not_frozen_is_one_sentence(loss):
    with pytest.raises(InputError) as told:
        loss(LinearHead(2, 2))
    assert str(told.value) == "old_head is a LinearHead; pass FrozenHead.of(head), or FrozenHead(weights, bias)"


def test_old_embeddings_of_another_model_are_one_sentence():
    with pytest.raises(InputError) as told:
        InfluenceDistillation(HEAD)(NEW, torch.zeros(3, 7))
    assert str(told.value) == (
        "old_embeddings have 7 dimensions and old_head 2; pass embeddings of the old model that old_head came from"
    )


def test_new_classes_need_a_map_and_labels():
    with pytest.raises(InputError, match="new_classes_only needs a head that says which classes it knows"):
        InfluenceDistillation(FrozenHead(torch.eye(2)), new_classes_only=True)
    with pytest.raises(InputError, match="new_classes_only needs labels"):
        InfluenceDistillation(HEAD, new_classes_only=True)(NEW, torch.zeros(3, 2))
