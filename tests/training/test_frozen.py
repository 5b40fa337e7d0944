import copy

import pytest
import torch
from torch import nn

from segue.errors import InputError
from segue.training import Frozen
from tests.training.problems import TwoInputs, network, points, same, sgd, weights

INPUTS, LABELS = points()


def test_it_answers_as_the_model_in_evaluation_mode():
    model = network(dropout=0.5, norm=True)
    frozen = Frozen(model)
    torch.testing.assert_close(frozen(INPUTS), model.eval()(INPUTS))
    assert not frozen(INPUTS).requires_grad


@pytest.mark.parametrize(
    "accident",
    [
        lambda frozen: frozen.train(),
        lambda frozen: frozen.model.train(),
        lambda frozen: frozen.model[1].train(),
        lambda frozen: nn.Sequential(frozen).train(),
        lambda frozen: setattr(frozen.model[1], "training", True),
        lambda frozen: [setattr(module, "training", True) for module in frozen.modules()],
        lambda frozen: frozen.model.requires_grad_(True),
        lambda frozen: copy.deepcopy(frozen).train(),
    ],
    ids=["itself", "model", "part", "parent", "attribute", "attributes", "gradients", "copy"],
)
def test_no_accident_moves_it(accident):
    frozen = Frozen(network(dropout=0.5, norm=True))
    before, answered = weights(frozen), frozen(INPUTS)
    accident(frozen)
    assert torch.equal(frozen(INPUTS), answered)
    assert same(weights(frozen), before)
    assert not any(module.training for module in frozen.modules())


def test_even_the_model_within_keeps_its_statistics():
    frozen = Frozen(network(norm=True))
    before = weights(frozen)
    frozen.model.train()
    frozen.model[1].train()
    frozen.model(INPUTS)
    assert same(weights(frozen), before)


def test_a_copy_stays_frozen_and_is_apart():
    frozen = Frozen(network(dropout=0.5, norm=True))
    second = copy.deepcopy(frozen)
    second.model.train()
    second.model[1].train()
    assert not any(module.training for module in second.modules())
    assert torch.equal(second(INPUTS), frozen(INPUTS))
    with torch.no_grad():
        second.model[0].weight.zero_()
    assert not torch.equal(second(INPUTS), frozen(INPUTS))


def test_the_callers_model_goes_on_being_trained():
    model = network(norm=True)
    frozen = Frozen(model)
    answered = frozen(INPUTS)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    optimizer = sgd(model)
    nn.functional.cross_entropy(model(INPUTS), LABELS).backward()
    optimizer.step()
    assert torch.equal(frozen(INPUTS), answered)


def test_an_optimizer_over_it_moves_nothing():
    frozen = Frozen(network())
    head = nn.Linear(3, 3)
    before = weights(frozen)
    optimizer = torch.optim.AdamW([*frozen.parameters(), *head.parameters()], lr=0.1, weight_decay=0.5)
    nn.functional.cross_entropy(head(frozen(INPUTS)), LABELS).backward()
    optimizer.step()
    assert same(weights(frozen), before)


def test_freezing_twice_is_freezing_once():
    frozen = Frozen(Frozen(network()))
    assert isinstance(frozen.model, nn.Sequential)


def test_inputs_by_name_and_models_that_return_mappings():
    frozen = Frozen(TwoInputs())
    assert frozen(first=INPUTS[:, :3], second=INPUTS[:, 3:]).shape == (90, 3)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_a_scripted_model_can_be_frozen():
    scripted = torch.jit.trace(network().eval(), INPUTS)
    assert torch.allclose(Frozen(scripted)(INPUTS), network().eval()(INPUTS))


def test_mistakes_are_told_in_one_sentence():
    with pytest.raises(InputError, match=r"^model is a str; pass the torch module that is to be frozen$"):
        Frozen("old.pt")
    model = network()
    model.last = model(INPUTS)
    with pytest.raises(
        InputError, match=r"^the Sequential can't be copied \(.*\); pass a model that copy.deepcopy takes"
    ):
        Frozen(model)
