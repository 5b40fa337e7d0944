import random

import numpy as np
import pytest
import torch
from lightning.fabric import Fabric
from torch import nn
from torch.utils.data import DataLoader

from segue.errors import InputError
from segue.training import DatasetData, Frozen, TensorData, Validation, cached_outputs, fit, outputs_of
from segue.training.plan import Plan
from tests.training.problems import (
    CLASSES,
    SAMPLES,
    Named,
    Shaken,
    TwoInputs,
    augmented,
    network,
    points,
    pull,
    same,
    sgd,
    weights,
)

CROSS_ENTROPY = nn.CrossEntropyLoss()


def trained(model=None, data=None, loss=CROSS_ENTROPY, **options):
    model = network() if model is None else model
    options = {"epochs": 2, "batch_size": 16, "progress": False, "optimizer": sgd(model)} | options
    history = fit(model, points() if data is None else data, loss, **options)
    return model, history


def figures(history):
    return [(epoch.steps, epoch.loss, epoch.rate, epoch.accuracy, epoch.negative_flip_rate) for epoch in history.epochs]


def test_one_step_is_worked_by_hand():
    # softmax is even at weight 0; the gradient of the mean loss is the mean of (p - y) x = (-0.5 * 2, 0.5 * 2)
    line = nn.Linear(1, 2, bias=False)
    nn.init.zeros_(line.weight)
    data = torch.tensor([[2.0], [2.0]]), torch.tensor([0, 0])
    history = fit(line, data, CROSS_ENTROPY, optimizer=torch.optim.SGD(line.parameters(), lr=0.1), epochs=1)
    torch.testing.assert_close(line.weight.detach(), torch.tensor([[0.1], [-0.1]]))
    assert history.epochs[0].loss == pytest.approx(np.log(2), rel=1e-6)
    assert (history.epochs[0].steps, history.epochs[0].rate, history.resumed_at) == (1, 0.1, 0)


def test_it_does_what_a_plain_loop_does():
    inputs, labels = points()
    model, slow = network(), network()
    optimizer, slow_optimizer = sgd(model), sgd(slow)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=18)
    slow_schedule = torch.optim.lr_scheduler.OneCycleLR(slow_optimizer, 0.2, total_steps=18)
    _, history = trained(model, epochs=3, optimizer=optimizer, schedule=schedule)
    losses = []
    for epoch in range(3):
        for (share,) in Plan(SAMPLES, 16, 3, 0).rest_of_epoch(6 * epoch):
            slow_optimizer.zero_grad()
            loss = nn.functional.cross_entropy(slow(inputs[share.index]), labels[share.index])
            loss.backward()
            slow_optimizer.step()
            slow_schedule.step()
            losses += [loss.item()] * len(share.index)
    assert same(weights(model), weights(slow))
    assert [epoch.loss for epoch in history.epochs] == pytest.approx(np.reshape(losses, (3, -1)).mean(axis=1))


@pytest.mark.parametrize("data", [augmented, Shaken], ids=["tensors", "dataset"])
def test_two_runs_are_equal_bit_for_bit_and_leave_the_worlds_chance_alone(data):
    def state():
        return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()

    before = state()
    watched = Validation(Shaken(20))
    first, second, other = (trained(network(dropout=0.3), data(), seed=s, validation=watched) for s in (1, 1, 2))
    assert same(weights(first[0]), weights(second[0]))
    assert figures(first[1]) == figures(second[1])
    assert not same(weights(first[0]), weights(other[0]))
    assert state() == before


def test_the_chance_of_a_run_is_not_the_worlds():
    torch.manual_seed(1)
    first, _ = trained(network(dropout=0.3))
    torch.manual_seed(2)
    assert same(weights(first), weights(trained(network(dropout=0.3))[0]))


def test_the_number_of_workers_changes_nothing():
    alone, _ = trained(data=Shaken())
    assert same(weights(alone), weights(trained(data=Shaken(), workers=2)[0]))
    assert same(weights(alone), weights(trained(data=DatasetData(Shaken(), workers=1))[0]))


def test_a_dataset_and_tensors_of_the_same_samples_give_the_same_model():
    dataset = torch.utils.data.Subset(torch.utils.data.TensorDataset(*points()), range(SAMPLES))
    assert same(weights(trained(data=dataset)[0]), weights(trained()[0]))


def test_inputs_by_name():
    model, _ = trained(TwoInputs(), Named(), epochs=1)
    inputs, labels = points()
    tensors = TensorData({"first": inputs[:, :3], "second": inputs[:, 3:]}, labels)
    assert same(weights(model), weights(trained(TwoInputs(), tensors, epochs=1)[0]))
    assert torch.equal(outputs_of(model, Named()), outputs_of(model, tensors))
    assert trained(TwoInputs(), tensors, pull, reference=TwoInputs(), epochs=1)[1].epochs[0].loss > 0


def test_parts_of_a_step_add_up():
    whole, _ = trained()
    for parts in (2, 3, 100):
        for mine, theirs in zip(weights(trained(accumulate=parts)[0]), weights(whole), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def test_the_gradient_is_cut_to_its_norm():
    model = network()
    before = weights(model)
    plain = torch.optim.SGD(model.parameters(), lr=1.0)
    trained(model, epochs=1, batch_size=SAMPLES, optimizer=plain, clip_norm=0.01)
    moved = torch.cat([(a - b).flatten() for a, b in zip(before, weights(model), strict=True)]).norm()
    assert moved.item() == pytest.approx(0.01, rel=1e-3)


def test_references_are_looked_up_by_index_or_asked(tmp_path):
    old = network(seed=7)
    kept = cached_outputs(old, points(), folder=tmp_path)
    cached, _ = trained(loss=pull, reference=kept)
    asked, _ = trained(loss=pull, reference=old)
    for mine, theirs in zip(weights(cached), weights(asked), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)
    named = trained(loss=lambda new, told, y: pull(new, told["b"], y), reference={"a": kept + 1, "b": kept})[0]
    assert same(weights(named), weights(cached))
    assert not same(weights(trained(loss=pull, reference=kept.flip(0))[0]), weights(cached))


def test_a_reference_that_is_the_model_itself_stays_as_it_was():
    model = network(dropout=0.5, norm=True)
    before = outputs_of(model, points())
    seen = []

    def watched(logits, reference, labels):
        seen.append(reference)
        return pull(logits, reference, labels)

    trained(model, loss=watched, reference=model, epochs=1, batch_size=SAMPLES)
    order = Plan(SAMPLES, SAMPLES, 1, 0).rest_of_epoch(0)[0][0].index
    torch.testing.assert_close(seen[0], before[order])


def test_an_asked_reference_sees_what_was_augmented():
    inputs, labels = points()
    moved = TensorData(inputs, labels, augment=lambda batch, chance: batch + 100)
    seen = []

    def watched(logits, reference, labels):
        seen.append(reference)
        return pull(logits, reference, labels)

    trained(data=moved, loss=watched, reference=nn.Identity(), batch_size=SAMPLES, epochs=1, model=Wide())
    order = Plan(SAMPLES, SAMPLES, 1, 0).rest_of_epoch(0)[0][0].index
    assert torch.equal(seen[0], inputs[order] + 100)


class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(6, 6)

    def forward(self, inputs):
        return (self.line(inputs),)


def test_validation_counts_negative_flips():
    held_out = points(50, seed=3)
    old = outputs_of(trained(epochs=10, seed=5)[0], held_out)
    model, history = trained(validation=Validation(held_out, old, batch_size=7))
    right, old_right = (logits.argmax(1) == held_out[1] for logits in (outputs_of(model, held_out), old))
    last = history.epochs[-1]
    assert last.accuracy == pytest.approx(right.double().mean().item())
    assert last.negative_flip_rate == pytest.approx((old_right & ~right).double().mean().item())
    assert str(last) == (
        f"epoch 2: loss {last.loss:.4f}, accuracy {last.accuracy:.2%}, negative flips {last.negative_flip_rate:.2%}"
    )
    assert trained(validation=Validation(held_out, old.argmax(1)))[1].epochs[-1].negative_flip_rate == pytest.approx(
        last.negative_flip_rate
    )


def test_batch_normalisation_moves_while_training_and_not_while_validating():
    model = network(norm=True)
    _, history = trained(model, validation=Validation(points(1)), epochs=1)
    assert model[1].num_batches_tracked == history.epochs[0].steps
    assert not model.training


def test_a_frozen_part_of_a_model_stays_as_it_was():
    body = network(norm=True)
    frozen = Frozen(body)
    model = nn.Sequential(frozen, nn.Linear(CLASSES, CLASSES))
    before = weights(frozen)
    trained(model, optimizer=torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5))
    assert same(weights(frozen), before)


def test_half_precision_trains():
    held_out = points(50, seed=3)
    model, history = trained(
        fabric=Fabric(accelerator="cpu", devices=1, precision="bf16-mixed"),
        epochs=6,
        loss=pull,
        reference=network(seed=2),
        validation=Validation(held_out),
    )
    assert {tensor.dtype for tensor in weights(model)} == {torch.float32}
    assert history.epochs[-1].accuracy > 0.7
    assert not same(weights(model), weights(trained(epochs=6, loss=pull, reference=network(seed=2))[0]))


def test_determinism_is_switched_back():
    assert not torch.are_deterministic_algorithms_enabled()
    seen = []

    def watched(logits, labels):
        seen.append(torch.are_deterministic_algorithms_enabled())
        return CROSS_ENTROPY(logits, labels)

    trained(loss=watched, epochs=1)
    trained(loss=watched, epochs=1, deterministic=False)
    assert seen == [True] * 6 + [False] * 6
    assert not torch.are_deterministic_algorithms_enabled()


INPUTS, LABELS = points()
SPOILT = torch.where(torch.arange(SAMPLES)[:, None] == 17, torch.nan, INPUTS)


class Silent(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(6, 3)

    def forward(self, inputs):
        return {"hidden": self.line(inputs)}


class Stream(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter([])


MISTAKES = {
    "NaN in inputs": (
        {"data": (SPOILT, LABELS), "batch_size": SAMPLES},
        "the loss is not finite at step 1; inputs has values that are not finite, first at sample 17",
    ),
    "infinite loss": (
        {"loss": lambda logits, labels: logits.sum() * torch.inf},
        "the loss is not finite at step 1; lower the learning rate, or look for values that are not finite in inputs "
        "and references",
    ),
    "NaN in reference": (
        {"reference": torch.where(torch.arange(SAMPLES)[:, None] == 4, torch.nan, torch.zeros(SAMPLES, 3))},
        "reference has values that are not finite, first at sample 4; compute its logits anew",
    ),
    "short reference": (
        {"reference": {"old": torch.zeros(3, 3)}},
        "reference 'old' has shape (3, 3) for 90 training samples; pass their logits",
    ),
    "reference of another kind": (
        {"reference": [1, 2]},
        "reference is a list; pass logits (samples, classes) or a torch module",
    ),
    "no reference": (
        {"reference": {}},
        "reference is an empty mapping; pass {name: logits or model}, or leave it out",
    ),
    "reference of other shape": (
        {"loss": pull, "reference": nn.Flatten(0)},
        r"the reference model returned shape (96,) for 16 samples; it should return logits (16, classes)",
    ),
    "unknown class": (
        {"data": (INPUTS, LABELS.clone().index_fill_(0, torch.tensor([40]), 3))},
        "the label of sample 40 is 3, but the model has 3 classes, numbered from 0",
    ),
    "negative class": (
        {"data": (INPUTS, LABELS.clone().index_fill_(0, torch.tensor([40]), -1))},
        "labels[40] is -1; classes are numbered from 0",
    ),
    "labels that are no classes": (
        {"data": (INPUTS, LABELS.float())},
        "labels is torch.float32 of shape (90,); pass classes (n,) as integers",
    ),
    "one label too few": (
        {"data": (INPUTS, LABELS[:-1])},
        "inputs has 90 samples but labels has 89; pass one label a sample",
    ),
    "arrays": ({"data": (INPUTS.numpy(), LABELS)}, "inputs is a ndarray; pass a tensor"),
    "empty data": ({"data": (INPUTS[:0], LABELS[:0])}, "data has no samples"),
    "a loader": (
        {"data": DataLoader(Shaken())},
        "data is a DataLoader; pass its dataset, and its batch_size to the call",
    ),
    "a stream": (
        {"data": Stream()},
        "data is a Stream, a dataset without a length or without [i]; pass a map-style dataset, which has len() and "
        "[i]",
    ),
    "a table": ({"data": {}}, "data is a dict; pass a pair (inputs, labels) of tensors or a map-style dataset"),
    "labels that are words": (
        {"data": [(INPUTS[i], "cat") for i in range(5)]},
        "the dataset's labels come as tuple; give each sample's class as a whole number from 0",
    ),
    "labels that are halves": (
        {"data": [(INPUTS[i], 0.5) for i in range(5)]},
        "the dataset's labels come as torch.float64; give each sample's class as a whole number from 0",
    ),
    "samples of three": (
        {"data": [(1, 2, 3)] * 5},
        "a sample of the dataset is a list, not a pair (input, label) or a mapping with 'labels'",
    ),
    "no logits": (
        {"model": Silent()},
        "the model returned a dict without a tensor of logits; wrap it in a module that returns logits (n, classes)",
    ),
    "flat logits": (
        {"model": nn.Sequential(network(), nn.Flatten(0))},
        "the model returned shape (48,) for 16 samples; it should return logits (16, classes)",
    ),
    "a loss of each sample": (
        {"loss": nn.CrossEntropyLoss(reduction="none")},
        "the loss returned (16,); it should return one number, the mean over the batch",
    ),
    "another model's optimiser": (
        {"optimizer": sgd(network())},
        "optimizer holds none of the model's parameters; make it from model.parameters()",
    ),
    "a frozen model": (
        {"model": Frozen(network()), "optimizer": sgd(network())},
        "model has no parameters that can be trained; is it frozen?",
    ),
    "no epochs": ({"epochs": 0}, "epochs is 0; pass a whole number from 1"),
    "half an epoch": ({"epochs": 0.5}, "epochs is 0.5; pass a whole number from 1"),
    "no batch": ({"batch_size": -1}, "batch_size is -1; pass a whole number from 1"),
    "no parts": ({"accumulate": 0}, "accumulate is 0; pass a whole number from 1"),
    "no workers": ({"data": Shaken(), "workers": -1}, "workers is -1; pass a whole number from 0"),
    "no step between": ({"checkpoint_every": 0}, "checkpoint_every is 0; pass a whole number from 1"),
    "no norm": ({"clip_norm": 0.0}, "clip_norm is 0.0; pass a number above 0, or None"),
    "a single sample left over": (
        {"model": network(norm=True), "batch_size": 89},
        "a batch of one sample can't go through batch normalisation; choose a batch_size that leaves no single sample "
        "over, for the last batch of an epoch and for each process",
    ),
    "validation of unknown classes": (
        {"validation": Validation((INPUTS[:2], torch.tensor([0, 5])))},
        "validation has the label 5, but the model has 3 classes, numbered from 0",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_in_one_sentence(name):
    options, expected = MISTAKES[name]
    with pytest.raises(InputError) as raised:
        trained(**options)
    assert str(raised.value) == expected


def test_an_optimizer_may_not_hold_more_than_the_models_parameters():
    model = network()
    more = torch.optim.SGD([*model.parameters(), nn.Parameter(torch.zeros(3))], lr=0.1)
    with pytest.raises(InputError) as raised:
        trained(model, optimizer=more)
    assert str(raised.value) == (
        "optimizer holds parameters that are not the model's, which a checkpoint would not keep; make it from "
        "model.parameters(), and a loss's parameters a part of the model"
    )


def test_some_parameters_alone_may_be_trained():
    model = network()
    before = weights(model)
    trained(model, optimizer=torch.optim.SGD(model[-1].parameters(), lr=0.1))
    assert same(weights(model)[:2], before[:2])
    assert not same(weights(model)[2:], before[2:])


def test_several_processes_must_have_been_started():
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    with pytest.raises(
        InputError, match=r"^fabric has several processes that were not started; call fabric.launch\(\)"
    ):
        trained(fabric=fabric)
