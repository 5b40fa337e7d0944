import json
import multiprocessing
import os
import random
import signal
import threading
import time

import pytest
import torch
from torch import nn

from segue.errors import InputError
from segue.training import Frozen, fit
from tests.training.killing import train
from tests.training.problems import network, points, pull, same, sgd, weights

# Processes forked from one that has imported all and computed nothing: real ones, and quick to start.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.training.killing", "lightning.fabric"])


def started(folder, *arguments):
    process = PROCESSES.Process(target=train, args=(str(folder), *arguments))
    process.start()
    return process


def ended(folder):
    return {name: tensor.tolist() for name, tensor in torch.load(folder / "model.pt").items()}, json.loads(
        (folder / "history.json").read_text()
    )


@pytest.mark.parametrize(
    ("workers", "optimizer", "deaths"), [(None, "Adam", 12), (None, "momentum", 4), (0, "Adam", 4), (2, "momentum", 1)]
)
def test_a_run_that_is_killed_again_and_again_ends_as_one_left_alone(tmp_path, workers, optimizer, deaths):
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    alone.mkdir(), killed.mkdir()
    began = time.perf_counter()
    process = started(alone, workers, optimizer)
    process.join()
    duration = time.perf_counter() - began
    assert process.exitcode == 0
    chance, died = random.Random(f"{workers}{optimizer}"), 0
    for attempt in range(deaths):
        if attempt % 3 == 2:  # at a moment
            process = started(killed, workers, optimizer)
            process.join(chance.uniform(0, 0.5) * duration)
            process.kill()
        else:  # at a file operation of the checkpoints, one of which has about fifteen
            process = started(killed, workers, optimizer, chance.randint(5, 50))
        process.join()
        died += process.exitcode == -signal.SIGKILL
    assert died >= 1
    process = started(killed, workers, optimizer)
    process.join()
    assert process.exitcode == 0
    assert ended(killed) == ended(alone)
    assert [path.name for path in (killed / "checkpoint").iterdir()] == ["step-000000015"]


def run(folder, model=None, epochs=2, loss=None, data=None, **options):
    model = network() if model is None else model
    options = {"batch_size": 30, "progress": False, "optimizer": sgd(model)} | options
    samples = points() if data is None else data
    loss = nn.CrossEntropyLoss() if loss is None else loss
    history = fit(model, samples, loss, epochs=epochs, checkpoint=folder, **options)
    return model, history


def test_a_finished_run_is_read_and_not_trained_again(tmp_path):
    first, history = run(tmp_path)
    second, again = run(tmp_path, network(seed=5))
    assert same(weights(first), weights(second))
    assert again.epochs == history.epochs
    assert (history.resumed_at, again.resumed_at) == (0, 6)


def test_ctrl_c_leaves_a_checkpoint_between_two_steps(tmp_path):
    alone, history = run(tmp_path / "alone", epochs=4)
    pressed = []

    class Pressed(nn.CrossEntropyLoss):
        def forward(self, logits, labels):
            if len(pressed) == 4 and threading.current_thread() is threading.main_thread():
                os.kill(os.getpid(), signal.SIGINT)
            pressed.append(1)
            return super().forward(logits, labels)

    with pytest.raises(KeyboardInterrupt, match=r"^stopped after step 5 of 12; call again to go on$"):
        run(tmp_path / "stopped", epochs=4, loss=Pressed())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == ["step-000000005"]
    model, resumed = run(tmp_path / "stopped", epochs=4, loss=Pressed())
    assert resumed.resumed_at == 5
    assert len(pressed) == 12
    assert same(weights(model), weights(alone))
    assert [epoch.loss for epoch in resumed.epochs] == [epoch.loss for epoch in history.epochs]


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    def impatient(logits, labels):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("not reached")

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, loss=impatient)
    assert list(tmp_path.iterdir()) == []


def other_loss(logits, labels):
    return nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)


CHANGES = {
    "seed": ({"seed": 1}, "its seed was 0, and is 1 here"),
    "epochs": ({"epochs": 3}, "its epochs was 2, and is 3 here"),
    "batch size": ({"batch_size": 45}, "its batch_size was 30, and is 45 here"),
    "architecture": ({"model": network(norm=True)}, r"its model was a Sequential of 83 parameters \(\w+\), and is a "),
    "loss": ({"loss": other_loss}, r"its loss was CrossEntropyLoss \(\w+\), and is other_loss \(\w+\) here"),
    "loss's settings": (
        {"loss": nn.CrossEntropyLoss(label_smoothing=0.1)},
        r"its loss was CrossEntropyLoss \(\w+\), and is CrossEntropyLoss \(\w+\) here",
    ),
    "reference": ({"reference": torch.zeros(90, 3), "loss": pull}, "its loss was"),
    "clip": ({"clip_norm": 1.0}, "its clip_norm was absent, and is 1.0 here"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, name):
    run(tmp_path)
    options, expected = CHANGES[name]
    with pytest.raises(InputError, match=rf"^the checkpoint in '.*step-000000006' is of another run: {expected}"):
        run(tmp_path, **options)


def test_another_optimizer_or_rate_is_another_run(tmp_path):
    run(tmp_path)
    model = network()
    with pytest.raises(InputError, match=r"its optimizer was SGD, and is Adam here; name another folder, or remove"):
        run(tmp_path, model, optimizer=torch.optim.Adam(model.parameters()))
    with pytest.raises(InputError, match=r"its optimizer's lr was 0.1, and is 0.2 here; name"):
        run(tmp_path, model, optimizer=sgd(model, 0.2))


def test_a_schedule_that_is_missing_is_missed(tmp_path):
    def scheduled(model):
        optimizer = sgd(model)
        return {"optimizer": optimizer, "schedule": torch.optim.lr_scheduler.StepLR(optimizer, 2)}

    model = network()
    run(tmp_path, model, **scheduled(model))
    with pytest.raises(InputError, match=r"of another run: its schedule was StepLR \(\w+\), and is absent here; name"):
        run(tmp_path)


def test_a_schedule_of_another_function_is_another_run(tmp_path):
    def scheduled(model, factor):
        optimizer = sgd(model)
        return {"optimizer": optimizer, "schedule": torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: factor)}

    for _ in range(2):
        model = network()
        run(tmp_path, model, **scheduled(model, 0.5))
    model = network()
    with pytest.raises(InputError, match=r"of another run: its schedule was LambdaLR \(\w+\), and is LambdaLR \(\w+\)"):
        run(tmp_path, model, **scheduled(model, 0.25))


def test_a_dataset_of_other_inputs_is_another_run(tmp_path):
    inputs, labels = points()
    pairs, others = (list(zip(part, labels.tolist(), strict=True)) for part in (inputs, inputs * 0))
    for _ in range(2):
        run(tmp_path, data=pairs)
    with pytest.raises(InputError, match=r"its data was \d+ samples of list \(\w+\), and is \d+ samples of list \("):
        run(tmp_path, data=others)


def test_other_references_are_another_run(tmp_path):
    told = Frozen(network(seed=1))
    run(tmp_path, loss=pull, reference=told)
    run(tmp_path, loss=pull, reference=network(seed=1))
    with pytest.raises(InputError, match=r"its references was \w+, and is \w+ here"):
        run(tmp_path, loss=pull, reference=network(seed=2))
