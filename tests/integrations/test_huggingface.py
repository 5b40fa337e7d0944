from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    EarlyStoppingCallback,
    EvalPrediction,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from segue.errors import InputError
from segue.flips import compare
from segue.integrations.huggingface import FlipTrainerCallback, flip_metrics
from tests.integrations.pages import run_section

pytestmark = pytest.mark.filterwarnings("ignore:.*pin_memory")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Tokens(Dataset):
    """Sentences whose class is the first token modulo three."""

    def __init__(self, count: int = 70, seed: int = 0) -> None:
        draws = torch.Generator().manual_seed(seed)
        self.tokens = torch.randint(1, 30, (count, 5), generator=draws)
        self.labels = self.tokens[:, 0] % 3

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"input_ids": self.tokens[index], "labels": self.labels[index]}


def bert(seed: int) -> BertForSequenceClassification:
    torch.manual_seed(seed)
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            max_position_embeddings=8, num_labels=3,
        )
    )  # fmt: skip


def arguments(folder: Path, **more: Any) -> TrainingArguments:
    options = {
        "output_dir": str(folder), "use_cpu": True, "report_to": [], "num_train_epochs": 2, "eval_strategy": "epoch",
        "per_device_train_batch_size": 16, "per_device_eval_batch_size": 16, "learning_rate": 1e-2, "seed": 0,
        "save_strategy": "no", "disable_tqdm": True, "logging_strategy": "no", "dataloader_pin_memory": False,
    }  # fmt: skip
    return TrainingArguments(**{**options, **more})


def logits(model: nn.Module, data: Tokens) -> Tensor:
    was = model.training
    model.eval()
    with torch.no_grad():
        found = model(input_ids=data.tokens).logits
    model.train(was)
    return found


def expected(old: Any, new: Tensor, data: Tokens) -> dict[str, float]:
    report = compare(data.labels, old, new)
    return {
        "eval_nfr": report.negative_flip_rate.value,
        "eval_nfr_low": report.negative_flip_rate.low,
        "eval_nfr_high": report.negative_flip_rate.high,
        "eval_pfr": report.positive_flip_rate.value,
        "eval_relative_nfr": report.relative_negative_flip_rate.value,
        "eval_nfi": report.negative_flip_impact.value,
        "eval_accuracy_old": report.accuracy_old.value,
        "eval_accuracy_new": report.accuracy_new.value,
        "eval_accuracy_change": report.accuracy_change.value,
        "eval_churn": report.churn.value,
    }


def ways(old: nn.Module, data: Tokens) -> dict[str, dict[str, Any]]:
    """Both ways to the same numbers."""
    return {
        "callback": {"callbacks": [FlipTrainerCallback(old)]},
        "metrics": {"compute_metrics": flip_metrics(logits(old, data))},
    }


@pytest.mark.parametrize("way", ["callback", "metrics"])
def test_each_evaluation_has_the_numbers_of_compare(tmp_path: Path, way: str) -> None:
    old, new, held = bert(0), bert(1), Tokens(seed=1)
    run = Trainer(new, arguments(tmp_path), train_dataset=Tokens(), eval_dataset=held, **ways(old, held)[way])
    run.train()
    metrics = run.evaluate()
    wanted = expected(logits(old, held), logits(new, held), held)
    assert {name: metrics[name] for name in wanted} == pytest.approx(wanted)
    assert metrics["eval_churn"] > 0
    logged = [entry for entry in run.state.log_history if "eval_loss" in entry]
    assert len(logged) == 3
    assert {name: logged[-1][name] for name in wanted} == pytest.approx(wanted)


@pytest.mark.parametrize("way", ["callback", "metrics"])
def test_the_best_model_can_be_the_one_that_breaks_least(tmp_path: Path, way: str) -> None:
    old, held = bert(0), Tokens(seed=1)
    options = arguments(
        tmp_path, save_strategy="epoch", load_best_model_at_end=True, metric_for_best_model="eval_nfr",
        greater_is_better=False, num_train_epochs=3, save_total_limit=1,
    )  # fmt: skip
    more = ways(old, held)[way]
    more["callbacks"] = [*more.get("callbacks", []), EarlyStoppingCallback(early_stopping_patience=5)]
    run = Trainer(bert(1), options, train_dataset=Tokens(), eval_dataset=held, **more)
    run.train()
    logged = [entry["eval_nfr"] for entry in run.state.log_history if "eval_nfr" in entry]
    assert len(logged) == 3
    assert run.state.best_metric == min(logged)
    assert run.evaluate()["eval_nfr"] == pytest.approx(min(logged))


class Reporter(TrainerCallback):
    def __init__(self) -> None:
        self.told: list[dict[str, float]] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        self.told.append(dict(logs))


def test_an_attached_callback_tells_the_reporters_too(tmp_path: Path) -> None:
    reporter = Reporter()
    run = Trainer(bert(1), arguments(tmp_path), eval_dataset=Tokens(), callbacks=[reporter])
    callback = FlipTrainerCallback(bert(0)).attach(run)
    metrics = run.evaluate()
    assert callback in run.callback_handler.callbacks
    assert sum("eval_nfr" in told for told in reporter.told) == 1
    assert reporter.told[-1]["eval_nfr"] == metrics["eval_nfr"]
    assert sum("eval_nfr" in entry for entry in run.state.log_history) == 1


def test_each_evaluation_set_has_its_own_prefix(tmp_path: Path) -> None:
    old, new = bert(0), bert(1)
    sets = {"easy": Tokens(40, seed=1), "hard": Tokens(50, seed=2)}
    run = Trainer(new, arguments(tmp_path), eval_dataset=sets, callbacks=[FlipTrainerCallback(old)])
    metrics = run.evaluate()
    for name, one in sets.items():
        assert metrics[f"eval_{name}_churn"] == pytest.approx(
            compare(one.labels, logits(old, one), logits(new, one)).churn.value
        )


def test_training_is_the_same_with_and_without_the_callback_and_the_old_model_stays(tmp_path: Path) -> None:
    old, weights = bert(0), []
    before = {name: value.clone() for name, value in old.state_dict().items()}
    callback = FlipTrainerCallback(old)
    for callbacks in ([], [callback]):
        new = bert(1)
        set_seed(5)
        Trainer(
            new, arguments(tmp_path), train_dataset=Tokens(), eval_dataset=Tokens(seed=1), callbacks=callbacks
        ).train()
        weights.append(new.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    for model in (old, callback.old.module):
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not callback.old.module.training
    assert all(parameter.requires_grad for parameter in old.parameters())


def test_the_old_model_may_read_the_batch_its_own_way(tmp_path: Path) -> None:
    held, new = Tokens(), bert(1)
    callback = FlipTrainerCallback(lambda batch: batch["input_ids"][:, 1] % 3)
    metrics = Trainer(new, arguments(tmp_path), eval_dataset=held, callbacks=[callback]).evaluate()
    assert metrics["eval_nfr"] == pytest.approx(expected(held.tokens[:, 1] % 3, logits(new, held), held)["eval_nfr"])


def test_what_predict_returned_and_another_metric_are_taken(tmp_path: Path) -> None:
    held = Tokens()
    old = Trainer(bert(0), arguments(tmp_path, eval_strategy="no")).predict(held)

    def accuracy(evaluated: EvalPrediction) -> dict[str, float]:
        return {"accuracy": float((evaluated.predictions.argmax(1) == evaluated.label_ids).mean())}

    metrics = Trainer(
        bert(1), arguments(tmp_path), eval_dataset=held, compute_metrics=flip_metrics(old, also=accuracy)
    ).evaluate()
    assert metrics["eval_accuracy"] == pytest.approx(metrics["eval_accuracy_new"])
    assert metrics["eval_accuracy_old"] == pytest.approx((old.predictions.argmax(1) == held.labels.numpy()).mean())


def test_a_class_set_that_grew_goes_through_the_class_map() -> None:
    evaluated = EvalPrediction(predictions=np.eye(3)[[0, 1, 2, 2]], label_ids=np.array([0, 1, 2, 1]))
    old = np.eye(2)[[1, 0, 0, 0]]
    found = flip_metrics(old, class_map=[1, 0])(evaluated)
    assert (found["accuracy_old"], found["nfr"]) == (0.75, 0.25)


EVALUATED = EvalPrediction(predictions=np.eye(3), label_ids=np.arange(3))
MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "other data": (lambda: flip_metrics(np.zeros(4, dtype=int))(EVALUATED), "old_predictions has 4 rows but .* has 3"),
    "scores": (lambda: flip_metrics(np.zeros(3))(EVALUATED), "old holds floating-point numbers"),
    "no labels": (lambda: flip_metrics([0, 1, 2])(EvalPrediction(np.eye(3), None)), "labels is missing"),
    "classes differ": (lambda: flip_metrics(np.eye(3)[:, :2])(EVALUATED), "old has 2 columns but new has 3; pass clas"),
    "words": (lambda: flip_metrics(["a", "b"]), "old_predictions is a list; pass an array"),
    "no model": (lambda: FlipTrainerCallback(np.zeros(3)), "old is a ndarray; pass the old model, or a function"),
    "no samples": (
        lambda: flip_metrics(np.zeros(0, dtype=int))(EvalPrediction(np.zeros((0, 3)), np.zeros(0, dtype=int))),
        "no sample was evaluated",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_told_in_one_sentence(case: str) -> None:
    make, sentence = MISTAKES[case]
    with pytest.raises(InputError, match=sentence):
        make()


def test_a_batch_without_labels_is_told(tmp_path: Path) -> None:
    class Unlabelled(Tokens):
        def __getitem__(self, index: int) -> dict[str, Tensor]:
            return {"input_ids": self.tokens[index]}

    run = Trainer(bert(1), arguments(tmp_path), eval_dataset=Unlabelled(), callbacks=[FlipTrainerCallback(bert(0))])
    with pytest.raises(InputError, match=r"the batch is a mapping with keys input_ids, not .* pass unpack="):
        run.evaluate()


def distributed(folder: Path) -> None:
    """Evaluate in each of two processes on 71 samples, which no two processes can share evenly."""
    torch.set_num_threads(1)
    held = Tokens(71, seed=1)
    run = Trainer(bert(1), arguments(folder), eval_dataset=held, callbacks=[FlipTrainerCallback(bert(0))])
    torch.save(run.evaluate(), folder / f"rank{run.args.process_index}")


def test_two_processes_count_every_sample_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"from pathlib import Path\nfrom tests.integrations.test_huggingface import distributed\n"
        f"distributed(Path({str(tmp_path)!r}))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "CUDA_VISIBLE_DEVICES": ""}
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    subprocess.run(launch, check=True, env=environment, timeout=300, capture_output=True)
    held = Tokens(71, seed=1)
    wanted = expected(logits(bert(0), held), logits(bert(1), held), held)
    for rank in range(2):
        metrics = torch.load(tmp_path / f"rank{rank}", weights_only=False)
        assert {name: metrics[name] for name in wanted} == pytest.approx(wanted)


def test_the_example_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_section("Hugging Face")
