"""ELODI: members that are trained once, and the student that takes their place."""

import copy

import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_digits
from torch import nn

from segue.congruent.ensemble import Elodi, ElodiObjective, LogitEnsemble, member_logits, members
from segue.errors import InputError
from segue.training import TensorData, Validation, outputs_of

DIGITS = load_digits()
DATA = torch.tensor(DIGITS.data[:400] / 16, dtype=torch.float32), torch.tensor(DIGITS.target[:400])


def build() -> nn.Module:
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 10))


def descent(parameters):
    return torch.optim.SGD(parameters, lr=0.2, momentum=0.9)


def trained(count: int = 2, data=DATA, **settings) -> torch.Tensor:
    plan = {"optimizer": descent, "epochs": 2, "batch_size": 50, "progress": False, **settings}
    return member_logits(settings.pop("build", build), data, members=count, **plan)


def test_members_differ_by_their_seed_alone():
    two, three = trained(2), trained(3)
    assert torch.equal(two, three[:2])
    assert not torch.equal(three[0], three[1])
    assert not torch.equal(trained(1, seed=1), two[:1])


def test_the_global_generator_is_left_where_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trained(1)
    assert torch.equal(torch.rand(3), expected)


def test_a_killed_run_does_not_train_finished_members_again(tmp_path, monkeypatch):
    plain = trained(3)
    calls = []

    def fit(model, *arguments, **settings):
        calls.append(settings["name"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(model, *arguments, **settings)

    real = members.fit
    monkeypatch.setattr(members, "fit", fit)
    with pytest.raises(KeyboardInterrupt):
        trained(3, folder=tmp_path)
    assert sorted(path.name.split("-")[1] for path in tmp_path.glob("member-*.safetensors")) == ["000", "001"]
    assert torch.equal(trained(3, folder=tmp_path), plain)
    assert calls == ["member 1 of 3", "member 2 of 3", "member 3 of 3", "member 3 of 3"]
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors"}


def test_a_member_that_was_killed_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    plain = trained(1, epochs=4)

    class Killed(Validation):
        measured = 0

        def measure(self, *arguments):
            self.measured += 1
            if self.measured == 3:
                raise SystemExit
            return super().measure(*arguments)

    with pytest.raises(SystemExit):
        trained(1, epochs=4, folder=tmp_path, validation=Killed(DATA))
    assert not list(tmp_path.glob("*.safetensors"))
    real, histories = members.fit, []
    monkeypatch.setattr(members, "fit", lambda *a, **k: histories.append(real(*a, **k)))
    assert torch.equal(trained(1, epochs=4, folder=tmp_path), plain)
    assert histories[0].resumed_at == 16
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors"}


ONE_MODEL = build()
OTHER_LABELS = (DATA[0], DATA[1].flip(0))


def shaken(inputs, chance):
    return inputs + 0.1 * torch.randn(inputs.shape, generator=chance)


@pytest.mark.parametrize(
    "changed",
    [
        {"epochs": 3},
        {"batch_size": 40},
        {"seed": 1},
        {"optimizer": lambda parameters: torch.optim.SGD(parameters, lr=0.1)},
        {"schedule": lambda optimizer, steps: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)},
        {"data": OTHER_LABELS},
        {"data": TensorData(*DATA, augment=shaken)},
    ],
    ids=["epochs", "batch_size", "seed", "optimizer", "schedule", "labels", "augmentation"],
)
def test_what_was_trained_otherwise_is_never_taken_for_this(tmp_path, changed):
    trained(1, folder=tmp_path)
    assert torch.equal(trained(1, folder=tmp_path, **changed), trained(1, **changed))
    assert len(list(tmp_path.iterdir())) == 2


def test_kept_files_that_do_not_fit_are_told(tmp_path):
    trained(1, folder=tmp_path)
    (kept,) = tmp_path.iterdir()
    assert torch.equal(load_file(kept)["logits"], trained(1)[0])
    save_file({"logits": torch.zeros(3, 10)}, kept)
    with pytest.raises(InputError) as caught:
        trained(1, folder=tmp_path)
    assert str(caught.value) == (
        f"{kept.name} holds logits of shape (3, 10) for 400 samples; pass another data_key when the data change"
    )
    kept.write_bytes(b"half a file")
    with pytest.raises(InputError, match=r"can't be read \(.*\); remove it to train this member again$"):
        trained(1, folder=tmp_path)


def test_a_file_that_can_not_be_written_leaves_no_half(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError("no space left")

    monkeypatch.setattr(members, "save_file", full)
    with pytest.raises(OSError, match="no space left"):
        members._write(tmp_path / "member.safetensors", torch.zeros(2, 2))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"count": 0}, "members is 0; pass a whole number from 1"),
        ({"count": 2.0}, "members is 2.0; pass a whole number from 1"),
        ({"build": build()}, "build is a Sequential; pass a function that returns a new model"),
        ({"build": lambda: "model"}, "build returned a str; let it return a torch module"),
        (
            {"build": lambda: ONE_MODEL},
            "build returned the same model twice; let it make a new one each time",
        ),
    ],
)
def test_members_that_can_not_be_trained(settings, sentence):
    make, count = settings.get("build", build), settings.get("count", 2)
    with pytest.raises(InputError) as caught:
        member_logits(make, DATA, members=count, optimizer=descent, epochs=1, progress=False)
    assert str(caught.value) == sentence


def test_an_ensemble_must_be_homogeneous():
    sizes = iter([10, 12])
    with pytest.raises(InputError) as caught:
        member_logits(lambda: nn.Linear(64, next(sizes)), DATA, members=2, optimizer=descent, epochs=1, progress=False)
    assert str(caught.value) == (
        "member 2 gives logits of shape (400, 12) but the first one of (400, 10); build must make the same "
        "architecture each time"
    )


# a generation


def elodi(**settings) -> Elodi:
    return Elodi(build, descent, **{"epochs": 8, "members": 3, "batch_size": 50, **settings})


def difference(model: nn.Module, reference: torch.Tensor) -> float:
    return (outputs_of(model, DATA) - reference).square().sum(dim=1).mean().item()


def test_the_student_stands_closer_to_the_mean_than_any_member():
    recipe = elodi(epochs=15)
    logits = member_logits(build, DATA, members=3, optimizer=descent, epochs=15, batch_size=50, progress=False)
    made = recipe.generation(DATA, progress=False)
    assert torch.equal(made.reference, logits.mean(dim=0))
    members_apart = (logits - made.reference).square().sum(dim=2).mean(dim=1)
    assert difference(made.student, made.reference) < 0.7 * members_apart.min().item()
    assert not made.student.training
    assert len(made.history.epochs) == 15
    again = recipe.generation(DATA, progress=False)
    for one, other in zip(made.student.parameters(), again.student.parameters(), strict=True):
        assert torch.equal(one, other)


def test_an_ensemble_that_is_there_serves_as_reference():
    ensemble = LogitEnsemble([build() for _ in range(2)])
    before = copy.deepcopy(ensemble.state_dict())
    asked = elodi(epochs=1).distil(DATA, ensemble, progress=False)
    looked_up = elodi(epochs=1).distil(DATA, outputs_of(ensemble, DATA), progress=False)
    torch.testing.assert_close(asked.reference, looked_up.reference)
    for one, other in zip(asked.student.parameters(), looked_up.student.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    assert all(torch.equal(tensor, before[name]) for name, tensor in ensemble.state_dict().items())


def test_the_default_objective_is_worked_by_hand():
    # 0.2 log 2 + 0.8 (1 + 4) / 2
    value = elodi().loss(torch.zeros(1, 2), torch.tensor([[1.0, -2.0]]), torch.tensor([0]))
    assert value.item() == pytest.approx(0.2 * 0.693147 + 2.0, rel=1e-5)


def test_the_objective_is_its_slow_formula():
    draws = torch.Generator().manual_seed(0)
    new, mean = 2 * torch.randn(5, 4, generator=draws), 2 * torch.randn(5, 4, generator=draws)
    labels = torch.tensor([0, 3, 2, 1, 1])
    for top_k in (None, 2):
        found = ElodiObjective(weight=0.7, margin=0.3, power=3, top_k=top_k)(new, mean, labels)
        slow = 0.0
        for i in range(5):
            chosen = sorted(range(4), key=lambda k: -mean[i, k].item())[: top_k or 4]
            excess = sum(max(0.0, abs((new[i, k] - mean[i, k]).item()) - 0.3) ** 3 for k in chosen)
            slow += (0.3 * -new[i].log_softmax(dim=0)[labels[i]].item() + 0.7 * excess / 4) / 5
        assert found.item() == pytest.approx(slow, rel=1e-5)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_weights_out_of_range_are_refused(weight):
    with pytest.raises(InputError, match=r"^weight "):
        ElodiObjective(weight=weight)


def test_references_of_other_data_are_refused():
    with pytest.raises(InputError, match=r"reference has shape \(3, 10\) for 400 training samples"):
        elodi(epochs=1).distil(DATA, torch.zeros(3, 10), progress=False)
