"""Embeddings read from files: every form says the same, rows are matched, nothing is repaired in silence."""

import mmap

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.cli.embeddings import Names, read_items
from segue.cli.embeddings.matching import rows_of
from segue.cli.embeddings.values import as_text, numbers_in
from segue.errors import InputError
from tests.cli.embedded import COUNTRIES, IDS, ITEMS, LABELS, NEW, OLD, save
from tests.cli.tables import write_csv

SHUFFLED = np.random.default_rng(3).permutation(ITEMS)


def items(old, new, table=None, metric="cosine", shared_table=False, **names):
    files = {"gallery_old": ("OLD", str(old)), "gallery_new": ("NEW", str(new))}
    labels = None if table is None else ("--labels", str(table))
    return read_items(files, labels, Names(**names), metric=metric, shared_table=shared_table)


@pytest.mark.parametrize("new_ending", ["npz", "parquet", "arrow"])
@pytest.mark.parametrize("old_ending", ["npz", "parquet", "arrow"])
def test_rows_are_matched_by_their_ids_whatever_the_files_are(tmp_path, old_ending, new_ending):
    old = save(tmp_path / f"old.{old_ending}")
    columns = {"embeddings": NEW, "ids": IDS, "labels": LABELS, "country": COUNTRIES}
    new = save(tmp_path / f"new.{new_ending}", **{name: values[SHUFFLED] for name, values in columns.items()})
    found = items(old, new, slices=("country",))
    assert np.array_equal(found.vectors["gallery_old"], OLD)
    assert np.array_equal(found.vectors["gallery_new"], NEW)
    assert found.ids.tolist() == IDS.tolist()
    assert found.labels.tolist() == LABELS.tolist()
    assert found.slices["country"].tolist() == COUNTRIES.tolist()
    assert not found.by_row
    assert len(found) == ITEMS


def test_rows_without_ids_are_matched_one_by_one_and_stay_on_the_disk(tmp_path):
    np.save(tmp_path / "labels.npy", LABELS)
    found = items(save(tmp_path / "old.npy"), save(tmp_path / "new.npy"), tmp_path / "labels.npy")
    assert (found.ids, found.by_row) == (None, True)
    assert np.array_equal(found.vectors["gallery_new"], NEW)
    assert found.labels.tolist() == LABELS.tolist()
    held = found.vectors["gallery_old"]
    while isinstance(held, np.ndarray):
        held = held.base
    assert isinstance(held, mmap.mmap)


@given(st.permutations(range(ITEMS)), st.permutations(range(ITEMS)))
def test_no_order_of_the_ids_changes_the_match(one, other):
    rows = rows_of(IDS[list(one)], IDS[list(other)], ("old", "new"), all_of_other=True)
    assert IDS[list(other)][rows].tolist() == IDS[list(one)].tolist()


KINDS = {
    "lists": pa.array(NEW.tolist()),
    "32-bit lists": pa.array(NEW.tolist(), type=pa.list_(pa.float32())),
    "large lists": pa.array(NEW.tolist(), type=pa.large_list(pa.float32())),
    "fixed lists": pa.FixedSizeListArray.from_arrays(NEW.ravel(), 4),
    "chunks": pa.chunked_array([pa.array(NEW[:5].tolist()), pa.array(NEW[5:].tolist())]),
    "tensors": pa.FixedShapeTensorArray.from_numpy_ndarray(NEW),
    "a slice": pa.FixedSizeListArray.from_arrays(np.concatenate([OLD[:2], NEW]).ravel(), 4)[2:],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_every_kind_of_list_is_read_as_the_table_reads_it(tmp_path, kind, ending):
    path = save(tmp_path / f"new.{ending}", embeddings=KINDS[kind])
    found = items(save(tmp_path / "old.npz"), path).vectors["gallery_new"]
    table = pq.read_table(path) if ending == "parquet" else pa.ipc.open_file(path).read_all()
    rows = [np.asarray(row).ravel().tolist() for row in table["embedding"].to_pylist()]
    assert found.tolist() == rows
    assert np.array_equal(found, NEW)


def test_half_precision_and_whole_numbers_keep_their_type(tmp_path):
    halves = pa.FixedSizeListArray.from_arrays(pa.array(NEW.ravel().astype(np.float16)), 4)
    whole = np.rint(OLD * 100).astype(np.int8)
    found = items(save(tmp_path / "old.npz", embeddings=whole), save(tmp_path / "new.parquet", embeddings=halves))
    assert found.vectors["gallery_old"].dtype == np.int8
    assert np.array_equal(found.vectors["gallery_new"], NEW.astype(np.float16))


def test_a_stream_of_arrow_batches_is_read(tmp_path):
    table = pa.table({"id": IDS.tolist(), "embedding": NEW.tolist(), "label": pa.array(LABELS).dictionary_encode()})
    with pa.ipc.new_stream(tmp_path / "new.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    found = items(save(tmp_path / "old.npz"), tmp_path / "new.arrow")
    assert np.array_equal(found.vectors["gallery_new"], NEW.astype(np.float64))
    assert found.labels.tolist() == LABELS.tolist()


def test_columns_may_have_other_names(tmp_path):
    for side, vectors in (("old", OLD), ("new", NEW)):
        np.savez(tmp_path / f"{side}.npz", vec=vectors, sku=IDS, product=LABELS, embeddings=vectors[:, :2], ids=IDS)
    found = items(tmp_path / "old.npz", tmp_path / "new.npz", embedding="vec", id="sku", label="product")
    assert np.array_equal(found.vectors["gallery_new"], NEW)
    assert found.labels.tolist() == LABELS.tolist()


def test_a_table_is_looked_up_by_ids_and_may_know_more_items(tmp_path):
    rows = {"id": ["x1", *IDS[::-1], "x2"], "label": ["pan", *LABELS[::-1], "NA"], "price": range(ITEMS + 2)}
    table = write_csv(tmp_path / "items.csv", rows)
    bare = {"labels": None, "country": None}
    found = items(save(tmp_path / "old.npz", **bare), save(tmp_path / "new.npz", **bare), table, slices=("price",))
    assert found.labels.tolist() == LABELS.tolist()
    assert found.slices["price"].tolist() == list(range(ITEMS, 0, -1))  # numbers, as segue compare reads them


def test_a_table_beside_plain_arrays_has_their_rows_and_may_name_them(tmp_path):
    table = write_csv(tmp_path / "items.csv", {"id": IDS, "label": ["NA", *LABELS[1:]], "country": COUNTRIES})
    found = items(save(tmp_path / "old.npy"), save(tmp_path / "new.npy"), table, group="country")
    assert found.ids.tolist() == IDS.tolist()
    assert found.labels[0] == "NA"  # a label, not a missing one
    assert found.groups.tolist() == COUNTRIES.tolist()
    assert found.by_row


def test_a_table_of_the_gallery_labels_queries_only_where_nothing_else_does(tmp_path):
    table = write_csv(tmp_path / "items.csv", {"id": IDS, "label": ["pan"] * ITEMS})
    own = items(save(tmp_path / "old.npz"), save(tmp_path / "new.npz"), table, shared_table=True)
    assert own.labels.tolist() == LABELS.tolist()
    bare = items(
        save(tmp_path / "old.npz", labels=None), save(tmp_path / "new.npz", labels=None), table, shared_table=True
    )
    assert set(bare.labels) == {"pan"}
    by_row = items(save(tmp_path / "old.npy"), save(tmp_path / "new.npy"), table, shared_table=True)
    assert by_row.labels is None


def test_ids_and_labels_are_text_and_digits_stay_what_was_written(tmp_path):
    numbers = np.arange(ITEMS)
    table = write_csv(tmp_path / "items.csv", {"id": numbers, "label": [f"{number % 3:03}" for number in numbers]})
    bare = {"ids": numbers, "labels": None}
    found = items(save(tmp_path / "old.npz", **bare), save(tmp_path / "new.parquet", **bare), table)
    assert found.ids.tolist() == [str(number) for number in numbers]
    assert set(found.labels) == {"000", "001", "002"}


def test_what_is_wrong_is_told_by_the_files_own_row(tmp_path):
    vectors = NEW[SHUFFLED].copy()
    vectors[9] = np.nan
    new = save(tmp_path / "new.npz", embeddings=vectors, ids=IDS[SHUFFLED], labels=None)
    with pytest.raises(InputError, match=r"new\.npz has 1 row with NaN or infinite numbers, first at row 9;"):
        items(save(tmp_path / "old.npz"), new)


def test_a_list_with_a_missing_number_is_told_by_its_row(tmp_path):
    rows = NEW.tolist()
    rows[13][2] = None
    new = save(tmp_path / "new.parquet", embeddings=pa.array(rows))
    with pytest.raises(InputError, match="has embeddings with missing numbers, first at row 13; remove these rows or"):
        items(save(tmp_path / "old.npz"), new)


def test_a_zero_vector_is_wrong_for_cosine_alone(tmp_path):
    new = save(tmp_path / "new.npz", embeddings=np.zeros_like(NEW))
    found = items(save(tmp_path / "old.npz"), new, metric="l2")
    assert not found.vectors["gallery_new"].any()
    with pytest.raises(InputError, match="24 rows of zeros"):
        items(tmp_path / "old.npz", new)


@pytest.mark.parametrize("name", ["old.npy", "old.npz", "old.parquet", "old.arrow"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_damaged_file_is_one_sentence_wherever_it_ends(tmp_path, name, kept):
    path = save(tmp_path / name)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(InputError, match=r"old\.\w+ can't be read as .*; check that it is whole and of this format$"):
        items(path, path)


def test_bytes_turned_inside_a_compressed_archive_are_noticed(tmp_path):
    np.savez_compressed(tmp_path / "old.npz", embeddings=np.random.default_rng(0).normal(size=(200, 8)))
    damaged = bytearray((tmp_path / "old.npz").read_bytes())
    damaged[2000:2100] = bytes(100)
    (tmp_path / "old.npz").write_bytes(damaged)
    with pytest.raises(InputError, match=r"old\.npz can't be read as NumPy's \.npz"):
        items(tmp_path / "old.npz", tmp_path / "old.npz")


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1))
def test_whole_numbers_survive_being_text(values):
    array = np.array(values)
    assert numbers_in(as_text(array, "a column", "label").astype(object)).tolist() == values


def test_text_stays_text_where_one_value_is_no_number():
    assert numbers_in(np.array(["1", "x"], dtype=object)).tolist() == ["1", "x"]
    assert numbers_in(np.array(["1.5", "2"], dtype=object)).tolist() == [1.5, 2.0]
    assert numbers_in(np.array(["1.5", "02"], dtype=object)).tolist() == ["1.5", "02"]
