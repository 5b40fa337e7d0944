import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.compatible.heads import ArcFaceMargin, CosFaceMargin, CosineHead, LinearHead, SimplexHead
from segue.errors import InputError

MARGINS = [CosFaceMargin(0.35), ArcFaceMargin(0.5), ArcFaceMargin(2.0)]


def test_linear_worked_by_hand():
    head = LinearHead(2, 2, bias=True)
    head.weight.data = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    head.bias.data = torch.tensor([0.5, 0.0])
    assert head(torch.tensor([[3.0, 4.0]])).tolist() == [[11.5, -4.0]]
    assert LinearHead(2, 2).bias is None


def test_cosine_worked_by_hand():
    head = CosineHead(2, 2, scale=10.0)
    head.weight.data = torch.tensor([[5.0, 0.0], [3.0, 4.0]])
    assert head(torch.tensor([[0.0, 7.0]])).tolist() == [[0.0, pytest.approx(8.0)]]


def at(degrees):
    radians = math.radians(degrees)
    return torch.tensor([[math.cos(radians), math.sin(radians)]], dtype=torch.float64)


@pytest.mark.parametrize("degrees", [0, 30, 90, 120, 170, 180])
def test_margins_worked_by_hand(degrees):
    head = CosineHead(2, 2, scale=1.0).double()
    head.weight.data = at(0).expand(2, 2).clone()
    labels = torch.tensor([1])
    theta = math.radians(degrees)
    head.margin = CosFaceMargin(0.35)
    assert head(at(degrees), labels).tolist() == [pytest.approx([math.cos(theta), math.cos(theta) - 0.35])]
    head.margin = ArcFaceMargin(0.5)
    hard = theta + 0.5 > math.pi
    expected = math.cos(theta) - 0.5 * math.sin(0.5) if hard else math.cos(theta + 0.5)
    assert head(at(degrees), labels).tolist() == [pytest.approx([math.cos(theta), expected], abs=2e-4)]


@pytest.mark.parametrize("margin", MARGINS, ids=repr)
def test_what_a_margin_leaves_falls_with_the_angle(margin):
    # past pi the cosine of angle plus margin would rise again, and the worst samples would be rewarded
    cosines = torch.linspace(1, -1, 2001, dtype=torch.float64)
    left = margin.reduced(cosines)
    assert (left.diff() < 0).all()
    assert (left <= cosines + 1e-12).all()


@pytest.mark.parametrize("margin", MARGINS, ids=repr)
def test_a_margin_is_for_training_with_labels(margin):
    torch.manual_seed(0)
    head = CosineHead(4, 3, margin=margin)
    embeddings, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 2, 0])
    plain = head(embeddings)
    with_margin = head(embeddings, labels)
    of_truth = torch.nn.functional.one_hot(labels, 3).bool()
    assert (with_margin[of_truth] < plain[of_truth]).all()
    assert torch.equal(with_margin[~of_truth], plain[~of_truth])
    head.eval()
    assert torch.equal(head(embeddings, labels), plain)


@pytest.mark.parametrize("margin", MARGINS, ids=repr)
def test_gradients_are_finite_on_top_of_a_class_and_right_elsewhere(margin):
    torch.manual_seed(0)
    head = CosineHead(4, 3, margin=margin).double()
    labels = torch.tensor([0, 1, 2])
    embeddings = torch.stack([head.weight[0], -head.weight[1], head.weight[2] * 3]).detach().requires_grad_()
    head(embeddings, labels).sum().backward()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()
    free = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda e: head(e, labels), (free,))


@given(st.integers(2, 40), st.integers(0, 20))
def test_simplex_corners_are_as_far_apart_as_can_be(classes, room):
    dimension = classes - 1 + room
    head = SimplexHead(classes, dimension).double()
    corners = SimplexHead(classes, dimension).weights.double()
    expected = torch.full((dimension + 1, dimension + 1), -1 / dimension, dtype=torch.float64)
    expected.fill_diagonal_(1.0)
    torch.testing.assert_close(corners @ corners.T, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(corners.sum(dim=0), torch.zeros(dimension, dtype=torch.float64), rtol=0, atol=1e-5)
    assert head.room == room
    assert head(torch.zeros(2, dimension, dtype=torch.float64)).shape == (2, classes + room)


def test_a_simplex_is_fixed_and_the_same_for_every_generation():
    head = SimplexHead(3, 7)
    assert list(head.parameters()) == []
    assert head.state_dict() == {}
    assert torch.equal(head.weights, SimplexHead(8, 7).weights)
    assert head.to("meta").weights.device.type == "meta"


@pytest.mark.parametrize(
    "head", [LinearHead(3, 2), CosineHead(3, 2), SimplexHead(3, 3)], ids=lambda h: type(h).__name__
)
def test_a_mistake_in_the_batch_is_one_sentence(head):
    with pytest.raises(InputError, match=r"embeddings have 5 dimensions; pass \(n, 3\)"):
        head(torch.zeros(2, 5))
    with pytest.raises(InputError, match="embeddings is a list; pass a tensor of embeddings"):
        head([[1.0, 2.0, 3.0]])
    with pytest.raises(
        InputError, match=r"labels have the shape \(3,\); pass one class index per row of embeddings, \(2,\)"
    ):
        head(torch.zeros(2, 3), torch.tensor([0, 1, 1]))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LinearHead(0, 2), "dimension is 0; pass a whole number of at least 1"),
        (lambda: LinearHead(2, 2.0), "classes is 2.0; pass a whole number of at least 1"),
        (lambda: CosineHead(2, 2, scale=0), "scale is 0; pass a finite number above 0"),
        (lambda: CosineHead(2, 2, margin=0.3), "margin is a float; pass CosFaceMargin(), ArcFaceMargin() or None"),
        (lambda: CosFaceMargin(-0.1), "margin is -0.1; pass a number from 0 to 2"),
        (lambda: SimplexHead(1), "classes is 1; pass a whole number of at least 2"),
        (
            lambda: SimplexHead(5, 3),
            "a simplex in 3 dimensions has 4 corners, but there are 5 classes; pass a dimension of at least 4",
        ),
    ],
)
def test_a_setting_out_of_its_range_is_one_sentence(make, sentence):
    with pytest.raises(InputError) as told:
        make()
    assert str(told.value) == sentence
