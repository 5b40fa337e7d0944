"""A folder takes no run of an update that differs in anything that decides how trainings end."""

import multiprocessing
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from segue.congruent.losses import Distillation
from segue.congruent.objective import SeveralReferences
from segue.congruent.recipes import Workshop
from segue.congruent.recipes.claim import claim
from segue.congruent.recipes.methods.ensembles import member_runs
from segue.congruent.recipes.methods.patient import teacher
from segue.errors import InputError
from segue.training import TensorData
from tests.congruent.recipes import digits


class Scaled(nn.Module):
    """A model with a setting that its ``repr`` does not show."""

    def __init__(self, scale):
        super().__init__()
        self.scale, self.layer = scale, nn.Linear(64, 10)

    def forward(self, inputs):
        return self.scale * self.layer(inputs)


class Pairs(Dataset):
    """The training samples as a dataset, with the labels moved on by some places."""

    def __init__(self, moved=0):
        self.labels = digits.TRAIN[1].roll(moved)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return digits.TRAIN[0][index], int(self.labels[index])


def one_cycle(rate):
    return lambda optimizer, steps: torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)


def shaken(inputs, chance):
    return inputs + torch.randn(inputs.shape, generator=chance)


CHANGES = {
    "schedule": ({"schedule": one_cycle(0.1)}, {"schedule": one_cycle(0.2)}),
    "schedule that was not there": ({}, {"schedule": one_cycle(0.1)}),
    "new model": ({"build": lambda: Scaled(1.0)}, {"build": lambda: Scaled(2.0)}),
    "augmentation": ({}, {"train": TensorData(*digits.TRAIN, augment=shaken)}),
    "some labels": ({"train": Pairs()}, {"train": Pairs(1)}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_folder_of_another_update_is_refused(tmp_path, change):
    before, after = (digits.update(**changes) for changes in CHANGES[change])
    Workshop(before, tmp_path)
    Workshop(before, tmp_path)  # its own
    named = "schedule" if "schedule" in change else change
    with pytest.raises(InputError) as error:
        Workshop(after, tmp_path)
    assert str(error.value) == (
        f"{str(tmp_path)!r} holds the runs of another update: its {named} differs; name another folder"
    )


def test_the_programs_own_chance_is_not_moved(tmp_path):
    update = digits.update(old=digits.build(), train=Pairs())
    normal = nn.Sequential(nn.BatchNorm1d(64), nn.Linear(64, 10))
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    shop = Workshop(update, tmp_path)
    assert shop.fresh_classes == 10
    assert shop.recalibration(normal) is not None
    assert torch.equal(torch.rand(3), wanted)


def test_a_run_of_this_name_that_was_trained_otherwise_is_refused(tmp_path):
    update = digits.update(epochs=1)

    def run(smoothing, **settings):
        shop = Workshop(update, tmp_path, progress=False)
        return shop.run("smoothed", nn.CrossEntropyLoss(label_smoothing=smoothing), **settings)

    assert run(0.1) == run(0.1)
    for smoothing, settings in ((0.2, {}), (0.1, {"seed": 1}), (0.1, {"clip_norm": 1.0})):
        with pytest.raises(InputError, match="was trained with another loss or other settings, perhaps by another"):
            run(smoothing, **settings)


def identities(workshop, **changes):
    """Train a run, and ask for one of the same name that differs in something."""
    usual = {"objective": nn.CrossEntropyLoss(), "seed": 1}
    workshop.run("one", **usual)
    workshop.runs.clear()
    return workshop.run("one", **{**usual, **changes})


@pytest.mark.parametrize("what", ["start", "reference", "patience", "seed", "clip_norm", "fine_tuning"])
def test_a_run_that_was_trained_otherwise_is_refused(update, tmp_path, what):
    shop = Workshop(update, tmp_path, progress=False)
    other = {
        "start": shop.inherited,
        "reference": torch.zeros(500, 10),
        "patience": 2,
        "seed": 2,
        "clip_norm": 1.0,
        "fine_tuning": True,
    }
    with pytest.raises(InputError, match="was trained with another loss or other settings"):
        identities(shop, **{what: other[what]})


def test_another_teacher_is_another_run(update, tmp_path):
    shop = Workshop(update, tmp_path, progress=False)
    objective = SeveralReferences({"teacher": (Distillation(1.0), 0.5)})
    runs = member_runs(shop, 2)
    shop.run("student", objective, reference={"teacher": teacher(shop, runs, 0.3)})
    shop.runs.clear()
    with pytest.raises(InputError, match="was trained with another loss or other settings"):
        shop.run("student", objective, reference={"teacher": teacher(shop, runs, 0.4)})


def claimed_at_once(folder, wait, seed):
    """Claim a folder as soon as the others are there, too."""
    wait.wait()
    try:
        claim(Path(folder), {"seed": seed})
    except InputError:
        sys.exit(3)


def test_of_several_updates_one_gets_the_folder(tmp_path):
    context = multiprocessing.get_context("fork")
    for number in range(8):
        wait = context.Barrier(3)
        folder = tmp_path / str(number)
        processes = [context.Process(target=claimed_at_once, args=(str(folder), wait, seed)) for seed in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert sorted(process.exitcode for process in processes) == [0, 3, 3]
