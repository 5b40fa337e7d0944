"""train() and measure(): budgets, folders that are taken up again, test samples that nothing is chosen on."""

import json
import multiprocessing
import signal

import pytest
import torch
from safetensors.torch import load_model
from torch.utils.data import Dataset

from segue.congruent.recipes import FewestFlips, MostAccurate, measure, train
from segue.errors import InputError
from segue.flips import compare
from segue.training import outputs_of
from tests.congruent.recipes import digits

NAMES = ["interpolation", "focal-logit-matching"]


def without_seconds(outcome):
    found = outcome.to_dict()
    return {**found, "tried": [{**step, "seconds": 0} for step in found["tried"]]}


def taken(folder, key, seconds):
    """Write down that a run took so long."""
    file = folder / "runs" / key / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "seconds": seconds}))


def test_a_budget_of_trainings_is_kept_and_what_was_left_out_is_said(update, tmp_path):
    outcome = train(update, trainings=2, folder=tmp_path, progress=False)
    assert outcome.trainings == 2
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["fine-tuning-0", "independent-0"]
    left_out = [step for step in outcome.tried if step.note]
    assert len(left_out) >= 3
    for step in left_out:
        assert step.note.startswith("left out: it takes ")
        assert step.note.endswith("the budget has 0 left")
        assert f"{step.name}: {step.note}" in outcome.explain()


def test_a_budget_of_time_is_kept_and_what_was_left_out_is_said(update, tmp_path):
    train(update, "independent", folder=tmp_path, progress=False)
    taken(tmp_path, "independent-0", 10.0)
    outcome = train(update, seconds=15, folder=tmp_path, progress=False)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["independent-0"]
    notes = {step.note for step in outcome.tried if step.note}
    assert "left out: it would take about 10 s, 5 s were left" in notes
    # What takes no training is tried all the same.
    assert {"averaging", "switching"} <= {one.method for one in outcome.candidates}
    later = train(update, seconds=25, folder=tmp_path, progress=False)
    assert (tmp_path / "runs" / "fine-tuning-0").exists()
    assert sum(step.seconds for step in later.tried) <= 25


def test_the_plain_training_is_done_whatever_the_budget(update):
    outcome = train(update, seconds=1e-6, progress=False)
    assert outcome.trainings == 1
    assert outcome.plain in outcome.candidates
    assert all(step.note for step in outcome.tried if "interpolation" in step.name)
    assert {"averaging", "switching"} <= {one.method for one in outcome.candidates}  # they take no training


def test_steps_are_told_as_they_end(update, tmp_path):
    told = []
    outcome = train(update, ["averaging"], folder=tmp_path, progress=False, after_step=told.append)
    assert tuple(told) == outcome.tried
    assert str(told[0]).startswith(
        "training without a constraint (1 plain training): best so far independent, accuracy "
    )
    assert "no training" in str(told[1])


def killed(folder, number):
    """Train in a process of its own until it is killed, at a file operation of the folder."""
    process = multiprocessing.get_context("fork").Process(
        target=digits.killed_at_file_operation, args=(str(folder), number)
    )
    process.start()
    process.join(300)
    assert process.exitcode == -signal.SIGKILL
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("runs/*/run.json")}


@pytest.mark.parametrize(("number", "finished"), [(25, 0), (80, 1)])
def test_a_killed_run_goes_on_and_ends_as_one_left_alone(everything, update, tmp_path, number, finished):
    over = killed(tmp_path, number)
    assert finished <= len(over) < 5  # else the numbers should be others
    assert finished or not over
    models = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/model.safetensors")}
    outcome = train(update, NAMES, folder=tmp_path, progress=False)
    for key, when in over.items():
        assert (tmp_path / "runs" / key / "run.json").stat().st_mtime_ns == when
    for path, when in models.items():
        assert path.parent.name not in over or path.stat().st_mtime_ns == when
    # The others come from the folder of all methods, which nothing disturbed.
    undisturbed = train(update, NAMES, folder=everything[0], progress=False)
    assert without_seconds(outcome) == without_seconds(undisturbed)
    for one, other in zip(outcome.candidates, undisturbed.candidates, strict=True):
        said = torch.zeros(400, 10)
        assert torch.equal(*(c.predictor.logits(digits.VALIDATION, said) for c in (one, other)))


def test_finished_runs_are_not_repeated(update, tmp_path):
    first = train(update, NAMES, folder=tmp_path, progress=False)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    again = train(update, NAMES, folder=tmp_path, progress=False)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
    assert again.to_dict() == first.to_dict()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"epochs": 2}, "epochs"),
        ({"batch_size": 50}, "batch_size"),
        ({"seed": 1}, "seed"),
        ({"build": lambda: digits.build(width=20)}, "new"),
        ({"optimizer": lambda parameters: torch.optim.SGD(parameters, lr=0.2)}, "optimizer"),
        ({"fine_tuning": lambda parameters: torch.optim.SGD(parameters, lr=0.2)}, "fine_tuning"),
        ({"train": (digits.INPUTS[1:501], digits.LABELS[:500])}, "train"),
        ({"validation": (digits.INPUTS[900:1300], digits.LABELS[900:1300])}, "validation"),
        ({"train": (digits.INPUTS[:500], digits.LABELS[:500].flip(0))}, "labels"),
        ({"old": digits.build()}, "old"),
    ],
)
def test_a_folder_of_another_update_is_refused(everything, update, changes, named):
    folder, _ = everything
    with pytest.raises(InputError) as error:
        train(digits.replace(update, **changes), "independent", folder=folder, progress=False)
    assert str(error.value) == (
        f"{str(folder)!r} holds the runs of another update: its {named} differs; name another folder"
    )


def test_stored_logits_belong_to_the_update(tmp_path):
    said = digits.stored()
    train(said, "averaging", folder=tmp_path, progress=False)
    other = digits.replace(said, old=type(said.old)(said.old.train, said.old.validation + 1.0))
    with pytest.raises(InputError, match="its stored logits differs"):
        train(other, "averaging", folder=tmp_path, progress=False)


class Sealed(Dataset):
    """Test samples that may not be touched before they are unsealed."""

    sealed = True

    def __len__(self):
        assert not self.sealed, "test samples were looked at before the pick"
        return len(digits.TEST[1])

    def __getitem__(self, index):
        assert not self.sealed, "test samples were looked at before the pick"
        return digits.TEST[0][index], int(digits.TEST[1][index])


def test_measure_is_after_the_pick_and_changes_nothing_about_it(everything, update):
    _, outcome = everything
    test = Sealed()
    with pytest.raises(AssertionError, match="before the pick"):  # the seal works
        measure(outcome, update, test)
    test.sealed = False
    measured = measure(outcome, update, test)
    assert outcome.test is None
    assert measured.pick is outcome.pick
    assert measured.candidates == outcome.candidates
    labels = digits.TEST[1]
    old, new = (outputs_of(model, digits.TEST).argmax(dim=1) for model in (update.old, outcome.model()))
    by_hand = compare(labels.numpy(), old.numpy(), new.numpy(), names=("old", "new"))
    assert measured.test.to_dict() == by_hand.to_dict()
    assert measured.plain_test.accuracy_new.value != measured.test.accuracy_new.value
    told = measured.explain().splitlines()[-1]
    assert told.startswith("On 897 test samples: accuracy ")
    assert f"negative flips {by_hand.negative_flip_rate.percent()};" in told
    gained = 100 * (measured.test.accuracy_new.value - measured.plain_test.accuracy_new.value)
    assert (f"loses {-gained:.2f} points" if gained < 0 else f"loses nothing ({gained:+.2f} points)") in told


@pytest.mark.parametrize(("part", "told"), [("train", "training"), ("validation", "validation")])
def test_samples_that_were_trained_or_chosen_on_are_no_test_samples(everything, update, part, told):
    _, outcome = everything
    inputs, labels = getattr(update, part)
    with pytest.raises(InputError) as error:
        measure(outcome, update, (inputs.clone(), labels.clone()))
    assert str(error.value) == (
        f"test holds the {told} samples; pass samples on which nothing was trained or chosen, or leave test out"
    )


def test_measure_takes_ids_and_slices(everything, update):
    _, outcome = everything
    slices = {"first": ["yes"] * 100 + ["no"] * 797}
    report = measure(outcome, update, digits.TEST, ids=[f"s{n}" for n in range(897)], slices=slices).test
    assert {(part.column, part.value) for part in report.slices} == {("first", "yes"), ("first", "no")}


def test_measure_needs_the_old_logits_where_there_is_no_old_model(update):
    said = digits.stored()
    outcome = train(said, "averaging", progress=False, rule=FewestFlips(0.99, passes=2))
    assert outcome.pick.passes == 2
    with pytest.raises(InputError) as error:
        measure(outcome, said, digits.TEST)
    assert str(error.value) == (
        "the old model is known by stored logits alone; pass its logits on the test samples as old"
    )
    measured = measure(outcome, said, digits.TEST, outputs_of(update.old, digits.TEST))
    assert measured.test.samples == 897


def test_the_saved_model_is_the_picked_one(everything, tmp_path):
    folder, outcome = everything
    outcome.save(tmp_path)
    loaded = digits.build()
    load_model(loaded, tmp_path / "model.safetensors")
    said = torch.zeros(897, 10)
    assert torch.equal(outputs_of(loaded.eval(), digits.TEST), outcome.pick.predictor.logits(digits.TEST, said))
    stored = json.loads((tmp_path / "outcome.json").read_text())
    assert stored["pick"] == outcome.pick.to_dict()
    assert stored["pick"] in stored["candidates"]
    assert stored["pick"] in stored["front"]
    assert (tmp_path / "explanation.md").read_text() == outcome.explain() + "\n"
    assert outcome.pick.runs[0] in {path.name for path in (folder / "runs").iterdir()}


def test_a_pick_of_several_models_has_no_model_and_leaves_none_of_before(everything, update, tmp_path):
    folder, single = everything
    single.save(tmp_path)
    pair = train(update, "switching", rule=FewestFlips(0.99, passes=2), folder=folder, progress=False)
    assert pair.pick.passes == 2
    with pytest.raises(InputError, match="is 2 models; pick with passes=1 for a single one"):
        pair.model()
    pair.save(tmp_path)
    assert not (tmp_path / "model.safetensors").exists()


def test_the_front_has_only_what_the_rule_allows(everything, update):
    folder, outcome = everything
    assert all(one.passes == 1 for one in outcome.front)
    wide = train(update, "ensemble", rule=MostAccurate(0.99, passes=4), folder=folder, progress=False)
    assert wide.pick in wide.front
    assert wide.to_dict()["passes"] == 4
    assert wide.to_dict()["max_negative_flip_rate"] == 0.99


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"method": "magic"}, "method 'magic' is unknown; pass 'auto' or one of independent, "),
        ({"method": []}, "method is empty; pass 'auto' or one of independent, "),
        ({"method": ["auto", "elodi"]}, "method 'auto' chooses by itself; pass it alone, or leave it out"),
        ({"seconds": 0}, "seconds is 0; pass a positive budget"),
        ({"trainings": float("nan")}, "trainings is nan; pass a positive budget"),
        ({"method": "elodi", "seconds": 9}, "seconds is a budget for method 'auto'; a named method runs"),
    ],
)  # fmt: skip
def test_mistakes(update, arguments, said):
    with pytest.raises(InputError) as error:
        train(update, **arguments, progress=False)
    assert str(error.value).startswith(said)


def test_training_on_the_validation_samples_is_refused(update):
    with pytest.raises(InputError, match="train and validation are the same data; hold some samples out"):
        train(digits.replace(update, validation=update.train), progress=False)


def test_two_processes_in_one_folder_share_the_trainings(everything, update, tmp_path):
    whole, _ = everything
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=digits.killed_at_file_operation, args=(str(tmp_path), 10**9)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    runs = sorted(path.parent.name for path in tmp_path.glob("runs/*/run.json"))
    assert {"independent-0", "fine-tuning-0"} <= set(runs)
    for name in runs:
        ours, theirs = (folder / "runs" / name / "model.safetensors" for folder in (tmp_path, whole))
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_method_that_can_not_be_used_is_refused_before_anything_is_trained(tmp_path):
    narrower = digits.update(old=digits.old_model(width=24))
    with pytest.raises(InputError, match=r"method 'interpolation' can't be used: .* only to more"):
        train(narrower, "interpolation", folder=tmp_path, progress=False)
    assert not (tmp_path / "runs").exists()


def test_test_samples_that_no_model_can_answer_are_named(update):
    inputs, labels = digits.TEST[0].clone(), digits.TEST[1]
    inputs[5, 3] = torch.nan
    outcome = train(update, "averaging", progress=False)
    with pytest.raises(InputError, match="outputs for test sample 5 are not finite, 1 in all"):
        measure(outcome, update, (inputs, labels))


def test_a_class_map_that_leads_elsewhere_is_suspected():
    moved = digits.update(old=digits.old_model(8), class_map=[1, 2, 3, 4, 5, 6, 7, 0])
    told = train(moved, "averaging", progress=False).explain()
    assert "WARNING: the old model is right on " in told
    assert "check class_map" in told
    assert "WARNING" not in train(digits.grown(), "averaging", progress=False).explain()
