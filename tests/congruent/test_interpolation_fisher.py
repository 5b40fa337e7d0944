"""The diagonal Fisher information against slow loops over samples."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from segue.congruent.interpolation import diagonal_fisher, fisher, interpolate
from segue.errors import InputError


def network(seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.5), nn.Linear(6, 3))
        model(torch.randn(16, 4))
    return model


def slow(model: nn.Module, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """One backward pass per sample, squared by hand, divided by the mean over all weights."""
    model.eval()
    sums = {name: torch.zeros_like(weight) for name, weight in model.named_parameters()}
    for row in inputs:
        model.zero_grad()
        logits = model(row[None])
        nn.functional.cross_entropy(logits, logits.argmax(dim=1)).backward()
        for name, weight in model.named_parameters():
            sums[name] += weight.grad**2
    mean = torch.cat([value.flatten() for value in sums.values()]).mean()
    return {name: value / mean for name, value in sums.items()}


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 20), st.integers(1, 9), st.integers(1, 5))
def test_fisher_is_the_slow_loops(seed, samples, batch_size):
    inputs = torch.randn(samples, 4, generator=torch.Generator().manual_seed(seed))
    found = diagonal_fisher(network(seed), inputs, batch_size=batch_size)
    expected = slow(network(seed), inputs)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5)
    assert torch.cat([value.flatten() for value in found.values()]).mean() == pytest.approx(1, rel=1e-4)


def test_a_case_worked_by_hand():
    # two classes, weights 0: p = 1/2, the gradient of log p(first class) is x/2 in its row and -x/2 in the other;
    # x = 2 and x = 4 give squares of 1 and 4, summed 5 in both rows: all weights matter alike
    layer = nn.Linear(1, 2, bias=False)
    nn.init.zeros_(layer.weight)
    assert diagonal_fisher(layer, torch.tensor([[2.0], [4.0]]))["weight"].flatten().tolist() == [1.0, 1.0]


class Stubborn(nn.Module):
    """Its control flow depends on the data: vmap can't run it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network()

    def forward(self, inputs):
        return self.inner(inputs) if inputs.sum().item() > 0 else 2 * self.inner(inputs)


def test_a_model_that_vmap_can_not_run_is_asked_one_by_one():
    inputs = torch.randn(7, 4)
    with pytest.raises(RuntimeError, match="vmap"):
        fisher._together(Stubborn().eval(), dict(Stubborn().named_parameters()), inputs)
    found = diagonal_fisher(Stubborn(), inputs, batch_size=3)
    for name, value in slow(Stubborn(), inputs).items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5)


class ByName(nn.Module):
    """Takes its inputs by name and returns a mapping; one part of it has no say."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.out, self.idle = nn.Embedding(5, 4), nn.Linear(4, 3), nn.Linear(2, 2)

    def forward(self, ids, mask):
        return {"logits": self.out((self.words(ids) * mask[..., None]).sum(dim=1))}


@pytest.mark.parametrize("way", ["_together", "_one_by_one"])
def test_inputs_by_name(way, monkeypatch):
    monkeypatch.setattr(fisher, "_together", getattr(fisher, way))
    model = ByName()
    inputs = {"ids": torch.randint(4, (6, 3)), "mask": torch.ones(6, 3)}
    found = diagonal_fisher(model, inputs)
    assert not found["idle.weight"].any()
    assert not found["words.weight"][4].any()
    assert found["words.weight"][:4].any()
    with_labels = diagonal_fisher(model, (inputs, torch.zeros(6, dtype=torch.int64)))
    for name in found:
        torch.testing.assert_close(found[name], with_labels[name])


def test_nothing_of_the_model_changes_and_frozen_weights_have_fisher_too():
    model = network().requires_grad_(False).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    found = diagonal_fisher(model, torch.randn(5, 4))
    assert all(module.training for module in model.modules())
    assert all(weight.grad is None and not weight.requires_grad for weight in model.parameters())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert found["0.weight"].any()


def test_dropout_takes_no_part():
    inputs = torch.randn(5, 4)
    one, other = (diagonal_fisher(network().train(), inputs) for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_weights_that_matter_stay_closer_to_the_old_model():
    old, new, inputs = network(0), network(1), torch.randn(40, 4)
    importance = diagonal_fisher(old, inputs)
    model = interpolate(old, new, 0.5, fisher=importance)
    for name, weight in model.named_parameters():
        ours, theirs = old.get_parameter(name), new.get_parameter(name)
        plain = 0.5 * ours + 0.5 * theirs
        closer = (weight - ours).abs() <= (plain - ours).abs() + 1e-6
        assert torch.equal(closer | (importance[name] < 1), torch.ones_like(closer))


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.out = nn.Embedding(4, 2), nn.Linear(2, 4, bias=False)
        self.out.weight = self.words.weight

    def forward(self, ids):
        return self.out(self.words(ids).sum(dim=1))


def test_tied_weights_have_one_fisher_under_both_names():
    old, new, ids = Tied(), Tied(), torch.randint(4, (8, 3))
    found = diagonal_fisher(old, ids)
    assert torch.equal(found["words.weight"], found["out.weight"])
    torch.testing.assert_close(found["words.weight"], slow(old, ids)["words.weight"], rtol=1e-3, atol=1e-5)
    assert interpolate(old, new, 0.5, fisher=found).out.weight.isfinite().all()


@pytest.mark.parametrize(
    ("model", "data", "settings", "sentence"),
    [
        (network(), torch.zeros(0, 4), {}, "data has no samples"),
        (network(), [1, 2, 3, 4], {"batch_size": 0}, "batch_size is 0; pass a whole number from 1"),
        (nn.Tanh(), torch.zeros(2, 4), {}, "old has no weights; there is nothing to interpolate"),
        (
            nn.Sequential(nn.Linear(4, 3), nn.Flatten(0)),
            torch.zeros(2, 4),
            {},
            "the old model returned logits of shape (3,) for one sample; let it return (1, classes)",
        ),
        (
            network(),
            torch.full((2, 4), float("nan")),
            {},
            "the old model's gradients on data are all not finite, so that its Fisher information says nothing; look "
            "at its logits, or interpolate without fisher",
        ),
        (
            nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Threshold(1e9, 0.0)),
            torch.zeros(2, 4),
            {},
            "the old model's gradients on data are all zero, so that its Fisher information says nothing; look at its "
            "logits, or interpolate without fisher",
        ),
        (
            ByName(),
            {"ids": torch.zeros(3, 2, dtype=torch.int64), "mask": torch.ones(2, 2)},
            {},
            "the tensors of data differ in length; pass one row per sample in each",
        ),
        (ByName(), {}, {}, "data holds something that is no tensor (n, ...); pass tensors with one row per sample"),
        (
            network(),
            {"inputs": [[0.0]]},
            {},
            "data holds something that is no tensor (n, ...); pass tensors with one row per sample",
        ),
    ],
)
def test_what_can_not_be_measured(model, data, settings, sentence):
    with pytest.raises(InputError) as caught:
        diagonal_fisher(model, data, **settings)
    assert str(caught.value) == sentence


def test_a_fault_of_the_model_itself_comes_up():
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        diagonal_fisher(network(), torch.zeros(2, 9))
