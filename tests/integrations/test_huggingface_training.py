from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import copy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Trainer,
    TrainingArguments,
)

from segue.congruent.losses import Distillation, FocalDistillation, GatedDistillation, MuscleDistillation, next_tokens
from segue.congruent.objective import Mixed, Penalized, SeveralReferences
from segue.errors import InputError
from segue.integrations.huggingface import CongruentTrainer, FlipTrainerCallback

pytestmark = pytest.mark.filterwarnings("ignore:.*pin_memory")

OBJECTIVE = Mixed(FocalDistillation(alpha=1, beta=5), weight=0.5)
RATE = 0.1


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


SMALL = {
    "vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
    "max_position_embeddings": 8, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip


def bert(seed: int, classes: int = 3, kind: type = BertForSequenceClassification, **more: Any) -> Any:
    torch.manual_seed(seed)
    return kind(BertConfig(**SMALL, num_labels=classes, **more))


def llama(seed: int, words: int = 12) -> Any:
    torch.manual_seed(seed)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    return LlamaForCausalLM(LlamaConfig(vocab_size=words, max_position_embeddings=8, **shape, **ends))


def gpt(seed: int, words: int = 12) -> Any:
    torch.manual_seed(seed)
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "bos_token_id": 0, "eos_token_id": 0}
    return GPT2LMHeadModel(GPT2Config(vocab_size=words, n_positions=8, n_embd=16, n_layer=1, n_head=2, **still))


def sentences(count: int = 10) -> dict[str, Tensor]:
    tokens = torch.randint(1, 30, (count, 5), generator=torch.Generator().manual_seed(0))
    return {"input_ids": tokens, "labels": tokens[:, 0] % 3}


def texts(count: int = 10) -> dict[str, Tensor]:
    """Texts of different lengths, padded; every second text counts from its third token on."""
    tokens = torch.randint(1, 12, (count, 6), generator=torch.Generator().manual_seed(0))
    labels = tokens.clone()
    for row in range(count):
        labels[row, 6 - row % 4 :] = -100
        labels[row, : 3 * (row % 2)] = -100
    return {"input_ids": tokens, "labels": labels}


def rows(columns: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def arguments(folder: Path, **more: Any) -> TrainingArguments:
    options = {
        "output_dir": str(folder), "use_cpu": True, "report_to": [], "num_train_epochs": 1, "save_strategy": "no",
        "per_device_train_batch_size": 10, "per_device_eval_batch_size": 4, "disable_tqdm": True, "max_grad_norm": 0.0,
        "logging_strategy": "no", "dataloader_pin_memory": False, "lr_scheduler_type": "constant", "seed": 0,
    }  # fmt: skip
    return TrainingArguments(**{**options, **more})


def trained(model: nn.Module, columns: Mapping[str, Tensor], folder: Path, **options: Any) -> dict[str, Tensor]:
    """Take one step of gradient descent over all rows; return the weights."""
    model = copy.deepcopy(model)
    descent = torch.optim.SGD(model.parameters(), lr=RATE)
    shape = options.pop("shape", {})
    CongruentTrainer(
        model, arguments(folder, **shape), train_dataset=rows(columns), optimizers=(descent, None), **options
    ).train()
    return dict(model.named_parameters())


def by_hand(model: nn.Module, loss: Callable[[Tensor], Tensor], tokens: Tensor) -> dict[str, Tensor]:
    """The same step as a plain loop takes it."""
    model = copy.deepcopy(model).train()
    loss(model(input_ids=tokens).logits).backward()
    descent = torch.optim.SGD(model.parameters(), lr=RATE)
    descent.step()
    return dict(model.named_parameters())


def answered(model: nn.Module, tokens: Tensor) -> Tensor:
    with torch.no_grad():
        return copy.deepcopy(model).eval()(input_ids=tokens).logits


def same(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], first: nn.Module) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)
    assert any(not torch.equal(value, wanted[name]) for name, value in first.named_parameters())


SPLITS = {
    "one batch": {},
    # 4 + 4 + 2 samples are one step
    "accumulated": {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 3},
}


@pytest.mark.parametrize("shape", SPLITS.values(), ids=SPLITS)
def test_a_step_is_that_of_a_plain_loop_over_all_samples(tmp_path: Path, shape: dict[str, Any]) -> None:
    old, new, data = bert(0), bert(1), sentences()
    logits = answered(old, data["input_ids"])
    wanted = by_hand(new, lambda found: OBJECTIVE(found, logits, data["labels"]), data["input_ids"])
    same(trained(new, data, tmp_path, objective=OBJECTIVE, old=old, shape=shape), wanted, new)
    stored = {**data, "old_logits": logits}
    same(trained(new, stored, tmp_path, objective=OBJECTIVE, old="old_logits", shape=shape), wanted, new)


@pytest.mark.parametrize("shape", SPLITS.values(), ids=SPLITS)
@pytest.mark.parametrize("model", [gpt, llama])  # the trainer counts labels one way for these, another for those
def test_a_language_model_follows_its_old_version_token_by_token(
    tmp_path: Path, model: Callable[[int], Any], shape: dict[str, Any]
) -> None:
    old, teacher, new, data = model(0), model(1), model(2), texts()
    objective = MuscleDistillation(temperature=2, labels_weight=0.5)
    told = [answered(one, data["input_ids"]) for one in (old, teacher)]
    truth = next_tokens(data["labels"])
    wanted = by_hand(new, lambda found: objective(found, told[0], truth, teacher_logits=told[1]), data["input_ids"])
    same(trained(new, data, tmp_path, objective=objective, old=old, teacher=teacher, shape=shape), wanted, new)


def test_any_loss_takes_the_tokens_that_count_for_samples(tmp_path: Path) -> None:
    old, new, data = gpt(0), gpt(2), texts()
    logits, truth = answered(old, data["input_ids"]), next_tokens(data["labels"])
    counted = truth != -100
    wanted = by_hand(
        new, lambda found: OBJECTIVE(found[counted], logits[counted], truth[counted]), data["input_ids"]
    )  # fmt: skip
    same(trained(new, data, tmp_path, objective=OBJECTIVE, old=old, shape=SPLITS["accumulated"]), wanted, new)


def test_a_token_classifiers_labels_are_not_shifted(tmp_path: Path) -> None:
    old, new = (bert(seed, 12, BertForTokenClassification) for seed in range(2))
    data = texts()
    logits, counted = answered(old, data["input_ids"]), data["labels"] != -100
    truth = data["labels"][counted]
    wanted = by_hand(new, lambda found: OBJECTIVE(found[counted], logits[counted], truth), data["input_ids"])
    same(trained(new, data, tmp_path, objective=OBJECTIVE, old=old), wanted, new)


def test_a_batch_in_which_nothing_counts_changes_nothing(tmp_path: Path) -> None:
    new, data = gpt(2), texts()
    data["labels"][:] = -100
    after = trained(new, data, tmp_path, objective=OBJECTIVE, old=gpt(0))
    assert all(torch.equal(value, after[name]) for name, value in new.named_parameters())


def test_several_references_come_by_name(tmp_path: Path) -> None:
    old, other, new, data = bert(0), bert(2), bert(1), sentences()
    objective = SeveralReferences({"old": (FocalDistillation(), 0.5), "ensemble": (Distillation(), 0.2)})
    told = {"old": answered(old, data["input_ids"]), "ensemble": answered(other, data["input_ids"])}
    wanted = by_hand(new, lambda found: objective(found, told, data["labels"]), data["input_ids"])
    stored = {**data, "theirs": told["ensemble"]}
    same(trained(new, stored, tmp_path, objective=objective, old={"old": old, "ensemble": "theirs"}), wanted, new)


class Normalised(nn.Module):
    """A model of another kind, whose statistics and answers change in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Embedding(30, 8), nn.Flatten(), nn.BatchNorm1d(40), nn.Dropout(), nn.Linear(40, 3)
        )

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.layers(input_ids)


def test_the_old_model_stays_as_it_was(tmp_path: Path) -> None:
    old, new, data = Normalised(), bert(1), rows(sentences())
    before = copy.deepcopy(old.state_dict())
    run = CongruentTrainer(
        new,
        arguments(tmp_path, num_train_epochs=2, save_strategy="epoch"),
        train_dataset=data,
        old=old,
        objective=OBJECTIVE,
    )
    run.train()
    frozen = run.references.models["old"]
    for model in (old, frozen.model):
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert old.training
    assert all(parameter.requires_grad for parameter in old.parameters())
    assert not any(module.training for module in frozen.modules())
    updated = {id(parameter) for group in run.optimizer.param_groups for parameter in group["params"]}
    assert not updated & {id(parameter) for parameter in frozen.parameters()}
    again = BertForSequenceClassification.from_pretrained(tmp_path / "checkpoint-2")
    assert set(again.state_dict()) == set(new.state_dict())


def test_a_module_that_takes_no_labels_and_returns_a_tensor_can_be_trained(tmp_path: Path) -> None:
    torch.manual_seed(1)
    old, data = bert(0), sentences()
    new = Normalised()
    new.layers = nn.Sequential(nn.Embedding(30, 8), nn.Flatten(), nn.Linear(40, 3))
    run = CongruentTrainer(
        new, arguments(tmp_path, num_train_epochs=3), train_dataset=rows(data), old=old, objective=OBJECTIVE
    )
    before = run.evaluate(rows(data))["eval_loss"]
    run.train()
    now, logits = new.layers(data["input_ids"]).detach(), answered(old, data["input_ids"])
    after = run.evaluate(rows(data))["eval_loss"]
    assert after == pytest.approx(OBJECTIVE(now, logits, data["labels"]).item(), rel=1e-5)
    assert after < before
    torch.testing.assert_close(torch.from_numpy(run.predict(rows(data)).predictions), now)


def test_the_trained_model_itself_can_be_the_old_one(tmp_path: Path) -> None:
    new, data = bert(1), sentences()
    objective = Penalized(Distillation(), weight=1.0)
    first = answered(new, data["input_ids"])
    run = CongruentTrainer(
        new, arguments(tmp_path, num_train_epochs=3), train_dataset=rows(data), old=new, objective=objective
    )
    run.train()
    torch.testing.assert_close(run.references.models["old"](data), first)
    assert not torch.allclose(answered(new, data["input_ids"]), first)


@pytest.mark.parametrize("returns", ["mappings", "tuples"])
def test_an_evaluation_tells_the_objective_the_predictions_and_the_flips(tmp_path: Path, returns: str) -> None:
    old, new, data = bert(0), bert(1, return_dict=returns == "mappings"), sentences()
    logits = answered(old, data["input_ids"])
    now = copy.deepcopy(new).eval()(input_ids=data["input_ids"], return_dict=True).logits.detach()
    run = CongruentTrainer(
        new,
        arguments(tmp_path),
        eval_dataset=rows(data),
        old=old,
        objective=OBJECTIVE,
        callbacks=[FlipTrainerCallback(old)],
    )
    predicted = run.predict(rows(data))
    torch.testing.assert_close(torch.from_numpy(predicted.predictions), now)
    metrics = run.evaluate()
    assert metrics["eval_loss"] == pytest.approx(OBJECTIVE(now, logits, data["labels"]).item(), rel=1e-5)
    broken = (logits.argmax(1) == data["labels"]) & (now.argmax(1) != data["labels"])
    assert metrics["eval_nfr"] == pytest.approx(broken.float().mean().item())


def test_unlabelled_data_are_predicted_without_the_old_model(tmp_path: Path) -> None:
    new, data = bert(1), sentences()
    run = CongruentTrainer(new, arguments(tmp_path), old="old_logits", objective=OBJECTIVE)
    stored = {"input_ids": data["input_ids"], "old_logits": torch.zeros(10, 3)}
    found = run.predict(rows(stored)).predictions
    torch.testing.assert_close(torch.from_numpy(found), answered(new, data["input_ids"]))


def test_it_mixes_into_another_trainer(tmp_path: Path) -> None:
    class Counting(Trainer):
        steps = 0

        def training_step(self, *given: Any, **named: Any) -> Tensor:
            self.steps += 1
            return super().training_step(*given, **named)

    class Mine(CongruentTrainer, Counting):
        pass

    run = Mine(
        bert(1), arguments(tmp_path), train_dataset=rows(sentences()), old=bert(0), objective=GatedDistillation()
    )
    run.train()
    assert run.steps == 1


MADE: dict[str, tuple[dict[str, Any], str]] = {
    "no label term": (
        {"objective": FocalDistillation()},
        r"FocalDistillation holds no label term; pass Penalized\(FocalDistillation\(...\), weight=...\) or Mixed of",
    ),
    "a class": (
        {"objective": GatedDistillation},
        "objective is the class GatedDistillation; pass a loss such as Mixed",
    ),
    "a number": ({"objective": 0.5}, "objective is a float; pass a loss such as Mixed"),
    "a sum": (
        {"objective": GatedDistillation(reduction="sum")},
        "objective has reduction='sum'; leave it at 'mean', the trainer does the rest",
    ),
    "no teacher": (
        {"objective": MuscleDistillation()},
        "teacher is what MuscleDistillation follows where the new model",
    ),
    "a teacher too many": ({"teacher": bert(2)}, "teacher is what MuscleDistillation follows where the new model"),
    "no old model": (
        {"old": 3},
        "old is a int; pass the model, or the name of the dataset's column that holds its log",
    ),
    "another loss": (
        {"compute_loss_func": lambda outputs, labels, **more: 0},
        "compute_loss_func would take the objective's place; pass it as the objective",
    ),
}


@pytest.mark.parametrize("case", MADE)
def test_mistakes_are_told_when_the_trainer_is_made(tmp_path: Path, case: str) -> None:
    options, sentence = MADE[case]
    with pytest.raises(InputError, match=sentence):
        CongruentTrainer(bert(1), arguments(tmp_path), **{"old": bert(0), "objective": OBJECTIVE, **options})


def test_label_smoothing_belongs_to_the_objective(tmp_path: Path) -> None:
    told = r"label_smoothing_factor is 0.1, which the objective does not see; leave it at 0 and give label_smoothing to"
    with pytest.raises(InputError, match=told):
        CongruentTrainer(
            bert(1), arguments(tmp_path, label_smoothing_factor=0.1), old=bert(0), objective=OBJECTIVE
        )  # fmt: skip


DATA = sentences()
MET: dict[str, tuple[dict[str, Tensor], dict[str, Any], str]] = {
    "other classes": (
        DATA,
        {"old": bert(0, classes=2)},
        "new_logits have 3 classes and old_logits 2; pass class_map, the new class of each old class",
    ),
    "no column": (
        DATA,
        {"old": "old_logits"},
        "the batch has no column 'old_logits' with the logits of the old model, but input_ids, labels; add it to the",
    ),
    "no labels": (
        {"input_ids": DATA["input_ids"]},
        {"old": bert(0)},
        "the batch has no labels, but input_ids; name the column 'labels'",
    ),
    "labels of tokens": (
        {**DATA, "labels": DATA["input_ids"]},
        {"old": bert(0)},
        r"labels have the shape \(10, 5\) and the model's logits \(10, 3\); pass one class for each row of logits",
    ),
    "a column of classes": (
        {**DATA, "old_logits": DATA["labels"]},
        {"old": "old_logits"},
        r"old_logits have the shape \(10,\); pass \(n, classes\)",
    ),
    "a loss for each sample": (
        DATA,
        {"old": bert(0), "objective": lambda new, old, labels: new.sum(1)},
        r"the objective returned shape \(10,\); it should return one number, the mean over the batch",
    ),
}


@pytest.mark.parametrize("case", MET)
def test_mistakes_are_told_at_the_first_batch(tmp_path: Path, case: str) -> None:
    columns, options, sentence = MET[case]
    with pytest.raises(InputError, match=sentence):
        trained(bert(1), columns, tmp_path, **{"objective": OBJECTIVE, **options})


def test_a_class_set_that_grew_goes_through_the_class_map(tmp_path: Path) -> None:
    old, new, data = bert(0, classes=2), bert(1), sentences()
    objective = Mixed(FocalDistillation(class_map=[2, 0]), weight=0.5)
    logits = answered(old, data["input_ids"])
    wanted = by_hand(new, lambda found: objective(found, logits, data["labels"]), data["input_ids"])
    same(trained(new, data, tmp_path, objective=objective, old=old), wanted, new)
