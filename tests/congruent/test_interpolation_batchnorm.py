"""BatchNorm statistics measured anew, against means taken by hand and torch's own function."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.swa_utils import update_bn

from segue.congruent.interpolation import interpolate, recalibrate
from segue.errors import InputError
from segue.training.seeds import generator


def network(dropout: float = 0.0, seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(dropout), nn.Linear(4, 4), nn.BatchNorm1d(4)
        )


def rows(count: int) -> torch.Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(count))


@settings(deadline=None, max_examples=25)
@given(st.integers(4, 60), st.integers(2, 20))
def test_statistics_of_the_first_layer_are_the_means_over_batches(count, batch_size):
    layer, inputs = nn.BatchNorm1d(3), rows(count)
    found = recalibrate(layer, inputs, batch_size=batch_size)
    order = torch.randperm(count, generator=generator(0, "recalibration"))
    batches = [inputs[part] for part in torch.tensor_split(order, min(-(-count // batch_size), count // 2))]
    mean = sum(len(batch) * batch.mean(dim=0) for batch in batches) / count
    variance = sum(len(batch) * batch.var(dim=0) for batch in batches) / count
    torch.testing.assert_close(found.running_mean, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.running_var, variance, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.running_mean, inputs.mean(dim=0), rtol=1e-3, atol=1e-5)


def test_without_dropout_it_is_torchs_own_function_on_the_same_batches():
    inputs = rows(40)
    order = torch.randperm(40, generator=generator(0, "recalibration"))
    reference = network()
    update_bn([inputs[part] for part in torch.tensor_split(order, 5)], reference)
    found = recalibrate(network(), inputs, batch_size=8)
    for layer in (1, 5):
        torch.testing.assert_close(found[layer].running_mean, reference[layer].running_mean)
        torch.testing.assert_close(found[layer].running_var, reference[layer].running_var)
    assert int(found[5].num_batches_tracked) == 5


def test_dropout_does_not_disturb_the_statistics():
    # torch's own function would let half of the activations through here
    calm, shaken = (recalibrate(network(dropout), rows(64)) for dropout in (0.0, 0.5))
    assert torch.equal(calm[5].running_var, shaken[5].running_var)


def test_what_was_is_forgotten_and_the_model_itself_is_not_touched():
    model = network()
    model[1].running_mean.fill_(1e6)
    model[1].momentum = 0.3
    before = copy.deepcopy(model.state_dict())
    found = recalibrate(model, rows(64))
    assert found[1].running_mean.abs().max() < 10
    assert found[1].momentum == 0.3
    assert not any(module.training for module in found.modules())
    assert all(module.training for module in model.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert torch.equal(found[0].weight, model[0].weight)


def test_pictures_and_layers_without_statistics():
    model = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2, track_running_stats=False))
    pictures = torch.randn(1, 2, 3, 3)
    found = recalibrate(model, pictures)
    torch.testing.assert_close(found[0].running_mean, pictures.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(found[0].running_var, pictures.transpose(0, 1).flatten(1).var(dim=1))
    assert found[1].running_mean is None


def test_a_model_without_batchnorm_comes_back_as_it_is():
    model = nn.Linear(3, 2)
    found = recalibrate(model, rows(4))
    assert found is not model
    assert torch.equal(found.weight, model.weight)


def test_interpolation_measures_between_the_ends_only():
    old, new, inputs = network(seed=0), network(seed=1), rows(32)
    for model in (old, new):
        model(10 * inputs)
    for alpha, end in ((0.0, new), (1.0, old)):
        assert torch.equal(interpolate(old, new, alpha, recalibration=inputs)[1].running_var, end[1].running_var)
    middle = interpolate(old, new, 0.5, recalibration=inputs)
    by_hand = recalibrate(interpolate(old, new, 0.5), inputs)
    assert torch.equal(middle[1].running_var, by_hand[1].running_var)
    hidden = middle[0](inputs)
    torch.testing.assert_close(middle[1].running_var, hidden.var(dim=0), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(interpolate(old, new, 0.5)[1].running_var, hidden.var(dim=0), rtol=0.1)


@pytest.mark.parametrize(
    ("data", "settings", "sentence"),
    [
        (
            torch.zeros(1, 3),
            {},
            "recalibration has 1 sample, which has no variance; pass more training inputs",
        ),
        (torch.zeros(0, 3), {}, "recalibration has no samples"),
        (torch.zeros(9, 3), {"batch_size": 1}, "batch_size is 1; statistics of a batch need a whole number from 2"),
        (
            torch.full((8, 3), float("nan")),
            {},
            "recalibration gives BatchNorm statistics that are not finite; look for NaN in the inputs",
        ),
        (
            7,
            {},
            "recalibration is a int; pass a pair (inputs, labels) of tensors or a map-style dataset",
        ),
    ],
)
def test_what_can_not_be_measured(data, settings, sentence):
    with pytest.raises(InputError) as caught:
        recalibrate(network(), data, **settings)
    assert str(caught.value) == sentence


def test_a_fault_of_the_model_itself_comes_up():
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        recalibrate(network(), torch.zeros(8, 9))
