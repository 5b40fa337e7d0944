import json

import numpy as np
import pytest
import torch
from lightning.fabric import Fabric
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset

from segue.compatible.heads import FrozenHead
from segue.compatible.recipes import METHODS, StoredEmbeddings, Workshop, load, train
from segue.errors import DivergedError, InputError
from tests.compatible.recipes.cases import TRAIN, VALIDATION, new_network, old_network, stored, update


def first_hits(queries, gallery, labels):
    """Share of the queries whose nearest other gallery vector is of their class, by plain matrices."""
    scores = functional.normalize(queries) @ functional.normalize(gallery).T
    scores.fill_diagonal_(-2)
    return (labels[scores.argmax(1)] == labels).double().mean().item()


@pytest.fixture(scope="module")
def outcome():
    return train(update(epochs=10), ["old-neighbours", "influence"], progress=False)


def test_the_numbers_are_those_of_the_networks(outcome):
    labels = VALIDATION[1]
    with torch.no_grad():
        old, new = old_network()(VALIDATION[0]), outcome.model(VALIDATION[0])
        best = outcome.paragon.network(VALIDATION[0])
    cells = outcome.cross_test.cells
    assert cells["old_old"].value == pytest.approx(first_hits(old, old, labels))
    assert cells["new_old"].value == pytest.approx(first_hits(new[:, : old.shape[1]], old, labels))
    assert cells["new_new"].value == pytest.approx(first_hits(new, new, labels))
    assert cells["paragon"].value == pytest.approx(first_hits(best, best, labels))
    assert outcome.pick.new_old == pytest.approx(cells["new_old"].value)


def test_a_compatible_network_finds_what_an_independent_one_does_not(outcome):
    assert outcome.paragon.new_old < outcome.old_old < outcome.pick.new_old
    assert outcome.pick.method == "old-neighbours"
    assert outcome.rule.met(outcome.pick, outcome.paragon)
    assert str(outcome.cross_test.compatible) == "yes"


def test_it_says_what_was_tried_and_picked(outcome):
    told = outcome.explain()
    assert "Picked: old-neighbours (places" in told
    assert "Compatible: yes" in told
    assert [tried.method for tried in outcome.tried] == ["independent", "old-neighbours", "influence"]
    assert outcome.trainings == 7
    assert json.loads(json.dumps(outcome.to_dict()))["pick"]["method"] == "old-neighbours"


def test_what_is_saved_is_the_picked_network(outcome, tmp_path):
    from safetensors.torch import load_model

    outcome.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["explanation.md", "model.safetensors", "outcome.json"]
    assert json.loads((tmp_path / "outcome.json").read_text())["basis"] is None
    again = new_network()
    load_model(again, str(tmp_path / "model.safetensors"))
    with torch.no_grad():
        assert torch.equal(again.eval()(VALIDATION[0]), outcome.model(VALIDATION[0]))
    assert (tmp_path / "explanation.md").read_text() == outcome.explain() + "\n"


@pytest.mark.parametrize("method", [name for name in METHODS if name != "independent"])
def test_every_method_trains_a_network_from_stored_vectors_that_some_samples_lack(method, tmp_path):
    known = torch.arange(len(TRAIN[1])) % 3 > 0
    left = stored(known)
    left.train[~known] = float("nan")  # never read
    found = train(update(old=left, epochs=1), method, progress=False)
    candidates = [one for one in found.candidates if one.method == method]
    assert len(candidates) >= 2
    for one in candidates:
        with torch.no_grad():
            assert one.network(VALIDATION[0]).isfinite().all()
        assert not one.network.training
    # and what was picked can be read again from its folder
    assert found.pick.method == method
    again = load(found.save(tmp_path / "saved"), new_network)
    assert not again.training
    with torch.no_grad():
        assert torch.equal(again(VALIDATION[0]), found.model(VALIDATION[0]))


def test_the_same_update_gives_the_same_network_and_leaves_the_worlds_chance_alone():
    asked = update(epochs=1)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = train(asked, "old-neighbours", progress=False)
    assert torch.equal(torch.rand(1), expected)
    second = train(update(epochs=1), "old-neighbours", progress=False)
    assert first.to_dict()["candidates"] == second.to_dict()["candidates"]


def test_what_is_in_the_folder_is_not_trained_again(tmp_path):
    first = train(update(epochs=1), "basis-transformation", folder=tmp_path, progress=False)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("model.safetensors")}
    assert len(kept) == 4
    second = train(update(epochs=1), "basis-transformation", folder=tmp_path, progress=False)
    assert first.to_dict() == second.to_dict()
    assert kept == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("model.safetensors")}


def test_the_folder_of_another_update_is_refused(tmp_path):
    train(update(epochs=1), "influence", folder=tmp_path, progress=False)
    with pytest.raises(InputError, match=r"was trained for another update, with other settings, or by another version"):
        train(update(epochs=2), "influence", folder=tmp_path, progress=False)


def scheduled(factor):
    return lambda optimizer, steps: torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor)


class Pairs(Dataset):
    """The training samples as a dataset, all inputs times a factor."""

    def __init__(self, factor):
        self.factor = factor

    def __len__(self):
        return len(TRAIN[1])

    def __getitem__(self, place):
        return TRAIN[0][place] * self.factor, int(TRAIN[1][place])


def fabric(precision):
    made = Fabric(accelerator="cpu", devices=1, precision=precision)
    made.launch()
    return made


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"schedule": scheduled(1.0)}, {"schedule": scheduled(0.0)}),
        ({"train": Pairs(1.0)}, {"train": Pairs(0.0)}),
        ({"fabric": "32-true"}, {"fabric": "bf16-mixed"}),
    ],
    ids=["schedule", "dataset", "precision"],
)
def test_so_is_that_of_one_that_differs_in_a_function_or_in_what_a_dataset_gives(tmp_path, before, after):
    def trained(changes):
        on = changes.get("fabric")
        rest = {name: value for name, value in changes.items() if name != "fabric"}
        asked = update(epochs=1, old=stored(), **rest)
        return train(
            asked, "independent", folder=tmp_path, progress=False, fabric=None if on is None else fabric(on)
        ).to_dict()

    assert trained(before) == trained(before)
    with pytest.raises(InputError, match=r"was trained for another update, with other settings"):
        trained(after)


def test_an_old_head_that_lacks_classes_gets_rows_for_them():
    head = FrozenHead(torch.randn(3, 4, generator=torch.Generator().manual_seed(0)), class_map=[0, 1, 2])
    shop = Workshop(update(old_head=head), progress=False)
    assert shop.old.head.rows.class_of_row.tolist() == [0, 1, 2, 3, 4, 5]
    assert torch.equal(shop.old.head.weights[:3], head.weights)


def test_shorter_and_longer_embeddings_search_the_old_gallery():
    for dimension in (3, 4, 9):
        found = train(
            update(build=lambda dimension=dimension: new_network(dimension), epochs=1), "contrastive", progress=False
        )
        with torch.no_grad():
            new, old = found.model(VALIDATION[0]), old_network()(VALIDATION[0])
        assert new.shape[1] == dimension
        width = old.shape[1]
        towards_old = functional.pad(new, (0, max(0, width - dimension)))[:, :width]
        assert found.pick.new_old == pytest.approx(first_hits(towards_old, old, VALIDATION[1]))
        assert found.pick.new_old > found.paragon.new_old


def test_a_head_on_the_outputs_of_a_black_box():
    bought = torch.randn(len(TRAIN[1]), 5, generator=torch.Generator().manual_seed(9)) + TRAIN[0][:, :5]
    held = VALIDATION[0][:, :5]
    asked = update(
        build=lambda: nn.Linear(5, 4),
        old=stored(),
        train=(bought, TRAIN[1]),
        validation=(held, VALIDATION[1]),
        epochs=2,
    )
    assert train(asked, "old-neighbours", measure="map", progress=False).measure == "map"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"old": None}, "old is a NoneType; pass the old network, or its StoredEmbeddings"),
        ({"build": new_network()}, "build must be a function that makes a new one each time, not this Sequential"),
        ({"epochs": 0}, "epochs is 0; pass a whole number of at least 1"),
        ({"validation": TRAIN}, "train and validation are the same data; hold some samples out"),
        (
            {"validation": (VALIDATION[0][:6], VALIDATION[1][:6])},
            "validation has no two samples of one class, so that nothing can be found; hold more out",
        ),
        (
            {"old": StoredEmbeddings(torch.ones(3, 4), torch.ones(120, 4))},
            "old.train has 3 rows for 240 samples; pass one row per sample",
        ),
        (
            {"old": StoredEmbeddings(torch.ones(240, 4), torch.ones(120, 5))},
            "old.train has 4 dimensions and old.validation 5; pass embeddings of one model",
        ),
        (
            {"old": StoredEmbeddings(torch.ones(240, 4), torch.zeros(120, 4))},
            "old.validation has 120 rows that are zero or not finite, first at row 0; leave these samples out, or mark "
            "training samples without an old embedding in old.known",
        ),
        (
            {"old": StoredEmbeddings(torch.ones(240, 4), torch.ones(120, 4), torch.zeros(240, dtype=torch.bool))},
            "old.known says that no training sample has an old embedding; pass some that have",
        ),
        (
            {"old": StoredEmbeddings(torch.ones(240, 4), torch.ones(120, 4), torch.ones(240))},
            "old.known must hold one boolean per training sample; pass a tensor of shape (240,)",
        ),
        (
            {"old_head": FrozenHead(torch.ones(6, 3))},
            "old_head is for 3 dimensions and the old embeddings have 4; pass the head of the model that made them",
        ),
        ({"old_head": nn.Linear(4, 6)}, "old_head is a Linear; pass FrozenHead.of(head), or FrozenHead(weights, bias)"),
        (
            {"build": lambda: nn.Sequential(nn.Linear(12, 6), nn.Unflatten(1, (2, 3)))},
            "the network that build makes returned the shape (2, 2, 3); it should return embeddings (n, d_new)",
        ),
        ({"build": lambda: None}, "build returned a NoneType; let it return a torch.nn.Module"),
        ({"optimizer": lambda _: None}, "optimizer returned a NoneType; let it return a torch.optim.Optimizer"),
        (
            {"schedule": lambda _, steps: None},
            "schedule returned a NoneType; let it return a schedule of torch.optim.lr_scheduler, or leave it out",
        ),
        (
            {"train": (TRAIN[0], TRAIN[1].where(TRAIN[1] > 0, 3_000_000_000))},
            "train has the label 3,000,000,000, and a head has a row for each class up to the largest; number the "
            "classes 0, 1, ...",
        ),
        (
            {"old": nn.Sequential(nn.Linear(12, 6), nn.Unflatten(1, (2, 3)))},
            "the old network's embeddings of validation have the shape (120, 2, 3); pass (n, dimension)",
        ),
    ],
)
def test_mistakes_in_the_update(changes, sentence):
    with pytest.raises(InputError) as error:
        train(update(**{"epochs": 1, **changes}), "influence", progress=False)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize("precision", [torch.float64, torch.bfloat16, torch.float16])
def test_a_network_of_another_precision_than_heads_have(precision):
    samples = [(part[0].to(precision), part[1]) for part in (TRAIN, VALIDATION)]
    asked = update(build=lambda: new_network().to(precision), old=stored(), train=samples[0], validation=samples[1])
    name = str(precision).removeprefix("torch.")
    with pytest.raises(InputError) as error:
        train(asked, progress=False)
    assert str(error.value) == (
        f"the network that build makes returned {name}, and heads are float32; convert it and its inputs to float32, "
        "and pass fabric=Fabric(precision=...) to train in another precision"
    )


@pytest.mark.parametrize(
    ("method", "options", "sentence"),
    [
        ("magic", {}, "method 'magic' is unknown; pass 'auto' or one of independent, influence"),
        ([], {}, "method is empty; pass 'auto' or one of"),
        (["auto", "influence"], {}, "method 'auto' chooses by itself; pass it alone, or leave it out"),
        (None, {}, "method is a NoneType; pass 'auto', a name of METHODS or a list of such"),
        (["contrastive", "triplet", "contrastive"], {}, "method names 'contrastive' twice; name each once"),
        ("influence", {"measure": "accuracy"}, "measure is 'accuracy'; pass one of"),
        (
            "influence",
            {"measure": "cmc@119"},
            "measure 'cmc@119' looks at the 119 nearest, and a query searches 119 other samples, so that any model "
            "finds all; pass a smaller rank, or more samples",
        ),
        ("influence", {"rule": 0.01}, "rule is a float; pass BestOnOldGallery(margin=...)"),
    ],
)
def test_mistakes_in_the_call(method, options, sentence):
    with pytest.raises(InputError) as error:
        train(update(epochs=1), method, progress=False, **options)
    assert str(error.value).startswith(sentence)


def test_what_one_method_can_not_do_is_noted_where_others_were_asked_for():
    few = update(build=lambda: new_network(4), epochs=1)  # six classes have no simplex in four dimensions
    found = train(few, ["stationary", "influence"], progress=False)
    assert "a simplex in 4 dimensions has 5 corners, but there are 6 classes" in found.tried[1].note
    assert found.pick.method == "influence"
    with pytest.raises(InputError, match="a simplex in 4 dimensions"):
        train(few, "stationary", progress=False)


def diverging():
    """An old head whose answers are too large for numbers: whatever it judges diverges."""
    return update(epochs=1, old_head=FrozenHead(torch.full((6, 4), 3e38)))


def test_the_network_without_a_constraint_is_no_answer_to_a_method_that_diverged(tmp_path):
    with pytest.raises(DivergedError, match="the loss is not finite at step"):
        train(diverging(), "influence", folder=tmp_path, progress=False)
    with pytest.raises(DivergedError) as error:
        train(diverging(), ["influence", "influence-distillation"], folder=tmp_path, progress=False)
    assert str(error.value).startswith(
        "no method made a network that regards the old gallery: influence: the loss is not finite at step"
    )
    assert "; influence-distillation: the loss is not finite at step" in str(error.value)
    found = train(diverging(), ["influence", "contrastive"], folder=tmp_path, progress=False)
    assert found.pick.method == "contrastive"
    assert found.tried[1].note.startswith("the loss is not finite")
    alone = train(diverging(), "independent", folder=tmp_path, progress=False)
    assert alone.pick is alone.paragon


def test_the_cells_query_by_query_are_those_of_the_cross_test(outcome):
    for name in ("new_old", "new_new"):
        np.testing.assert_array_equal(outcome.cross_test.per_query[name], outcome.pick.per_query[name])
