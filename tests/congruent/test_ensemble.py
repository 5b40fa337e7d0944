"""Mean logits and the most centric member, against slow loops."""

import copy
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from segue.congruent.ensemble import LogitEnsemble, centric_distances, most_centric
from segue.errors import InputError


def member(seed: int, classes: int = 3, dropout: float = 0.0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(dropout), nn.Linear(4, classes))


def constant(*logits: float) -> nn.Linear:
    layer = nn.Linear(1, len(logits), bias=False)
    layer.weight.data = torch.tensor(logits)[:, None]
    return layer


ONE = torch.ones(1, 1)


def test_every_member_is_weighed_the_first_one_too():
    members = [constant(8.0, 0.0), constant(0.0, 4.0), constant(0.0, 0.0)]
    assert LogitEnsemble(members, weights=[1, 2, 1])(ONE).tolist() == [[2.0, 2.0]]
    assert LogitEnsemble(members, weights=[3, 0, 1])(ONE).tolist() == [[6.0, 0.0]]
    assert LogitEnsemble(members, weights=[0, 1, 0])(ONE).tolist() == [[0.0, 4.0]]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 5), st.data())
def test_the_ensemble_is_the_slow_weighted_mean(count, samples, data):
    weights = data.draw(st.one_of(st.none(), st.lists(st.floats(0.01, 9), min_size=count, max_size=count)))
    members = [member(seed).eval() for seed in range(count)]
    inputs = torch.randn(samples, 2)
    found = LogitEnsemble(members, weights)(inputs)
    shares = weights or [1.0] * count
    for i, k in itertools.product(range(samples), range(3)):
        slow = sum(w * m(inputs[i : i + 1])[0, k].item() for w, m in zip(shares, members, strict=True)) / sum(shares)
        assert found[i, k].item() == pytest.approx(slow, rel=1e-4, abs=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(4)), st.floats(0.1, 10))
def test_order_and_scale_of_the_weights_do_not_matter(order, scale):
    members, weights, inputs = [member(seed) for seed in range(4)], [1.0, 2.0, 3.0, 4.0], torch.randn(3, 2)
    plain = LogitEnsemble(members, weights)(inputs)
    moved = LogitEnsemble([members[i] for i in order], [scale * weights[i] for i in order])(inputs)
    torch.testing.assert_close(moved, plain)


def test_members_are_frozen_copies():
    model = member(0, dropout=0.5)
    ensemble = LogitEnsemble([model, member(1, dropout=0.5)])
    before = copy.deepcopy(ensemble.state_dict())
    inputs = torch.randn(8, 2, requires_grad=True)
    outer = nn.Sequential(ensemble, nn.Linear(3, 2)).train()
    assert torch.equal(ensemble(inputs), ensemble(inputs))
    assert not ensemble(inputs).requires_grad
    assert not any(parameter.requires_grad for parameter in ensemble.parameters())
    outer(inputs).sum().backward()
    assert all(torch.equal(tensor, before[name]) for name, tensor in ensemble.state_dict().items())
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    with torch.no_grad():
        model[0].weight.zero_()
    assert torch.equal(ensemble.state_dict()["members.0.model.0.weight"], before["members.0.model.0.weight"])


def test_weights_travel_with_the_state():
    one = LogitEnsemble([constant(1.0, 2.0), constant(3.0, 4.0)], weights=[3, 1])
    other = LogitEnsemble([constant(0.0, 0.0), constant(0.0, 0.0)])
    other.load_state_dict(one.state_dict())
    assert torch.equal(other(ONE), one(ONE))


def test_half_precision_members_are_averaged_in_single():
    members = [constant(1.0, 2.0).half(), constant(1.0, 3.0).half()]
    assert LogitEnsemble(members)(ONE.half()).dtype == torch.float32


class ByName(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, left, right):
        return {"logits": self.scale * (left + right)}


def test_inputs_by_name_and_outputs_with_logits():
    ensemble = LogitEnsemble([ByName(1.0), ByName(3.0)])
    assert ensemble(left=torch.ones(1, 2), right=torch.ones(1, 2)).tolist() == [[4.0, 4.0]]
    assert ensemble.member_logits(left=torch.ones(1, 2), right=torch.ones(1, 2))[:, 0, 0].tolist() == [2.0, 6.0]


@pytest.mark.parametrize(
    ("members", "weights", "sentence"),
    [
        ([], None, "members is empty; pass the models whose logits are averaged"),
        (constant(1.0), None, "members is a single module; pass a list of models"),
        ([constant(1.0), "model.pt"], None, "members[1] is a str; pass a torch module"),
        ([constant(1.0)] * 2, [1.0], "weights has shape (1,) for 2 members; pass one number per member"),
        ([constant(1.0)] * 2, [1, -1], "weights must be finite, not negative and not all zero"),
        ([constant(1.0)] * 2, [0, 0], "weights must be finite, not negative and not all zero"),
        ([constant(1.0)] * 2, [1, float("nan")], "weights must be finite, not negative and not all zero"),
        ([constant(1.0)] * 2, ["a", "b"], "weights must be numbers, one per member"),
    ],
)
def test_ensembles_that_are_none(members, weights, sentence):
    with pytest.raises(InputError) as caught:
        LogitEnsemble(members, weights)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("place", [0, 1])
def test_members_with_other_classes_are_refused(place):
    members = [constant(1.0, 2.0)]
    members.insert(place, constant(1.0))  # one logit would broadcast
    with pytest.raises(InputError) as caught:
        LogitEnsemble(members)(ONE)
    first, second = ((1, 1), (1, 2)) if place == 0 else ((1, 2), (1, 1))
    assert str(caught.value) == (
        f"members[1] returned logits of shape {second} but members[0] of {first}; all members must return (n, classes) "
        f"with the same classes"
    )


# the most centric member


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(2, 3), st.integers(0, 1000))
def test_distances_are_the_slow_loops(members, samples, classes, seed):
    logits = np.random.default_rng(seed).normal(size=(members, samples, classes))
    found = centric_distances(logits)
    slow = []
    for m in range(members):
        total = 0.0
        for i in range(samples):
            square = 0.0
            for k in range(classes):
                square += (logits[m, i, k] - sum(logits[j, i, k] for j in range(members)) / members) ** 2
            total += square**0.5
        slow.append(total / samples)
    assert found.tolist() == pytest.approx(slow, abs=1e-9)
    assert found[most_centric(logits)] == found.min()


@given(st.permutations(range(5)))
def test_the_choice_follows_the_member_wherever_it_stands(order):
    logits = torch.randn(5, 6, 3, generator=torch.Generator().manual_seed(0))
    assert order[most_centric(logits[list(order)])] == most_centric(logits)


def test_equals_go_to_the_first():
    assert most_centric([[[0.0, 0.0]], [[2.0, 0.0]]]) == 0


@pytest.mark.parametrize(
    ("logits", "sentence"),
    [
        ([[1.0, 2.0]], "member_logits has shape (1, 2); pass (members, n, classes), none of them 0"),
        (np.zeros((3, 0, 2)), "member_logits has shape (3, 0, 2); pass (members, n, classes), none of them 0"),
        (
            [[[0.0, 1.0]], [[float("nan"), 1.0]]],
            "member_logits[1] has NaN or infinity; leave that member out or train it again",
        ),
    ],
)
def test_logits_that_can_not_be_compared(logits, sentence):
    with pytest.raises(InputError) as caught:
        most_centric(logits)
    assert str(caught.value) == sentence


def test_ragged_members_are_told():
    with pytest.raises(InputError, match=r"^member_logits can't be read as an array \(members, n, classes\): "):
        most_centric([[[0.0, 1.0]], [[0.0, 1.0, 2.0]]])
