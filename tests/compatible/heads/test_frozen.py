import copy

import pytest
import torch
from torch import nn

from segue.compatible.heads import ArcFaceMargin, CosineHead, FrozenHead, LinearHead
from segue.errors import InputError

HEADS = [nn.Linear(4, 3), LinearHead(4, 3, bias=True), LinearHead(4, 3), CosineHead(4, 3, margin=ArcFaceMargin())]
each_head = pytest.mark.parametrize("head", HEADS, ids=lambda h: type(h).__name__)


@each_head
def test_it_answers_as_the_old_head_did(head):
    embeddings = torch.randn(5, 4)
    expected = head.eval()(embeddings)
    assert torch.allclose(FrozenHead.of(head)(embeddings), expected)


@each_head
def test_it_is_a_copy_that_nothing_trains(head):
    frozen = FrozenHead.of(head)
    before = frozen.weights.clone()
    with torch.no_grad():
        head.weight.add_(1.0)
    assert torch.equal(frozen.weights, before)
    frozen.requires_grad_()
    assert list(frozen.parameters()) == []
    embeddings = torch.randn(5, 4, requires_grad=True)
    frozen(embeddings).square().sum().backward()
    assert frozen.weights.grad is None
    assert embeddings.grad is not None
    assert embeddings.grad.abs().sum() > 0


def test_it_stays_in_evaluation_mode_wherever_it_is():
    frozen = FrozenHead.of(nn.Linear(4, 3))
    around = nn.Sequential(nn.Linear(4, 4), frozen)
    for module in (frozen, around):
        module.train()
        assert not frozen.training
    assert around.training


def test_no_margin_is_put_on_even_with_labels():
    head = CosineHead(4, 3, margin=ArcFaceMargin())
    embeddings, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])
    assert torch.allclose(FrozenHead.of(head)(embeddings, labels), head(embeddings))


def test_it_moves_is_saved_and_is_copied():
    frozen = FrozenHead([[1.0, 2.0], [3.0, 4.0]], [0.5, 0.0], class_map=[1, 0])
    assert set(frozen.state_dict()) == {"weights", "bias"}
    assert torch.equal(copy.deepcopy(frozen).weights, frozen.weights)
    moved = copy.deepcopy(frozen).to("meta")
    assert {buffer.device.type for buffer in moved.buffers()} == {"meta"}


def test_it_answers_in_the_precision_of_the_question():
    frozen = FrozenHead.of(nn.Linear(4, 3))
    assert frozen(torch.randn(2, 4, dtype=torch.float64)).dtype == torch.float64
    assert frozen.double()(torch.randn(2, 4)).dtype == torch.float32


def test_rows_are_found_by_class():
    frozen = FrozenHead(torch.eye(3), class_map=[4, -1, 0])
    assert frozen.rows(torch.tensor([4, 0, 1, 9, -1, -100])).tolist() == [0, 2, -100, -100, -100, -100]
    again = FrozenHead.of(frozen)
    assert again.rows(torch.tensor([4, 0, 1])).tolist() == [0, 2, -100]
    other = FrozenHead.of(frozen, class_map=[0, 1, 2])
    assert other.rows(torch.tensor([2])).tolist() == [2]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: FrozenHead.of(nn.Sequential(nn.Linear(2, 2))),
            "head is a Sequential; pass a LinearHead, a CosineHead or a torch.nn.Linear, or make one of weights with "
            "FrozenHead(weights, bias)",
        ),
        (lambda: FrozenHead(torch.zeros(3)), "weights has the shape (3,); pass (rows, d_old)"),
        (lambda: FrozenHead(torch.zeros(0, 3)), "weights has the shape (0, 3); pass (rows, d_old)"),
        (
            lambda: FrozenHead(torch.tensor([[1.0, float("nan")]])),
            "weights holds NaN or infinite numbers; pass the old head's weights as they were trained",
        ),
        (lambda: FrozenHead(torch.eye(2), [1.0]), "bias has 1 value and weights 2 rows; pass one per row"),
        (
            lambda: FrozenHead(torch.eye(2), [1.0, 1.0], scale=3.0),
            "a cosine head has no bias; pass bias=None, or scale=None for a linear head",
        ),
        (
            lambda: FrozenHead(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), scale=3.0),
            "weights are zero in row 1, which has no direction; leave the class out",
        ),
        (lambda: FrozenHead(torch.eye(2), scale=-1.0), "scale is -1.0; pass a finite number above 0"),
        (
            lambda: FrozenHead(torch.eye(2), class_map=[0]),
            "class_map has the shape (1,); pass the new class of each old class, (2,) integers, -1 where it is gone",
        ),
        (
            lambda: FrozenHead(torch.eye(2), class_map=[0.0, 1.0]),
            "class_map holds torch.float32; pass the new class of each old class, (2,) integers, -1 where it is gone",
        ),
        (
            lambda: FrozenHead(torch.eye(2), class_map=[-1, -1]),
            "class_map says that every old class is gone; there is nothing to be compatible with",
        ),
        (
            lambda: FrozenHead(torch.eye(2), class_map=[-2, 1]),
            "class_map holds -2, which is no class index; pass the new class of each old class, (2,) integers, -1 "
            "where it is gone",
        ),
        (
            lambda: FrozenHead(torch.eye(2), class_map=[3, 3]),
            "class_map sends more than one old class to the new class 3; give all but one of them -1",
        ),
    ],
)
def test_a_mistake_is_one_sentence(make, sentence):
    with pytest.raises(InputError) as told:
        make()
    assert str(told.value) == sentence
