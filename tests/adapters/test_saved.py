import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from segue.adapters import Adapter, Ensemble, KernelRidge, LowRankAffine, Procrustes, Ridge, Slerp
from segue.errors import InputError
from tests.adapters.kinds import CLOSED_FORMS, each
from tests.adapters.spaces import paired


@pytest.fixture
def saved(rng, tmp_path):
    folder = tmp_path / "new-to-old"
    Ridge(strength=0.3).fit(*paired(rng)).save_pretrained(folder)
    return folder


def refused(ask):
    with pytest.raises(InputError) as error:
        ask()
    return str(error.value)


@each
def test_what_was_read_maps_to_the_same_bits(adapter, rng, tmp_path):
    source, target = paired(rng)
    fitted = adapter.unfitted().fit(source, target)
    fitted.save_pretrained(tmp_path / "adapter")
    for read in (Adapter.from_pretrained, type(adapter).from_pretrained):
        again = read(tmp_path / "adapter")
        assert type(again) is type(adapter)
        assert again.describe() == fitted.describe()
        assert again.transform(source).tobytes() == fitted.transform(source).tobytes()


@each
def test_many_pairs_map_to_the_same_bits_too(adapter, rng, tmp_path):
    # large enough for a product to depend on the order in memory
    source, target = paired(rng, pairs=300, source=12)
    fitted = adapter.unfitted().fit(source, target)
    fitted.save_pretrained(tmp_path / "adapter")
    again = Adapter.from_pretrained(tmp_path / "adapter")
    assert again.transform(source).tobytes() == fitted.transform(source).tobytes()


@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(CLOSED_FORMS), unit=st.booleans())
def test_any_pairs_survive_the_disk(seed, kind, unit, tmp_path_factory):
    rng = np.random.default_rng(seed)
    source, target = paired(rng, pairs=int(rng.integers(6, 20)), source=int(rng.integers(2, 9)))
    fitted = kind.unfitted()
    if "unit" in fitted.get_params():
        fitted.set_params(unit=unit)
    fitted.fit(source, target)
    folder = tmp_path_factory.mktemp("adapters") / "one"
    fitted.save_pretrained(folder)
    assert Adapter.from_pretrained(folder).transform(source).tobytes() == fitted.transform(source).tobytes()


def test_a_wrapped_adapter_is_whole_again(rng, tmp_path):
    new, old = paired(rng)
    fitted = Slerp(adapter=Procrustes(), amount=0.2).fit(new, old)
    fitted.save_pretrained(tmp_path / "one")
    again = Slerp.from_pretrained(tmp_path / "one")
    assert again.mapping.describe() == fitted.mapping.describe()
    np.testing.assert_array_equal(again.mapping.transform(new), fitted.mapping.transform(new))
    np.testing.assert_array_equal(again.blend(new, old), fitted.blend(new, old))
    assert not again.adapter.fitted
    edit(tmp_path / "one", params={"adapter": "Procrustes", "amount": 0.2})
    told = refused(lambda: Adapter.from_pretrained(tmp_path / "one"))
    assert told.endswith("is damaged (adapter is a str; pass an adapter such as Procrustes()); save it again")


def test_the_folder_holds_plain_values_and_arrays(saved):
    assert sorted(path.name for path in saved.iterdir()) == ["adapter.safetensors", "config.json"]
    assert [path.name for path in saved.parent.iterdir()] == ["new-to-old"]
    told = json.loads((saved / "config.json").read_text())
    assert told == {
        "format": 1,
        "class": "Ridge",
        "params": {"strength": 0.3, "center": True, "unit": True},
        "source_dimension": 5,
        "target_dimension": 4,
        "pairs": 60,
        "segue": told["segue"],
    }
    arrays = load_file(saved / "adapter.safetensors")
    assert {name: array.shape for name, array in arrays.items()} == {
        "matrix": (5, 4),
        "source_mean": (5,),
        "target_mean": (4,),
    }


def test_numbers_of_numpy_are_kept_as_plain_ones(rng, tmp_path):
    LowRankAffine(rank=np.int64(2), strength=np.float32(0.5)).fit(*paired(rng)).save_pretrained(tmp_path / "one")
    assert repr(Adapter.from_pretrained(tmp_path / "one")) == (
        "LowRankAffine(rank=2, strength=0.5, center=True, unit=True)"
    )


def test_an_adapter_replaces_an_adapter_whole(saved, rng):
    Procrustes().fit(*paired(rng, source=3)).save_pretrained(saved)
    assert isinstance(Adapter.from_pretrained(saved), Procrustes)
    assert [path.name for path in saved.parent.iterdir()] == ["new-to-old"]


def test_a_damaged_adapter_may_be_replaced(saved, rng):
    (saved / "adapter.safetensors").write_bytes(b"")
    Ridge().fit(*paired(rng)).save_pretrained(saved)
    assert Adapter.from_pretrained(saved).pairs == 60


def test_a_process_killed_while_it_writes_leaves_the_former_adapter(saved):
    code = f"""
import os, signal, numpy as np, safetensors.numpy as files
from segue.adapters import Procrustes
write = files.save_file
def half(arrays, path, metadata):
    write(arrays, path, metadata=metadata)
    os.kill(os.getpid(), signal.SIGKILL)
files.save_file = half
Procrustes().fit(np.eye(4), np.eye(4)[::-1]).save_pretrained({str(saved)!r})
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert isinstance(Adapter.from_pretrained(saved), Ridge)


def test_a_folder_that_can_not_be_written_is_named(rng, tmp_path):
    (tmp_path / "notes").write_text("mine")
    folder = tmp_path / "notes" / "adapter"
    told = refused(lambda: Ridge().fit(*paired(rng)).save_pretrained(folder))
    assert told == f"the adapter can't be written to '{folder}' (Not a directory); name another folder"


def test_what_is_no_adapter_is_not_overwritten(rng, tmp_path):
    adapter = Ridge().fit(*paired(rng))
    (tmp_path / "notes.txt").write_text("mine")
    assert refused(lambda: adapter.save_pretrained(tmp_path)) == (
        f"'{tmp_path}' holds something else than an adapter ('notes.txt'); name a new or an empty folder"
    )
    assert refused(lambda: adapter.save_pretrained(tmp_path / "notes.txt")) == (
        f"'{tmp_path / 'notes.txt'}' is a file; name a folder for the adapter"
    )
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"architectures": ["BertModel"]}')
    assert refused(lambda: adapter.save_pretrained(model)) == (
        f"'{model}' holds something else than an adapter ('config.json'); name a new or an empty folder"
    )
    assert (model / "config.json").read_text() == '{"architectures": ["BertModel"]}'


def test_an_adapter_beside_other_files_is_not_overwritten(saved, rng):
    (saved / "README.md").write_text("mine")
    told = refused(lambda: Ridge().fit(*paired(rng)).save_pretrained(saved))
    assert told == f"'{saved}' holds something else than an adapter ('README.md'); name a new or an empty folder"


def test_what_is_not_fitted_is_not_saved(tmp_path):
    told = refused(lambda: Ridge().save_pretrained(tmp_path))
    assert told.startswith("this Ridge is not fitted; call fit(source, target) first")


class Foreign(Ridge):
    """An adapter that is defined outside of Segue."""


def test_a_class_of_ones_own_is_read_by_its_own_name(rng, tmp_path):
    source, target = paired(rng)
    Foreign().fit(source, target).save_pretrained(tmp_path / "one")
    assert type(Foreign.from_pretrained(tmp_path / "one")) is Foreign
    told = refused(lambda: Adapter.from_pretrained(tmp_path / "one"))
    assert told.startswith(f"'{tmp_path / 'one'}' holds an adapter of class 'Foreign', which Segue ")
    assert told.endswith(" does not know; read it with Foreign.from_pretrained() where that class is defined")
    told = refused(lambda: Slerp(adapter=Foreign()).fit(source, target).save_pretrained(tmp_path / "two"))
    assert told == "adapter is a Foreign, which is no adapter of Segue and can't be kept"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_another_kind_than_asked_for_is_named(saved):
    assert refused(lambda: Procrustes.from_pretrained(saved)) == (
        f"'{saved}' holds a Ridge and no Procrustes; read it with Ridge.from_pretrained() or Adapter.from_pretrained()"
    )


def edit(folder, **changes):
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | changes))


def test_a_later_format_is_named(saved):
    edit(saved, format=2, segue="9.0")
    told = refused(lambda: Adapter.from_pretrained(saved))
    assert told.startswith(f"the adapter in '{saved}' has format 2, and this Segue ")
    assert told.endswith(" reads format 1; read it with Segue 9.0, or fit it anew")


def rewrite(folder, **changes):
    arrays = load_file(folder / "adapter.safetensors")
    save_file(
        {name: array for name, array in (arrays | changes).items() if array is not None}, folder / "adapter.safetensors"
    )


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            lambda folder: (folder / "config.json").unlink(),
            "'{folder}' holds no config.json; name a folder that save_pretrained() has written",
        ),
        (
            lambda folder: (folder / "config.json").write_text("[1, 2]"),
            "'{folder}/config.json' is not of an adapter of Segue; name another folder",
        ),
        (
            lambda folder: (folder / "config.json").write_text('{"format": 1,'),
            "'{folder}/config.json' can't be read (Expecting property name enclosed in double quotes: line 1 column 14 "
            "(char 13)); save the adapter in a new folder",
        ),
        (
            lambda folder: (folder / "adapter.safetensors").unlink(),
            "'{folder}' holds no adapter.safetensors; save the adapter again",
        ),
        (
            lambda folder: rewrite(folder, matrix=None),
            "the adapter in '{folder}' is damaged (it holds source_mean, target_mean in place of source_mean, matrix, "
            "target_mean); save it again",
        ),
        (
            lambda folder: rewrite(folder, matrix=np.zeros((4, 5), np.float32)),
            "the adapter in '{folder}' is damaged (matrix has shape (4, 5) in place of (5, 4)); save it again",
        ),
        (
            lambda folder: rewrite(folder, target_mean=np.full(4, np.nan, np.float32)),
            "the adapter in '{folder}' is damaged (target_mean holds something else than finite 32-bit numbers); save "
            "it again",
        ),
        (
            lambda folder: edit(folder, source_dimension=6),
            "the adapter in '{folder}' is damaged (source_mean has shape (5,) in place of (6,)); save it again",
        ),
        (
            lambda folder: edit(folder, params={"stretch": 1}),
            "the adapter in '{folder}' is damaged (Ridge.__init__() got an unexpected keyword argument 'stretch'); "
            "save it again",
        ),
    ],
)
def test_what_is_missing_or_damaged_is_named(damage, sentence, saved):
    damage(saved)
    assert refused(lambda: Adapter.from_pretrained(saved)) == sentence.format(folder=saved)


@pytest.mark.parametrize("kept", [0, 7, 60, -1])
def test_cut_weights_are_damaged_weights(kept, saved):
    held = (saved / "adapter.safetensors").read_bytes()
    (saved / "adapter.safetensors").write_bytes(held[:kept])
    told = refused(lambda: Adapter.from_pretrained(saved))
    assert told.startswith(f"the adapter in '{saved}' is damaged (")
    assert "\n" not in told


def test_without_safetensors_the_extra_is_named(tmp_path):
    code = (
        "import sys; sys.modules['safetensors'] = None; sys.modules['safetensors.numpy'] = None\n"
        "import numpy as np; from segue.adapters import Ridge\n"
        f"Ridge().fit(np.eye(2), np.eye(2)).save_pretrained({str(tmp_path / 'one')!r})"
    )
    failed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtraError: keeping an adapter needs 'safetensors.numpy'" in failed.stderr
    assert "pip install 'segue[adapters]'" in failed.stderr
    assert [path.name for path in tmp_path.iterdir()] == []


def test_changed_parameters_are_never_saved_with_what_was_learned_before(rng, tmp_path):
    old, new = paired(rng)
    for fitted, change in (
        (Ensemble(adapters=[Ridge(), Procrustes()]), {"adapters": [Ridge()]}),
        (Slerp(adapter=Ridge()), {"amount": 7}),
        (Slerp(adapter=LowRankAffine(rank=2)), {"adapter__rank": 3}),
        (KernelRidge(), {"landmarks": 3}),
    ):
        fitted.fit(old, new).set_params(**change)
        assert not fitted.fitted
        with pytest.raises(InputError, match="is not fitted; call fit"):
            fitted.save_pretrained(tmp_path / "adapter")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"params": {"adapter": {"class": "Ridge", "params": {}}, "amount": 7}}, "amount is 7"),
        ({"pairs": "many"}, "pairs is 'many'"),
        ({"class": ["Slerp"]}, "its class is ['Slerp']"),
    ],
)
def test_a_folder_whose_numbers_make_no_sense_is_called_damaged(change, said, rng, tmp_path):
    Slerp(adapter=Ridge()).fit(*paired(rng)).save_pretrained(tmp_path / "adapter")
    config = tmp_path / "adapter" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(InputError, match="is damaged") as caught:
        Adapter.from_pretrained(tmp_path / "adapter")
    assert said in str(caught.value)


def test_a_class_of_the_users_that_is_called_like_one_of_ours_is_not_kept_as_ours(rng, tmp_path):
    other = type("Ridge", (Ridge,), {})
    with pytest.raises(InputError, match="is no adapter of Segue and can't be kept"):
        Slerp(adapter=other()).fit(*paired(rng)).save_pretrained(tmp_path / "adapter")
