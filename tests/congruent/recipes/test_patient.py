"""Training longer: the teacher worked by hand, what a run costs, and what is done where no weights can be inherited."""

import pytest
import torch

from segue.congruent.recipes import Workshop, train
from segue.congruent.recipes.methods.ensembles import member_runs
from segue.congruent.recipes.methods.patient import (
    patient_distillation,
    patient_distillation_key,
    patient_fine_tuning,
    teacher,
)
from segue.congruent.recipes.runs import Run
from tests.congruent.recipes import digits


class Told:
    """A workshop of which only the answers on one training sample are known."""

    def __init__(self, old, new, class_map=None):
        self.old_train = torch.tensor([old]).log()
        self.answers = [torch.tensor([one]).log() for one in new]
        self.update = type("", (), {"class_map": class_map})

    def logits(self, run, part):
        assert part == "train"
        return self.answers[int(run.key)]

    @property
    def members(self):
        return tuple(Run(str(number), 0.0, 1.0) for number in range(len(self.answers)))


def test_the_teacher_is_the_mean_of_probabilities():
    told = Told([0.2, 0.8], [[0.6, 0.4], [1.0, 0.0]])
    # the ensemble says 0.8 and 0.2; a quarter of the old model's 0.2 and 0.8
    assert teacher(told, told.members, 0.25).exp().tolist()[0] == pytest.approx([0.65, 0.35])


def test_the_old_model_has_no_say_in_classes_that_it_does_not_know():
    told = Told([0.25, 0.75], [[0.6, 0.2, 0.2]], class_map=(2, 0))
    # new class 1 keeps its 0.2; the other 0.8 are shared out as 0.75 and 0.25 by the old model, 0.6 and 0.2 by the new
    found = teacher(told, told.members, 0.5).exp().tolist()[0]
    assert found == pytest.approx([0.5 * 0.6 + 0.5 * 0.8 * 0.75, 0.2, 0.5 * 0.2 + 0.5 * 0.8 * 0.25])


def test_a_class_that_is_gone_takes_no_probability_with_it():
    told = Told([0.5, 0.25, 0.25], [[0.5, 0.5]], class_map=(-1, 0, 1))
    assert teacher(told, told.members, 0.5).exp().sum().item() == pytest.approx(1.0)
    assert teacher(told, told.members, 1.0).exp().tolist()[0] == pytest.approx([0.5, 0.5])


def test_a_teacher_without_the_old_model_is_the_ensemble(update):
    shop = Workshop(update, progress=False)
    runs = member_runs(shop, 2)
    mean = torch.stack([shop.logits(run, "train").softmax(dim=1) for run in runs]).mean(dim=0)
    assert torch.allclose(teacher(shop, runs, 0.0).exp(), mean, atol=1e-6)


def test_patience_is_paid_for(update):
    shop = Workshop(update, progress=False)
    *_, last = patient_fine_tuning(shop, patience=2)
    assert shop.trainings == last.trainings == 2.0
    *_, last = patient_distillation(shop, members=2, patience=3)
    assert last.trainings == 5.0
    assert shop.trainings == 7.0
    assert patient_distillation_key(2, 3) in last.runs


def test_more_patience_means_more_epochs(update, tmp_path):
    import json

    shop = Workshop(update, tmp_path, progress=False)
    next(patient_fine_tuning(shop, patience=2))
    (history,) = tmp_path.glob("runs/*/history.json")
    assert len(json.loads(history.read_text())["epochs"]) == 2 * update.epochs


def test_distillation_needs_neither_weights_nor_the_old_model_itself():
    (one,) = patient_distillation(Workshop(digits.stored(), progress=False), members=2, patience=1)
    assert "alpha" not in one.settings


def test_a_budget_leaves_out_what_takes_patience(update):
    outcome = train(update, trainings=5, progress=False)
    notes = {tried.name: tried.note for tried in outcome.tried}
    assert notes["patient fine-tuning, and interpolation"].startswith("left out: it takes 6 more plain trainings")
    assert "it takes 9 more" in notes["patient distillation of both the old model and new ones"]
