"""``segue adapter``, typed: fit, apply, show; what is written is whole, and never over anything."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from segue.adapters import Adapter, KernelRidge, Ridge, fit_best
from segue.cli.adapter_files import kinds, write_mapped
from segue.cli.embeddings import Names, read_items
from segue.errors import InputError
from tests.cli.embedded import IDS, LABELS, NEW, OLD, save, save_all
from tests.cli.tables import installed, segue

FAMILIES = np.array([f"f{number // 2:02}" for number in range(24)])


@pytest.fixture
def folder(tmp_path):
    save_all(tmp_path)
    for name in ("old.npz", "new.npz"):
        save(tmp_path / name, family=FAMILIES)
    return tmp_path


def fitted(folder, *typed):
    result = segue("adapter", "fit", *typed, "--out", "to-new", cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_a_named_map_is_the_librarys(folder):
    shown = fitted(folder, "old.npz", "new.npz", "--kind", "ridge", "--strength", "0.5")
    assert "Fitted on 24 pairs, from 4 dimensions to 4.\nWritten to to-new.\n" in shown
    found = Adapter.from_pretrained(folder / "to-new")
    wanted = Ridge(strength=0.5).fit(OLD, NEW)
    assert repr(found) == repr(wanted)
    np.testing.assert_array_equal(found.transform(OLD), wanted.transform(OLD))


def test_the_best_map_is_chosen_by_labels(folder):
    shown = fitted(folder, "old.npz", "new.npz", "--side", "gallery")
    wanted = fit_best(OLD, NEW, side="gallery", labels=LABELS)
    assert shown == f"{wanted}\nWritten to to-new.\n"
    assert repr(Adapter.from_pretrained(folder / "to-new")) == repr(wanted.adapter)


def test_items_that_belong_together_are_told_by_a_column(folder):
    shown = fitted(folder, "old.npz", "new.npz", "--side", "gallery", "--group", "family")
    wanted = fit_best(OLD, NEW, side="gallery", labels=LABELS, groups=FAMILIES)
    assert shown == f"{wanted}\nWritten to to-new.\n"
    assert "The 24 pairs come in 12 groups" in shown


def test_every_kind_that_can_be_typed_is_fitted(folder):
    assert {"ridge", "procrustes", "kernel-ridge", "local-mixture"} <= set(kinds())
    for kind in kinds():
        result = segue("adapter", "fit", "old.npz", "new.npz", "--kind", kind, "--out", f"a-{kind}", cwd=folder)
        assert (result.returncode, result.stderr) == (0, ""), kind


def test_fewer_pairs_than_dimensions_are_said(folder):
    draws = np.random.default_rng(0)
    np.save(folder / "one.npy", draws.normal(size=(5, 9)))
    np.save(folder / "other.npy", draws.normal(size=(5, 3)))
    shown = fitted(folder, "one.npy", "other.npy", "--kind", "ridge")
    assert "Note: 5 pairs are fewer than 9 dimensions; more make a better map.\n" in shown


@pytest.mark.parametrize("name", ["old.npy", "old.npz", "old.parquet", "old.arrow"])
def test_vectors_of_any_file_are_mapped(folder, name):
    fitted(folder, "old.npz", "new.npz", "--kind", "kernel-ridge")
    wanted = KernelRidge().fit(OLD, NEW).transform(OLD)
    result = segue("adapter", "apply", "to-new", name, "--out", "mapped.npy", cwd=folder)
    assert result.stdout == "24 vectors mapped, 4 to 4 dimensions. Written to mapped.npy.\n"
    np.testing.assert_allclose(np.load(folder / "mapped.npy"), wanted, atol=1e-6)
    segue("adapter", "apply", "to-new", name, "--out", "mapped.npz", cwd=folder)
    with np.load(folder / "mapped.npz") as arrays:
        np.testing.assert_allclose(arrays["embeddings"], wanted, atol=1e-6)
        if name != "old.npy":
            assert arrays["ids"].tolist() == IDS.tolist()
            assert arrays["labels"].tolist() == LABELS.tolist()


def test_a_mapped_gallery_can_be_tested(folder):
    fitted(folder, "old.npz", "new.npz", "--kind", "ridge")
    segue("adapter", "apply", "to-new", "old.parquet", "--out", "mapped.npz", cwd=folder)
    result = segue("cross-test", "old.npz", "new.npz", "--gallery-to-new", "mapped.npz", cwd=folder)
    assert "old, mapped" in result.stdout
    assert result.stderr == ""


def test_whoever_is_interrupted_leaves_no_file(folder):
    class Half(Ridge):
        def transform(self, source, *, out=None):
            out[:3] = 1
            raise KeyboardInterrupt

    items = read_items({"source": ("INPUT", str(folder / "old.npy"))}, None, Names(), metric="cosine")
    before = sorted(folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        write_mapped(Half().fit(OLD, NEW), items, folder / "mapped.npy")
    assert sorted(folder.iterdir()) == before


def test_a_row_that_has_no_place_leaves_no_file_and_is_told(folder):
    fitted(folder, "old.npz", "new.npz", "--kind", "ridge")
    bad = OLD.copy()
    bad[3] = np.nan
    np.save(folder / "bad.npy", bad)
    result = segue("adapter", "apply", "to-new", "bad.npy", "--out", "mapped.npy", cwd=folder)
    assert result.returncode == 2
    assert result.stderr.startswith("Error: bad.npy has 1 row with NaN or infinite numbers, first at row 3;")
    assert not (folder / "mapped.npy").exists()


def test_show_says_what_it_is(folder):
    fitted(folder, "old.npz", "new.npz", "--kind", "ridge")
    shown = installed("adapter", "show", "to-new", cwd=folder)
    adapter = Ridge().fit(OLD, NEW)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, adapter.describe() + "\n", "")
    told = json.loads(segue("adapter", "show", "to-new", "--json", cwd=folder).stdout)
    assert (told["kind"], told["pairs"], told["source_dimension"]) == ("Ridge", 24, 4)
    assert told["adapter"] == repr(adapter)


def test_a_parquet_file_keeps_its_rows(folder):
    assert pq.read_table(folder / "old.parquet").num_rows == 24
    with pytest.raises(InputError, match="there is no file"):
        read_items({"source": ("INPUT", "none.npy")}, None, Names(), metric="cosine")
