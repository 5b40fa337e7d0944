from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from segue.errors import InputError
from segue.flips import compare
from segue.integrations.lightning import FlipCallback
from tests.integrations.pages import run_section

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*is smaller than the logging interval"),
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Dropout(0.2), nn.ReLU(), nn.Linear(16, 3))


class Learner(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.network(inputs)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> dict[str, Tensor]:
        return {"logits": self(batch[0])}

    def test_step(self, batch: Any, batch_idx: int) -> None:
        return None

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.05)


def data(count: int = 150, seed: int = 0) -> TensorDataset:
    draws = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 6, generator=draws)
    noise = 0.5 * torch.randn(count, 3, generator=draws)
    return TensorDataset(inputs, (inputs[:, :3] + noise).argmax(1))


def loader(dataset: TensorDataset, shuffle: bool = False) -> DataLoader:
    return DataLoader(dataset, batch_size=32, shuffle=shuffle)


def trainer(folder: Path, *callbacks: Callback, epochs: int = 2, **more: Any) -> Trainer:
    options = {
        "default_root_dir": folder, "max_epochs": epochs, "accelerator": "cpu", "logger": False,
        "enable_progress_bar": False, "enable_model_summary": False,
        "enable_checkpointing": any(isinstance(one, ModelCheckpoint) for one in callbacks),
    }  # fmt: skip
    return Trainer(callbacks=list(callbacks), **{**options, **more})


def answers(model: nn.Module, dataset: TensorDataset) -> Tensor:
    was = model.training
    model.eval()
    with torch.no_grad():
        found = model(dataset.tensors[0])
    model.train(was)
    return found


def test_the_logged_rates_are_those_of_compare(tmp_path: Path) -> None:
    seed_everything(0)
    old, learner, held = network(), Learner(), data(seed=1)
    run = trainer(tmp_path, FlipCallback(old))
    run.fit(learner, loader(data(), shuffle=True), loader(held))
    report = compare(held.tensors[1], answers(old, held), answers(learner, held))
    assert {name: value.item() for name, value in run.callback_metrics.items()} == pytest.approx(
        {
            "val/nfr": report.negative_flip_rate.value,
            "val/nfr_low": report.negative_flip_rate.low,
            "val/nfr_high": report.negative_flip_rate.high,
            "val/pfr": report.positive_flip_rate.value,
            "val/relative_nfr": report.relative_negative_flip_rate.value,
            "val/nfi": report.negative_flip_impact.value,
            "val/accuracy_old": report.accuracy_old.value,
            "val/accuracy_new": report.accuracy_new.value,
            "val/accuracy_change": report.accuracy_change.value,
            "val/churn": report.churn.value,
        },
        abs=1e-6,
    )
    assert report.positive_flips > 0
    tested = run.test(learner, loader(held), verbose=False)[0]
    assert tested["test/nfr"] == pytest.approx(report.negative_flip_rate.value)


def test_the_old_model_never_changes_and_is_no_part_of_the_new_one(tmp_path: Path) -> None:
    seed_everything(0)
    old, learner = network(), Learner()
    callback = FlipCallback(old)
    before = {name: value.clone() for name, value in old.state_dict().items()}
    keep = ModelCheckpoint(dirpath=tmp_path, monitor="val/nfr", mode="min", filename="best")
    run = trainer(tmp_path, callback, keep)
    run.fit(learner, loader(data(), shuffle=True), loader(data(seed=1)))
    frozen = callback.old.module
    assert frozen is not None
    assert not frozen.training
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    for model in (old, frozen):
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert old.training
    assert all(parameter.requires_grad for parameter in old.parameters())
    owned = {id(parameter) for parameter in learner.parameters()}
    assert not owned & {id(parameter) for parameter in frozen.parameters()}
    stored = torch.load(tmp_path / "best.ckpt", weights_only=False)
    assert set(stored["state_dict"]) == set(learner.state_dict())
    assert "FlipCallback" not in stored["callbacks"]
    assert keep.best_model_score is not None


def test_the_trained_model_itself_can_be_the_old_one(tmp_path: Path) -> None:
    learner = Learner()
    run = trainer(tmp_path, FlipCallback(learner.network))
    run.validate(learner, loader(data()), verbose=False)
    assert run.callback_metrics["val/churn"] == 0
    run.fit(learner, loader(data(), shuffle=True), loader(data()))
    assert run.callback_metrics["val/churn"] > 0
    assert all(parameter.requires_grad for parameter in learner.parameters())


def test_training_is_the_same_to_the_last_bit_with_and_without_the_callback(tmp_path: Path) -> None:
    weights = []
    for callbacks in ([], [FlipCallback(network())]):
        seed_everything(3)
        learner = Learner()
        trainer(tmp_path, *callbacks).fit(learner, loader(data(), shuffle=True), loader(data(seed=1)))
        weights.append(learner.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


class Seen(Callback):
    def __init__(self) -> None:
        self.names: list[set[str]] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.names.append(set(trainer.callback_metrics))


def test_the_sanity_check_is_left_out(tmp_path: Path) -> None:
    seen, asked = Seen(), []

    def old(batch: Any) -> Tensor:
        asked.append(len(batch[1]))
        return torch.zeros_like(batch[1])

    trainer(tmp_path, FlipCallback(old), seen, epochs=1, num_sanity_val_steps=2).fit(
        Learner(), loader(data()), loader(data())
    )
    assert not any(name.startswith("val/") for name in seen.names[0])
    assert "val/nfr" in seen.names[1]
    assert sum(asked) == 150


def test_known_answers_and_the_steps_own_logits_save_both_forward_passes(tmp_path: Path) -> None:
    held = data(seed=1)
    old_answers = torch.arange(150) % 3
    with_index = TensorDataset(held.tensors[0], held.tensors[1], torch.arange(150))
    calls = []

    class Counted(Learner):
        def forward(self, inputs: Tensor) -> Tensor:
            calls.append(len(inputs))
            return super().forward(inputs)

    learner = Counted()
    callback = FlipCallback(
        lambda batch: old_answers[batch[2]],
        unpack=lambda batch: (batch[0], batch[1]),
        new_logits=lambda outputs: outputs["logits"],
    )
    run = trainer(tmp_path, callback)
    run.validate(learner, loader(with_index), verbose=False)
    assert sum(calls) == 150
    report = compare(held.tensors[1], old_answers, answers(learner, held))
    assert run.callback_metrics["val/nfr"].item() == pytest.approx(report.negative_flip_rate.value)


def test_each_loader_has_its_own_rates(tmp_path: Path) -> None:
    old, learner = network(), Learner()
    sets = [data(seed=1), data(100, seed=2)]
    run = trainer(tmp_path, FlipCallback(old))
    run.validate(learner, [loader(one) for one in sets], verbose=False)
    for index, one in enumerate(sets):
        report = compare(one.tensors[1], answers(old, one), answers(learner, one))
        found = run.callback_metrics[f"val/churn/dataloader_idx_{index}"].item()
        assert found == pytest.approx(report.churn.value)


def test_early_stopping_and_a_logger_follow_the_rates(tmp_path: Path) -> None:
    old = network()
    stop = EarlyStopping(monitor="val/nfr", mode="min", patience=1)
    logger = CSVLogger(tmp_path)
    run = trainer(tmp_path, FlipCallback(old), stop, epochs=20, logger=logger)
    run.fit(Learner(), loader(data(), shuffle=True), loader(data(seed=1)))
    assert run.current_epoch < 20
    assert "val/nfr_high" in (Path(logger.log_dir) / "metrics.csv").read_text().splitlines()[0]


def test_the_old_model_runs_in_the_trainers_precision(tmp_path: Path) -> None:
    dtypes = []

    class Told(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            found = self.layer(inputs)
            dtypes.append(found.dtype)
            return found

    trainer(tmp_path, FlipCallback(Told()), precision="bf16-mixed").validate(Learner(), loader(data()), verbose=False)
    assert set(dtypes) == {torch.bfloat16}


def test_the_old_model_is_saved_only_when_asked_for(tmp_path: Path) -> None:
    old = network()
    asked, silent = FlipCallback(old, save_old=True), FlipCallback(old)
    assert silent.state_dict() == {}
    again = FlipCallback(network(), save_old=True)
    again.load_state_dict(asked.state_dict())
    assert again.old.module is not None
    assert all(torch.equal(value, old.state_dict()[name]) for name, value in again.old.module.state_dict().items())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, r"the batch is a list of 3, not a pair .*; pass unpack="),
        (
            {"unpack": lambda batch: (batch[0], batch[1]), "new_logits": lambda out: None},
            "the new model returned a Non",
        ),
        ({"unpack": lambda batch: (batch[0], batch[1].float())}, "labels has shape .* type torch.float32"),
    ],
)
def test_mistakes_are_told_in_one_sentence(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    held = data()
    three = TensorDataset(*held.tensors, torch.arange(150))

    class Plain(Learner):
        def validation_step(self, batch: Any, batch_idx: int) -> None:
            return None

    run = trainer(tmp_path, FlipCallback(network(), **options))
    with pytest.raises(InputError, match=sentence):
        run.validate(Plain(), loader(three), verbose=False)


def test_an_old_model_that_cannot_answer_is_refused() -> None:
    with pytest.raises(InputError, match="old is a Tensor; pass the old model, or a function from a batch"):
        FlipCallback(torch.zeros(3))
    with pytest.raises(InputError, match="confidence is 95"):
        FlipCallback(network(), confidence=95)


def distributed(folder: Path) -> None:
    """Validate in each of two processes and write down what was logged; run as a script by the test below."""
    torch.set_num_threads(1)
    seed_everything(0)
    old, learner = network(), Learner()
    run = trainer(folder, FlipCallback(old), strategy="ddp", devices=2)
    run.validate(learner, loader(data(seed=1)), verbose=False)
    logged = {name: value.item() for name, value in run.callback_metrics.items()}
    torch.save(logged, folder / f"rank{run.global_rank}")


def test_two_processes_log_the_numbers_of_one(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"from pathlib import Path\nfrom tests.integrations.test_lightning import distributed\n"
        f"distributed(Path({str(tmp_path)!r}))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, str(script)], check=True, env=environment, timeout=300, capture_output=True)
    seed_everything(0)
    old, learner, held = network(), Learner(), data(seed=1)
    report = compare(held.tensors[1], answers(old, held), answers(learner, held))
    for rank in range(2):
        logged = torch.load(tmp_path / f"rank{rank}")
        assert logged["val/nfr"] == pytest.approx(report.negative_flip_rate.value)
        assert logged["val/nfr_high"] == pytest.approx(report.negative_flip_rate.high)
        assert logged["val/churn"] == pytest.approx(report.churn.value)
        assert not math.isnan(logged["val/relative_nfr"])


def test_the_example_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_section("Lightning")
