import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training import two_processes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    ports = {"MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.training.two_processes", str(folder)]
    done = subprocess.run(command, env={**os.environ, **ports}, capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return two_processes.train(tmp_path_factory.mktemp("alone"), None)


@pytest.mark.parametrize(
    "case",
    [
        "odd batches",
        "a last batch of one sample",
        "one batch",
        "parts",
        "clipped",
        "cached references",
        "asked references",
        "a dataset",
        "inputs by name",
        "checkpoints",
    ],
)
def test_two_processes_give_the_result_of_one(pair, alone, case):
    assert len(alone) == 10
    assert pair[0]["cases"][case] == pair[1]["cases"][case]
    both, one = pair[0]["cases"][case], alone[case]
    for mine, theirs in zip(both["weights"], one["weights"], strict=True):
        torch.testing.assert_close(torch.tensor(mine), torch.tensor(theirs), rtol=1e-5, atol=1e-5)
    for mine, theirs in zip(both["epochs"], one["epochs"], strict=True):
        assert mine[:2] == pytest.approx(theirs[:2], rel=1e-5)
        assert mine[2] == (None if theirs[2] is None else pytest.approx(theirs[2]))


def test_two_processes_go_on_from_the_checkpoint_of_the_first(pair):
    first, second = pair
    assert first["resumed at"] == second["resumed at"] == 10
    assert first["resumed"] == second["resumed"] == first["cases"]["checkpoints"]["weights"]


def test_statistics_of_batch_normalisation_end_equal_in_all_processes(pair):
    assert pair[0]["normed"] == pair[1]["normed"]


def test_what_one_process_can_not_do_stops_all(pair):
    for process in pair:
        assert "can't be written" in process["said"] or "another process" in process["said"]
