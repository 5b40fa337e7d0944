"""What is read from a folder: whole, or one sentence that says what to do."""

import json
import re
import shutil

import pytest
import torch

from segue.compatible.orthonormal_basis import OrthonormalBasis
from segue.compatible.recipes import load, train
from segue.compatible.recipes.files import save_weights, whole
from segue.compatible.recipes.loading import WithBasis, basis_of
from segue.errors import InputError
from tests.compatible.recipes.cases import new_network, update

WEIGHTS, RUN = "runs/contrastive-1/model.safetensors", "runs/contrastive-1/run.json"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train(update(epochs=1), "contrastive", folder=folder, progress=False).save(folder)
    return folder


@pytest.fixture
def folder(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def rewritten(text):
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    ("file", "damage", "sentence"),
    [
        (WEIGHTS, halved, "'.*model.safetensors' is damaged (.*); remove"),
        (WEIGHTS, lambda path: path.unlink(), "'.*contrastive-1' holds no model.safetensors; remove"),
        (WEIGHTS, lambda path: save_weights(path, torch.nn.Linear(2, 2)), "'.*' holds the weights of another network"),
        (RUN, halved, "'.*run.json' is damaged (.*); remove"),
        (RUN, rewritten("[]"), "'.*run.json' is damaged (it holds a list); remove"),
    ],
)
def test_a_damaged_run_names_the_folder_to_remove_and_is_trained_again_without(folder, trained, file, damage, sentence):
    damage(folder / file)
    with pytest.raises(InputError) as error:
        train(update(epochs=1), "contrastive", folder=folder, progress=False)
    assert re.match(re.escape(sentence).replace(r"\.\*", ".*"), str(error.value))
    assert str(error.value).endswith(f"remove the folder {str((folder / file).parent)!r}, and it is trained again")
    shutil.rmtree((folder / file).parent)
    again = train(update(epochs=1), "contrastive", folder=folder, progress=False)
    assert again.to_dict()["candidates"] == json.loads((trained / "outcome.json").read_text())["candidates"]


def test_a_run_that_lacks_a_value(folder):
    told = json.loads((folder / RUN).read_text())
    del told["seconds"]
    (folder / RUN).write_text(json.dumps(told))
    with pytest.raises(InputError, match=r"run.json' is damaged \(KeyError\('seconds'\)\); remove the folder"):
        train(update(epochs=1), "contrastive", folder=folder, progress=False)


def test_a_folder_that_holds_no_outcome_or_a_damaged_one(folder, tmp_path):
    with pytest.raises(InputError) as error:
        load(tmp_path / "none", new_network)
    told = "holds no outcome.json; name a folder that segue train or Outcome.save() has written"
    assert str(error.value) == f"{str(tmp_path / 'none')!r} {told}"
    with pytest.raises(InputError, match=r"the weights of another network than build makes \(.*\); pass the build"):
        load(folder, lambda: new_network(5))
    with pytest.raises(InputError, match=r"build returned a NoneType; let it return a torch\.nn\.Module"):
        load(folder, lambda: None)
    told = json.loads((folder / "outcome.json").read_text())
    (folder / "outcome.json").write_text(json.dumps({**told, "basis": {"width": 1}}))
    with pytest.raises(InputError, match=r"outcome.json' is damaged \(.*\); save the outcome again"):
        load(folder, new_network)


def test_a_network_of_the_users_own_that_ends_in_a_basis_is_as_build_makes_it():
    basis = OrthonormalBasis(8, 8, 4, extra=2)
    assert basis_of(torch.nn.Sequential(new_network(), basis)) is None
    assert basis_of(WithBasis(new_network(), basis)) == {
        "width": 8, "new_dimension": 8, "old_dimension": 4, "extra": 2, "scale": 2.0
    }  # fmt: skip


def test_what_fails_while_it_is_written_leaves_the_former_file(tmp_path):
    file = tmp_path / "outcome.json"
    file.write_text("whole")

    def interrupted():
        with whole(file) as beside:
            beside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("outcome.json", "whole")]
