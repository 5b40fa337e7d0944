"""Train in two processes; run as a script, since Fabric starts the second process by running the script again."""

import json
import sys
from pathlib import Path

import torch
from lightning.fabric import Fabric
from torch import nn

from segue.errors import InputError
from segue.training import Validation, cached_outputs, fit
from tests.training.problems import Named, Shaken, TwoInputs, network, points, pull, sgd

CROSS_ENTROPY = nn.CrossEntropyLoss()


def cases(folder: Path) -> dict[str, dict[str, object]]:
    """Return what is trained: 90 samples, so that batches of 15 are odd and of 89 leave fewer than processes."""
    old = network(seed=7)
    kept = cached_outputs(old, points(), folder=folder / "outputs")
    return {
        "odd batches": {"batch_size": 15},
        "a last batch of one sample": {"batch_size": 89},
        "one batch": {"batch_size": 90},
        "parts": {"batch_size": 15, "accumulate": 2},
        "clipped": {"batch_size": 15, "clip_norm": 0.1},
        "cached references": {"batch_size": 32, "loss": pull, "reference": kept},
        "asked references": {"batch_size": 32, "loss": pull, "reference": old},
        "a dataset": {"batch_size": 32, "data": Shaken(), "workers": 1},
        "inputs by name": {"batch_size": 32, "data": Named(), "model": TwoInputs(), "validation": Validation(Named())},
        "checkpoints": {"batch_size": 20, "checkpoint": folder / "checkpoint", "checkpoint_every": 2},
    }


def train(folder: Path, fabric: Fabric | None) -> dict[str, object]:
    """Return weights and figures of all cases."""
    found: dict[str, object] = {}
    held_out = Validation(points(31, seed=3), network(seed=7)(points(31, seed=3)[0]).detach(), batch_size=8)
    for name, case in cases(folder).items():
        options = {"data": points(), "loss": CROSS_ENTROPY, "model": network(), "validation": held_out, **case}
        model, data, loss = (options.pop(what) for what in ("model", "data", "loss"))
        history = fit(model, data, loss, optimizer=sgd(model), epochs=2, fabric=fabric, progress=False, **options)
        epochs = [(epoch.loss, epoch.accuracy, epoch.negative_flip_rate) for epoch in history.epochs]
        found[name] = {"weights": [tensor.tolist() for tensor in model.state_dict().values()], "epochs": epochs}
    return found


def after(folder: Path, fabric: Fabric) -> dict[str, object]:
    """Return what two processes do besides: resuming, BatchNorm, and a checkpoint that can't be written."""
    model = network()
    again = {"batch_size": 20, "checkpoint": folder / "checkpoint", "checkpoint_every": 2, "progress": False}
    held_out = Validation(points(31, seed=3))
    history = fit(
        model, points(), CROSS_ENTROPY, optimizer=sgd(model), epochs=2, validation=held_out, fabric=fabric, **again
    )
    normed = network(norm=True)
    fit(normed, points(), CROSS_ENTROPY, optimizer=sgd(normed), epochs=1, batch_size=30, fabric=fabric, progress=False)
    said = ""
    (folder / "file").touch()
    try:
        fit(
            model, points(), CROSS_ENTROPY, optimizer=sgd(model), epochs=1, fabric=fabric, checkpoint=folder / "file",
            progress=False,
        )  # fmt: skip
    except InputError as error:
        said = str(error)
    return {
        "resumed": [tensor.tolist() for tensor in model.state_dict().values()],
        "resumed at": history.resumed_at,
        "normed": [tensor.tolist() for tensor in normed.state_dict().values()],
        "said": said,
    }


def main() -> None:
    """Train, and write what each process found."""
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    fabric.launch()
    told = {"cases": train(folder, fabric), **after(folder, fabric)}
    (folder / f"{fabric.global_rank}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main()
