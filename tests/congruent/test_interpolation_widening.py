"""Wider networks that answer like the old one: by hand, for the layers that can, and refused for those that can't."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from segue.congruent.interpolation import interpolate, widen
from segue.errors import InputError


def perceptron(width: int, classes: int = 3, depth: int = 1) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(4, width), nn.BatchNorm1d(width), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, classes))


class Residual(nn.Module):
    """Convolutions, a residual sum, a transposed convolution, a depthwise one, and a flattened head."""

    def __init__(self, width: int, classes: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.up = nn.ConvTranspose2d(width, 2 * width, 2, stride=2)
        self.down = nn.Conv2d(2 * width, width, 2, stride=2)
        self.head = nn.Linear(width * 16, classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        found = torch.relu(self.norm(self.stem(pictures)))
        found = found + self.down(torch.relu(self.up(self.depthwise(found))))
        return self.head(found.flatten(1))


def seen(model: nn.Module, inputs: torch.Tensor) -> nn.Module:
    """The model with statistics that are not the fresh ones."""
    model.train()
    for _ in range(3):
        model(inputs)
    return model.eval()


def test_a_case_worked_by_hand():
    old = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
    new = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    for parameter, value in zip(old.parameters(), (3.0, 1.0, 2.0, -1.0), strict=True):
        nn.init.constant_(parameter, value)
    for parameter in new.parameters():
        nn.init.constant_(parameter, 9.0)
    made = widen(old, new, torch.ones(1, 1))
    assert made[0].weight.tolist() == [[3.0], [9.0]]  # the second unit is fresh,
    assert made[0].bias.tolist() == [1.0, 9.0]
    assert made[2].weight.tolist() == [[2.0, 0.0]]  # and nothing listens to it yet
    assert made(torch.tensor([[2.0]])).item() == 2 * (3 * 2 + 1) - 1


@given(st.integers(1, 6), st.integers(0, 5), st.integers(1, 3), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_any_width_and_depth_answers_alike(width, more, depth, seed):
    torch.manual_seed(seed)
    inputs = torch.randn(16, 4)
    old = seen(perceptron(width, depth=depth), inputs)
    made = widen(old, perceptron(width + more, depth=depth), inputs)
    assert torch.allclose(made(inputs), old(inputs), atol=1e-5)


def test_convolutions_and_residual_sums_answer_alike():
    torch.manual_seed(0)
    inputs = torch.randn(8, 1, 4, 4)
    old, new = seen(Residual(3), inputs), Residual(5)
    before = copy.deepcopy(new.state_dict())
    made = widen(old, new, inputs)
    assert torch.allclose(made(inputs), old(inputs), atol=1e-5)
    assert all(torch.equal(new.state_dict()[name], tensor) for name, tensor in before.items())  # new is not changed


def test_new_units_learn():
    torch.manual_seed(0)
    inputs = torch.randn(32, 4)
    made = widen(seen(perceptron(2), inputs), perceptron(4), inputs)
    optimizer = torch.optim.SGD(made.parameters(), lr=0.1)
    for _ in range(2):  # in the first step only what listens to the new units moves
        optimizer.zero_grad()
        before = made[0].weight[2:].clone()
        nn.functional.cross_entropy(made(inputs), torch.arange(32) % 3).backward()
        optimizer.step()
    assert (made[3].weight[:, 2:] != 0).all()
    assert (made[0].weight[2:] != before).any()


def test_rows_of_new_classes_stay_fresh_and_old_classes_may_move():
    torch.manual_seed(0)
    inputs = torch.randn(16, 4)
    old, new = seen(perceptron(2, 3), inputs), perceptron(5, 4)
    made = widen(old, new, inputs, class_map=[3, -1, 0])
    assert torch.allclose(made(inputs)[:, [3, 0]], old(inputs)[:, [0, 2]], atol=1e-5)
    assert torch.equal(made[3].weight[1:3], new[3].weight[1:3])
    fewer = widen(old, perceptron(5, 2), inputs, class_map=[1, -1, 0])
    assert torch.allclose(fewer(inputs)[:, [1, 0]], old(inputs)[:, [0, 2]], atol=1e-5)


def test_the_line_to_a_trained_wide_model_ends_at_the_old_answers():
    torch.manual_seed(0)
    inputs = torch.randn(16, 4)
    old = seen(perceptron(2), inputs)
    start = widen(old, perceptron(4), inputs)
    tuned = copy.deepcopy(start)
    nn.functional.cross_entropy(tuned(inputs), torch.arange(16) % 3).backward()
    torch.optim.SGD(tuned.parameters(), lr=0.1).step()
    assert torch.allclose(interpolate(start, tuned, 1.0)(inputs), old(inputs), atol=1e-5)


def norm(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(4, width), nn.LayerNorm(width), nn.Linear(width, 3))


def twice(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 3))


X = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("old", "new", "settings", "sentence"),
    [
        (norm(2), norm(4), {}, "layers that mix units or join them elsewhere"),
        (perceptron(4), perceptron(2), {}, "only the number of units may differ, and only to more"),
        (perceptron(2), perceptron(2, depth=2), {}, "layer '3' is a Linear in old|new has weights that old lacks"),
        (perceptron(2), nn.Linear(4, 3), {}, "old has weights that new lacks"),
        (perceptron(2, 3), perceptron(4, 5), {}, "old knows 3 classes and new 5; pass class_map"),
        (twice(3), twice(5), {"class_map": [2, 1, 0]}, "2 layers have 3 rows in old and 3 in new; name the one"),
        (perceptron(2), perceptron(4), {"head": ["3"]}, "head was given without class_map"),
        (perceptron(2).double(), perceptron(4), {}, "can't answer the inputs|torch.float64"),
        (perceptron(2), nn.Linear(5, 3), {}, "can't answer|lacks"),
        ("old", perceptron(2), {}, "old is a str; pass a torch module"),
        (perceptron(2), perceptron(4), {"class_map": ["a", "b"]}, "class_map must list the new class of old class 0"),
        (perceptron(2), perceptron(4), {"class_map": 3}, "class_map must list the new class of old class 0"),
        (perceptron(2), perceptron(4), {"class_map": [0]}, "class_map names 1 old classes, but the old model knows 3"),
    ],
)  # fmt: skip
def test_what_can_not_be_widened_is_one_sentence(old, new, settings, sentence):
    with pytest.raises(InputError, match=sentence) as refused:
        widen(old, new, X, **settings)
    assert "\n" not in str(refused.value)


def test_a_head_named_by_hand():
    made = widen(twice(3).eval(), twice(5), X, class_map=[2, 1, 0], head=["4"])
    assert made(X).shape == (8, 3)


def test_a_weight_that_is_not_finite_is_named():
    old = perceptron(2)
    old[0].weight.data[0, 0] = torch.nan
    with pytest.raises(InputError, match=r"'0\.weight' of old holds NaN"):
        widen(old, perceptron(4), X)


def test_a_head_may_be_named_by_one_string():
    assert widen(twice(3).eval(), twice(5), X, class_map=[2, 1, 0], head="4")(X).shape == (8, 3)


def test_small_logits_must_agree_as_well():
    old, new = norm(2), norm(4)
    for model in (old, new):
        model[2].weight.data *= 1e-4
        model[2].bias.data *= 0
    with pytest.raises(InputError, match="can't be widened"):
        widen(old, new, X)


def test_new_columns_of_embeddings_learn():
    torch.manual_seed(0)

    def bag(width: int) -> nn.Module:
        return nn.Sequential(nn.EmbeddingBag(9, width), nn.Linear(width, 3))

    words = torch.randint(0, 9, (16, 5))
    old = bag(2)
    made = widen(old, bag(4), words)
    assert torch.allclose(made(words), old(words), atol=1e-6)
    assert (made[0].weight[:, 2:] != 0).all()
    nn.functional.cross_entropy(made(words), torch.arange(16) % 3).backward()
    assert (made[1].weight.grad[:, 2:] != 0).all()
