import multiprocessing
import os
import resource
from pathlib import Path

import pytest
import torch
from torch import nn

from segue.errors import InputError
from segue.training import fit
from tests.training.problems import network, points, same, weights

FORKED = multiprocessing.get_context("fork")


def run(folder, epochs=4, model=None, **options):
    model = network() if model is None else model
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    options = {"optimizer": optimizer, "batch_size": 30, "progress": False} | options
    return model, fit(model, points(), nn.CrossEntropyLoss(), epochs=epochs, checkpoint=folder, **options)


def fit_with(folder, loss):
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return fit(model, points(), loss, optimizer=optimizer, epochs=4, batch_size=30, progress=False, checkpoint=folder)


def test_one_checkpoint_is_kept_and_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "step-by-step").mkdir()
    (tmp_path / "step-000000002.part").mkdir()
    run(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "step-by-step", "step-000000012"}
    assert {path.name for path in (tmp_path / "step-000000012").iterdir()} == {
        "model.safetensors",
        "states.pt",
        "place.json",
    }


@pytest.mark.parametrize("file", ["model.safetensors", "states.pt", "place.json"])
@pytest.mark.parametrize("harm", ["cut", "gone", "nonsense"])
def test_a_checkpoint_that_was_harmed_is_told(tmp_path, file, harm):
    run(tmp_path)
    harmed = tmp_path / "step-000000012" / file
    if harm == "gone":
        harmed.unlink()
    else:
        harmed.write_bytes(harmed.read_bytes()[:-60] if harm == "cut" else b"\x00nonsense" * 99)
    with pytest.raises(
        InputError, match=r"^the checkpoint in '.*step-000000012' can't be read \(.+\); remove it to begin"
    ):
        run(tmp_path)


def fill(folder, limit, told):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    torch.set_num_threads(1)
    try:
        run(folder, model=network(seed=1))
    except InputError as error:
        told.send(str(error))


@pytest.mark.parametrize("limit", [100, 1500, 4000])
def test_a_full_disk_is_told_and_leaves_nothing_half(tmp_path, limit):
    here, there = FORKED.Pipe()
    process = FORKED.Process(target=fill, args=(tmp_path, limit, there))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert here.poll()
    said = here.recv()
    assert said.startswith(f"the checkpoint of step 3 can't be written to {str(tmp_path)!r} (")
    assert said.endswith("); make room for two checkpoints there, or name another folder")
    assert not list(tmp_path.iterdir())


def overfill(folder, told):
    torch.set_num_threads(1)

    class Filling(nn.CrossEntropyLoss):
        steps = 0

        def forward(self, logits, labels):
            Filling.steps += 1
            if Filling.steps == 5:  # after the first checkpoint
                resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
            return super().forward(logits, labels)

    try:
        fit_with(folder, Filling())
    except InputError as error:
        told.send(str(error))


def test_the_checkpoint_before_a_full_disk_is_still_there(tmp_path):
    here, there = FORKED.Pipe()
    process = FORKED.Process(target=overfill, args=(tmp_path, there))
    process.start()
    process.join()
    assert "the checkpoint of step 6 can't be written" in here.recv()
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000003"]


def test_a_folder_that_can_not_be_is_told_before_the_first_step(tmp_path):
    (tmp_path / "file").touch()
    model = network()
    before = weights(model)
    with pytest.raises(InputError) as raised:
        run(tmp_path / "file", model=model)
    assert str(raised.value) == (
        f"checkpoint folder {str(tmp_path / 'file')!r} can't be written (File exists); name another folder"
    )
    assert same(weights(model), before)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match=r"can't be written \(Permission denied\)"):
        run(Path(tmp_path))


class Odd(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer):
        self.memory = Path("here")
        super().__init__(optimizer)

    def get_lr(self):
        return [group["lr"] for group in self.optimizer.param_groups]


def test_a_state_that_can_not_be_kept_is_told_before_the_first_step(tmp_path):
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    with pytest.raises(InputError) as raised:
        run(tmp_path, model=model, optimizer=optimizer, schedule=Odd(optimizer))
    assert str(raised.value) == (
        "the state of the schedule (Odd) can't be kept in a checkpoint, since it holds more than tensors and plain "
        "numbers; leave checkpoint out, or pass another schedule"
    )


def test_tied_weights_are_kept(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)
            self.second.weight = self.first.weight

        def forward(self, inputs):
            return self.second(self.first(inputs))

    torch.manual_seed(0)
    model, _ = run(tmp_path, model=Tied())
    again, _ = run(tmp_path, model=Tied())
    assert same(weights(model), weights(again))
    assert again.second.weight is again.first.weight
