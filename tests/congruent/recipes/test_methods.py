"""Every method runs and yields candidates whose numbers are those of what they answer."""

from functools import partial

import numpy as np
import pytest
import torch

from segue.congruent.recipes import METHODS, Workshop, train
from segue.congruent.recipes.methods.base import sweep
from segue.congruent.recipes.methods.constrained import logit_matching, trained_with
from segue.errors import InputError
from segue.training import outputs_of
from tests.congruent.recipes import digits

FOR_GROWN_CLASSES = {"margin-preserving"}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_yields_candidates_with_true_numbers(everything, update, method):
    _, outcome = everything
    made = [one for one in outcome.candidates if one.method == method]
    if method in FOR_GROWN_CLASSES:
        assert made == []
        return
    assert made
    labels, said = digits.VALIDATION[1].numpy(), outputs_of(update.old, digits.VALIDATION)
    old = said.argmax(dim=1).numpy() == labels
    for one in (made[0], made[-1]):
        logits = one.predictor.logits(digits.VALIDATION, said)
        assert logits.shape == (400, 10)
        assert torch.isfinite(logits).all()
        new = logits.argmax(dim=1).numpy() == labels
        assert one.accuracy == np.mean(new)
        assert one.negative_flip_rate == np.mean(old & ~new)
        assert one.positive_flip_rate == np.mean(~old & new)
        longer = one.settings.get("patience", 1) - 1  # of the last of its runs
        assert one.trainings == len(one.runs) + longer >= 1
    assert len({one.label for one in made}) == len(made)


def test_all_settings_are_told_apart(everything):
    _, outcome = everything
    labels = [one.label for one in outcome.candidates]
    assert len(set(labels)) == len(labels)


def test_single_models_and_those_that_run_together(everything):
    _, outcome = everything
    passes = {one.method: one.passes for one in outcome.candidates}
    assert {name for name, count in passes.items() if count > 1} == {"ensemble", "averaging", "switching"}
    assert passes["ensemble"] == 4
    assert passes["averaging"] == 2


def test_interpolation_begins_at_the_new_model_and_ends_before_the_old_one(everything):
    _, outcome = everything
    path = [one for one in outcome.candidates if one.method == "interpolation"]
    (tuned,) = [one for one in outcome.candidates if one.method == "fine-tuning"]
    assert path[0].settings["alpha"] == 0.0
    assert path[0].counts == tuned.counts
    assert path[-1].settings["alpha"] == 0.9  # the old model itself is no successor
    assert path[-1].negative_flip_rate <= path[0].negative_flip_rate


def test_a_wider_architecture_begins_at_the_old_model_and_ends_before_it():
    wider = digits.update(old=digits.old_model(width=8), build=digits.build)
    outcome = train(wider, ["interpolation", "congruent-soup"], progress=False)
    assert [step.note for step in outcome.tried] == [""] * len(outcome.tried)
    path = [one for one in outcome.candidates if one.method == "interpolation"]
    assert path[-1].negative_flip_rate < path[0].negative_flip_rate
    assert path[-1].settings["alpha"] == 0.9


def test_a_wider_architecture_may_know_more_classes():
    wider = digits.update(old=digits.old_model(classes=8, width=8), class_map=range(8))
    outcome = train(wider, ["interpolation", "fisher-interpolation"], progress=False)
    path = [one for one in outcome.candidates if one.method == "interpolation"]
    assert path[-1].counts.negative_flips < path[0].counts.negative_flips


def test_a_narrower_architecture_leaves_out_what_needs_the_old_weights():
    different = digits.update(old=digits.old_model(width=24))
    names = [name for name, method in METHODS.items() if method.needs_weights]
    assert {"fine-tuning", "interpolation", "congruent-fine-tuning"} <= set(names)
    outcome = train(different, [*names, "averaging"], progress=False)
    for step in outcome.tried[1:-1]:
        assert step.note.startswith("left out: the new model can't begin from the old weights ('0.weight' is (24, 64)")
        assert step.candidates == 0
    assert "interpolation: left out: the new model can't begin from the old weights (" in outcome.explain()
    assert {one.method for one in outcome.candidates} == {"independent", "averaging"}


def test_distillation_of_an_ensemble_needs_no_old_weights():
    different = digits.update(old=digits.old_model(width=24), epochs=1)
    outcome = train(different, "congruent-distillation", progress=False)
    made = [one for one in outcome.candidates if one.method == "congruent-distillation"]
    assert len(made) == 3
    assert all("alpha" not in one.settings for one in made)


def test_a_class_set_that_grew():
    names = ["margin-preserving", "interpolation", "averaging", "switching", "distillation", "focal-logit-matching"]
    outcome = train(digits.grown(), names, progress=False)
    assert [step.note for step in outcome.tried] == [""] * len(outcome.tried)
    assert {one.method for one in outcome.candidates} == {"independent", *names}
    labels = digits.VALIDATION[1]
    said = outputs_of(digits.grown().old, digits.VALIDATION)
    right = int((said.argmax(dim=1) == labels).sum())
    assert said.shape[1] == 8
    assert {one.counts.right_old for one in outcome.candidates} == {right}
    # The old model can't be right on the digits 8 and 9, so nothing breaks there.
    assert right <= int((labels < 8).sum())
    assert all(one.predictor.logits(digits.VALIDATION, said).shape == (400, 10) for one in outcome.candidates[:3])


def test_without_a_class_map_what_needs_one_says_so(everything):
    _, outcome = everything
    (step,) = [one for one in outcome.tried if one.name == "margin-preserving"]
    assert step.note == "left out: it is for class sets that grew, and the update has no class_map"


def test_an_old_model_of_which_only_answers_are_left(everything):
    names = ["distillation", "averaging", "interpolation"]
    outcome = train(digits.stored(), names, progress=False)
    assert [bool(step.note) for step in outcome.tried] == [False, False, False, True]
    _, whole = everything
    counts = {one.label: one.counts for one in whole.candidates}
    for one in outcome.candidates:
        assert one.counts == counts[one.label]


def test_stored_logits_of_other_samples_are_refused():
    said = digits.stored().old
    swapped = digits.update(old=type(said)(said.validation, said.train))
    with pytest.raises(InputError) as error:
        train(swapped, "averaging", progress=False)
    assert str(error.value) == (
        "old.train has shape (400, 10) for 500 samples; pass logits (500, old classes)"
    )  # fmt: skip


def test_a_training_that_diverges_is_noted_and_the_others_go_on():
    wild = digits.update(fine_tuning=lambda parameters: torch.optim.SGD(parameters, lr=1e30))
    outcome = train(wild, ["fine-tuning", "averaging"], progress=False)
    plain, tuned, averaged = outcome.tried
    assert (plain.note, averaged.note) == ("", "")
    assert "fine-tuning-0" in tuned.note or "loss" in tuned.note
    assert tuned.candidates == 0
    assert averaged.candidates > 0
    assert tuned.note in outcome.explain()


def test_a_strength_that_diverges_is_noted_once_and_the_next_one_tried(update, tmp_path):
    def tried():
        shop = Workshop(update, tmp_path, progress=False)
        match = partial(trained_with, shop, "focal-logit-matching", "weight", objective=logit_matching)
        return shop, [one.settings["weight"] for one in sweep(shop, (1e38, 0.01), match)]

    first, made = tried()
    assert made == [0.01]
    assert len(first.diverged) == 1
    (failed,) = tmp_path.glob("runs/*/diverged.json")
    before = failed.stat().st_mtime_ns
    assert first.diverged[0].startswith("focal-logit-matching-1e+38: ")
    assert first.trainings == 2.0  # what diverged was paid for
    again, made = tried()
    assert made == [0.01]
    assert again.diverged[0] == (
        f"{first.diverged[0]} (so it was in an earlier call; remove {str(failed)!r} to try again)"
    )
    assert again.trainings == 2.0
    assert failed.stat().st_mtime_ns == before


def test_a_table_that_differs_leaves_out_what_needs_the_old_weights():
    class Shuffled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("order", torch.randperm(64))
            self.inner = digits.build()

        def forward(self, inputs):
            return self.inner(inputs[:, self.order])

    shuffled = digits.update(old=Shuffled(), build=Shuffled, epochs=1)
    assert "'order' is a table" in Workshop(shuffled, progress=False).obstacle


def test_fisher_information_of_a_wider_model_asks_for_known_classes_alone():
    wider = digits.update(old=digits.old_model(classes=8, width=8), class_map=range(8))
    shop = Workshop(wider, progress=False)
    found = shop.origin.fisher(shop.train_data, progress=False)
    assert set(found) == {name for name, _ in shop.origin.model.named_parameters()}
    assert (found["2.weight"][8:] == 0).all()
    assert (found["2.weight"][:8] > 0).any()
