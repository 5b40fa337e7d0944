import multiprocessing
import os
import resource
import signal
import time

import numpy as np
import pytest
import torch
from torch import nn

from segue.errors import InputError
from segue.training import DatasetData, Frozen, TensorData, cached_outputs, outputs_of
from segue.training.references import content_key, model_key
from tests.training.problems import Named, Shaken, TwoInputs, network, points

FORKED = multiprocessing.get_context("fork")
INPUTS, LABELS = points()


class Counting(nn.Module):
    """A model that counts how often it is asked, in a way that is no part of what it is."""

    asked = 0

    def __init__(self, scale=1.0):
        super().__init__()
        self.body, self.scale = network(), scale

    def forward(self, inputs):
        Counting.asked += 1
        return self.scale * self.body(inputs)


@pytest.fixture(autouse=True)
def _count_anew():
    Counting.asked = 0


def only_file(folder):
    (kept,) = folder.glob("*.npy")
    return kept


def test_outputs_are_computed_once(tmp_path):
    model = Counting()
    seen = []
    first = cached_outputs(model, (INPUTS, LABELS), folder=tmp_path, batch_size=40, advance=seen.append)
    second = cached_outputs(Counting(), (INPUTS, LABELS), folder=tmp_path, batch_size=7, advance=seen.append)
    assert Counting.asked == 3
    assert seen == [40, 40, 10]
    assert first.dtype == torch.float32
    torch.testing.assert_close(first, outputs_of(network(), (INPUTS, LABELS)))
    assert torch.equal(first, second)
    assert not list(tmp_path.glob("*.part"))


def test_the_file_is_as_large_as_stated_and_numpy_reads_it(tmp_path):
    found = cached_outputs(network(), (INPUTS, LABELS), folder=tmp_path)
    assert only_file(tmp_path).stat().st_size == 4 * 90 * 3 + 128 + 16
    np.testing.assert_array_equal(np.load(only_file(tmp_path)), found.numpy())


def test_writing_into_what_was_returned_leaves_the_file_alone(tmp_path):
    found = cached_outputs(network(), (INPUTS, LABELS), folder=tmp_path)
    kept = found.clone()
    found.zero_()
    assert torch.equal(cached_outputs(network(), (INPUTS, LABELS), folder=tmp_path), kept)


def test_the_model_stays_as_it_was(tmp_path):
    model = network(norm=True)
    cached_outputs(model, (INPUTS, LABELS), folder=tmp_path)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


class Doubled(Counting):
    def forward(self, inputs):
        return 2 * super().forward(inputs)


def test_another_model_or_other_data_are_computed_anew(tmp_path):
    base = Counting()
    moved = Counting()
    with torch.no_grad():
        moved.body[0].weight[0, 0] += 1e-6
    sample_moved = INPUTS.clone()
    sample_moved[89, 5] += 1e-6
    keys = {
        model_key(base),
        model_key(moved),
        model_key(Counting(scale=2.0)),
        model_key(Doubled()),
        model_key(Counting().double()),
    }
    assert len(keys) == 5
    assert model_key(base) == model_key(Counting().eval()) == model_key(Frozen(base))
    contents = {
        content_key(TensorData(inputs, labels))
        for inputs, labels in [
            (INPUTS, LABELS),
            (sample_moved, LABELS),
            (INPUTS[:-1], LABELS[:-1]),
            (INPUTS.double(), LABELS),
            ({"first": INPUTS}, LABELS),
        ]
    }
    assert len(contents) == 5
    assert content_key(TensorData(INPUTS, LABELS)) == content_key(TensorData(INPUTS.clone(), 2 - LABELS))
    assert content_key(TensorData(INPUTS, LABELS), "v1") != content_key(TensorData(INPUTS, LABELS), "v2")


def test_inputs_by_name_and_datasets(tmp_path):
    model = TwoInputs()
    named = TensorData({"first": INPUTS[:, :3], "second": INPUTS[:, 3:]}, LABELS)
    by_tensors = cached_outputs(model, named, folder=tmp_path)
    by_dataset = cached_outputs(model, Named(), folder=tmp_path, data_key="points")
    assert torch.equal(by_tensors, by_dataset)
    loaded = cached_outputs(network(), DatasetData(Shaken(), workers=1), folder=tmp_path, data_key="shaken")
    assert torch.equal(loaded, outputs_of(network(), Shaken()))


@pytest.mark.parametrize("harm", ["cut", "empty", "flipped", "other shape", "no header", "a folder's worth of zeros"])
def test_a_file_that_was_harmed_is_computed_anew(tmp_path, harm):
    model = Counting()
    whole = cached_outputs(model, (INPUTS, LABELS), folder=tmp_path).clone()
    kept = only_file(tmp_path)
    content = bytearray(kept.read_bytes())
    if harm == "flipped":
        content[200] ^= 1
    harmed = {
        "cut": content[:-400],
        "empty": b"",
        "flipped": content,
        "other shape": content.replace(b"(90, 3)", b"(45, 6)"),
        "no header": b"hello" * 100,
        "a folder's worth of zeros": bytes(len(content)),
    }[harm]
    kept.write_bytes(harmed)
    asked = Counting.asked
    assert torch.equal(cached_outputs(model, (INPUTS, LABELS), folder=tmp_path), whole)
    assert Counting.asked > asked


def fill(folder, limit, told):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    torch.set_num_threads(1)
    try:
        cached_outputs(network(), (INPUTS, LABELS), folder=folder, batch_size=10)
    except InputError as error:
        told.send(str(error))


@pytest.mark.parametrize("limit", [50, 300, 4 * 90 * 3 + 130])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, limit):
    here, there = FORKED.Pipe()
    process = FORKED.Process(target=fill, args=(tmp_path, limit, there))
    process.start()
    process.join()
    assert here.poll()
    assert here.recv() == (
        f"folder {str(tmp_path)!r} can't keep the model's outputs (File too large); they take 4 bytes for each of 90 "
        f"samples and each class; name a folder with room"
    )
    assert [path.suffix for path in tmp_path.iterdir()] in ([], [".lock"])


class Deadly(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = network()

    def forward(self, inputs):
        if len(inputs) < 10:  # the last batch
            time.sleep(60)
        return self.body(inputs)


def compute(folder, model):
    torch.set_num_threads(1)
    cached_outputs(model, (INPUTS, LABELS), folder=folder, batch_size=11)


def test_a_killed_process_leaves_no_file_that_another_would_believe(tmp_path):
    process = FORKED.Process(target=compute, args=(tmp_path, Deadly()))
    process.start()
    while not [part for part in tmp_path.glob("*.part") if part.stat().st_size > 1000]:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not list(tmp_path.glob("*.npy"))
    whole = cached_outputs(Deadly(), (INPUTS, LABELS), folder=tmp_path, batch_size=90)
    torch.testing.assert_close(whole, outputs_of(network(), (INPUTS, LABELS)))
    assert not list(tmp_path.glob("*.part"))


class Telling(nn.Module):
    """A model that leaves a file for each time it is asked."""

    def __init__(self, folder):
        super().__init__()
        self.body = network()
        self.__class__.folder = folder

    def forward(self, inputs):
        (self.folder / f"{os.getpid()}-{time.monotonic_ns()}.asked").touch()
        time.sleep(0.01)
        return self.body(inputs)


def test_of_two_processes_at_once_one_computes(tmp_path):
    processes = [FORKED.Process(target=compute, args=(tmp_path, Telling(tmp_path))) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert len(list(tmp_path.glob("*.asked"))) == 9
    assert len(list(tmp_path.glob("*.npy"))) == 1


class Blind(nn.Module):
    def forward(self, inputs):
        return torch.where(inputs == INPUTS[17], torch.nan, inputs)


def test_mistakes_are_told_in_one_sentence(tmp_path):
    with pytest.raises(InputError) as raised:
        cached_outputs(network(), Shaken(), folder=tmp_path)
    assert str(raised.value) == (
        "the data are no tensors in memory; pass data_key, a name that changes when they change"
    )
    with pytest.raises(InputError) as raised:
        cached_outputs(Blind(), (INPUTS, LABELS), folder=tmp_path, batch_size=10)
    assert str(raised.value) == (
        "the model's outputs for sample 17 are not finite; look at its inputs and at the model's weights"
    )
    assert not list(tmp_path.glob("*.part"))
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"^folder '.*file' can't keep the model's outputs \(File exists\); they take 4"
    ):
        cached_outputs(network(), (INPUTS, LABELS), folder=tmp_path / "file")
    with pytest.raises(InputError, match=r"^batch_size is 0; pass a whole number from 1$"):
        cached_outputs(network(), (INPUTS, LABELS), folder=tmp_path, batch_size=0)


class Unreadable(Shaken):
    def __getitem__(self, index):
        raise FileNotFoundError("picture-17.png")


def test_what_the_data_themselves_raise_is_left_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"picture-17.png"):
        cached_outputs(network(), Unreadable(), folder=tmp_path, data_key="pictures")
