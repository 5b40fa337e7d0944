"""A training in a process of its own, which may be killed at any moment, also between two file operations."""

import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from segue.training import Validation, fit
from tests.training.problems import Shaken, augmented, network, points

STEPS_PER_EPOCH, EPOCHS, BATCH = 5, 3, 20


def die_at_file_operation(folder: Path, number: int) -> None:
    """Kill this process at its ``number``-th file operation in a folder; Python tells of each before it is done."""
    left = number

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"} and str(
            arguments[0]
        ).startswith(str(folder)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(heard)


def train(place: str, workers: int | None, optimizer: str, die_at: int = 0) -> None:
    """Train with dropout, augmentation and a OneCycle schedule; write weights and history when it is over."""
    torch.set_num_threads(1)
    multiprocessing.set_start_method("fork", force=True)  # for the loader's workers, as in a program of its own
    folder = Path(place)
    if die_at:
        die_at_file_operation(folder / "checkpoint", die_at)
    model = network(dropout=0.2, norm=True)
    chosen = {
        "Adam": lambda: torch.optim.AdamW(model.parameters(), lr=0.01),
        "momentum": lambda: torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True),
    }[optimizer]()
    schedule = torch.optim.lr_scheduler.OneCycleLR(chosen, 0.05, total_steps=EPOCHS * STEPS_PER_EPOCH)
    history = fit(
        model,
        augmented() if workers is None else Shaken(),
        nn.CrossEntropyLoss(),
        optimizer=chosen,
        schedule=schedule,
        epochs=EPOCHS,
        batch_size=BATCH,
        workers=workers or 0,
        validation=Validation(points(30, seed=1), torch.zeros(30, dtype=torch.int64)),
        checkpoint=folder / "checkpoint",
        checkpoint_every=2,
        progress=False,
    )
    torch.save(model.state_dict(), folder / "model.pt.part")
    epochs = [{**epoch, "seconds": 0} for epoch in history.to_dict()["epochs"]]
    (folder / "history.json").write_text(json.dumps(epochs))
    (folder / "model.pt.part").replace(folder / "model.pt")
