from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, distributed, multiprocessing
from torchmetrics import MetricCollection

from segue.errors import InputError
from segue.flips import compare
from segue.integrations import torchmetrics as flips
from segue.integrations.directions import HIGHER_IS_BETTER
from segue.integrations.tensors import count_cells, flip_cells, flip_rate
from tests.integrations.pages import run_section

NAMES = list(flips.METRICS)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def samples(count: int = 500, classes: int = 4, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of a new and an old model that are right more often than not, and labels."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count,), generator=draws)
    truth = torch.nn.functional.one_hot(labels, classes).float()
    new = truth * 2.0 + torch.randn(count, classes, generator=draws)
    old = truth * 1.5 + torch.randn(count, classes, generator=draws)
    return new, old, labels


def batches(*tensors: Tensor, size: int = 64) -> Iterator[tuple[Tensor, ...]]:
    return zip(*(tensor.split(size) for tensor in tensors), strict=True)


def test_a_case_worked_by_hand() -> None:
    # right/right, right/wrong, wrong/right, wrong/same wrong, wrong/other wrong, right/right
    labels = torch.tensor([0, 0, 0, 0, 0, 1])
    old = torch.tensor([0, 0, 1, 1, 1, 1])
    new = torch.tensor([0, 1, 0, 1, 2, 1])
    assert count_cells(flip_cells(new, old, labels)).tolist() == [2, 1, 1, 1, 1]
    together = flips.Flips()
    together.update(new, old, labels)
    expected = {
        "accuracy_old": 3 / 6,
        "accuracy_new": 3 / 6,
        "accuracy_change": 0.0,
        "negative_flip_rate": 1 / 6,
        "positive_flip_rate": 1 / 6,
        "relative_negative_flip_rate": (1 / 6) / (3 / 6 * 3 / 6),
        "negative_flip_impact": 1 / 3,
        "positive_flip_impact": 1 / 3,
        "backward_trust_compatibility": 2 / 3,
        "backward_error_compatibility_given_old_error": 2 / 3,
        "backward_error_compatibility_given_new_error": 2 / 3,
        "churn": 3 / 6,
        "good_churn": 1 / 6,
        "bad_churn": 2 / 6,
    }
    assert {name: value.item() for name, value in together.compute().items()} == pytest.approx(expected)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("name", [*NAMES, "fractional_flips"])
def test_each_metric_agrees_with_compare_whatever_the_batches(name: str, hard: bool) -> None:
    new, old, labels = samples()
    if hard:
        old = old.argmax(1)
    metric = flips.FractionalFlips() if name == "fractional_flips" else flips.METRICS[name]()
    for part in batches(new, old, labels, size=67):  # 500 = 7 x 67 + 31: a short last batch
        metric.update(*part)
    report = compare(labels, old, new)
    assert metric.compute().item() == pytest.approx(report.rates[name].value, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_undefined_rates_are_those_of_compare(name: str) -> None:
    for labels, old, new in (([1, 1], [0, 0], [1, 1]), ([1, 1], [1, 1], [1, 1]), ([0, 0], [1, 1], [1, 2])):
        metric = flips.METRICS[name]()
        metric.update(torch.tensor(new), torch.tensor(old), torch.tensor(labels))
        assert metric.compute().item() == pytest.approx(compare(labels, old, new).rates[name].value, nan_ok=True)


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
@pytest.mark.parametrize("name", NAMES)
def test_without_samples_every_rate_is_nan(name: str) -> None:
    assert math.isnan(flips.METRICS[name]().compute().item())


CELLS = st.lists(st.integers(0, 50), min_size=5, max_size=5).filter(any)


@settings(max_examples=100, deadline=None)
@given(CELLS)
def test_accuracy_change_is_positive_minus_negative_flips(cells: list[int]) -> None:
    counts = torch.tensor(cells)
    difference = flip_rate(counts, "positive_flip_rate") - flip_rate(counts, "negative_flip_rate")
    assert flip_rate(counts, "accuracy_change").item() == pytest.approx(difference.item(), abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*3 * [st.integers(0, 3)]), min_size=1, max_size=40), st.booleans())
def test_any_answers_fall_into_the_cells_of_compare(rows: list[tuple[int, int, int]], mapped: bool) -> None:
    labels, old, new = (torch.tensor(column) for column in zip(*rows, strict=True))
    shifted = [1, 2, 3, 0] if mapped else None
    cells = flip_cells(new, old, labels, class_map=None if shifted is None else torch.tensor(shifted))
    known = {0, 1, 2, 3} if mapped else None
    report = compare(labels, old, new, class_map=None if known is None else {k: (k + 1) % 4 for k in known})
    assert count_cells(cells).tolist() == list(report.counts.to_dict().values())


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_neither_order_nor_batching_matters(shuffle, size: int) -> None:
    new, old, labels = samples(60)
    order = list(range(60))
    shuffle.shuffle(order)
    whole, parts = flips.FractionalFlips(), flips.FractionalFlips()
    whole.update(new, old, labels)
    for part in batches(new[order], old[order], labels[order], size=size):
        parts.update(*part)
    assert torch.equal(whole.cells, parts.cells)
    assert torch.equal(whole.severities, parts.severities)


def test_half_precision_probabilities_are_not_taken_for_logits() -> None:
    new, old, labels = samples(classes=30)
    probabilities = new.softmax(1).to(torch.bfloat16)
    metric, exact = flips.FractionalFlips(), flips.FractionalFlips()
    metric.update(probabilities, old, labels)
    exact.update(new, old, labels)
    assert metric.compute().item() == pytest.approx(exact.compute().item(), abs=2e-3)


@pytest.mark.parametrize("device", ["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
def test_the_metric_counts_where_it_lives(device: str) -> None:
    new, old, labels = samples()
    metric = flips.NegativeFlipRate().to(device)
    metric.update(new.to(device), old, labels.to(device))
    assert metric.cells.device.type == device
    assert metric.compute().item() == pytest.approx(compare(labels, old, new).negative_flip_rate.value)


def test_a_collection_updates_once_for_all_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(cells: Tensor) -> Tensor:
        calls.append(1)
        return count_cells(cells)

    monkeypatch.setattr("segue.integrations.torchmetrics.count_cells", counted)
    new, old, labels = samples()
    together = flips.Flips(prefix="val/")
    for part in batches(new, old, labels):
        together.update(*part)
    assert len(calls) == len(list(batches(labels)))
    assert together.compute()["val/churn"].item() == pytest.approx(compare(labels, old, new).churn.value)
    assert together.cells.sum() == len(labels)


def test_separate_metrics_in_a_collection_find_their_common_counts() -> None:
    together = MetricCollection([flips.NegativeFlipRate(), flips.Churn(), flips.AccuracyChange()])
    together.update(*samples())
    assert [sorted(group) for group in together.compute_groups.values()] == [
        ["AccuracyChange", "Churn", "NegativeFlipRate"]
    ]


def test_a_collection_keeps_metrics_with_different_class_maps_apart() -> None:
    maps = {"plain": None, "again": None, "mapped": [0, 2, 1], "twin": [0, 2, 1], "other": [1, 0, 2]}
    together = MetricCollection({name: flips.NegativeFlipRate(class_map=one) for name, one in maps.items()})
    alone = {name: flips.NegativeFlipRate(class_map=one) for name, one in maps.items()}
    right = torch.tensor([0, 0, 0, 0])  # all maps but one agree on the first batch, so only the maps tell them apart
    swapped = torch.tensor([1, 2, 0, 2])
    for new, old, labels in ((right, right, right), (right, swapped, swapped), (swapped, right, torch.tensor([1] * 4))):
        together.update(new, old, labels)
        for metric in alone.values():
            metric.update(new, old, labels)
    assert {name: rate.item() for name, rate in together.compute().items()} == {
        name: metric.compute().item() for name, metric in alone.items()
    }
    assert {tuple(sorted(group)) for group in together.compute_groups.values()} == {
        ("again", "plain"), ("mapped", "twin"), ("other",),
    }  # fmt: skip


def test_a_class_map_outlives_reset_merge_forward_and_pickle() -> None:
    new, old, labels = samples(classes=3)
    metric, other = flips.Churn(class_map=[0, 2, 1]), flips.Churn(class_map=[0, 2, 1])
    metric(new[:100], old[:100], labels[:100])
    other.update(new[100:], old[100:], labels[100:])
    metric.merge_state(other)
    whole = compare(labels, old.argmax(1), new.argmax(1), class_map={0: 0, 1: 2, 2: 1}).churn.value
    assert metric.compute().item() == pytest.approx(whole)
    again = pickle.loads(pickle.dumps(metric))
    again.reset()
    again.update(new, old, labels)
    assert again.class_map.tolist() == [0, 2, 1]
    assert again.compute().item() == pytest.approx(whole)


def test_forward_gives_the_batch_and_keeps_the_total() -> None:
    new, old, labels = samples()
    together = flips.Flips()
    for part in batches(new, old, labels):
        now = together(*part)
        expected = compare(part[2], part[1], part[0])
        assert {name: rate.item() for name, rate in now.items()} == pytest.approx(
            {name: expected.rates[name].value for name in NAMES}, abs=1e-6, nan_ok=True
        )
    total = compare(labels, old, new)
    assert together.compute()["negative_flip_rate"].item() == pytest.approx(total.negative_flip_rate.value)


def test_merge_reset_clone_and_pickle() -> None:
    new, old, labels = samples()
    left, right = flips.Churn(), flips.Churn()
    left.update(new[:200], old[:200], labels[:200])
    right.update(new[200:], old[200:], labels[200:])
    copy, stored = left.clone(), pickle.loads(pickle.dumps(left))
    left.merge_state(right)
    assert left.compute().item() == pytest.approx(compare(labels, old, new).churn.value)
    part = compare(labels[:200], old[:200], new[:200]).churn.value
    assert copy.compute().item() == stored.compute().item() == pytest.approx(part)
    left.reset()
    assert left.cells.tolist() == [0] * 5


def test_counts_survive_inference_mode_and_a_state_dict() -> None:
    new, old, labels = samples()
    metric = flips.NegativeFlipRate()
    metric.persistent(True)
    with torch.inference_mode():
        metric.reset()
        metric.update(new, old, labels)
    metric.update(new, old, labels)
    again = flips.NegativeFlipRate()
    again.persistent(True)
    again.load_state_dict(metric.state_dict())
    assert again.cells.sum() == 1000


def test_flags_tell_monitors_which_way_is_better() -> None:
    better = {name: one().higher_is_better for name, one in flips.METRICS.items()}
    better["fractional_flips"] = flips.FractionalFlips().higher_is_better
    assert better == HIGHER_IS_BETTER
    assert not any(one().is_differentiable or one().full_state_update for one in flips.METRICS.values())


def test_values_can_be_drawn() -> None:
    metric = flips.NegativeFlipRate()
    values = [metric(*part) for part in batches(*samples())]
    figure, _ = metric.plot(values)
    assert figure is not None


def test_old_classes_go_through_the_class_map() -> None:
    # The old model knows 0 = pet, 1 = car; the new one 0 = car, 1 = cat, 2 = dog. Pets became cats.
    labels, new, old = torch.tensor([0, 1, 2, 1]), torch.tensor([0, 1, 2, 2]), torch.tensor([1, 0, 0, 0])
    metric = flips.Flips(class_map=[1, 0])
    metric.update(new, old, labels)
    report = compare(labels, old, new, class_map={0: 1, 1: 0})
    assert metric.cells.tolist() == list(report.counts.to_dict().values())
    gone = flips.AccuracyOld(class_map=[-1, 0])
    gone.update(new, old, labels)
    assert gone.compute().item() == 0.25


LABELS = torch.tensor([0, 1, 2])
BAD = {
    "different lengths": (torch.tensor([0, 1]), LABELS, LABELS, "differ in length: new has 2, old has 3, labels has 3"),
    "scores": (torch.tensor([0.1, 0.2, 0.3]), LABELS, LABELS, "new holds floating-point numbers"),
    "one column": (LABELS, torch.rand(3, 1), LABELS, r"old has shape \(3, 1\)"),
    "pictures": (LABELS, torch.rand(3, 3, 2), LABELS, r"old has shape \(3, 3, 2\)"),
    "float labels": (LABELS, LABELS, LABELS.float(), "labels has shape .* and type torch.float32"),
    "one-hot labels": (LABELS, LABELS, torch.eye(3, dtype=torch.int64), r"labels has shape \(3, 3\)"),
    "NaN": (torch.tensor([[0.1, math.nan], [0.1, 0.2], [0.0, 1.0]]), LABELS, LABELS, "new has 1 row with NaN"),
    "padding": (torch.rand(3, 3), LABELS, torch.tensor([0, -100, 2]), "labels has 1 value .* no column of new"),
    "more classes": (torch.rand(3, 4), torch.rand(3, 3), LABELS, r"pass class_map=\[new class of each old class\]"),
}


@pytest.mark.parametrize("case", BAD)
def test_mistakes_are_told_in_one_sentence(case: str) -> None:
    new, old, labels, sentence = BAD[case]
    with pytest.raises(InputError, match=sentence) as caught:
        flips.NegativeFlipRate().update(new, old, labels)
    assert "\n" not in str(caught.value)


def test_class_maps_that_fit_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="class_map must list"):
        flips.Churn(class_map=[0.5])
    with pytest.raises(InputError, match="class_map names 2 old classes, but 1 old answers"):
        flips.Churn(class_map=[0, 1]).update(LABELS, LABELS, LABELS)
    with pytest.raises(InputError, match="fractional flips need logits"):
        flips.FractionalFlips().update(LABELS, LABELS, LABELS)


def test_without_validation_values_are_not_looked_at() -> None:
    metric = flips.Churn(validate_args=False)
    metric.update(torch.tensor([[0.0, math.nan]]), torch.tensor([0]), torch.tensor([0]))
    assert metric.cells.sum() == 1


def shard(rank: int, folder: str) -> None:
    """Run in each of two processes: count an uneven part of the samples and compute over both."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    new, old, labels = samples()
    mine = slice(0, 130) if rank == 0 else slice(130, 500)
    together, fractional, mapped = flips.Flips(), flips.FractionalFlips(), flips.Churn(class_map=[1, 2, 3, 0])
    for part in batches(new[mine], old[mine], labels[mine]):
        together.update(*part)
        fractional.update(*part)
        mapped.update(*part)
    rates = {name: rate.item() for name, rate in together.compute().items()}
    rates["fractional_flips"] = fractional.compute().item()
    rates["mapped churn"] = mapped.compute().item()
    after = together.cells.sum().item()  # the other process's samples are not kept after compute
    torch.save((rates, after), f"{folder}/rank{rank}")
    distributed.destroy_process_group()


def test_two_processes_with_uneven_shards_give_the_numbers_of_one(tmp_path: Path) -> None:
    multiprocessing.spawn(shard, (str(tmp_path),), nprocs=2)
    new, old, labels = samples()
    expected = {name: rate.value for name, rate in compare(labels, old, new).rates.items()}
    shifted = compare(labels, old.argmax(1), new.argmax(1), class_map={one: (one + 1) % 4 for one in range(4)})
    expected["mapped churn"] = shifted.churn.value
    for rank, count in enumerate((130, 370)):
        rates, kept = torch.load(tmp_path / f"rank{rank}")
        assert rates == pytest.approx(expected, abs=1e-6)
        assert kept == count


def test_numpy_reference_counts_the_same() -> None:
    new, old, labels = (array.numpy() for array in samples())
    by_hand = np.zeros(5, dtype=int)
    for scores_new, scores_old, label in zip(new, old, labels, strict=True):
        n, o = scores_new.argmax(), scores_old.argmax()
        by_hand[0 if o == n == label else 1 if o == label else 2 if n == label else 3 if o == n else 4] += 1
    assert count_cells(flip_cells(*samples())).tolist() == by_hand.tolist()


def test_the_example_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_section("torchmetrics")
