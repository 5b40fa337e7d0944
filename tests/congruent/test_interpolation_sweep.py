"""The sweep over alphas on validation data, and the choice among its points."""

import copy
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import Dataset

from segue.congruent.interpolation import (
    FISHER_ALPHAS,
    InterpolationPoint,
    InterpolationSweep,
    diagonal_fisher,
    interpolate,
    recalibrate,
    soup,
    sweep,
)
from segue.errors import InputError
from segue.flips import Estimate, compare
from segue.training import fit


def head(*rows: tuple[float, ...]) -> nn.Linear:
    layer = nn.Linear(len(rows[0]), len(rows), bias=False)
    layer.weight.data = torch.tensor(rows)
    return layer


def exactly(value: float) -> Estimate:
    return Estimate(value, 0.0, 1.0)


def point(alpha: float, accuracy: float, flips: float) -> InterpolationPoint:
    return InterpolationPoint(alpha, exactly(accuracy), exactly(flips), exactly(0.1), exactly(0.5))


# the old model always says the class of the first feature's sign, the new one that of the second's
OLD, NEW = head((1.0, 0.0), (-1.0, 0.0)), head((0.0, 1.0), (0.0, -1.0))
POINTS = torch.tensor([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -3.0]])
LABELS = torch.tensor([0, 0, 0, 1])


def test_a_case_worked_by_hand():
    # old answers 0 0 1 1, new 0 1 0 1; at alpha 1/2 the sums are 3, 1, -1, -5: answers 0 0 1 1
    found = sweep(OLD, NEW, (POINTS, LABELS), (0, 0.5, 1))
    assert [p.alpha for p in found.points] == [0.0, 0.5, 1.0]
    assert [p.accuracy.value for p in found.points] == [0.75, 0.75, 0.75]
    assert [p.negative_flip_rate.value for p in found.points] == [0.25, 0.0, 0.0]
    assert [p.positive_flip_rate.value for p in found.points] == [0.25, 0.0, 0.0]
    assert found.points[0].relative_negative_flip_rate.value == pytest.approx(0.25 / (0.75 * 0.25))
    assert found.accuracy_old.value == 0.75
    assert found.samples == 4


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_every_point_is_the_comparison_of_its_model_with_the_old_one(seed):
    draws = torch.Generator().manual_seed(seed)
    old, new = nn.Linear(3, 4), nn.Linear(3, 4)
    inputs, labels = torch.randn(30, 3, generator=draws), torch.randint(4, (30,), generator=draws)
    for model in (old, new):
        model.weight.data = torch.randn(4, 3, generator=draws)
    found = sweep(old, new, (inputs, labels), (1.0, 0.3, 0.0), batch_size=7)
    for at in found.points:
        report = compare(labels, old(inputs).argmax(dim=1), interpolate(old, new, at.alpha)(inputs).argmax(dim=1))
        assert at.accuracy == report.accuracy_new
        assert at.negative_flip_rate == report.negative_flip_rate
        assert at.positive_flip_rate == report.positive_flip_rate
        assert str(at.relative_negative_flip_rate) == str(report.relative_negative_flip_rate)
    assert found.points[-1].negative_flip_rate.value == 0


def test_old_answers_go_through_the_class_map():
    # old classes 0 and 1 are now 2 and gone; new class 2 is right on the first two samples, which old knew as 0
    old, new = head((1.0, 0.0), (-1.0, 0.0)), head((0.0, 1.0), (0.0, -1.0), (0.0, 0.0))
    labels = torch.tensor([2, 2, 0, 1])
    found = sweep(old, new, (POINTS, labels), (0.0,), class_map=[2, -1])
    assert found.accuracy_old.value == 0.5
    assert found.points[0].accuracy.value == 0.5
    assert found.points[0].negative_flip_rate.value == 0.5
    assert found.points[0].positive_flip_rate.value == 0.5


def test_models_are_left_as_they_are():
    old, new = copy.deepcopy(OLD).train(), copy.deepcopy(NEW).train()
    sweep(old, new, (POINTS, LABELS))
    assert old.training
    assert new.training
    assert torch.equal(old.weight, OLD.weight)
    assert torch.equal(new.weight, NEW.weight)


# the choice


def three(*points: InterpolationPoint) -> InterpolationSweep:
    return InterpolationSweep(points, 100, exactly(0.8))


def test_the_pick_has_the_fewest_flips_among_those_that_hold_up():
    found = three(point(0, 0.90, 0.05), point(0.3, 0.91, 0.03), point(0.6, 0.895, 0.01), point(1, 0.8, 0.0))
    assert found.pick().alpha == 0.3
    assert found.pick(margin=0.005).alpha == 0.6
    assert found.pick(margin=0.004).alpha == 0.3
    assert found.pick(margin=0.1).alpha == 1


def test_ties_go_to_accuracy_and_then_to_the_old_model():
    assert three(point(0, 0.9, 0.05), point(0.3, 0.92, 0.02), point(0.6, 0.91, 0.02)).pick().alpha == 0.3
    assert three(point(0, 0.9, 0.05), point(0.3, 0.91, 0.02), point(0.6, 0.91, 0.02)).pick().alpha == 0.6


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=9),
    st.integers(0, 10),
)
def test_the_pick_is_never_below_the_margin_and_no_better_one_is_left(counts, margin):
    found = three(*(point(place / 10, right / 20, flips / 20) for place, (right, flips) in enumerate(counts)))
    chosen = found.pick(margin / 20)
    good = [flips for right, flips in counts if right >= counts[0][0] - margin]
    right, flips = counts[round(chosen.alpha * 10)]
    assert right >= counts[0][0] - margin
    assert flips == min(good)


@pytest.mark.parametrize("margin", [-0.1, 2, True, "1%", float("nan")])
def test_margins_that_are_none(margin):
    with pytest.raises(InputError) as caught:
        three(point(0, 0.9, 0.1)).pick(margin)
    assert str(caught.value) == f"margin is {margin!r}; pass a share of accuracy from 0 to 1, such as 0.005"


def test_a_sweep_in_words_and_in_json():
    found = three(point(0, 0.9, 0.05), point(0.5, 0.6, 0.1), point(0.9, 0.92, 0.02), point(1, 0.8, 0))
    told = str(found)
    assert "Without losing accuracy, alpha 0.9 brings negative flips from 5.00% to 2.00%." in told
    assert "Between the ends accuracy falls 20.0% below both of them: was the new model really fine-tuned" in told
    assert "alpha 0.5: accuracy 60.00% [0.00%, 100.00%], negative flips 10.00% [0.00%, 100.00%]" in told
    again = json.loads(json.dumps(found.to_dict()))
    assert again["samples"] == 100
    assert again["barrier"] == pytest.approx(0.2)
    assert [p["alpha"] for p in again["points"]] == [0, 0.5, 0.9, 1]
    assert again["points"][2]["negative_flip_rate"]["value"] == 0.02


def test_words_where_nothing_helps_and_where_the_old_model_is_as_good():
    plain = str(three(point(0, 0.9, 0.05), point(1, 0.8, 0)))
    assert "No alpha has fewer negative flips without losing accuracy: the new model stays as it is." in plain
    assert "Between the ends" not in plain
    assert "to 0.00%: that is the old model itself." in str(three(point(0, 0.9, 0.05), point(1, 0.95, 0)))


# mistakes


@pytest.mark.parametrize(
    ("old", "new", "validation", "settings", "sentence"),
    [
        (OLD, NEW, (POINTS, LABELS[:3]), {}, "inputs has 4 samples but labels has 3; pass one label a sample"),
        (OLD, NEW, (POINTS[:0], LABELS[:0]), {}, "validation has no samples"),
        (
            OLD,
            NEW,
            POINTS,
            {},
            "validation is a Tensor; pass a pair (inputs, labels) of tensors or a map-style dataset",
        ),
        (
            OLD,
            NEW,
            (POINTS, LABELS),
            {"alphas": (0.5, 1.0)},
            "alphas lacks 0, the new model, against which every other point is held; add it",
        ),
        (
            OLD,
            NEW,
            (POINTS, LABELS),
            {"alphas": (0, 2)},
            "alpha is 2; pass a number from 0 (the new model) to 1 (the old model)",
        ),
        (
            OLD,
            NEW,
            (POINTS, LABELS + 1),
            {},
            "validation has 1 label that the new model does not know (it has classes 0 to 1); correct the labels",
        ),
        (
            OLD,
            NEW,
            (POINTS / 0, LABELS),
            {},
            "the old model returned NaN or infinity on validation; look for them in the data or the weights",
        ),
        (
            head((1.0, 0.0)),
            head((2.0, 0.0)),
            (POINTS, LABELS),
            {},
            "the old model returned logits of shape (4, 1); wrap it to return (n, classes)",
        ),
    ],
)
def test_what_can_not_be_swept(old, new, validation, settings, sentence):
    with pytest.raises(InputError) as caught:
        sweep(old, new, validation, **settings)
    assert str(caught.value) == sentence


# a real update


def convolution(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Unflatten(1, (1, 8)),
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(256, 10),
    )


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    inputs = torch.tensor(data.images[order] / 16, dtype=torch.float32)
    labels = torch.tensor(data.target[order])
    return (inputs[:1000], labels[:1000]), (inputs[1000:], labels[1000:])


def trained(model: nn.Module, data, seed: int, epochs: int = 4, rate: float = 0.1) -> nn.Module:
    fit(
        model,
        data,
        nn.CrossEntropyLoss(),
        optimizer=torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9),
        epochs=epochs,
        batch_size=32,
        seed=seed,
        progress=False,
    )
    return model


@pytest.fixture(scope="module")
def update(digits):
    """An old model of 150 digits, and new ones fine-tuned from it on 1,000."""
    (inputs, labels), _ = digits
    old = trained(convolution(0), (inputs[:150], labels[:150]), 0)
    news = [trained(copy.deepcopy(old), (inputs, labels), seed, epochs=2) for seed in (1, 2)]
    return old, news


def test_a_fine_tuned_update_keeps_more_of_the_old_model(digits, update):
    train, validation = digits
    old, (new, other) = update
    plain = sweep(old, new, validation, recalibration=train, progress=False)
    assert plain.points[0].accuracy.value > plain.accuracy_old.value + 0.02
    assert plain.points[-1].negative_flip_rate.value == 0
    assert plain.barrier == 0
    picked = plain.pick(margin=0.005)
    assert picked.negative_flip_rate.value < plain.points[0].negative_flip_rate.value
    assert picked.accuracy.value >= plain.points[0].accuracy.value - 0.005
    model = interpolate(old, new, picked.alpha, recalibration=train)
    right = (model(validation[0]).argmax(dim=1) == validation[1]).double().mean().item()
    assert right == picked.accuracy.value
    fisher = diagonal_fisher(old, train[0][:200], progress=False)
    weighted = sweep(old, new, validation, FISHER_ALPHAS, fisher=fisher, recalibration=train, progress=False)
    assert weighted.pick(margin=0.005).negative_flip_rate.value <= plain.points[0].negative_flip_rate.value
    cooked = sweep(old, soup([new, other]), validation, recalibration=train, progress=False)
    assert cooked.pick(margin=0.005).negative_flip_rate.value <= cooked.points[0].negative_flip_rate.value


def test_models_trained_apart_are_told_apart(digits, update):
    train, validation = digits
    stranger = trained(convolution(7), train, 3, epochs=2)
    found = sweep(update[0], stranger, validation, (0.0, 0.5, 1.0), progress=False)
    assert found.barrier > 0.05
    assert "was the new model really fine-tuned from the old one?" in str(found)


def test_recalibration_mends_statistics_that_do_not_fit(digits, update):
    train, validation = digits
    old, (new, _) = update
    bent = copy.deepcopy(old)
    bent[2].running_mean.mul_(5)
    bent[2].running_var.mul_(20)
    accuracy = [
        sweep(bent, new, validation, (0.0, 0.5), recalibration=data, progress=False).points[1].accuracy.value
        for data in (None, train)
    ]
    assert accuracy[1] > accuracy[0]


def test_a_grown_class_set(digits, update):
    (inputs, labels), validation = digits
    few = labels < 7
    torch.manual_seed(0)
    old = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 7))
    trained(old, (inputs[few], labels[few]), 0)
    new = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    with torch.no_grad():
        new[1].load_state_dict(old[1].state_dict())
        new[3].weight[:7], new[3].bias[:7] = old[3].weight, old[3].bias
    trained(new, (inputs, labels), 1)
    found = sweep(old, new, validation, (0.0, 0.2, 0.4), class_map=range(7), progress=False)
    old_right = (old(validation[0]).argmax(dim=1) == validation[1]).double().mean().item()
    assert found.accuracy_old.value == old_right
    new_right = (new(validation[0]).argmax(dim=1) == validation[1]).double().mean().item()
    assert found.points[0].accuracy.value == new_right > old_right
    assert found.points[1].accuracy.value > old_right


class Drawn(Dataset):
    """Samples that are drawn from the global generators."""

    def __len__(self):
        return 40

    def __getitem__(self, index):
        return torch.rand(2), index % 2


NORMALISED = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2))


@pytest.mark.parametrize(
    "measure",
    [
        lambda: sweep(OLD, NEW, Drawn(), (0, 1), progress=False),
        lambda: diagonal_fisher(OLD, Drawn(), progress=False),
        lambda: recalibrate(NORMALISED, Drawn()),
    ],
    ids=["sweep", "fisher", "recalibration"],
)
def test_the_programs_own_chance_is_not_moved(measure):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    measure()
    assert torch.equal(torch.rand(3), expected)
