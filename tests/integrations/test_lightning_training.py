from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from segue.congruent.losses import FocalDistillation
from segue.congruent.objective import Mixed
from segue.errors import InputError
from segue.integrations.lightning import CongruentModule, FlipCallback

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*is smaller than the logging interval"),
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
    pytest.mark.filterwarnings("ignore:.*have no `val_dataloader`"),
]

OBJECTIVE = Mixed(FocalDistillation(alpha=1, beta=5), weight=0.5)
RATE = 0.05


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Classifier(LightningModule):
    """A user's module: it knows nothing of Segue."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, 3))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layers(inputs)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        return None

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=RATE)


class Successor(CongruentModule, Classifier):
    """The same module, made congruent."""


def old_model(classes: int = 3) -> nn.Module:
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.ReLU(), nn.Linear(16, classes))


def data(count: int = 32) -> TensorDataset:
    inputs = torch.randn(count, 6, generator=torch.Generator().manual_seed(0))
    return TensorDataset(inputs, inputs[:, :3].argmax(1))


def fit(module: LightningModule, folder: Path, rows: TensorDataset, batch_size: int = 32, **more: Any) -> Trainer:
    options = {
        "default_root_dir": folder, "max_epochs": 1, "accelerator": "cpu", "logger": False, "num_sanity_val_steps": 0,
        "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": "callbacks" in more,
    }  # fmt: skip
    run = Trainer(**{**options, **more})
    loader = DataLoader(rows, batch_size=batch_size)
    run.fit(module, loader, loader if "callbacks" in more else None)
    return run


def answered(model: nn.Module, inputs: Tensor) -> Tensor:
    with torch.no_grad():
        return copy.deepcopy(model).eval()(inputs)


def by_hand(module: nn.Module, rows: TensorDataset, logits: Tensor) -> dict[str, Tensor]:
    module = copy.deepcopy(module)
    OBJECTIVE(module(rows.tensors[0]), logits, rows.tensors[1]).backward()
    torch.optim.SGD(module.parameters(), lr=RATE).step()
    return dict(module.named_parameters())


def same(module: nn.Module, wanted: dict[str, Tensor]) -> None:
    for name, value in module.named_parameters():
        torch.testing.assert_close(value, wanted[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("parts", [1, 4], ids=["one batch", "accumulated"])
def test_a_step_is_that_of_a_plain_loop(tmp_path: Path, parts: int) -> None:
    old, rows = old_model(), data()
    new = Successor().follow(old, OBJECTIVE)
    wanted = by_hand(new, rows, answered(old, rows.tensors[0]))
    run = fit(new, tmp_path, rows, batch_size=32 // parts, accumulate_grad_batches=parts)
    same(new, wanted)
    assert run.callback_metrics["train/loss"] > 0


def test_known_logits_come_out_of_the_batch(tmp_path: Path) -> None:
    old, rows = old_model(), data()
    logits = answered(old, rows.tensors[0])
    new = Successor().follow(lambda batch: batch[2], OBJECTIVE, unpack=lambda batch: (batch[0], batch[1]))
    wanted = by_hand(new, rows, logits)
    fit(new, tmp_path, TensorDataset(*rows.tensors, logits))
    same(new, wanted)


def test_a_step_of_ones_own_takes_the_loss(tmp_path: Path) -> None:
    class Own(CongruentModule, Classifier):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            return 2 * self.congruent_loss(batch, new_logits=self(batch[0]))

    old, rows = old_model(), data()
    new = Own().follow(old, OBJECTIVE)
    first = copy.deepcopy(dict(new.named_parameters()))
    once = by_hand(new, rows, answered(old, rows.tensors[0]))
    fit(new, tmp_path, rows)
    same(new, {name: first[name] + 2 * (once[name] - first[name]) for name in first})


def test_the_old_model_stays_as_it_was_and_is_no_part_of_the_new_one(tmp_path: Path) -> None:
    old = old_model()
    before = copy.deepcopy(old.state_dict())
    new = Successor(width=4).follow(old, OBJECTIVE)
    keep = ModelCheckpoint(dirpath=tmp_path, filename="last")
    fit(new, tmp_path, data(), max_epochs=2, callbacks=[keep, FlipCallback(old)])
    new.train()
    frozen = new._following.old.module
    assert frozen is not None
    assert not any(module.training for module in frozen.modules())
    for model in (old, frozen):
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert old.training
    assert all(parameter.requires_grad for parameter in old.parameters())
    assert set(new.state_dict()) == set(Classifier().state_dict())
    assert not {id(one) for one in new.parameters()} & {id(one) for one in frozen.parameters()}
    stored = torch.load(tmp_path / "last.ckpt", weights_only=True)  # refuses anything but plain values
    assert stored["hyper_parameters"] == {"width": 4}
    assert len(stored["optimizer_states"][0]["param_groups"][0]["params"]) == len(list(new.parameters()))
    plain = Classifier.load_from_checkpoint(tmp_path / "last.ckpt")
    assert all(torch.equal(value, new.state_dict()[name]) for name, value in plain.state_dict().items())


def test_the_old_model_and_the_class_map_go_where_the_module_goes(tmp_path: Path) -> None:
    new = Successor().follow(old_model(2), Mixed(FocalDistillation(class_map=[2, 0]), weight=0.5))
    fit(new, tmp_path, data(), precision="64-true")
    assert {parameter.dtype for parameter in new._following.old.module.parameters()} == {torch.float64}
    if torch.cuda.is_available():
        new.to("cuda")
        assert new.congruent_loss([tensor.cuda() for tensor in data().tensors]).is_cuda
    new.to("meta")
    new.congruent_loss([tensor.to("meta") for tensor in data().tensors])
    assert {parameter.device.type for parameter in new._following.old.module.parameters()} == {"meta"}


def test_mistakes_are_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Successor has no old model; call follow\(old, objective\) before it trains"):
        fit(Successor(), tmp_path, data())
    with pytest.raises(
        InputError, match="new_logits have 3 classes and old_logits 2; pass class_map, the new class of"
    ):
        fit(Successor().follow(old_model(2), OBJECTIVE), tmp_path, data())
    with pytest.raises(InputError, match="FocalDistillation holds no label term; pass Penalized"):
        Successor().follow(old_model(), FocalDistillation())
    with pytest.raises(InputError, match="old is a Tensor; pass the old model, or a function from a batch"):
        Successor().follow(torch.zeros(3), OBJECTIVE)
    with pytest.raises(InputError, match=r"the batch is a list of 3, not a pair .*; pass unpack="):
        fit(Successor().follow(old_model(), OBJECTIVE), tmp_path, TensorDataset(*data().tensors, torch.zeros(32)))
    with pytest.raises(InputError, match=r"the objective returned shape \(32,\); it should return one number"):
        fit(Successor().follow(old_model(), lambda new, old, labels: labels.float()), tmp_path, data())


def test_optimising_by_hand_needs_a_step_of_ones_own(tmp_path: Path) -> None:
    new = Successor().follow(old_model(), OBJECTIVE)
    new.automatic_optimization = False
    with pytest.raises(
        InputError, match=r"Successor optimises by hand .*; call congruent_loss\(batch\) in a training_"
    ):
        fit(new, tmp_path, data())
