"""Values at the ends of their types: wide ids, infinities, NumPy's numbers, missing labels and class maps."""

from decimal import Decimal

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import segue.flips
from segue.errors import InputError
from segue.flips import compare
from segue.flips.slices import quintile_ranks
from segue.flips.table import compare_score_tables, compare_tables, watch_tables
from segue.flips.table.engine import Resources
from segue.flips.table.request import WrittenMap
from segue.flips.table.session import duckdb_session
from tests.flips.table.test_agreement import same, told

WIDE = [2**63 - 2, 2**63 - 1, 2**63, 2**64 - 1]


def test_everything_promised_is_exported():
    assert {"compare_tables", "compare_score_tables", "watch_tables"} <= set(segue.flips.__all__)
    assert segue.flips.watch_tables is watch_tables
    assert segue.flips.compare_score_tables is compare_score_tables


@pytest.mark.parametrize("missing_in", ["old", "new"])
def test_a_label_that_one_table_lacks_leaves_the_sample_out(missing_in):
    whole, holed = [0, 1, 0, 1], [0, None, 0, 1]
    labels = {"old": whole, "new": whole} | {missing_in: holed}
    old = pl.DataFrame({"id": [1, 2, 3, 4], "label": labels["old"], "prediction": whole})
    new = pl.DataFrame({"id": [1, 2, 3, 4], "label": labels["new"], "prediction": [0, 0, 0, 1]})
    report = compare_tables(old, new, id="id", nulls="drop")
    assert (report.samples, report.negative_flips) == (3, 0)
    assert any("1 sample: left out, as asked" in note for note in report.notes)


def decimals(values, digits=38):
    return pa.array([Decimal(value) for value in values], pa.decimal128(digits, 0))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (decimals([1, 2, 10**20, -(10**30)]), decimals([1, 2, 10**20, -(10**30)])),
        (pa.array(WIDE, pa.uint64()), decimals(WIDE)),
    ],
)
def test_ids_beyond_64_bits(one, other):
    old = pa.table({"id": one, "label": [0, 1, 0, 1], "prediction": [0, 1, 0, 1]})
    new = pa.table({"id": other, "prediction": [0, 1, 0, 0]})
    report = compare_tables(old, new.take([3, 1, 0, 2]), id="id")
    assert report.negative_flips == 1
    assert report.flips.to_dict()["id"] == [str(one[3].as_py())]
    assert watch_tables(old, new, [str(one[3].as_py())], id="id") == {str(one[3].as_py()): "negative"}


def test_unsigned_and_signed_ids():
    answers = {"label": [0, 1], "prediction": [0, 1]}
    small = pa.table({"id": pa.array([1, 2], pa.uint64()), **answers})
    signed = pa.table({"id": pa.array([1, 2], pa.int64()), **answers})
    large = pa.table({"id": pa.array([1, 2**64 - 1], pa.uint64()), **answers})
    assert compare_tables(small, signed, id="id").samples == 2
    with pytest.raises(InputError, match="lacks 1 of the ids"):
        compare_tables(large, signed, id="id")


def test_wide_types_with_small_ids_stay_numbers():
    table = pa.table({"id": decimals([3, 1, 2]), "label": [0, 1, 0], "old": [0, 1, 0], "new": [1, 1, 0]})
    report = compare_tables(table, id="id", prediction=("old", "new"))
    assert report.flips.to_dict()["id"] == [3]


def test_classes_beyond_64_bits_are_refused_in_a_sentence():
    old = pa.table({"id": [1, 2], "label": pa.array([0, 2**64 - 1], pa.uint64()), "prediction": [0, 1]})
    with pytest.raises(InputError, match="fit into 64 bits: write larger ones as strings"):
        compare_tables(old, pa.table({"id": [1, 2], "prediction": [0, 1]}), id="id")


@pytest.mark.parametrize("distinct", [40, 5000])
def test_infinities_lie_in_the_outer_bins(rng, distinct):
    values = np.arange(distinct) / 7
    values[:30] = [-np.inf, np.inf, np.inf] * 10
    values = rng.permutation(values)
    label, old, new = (rng.integers(0, 2, distinct) for _ in range(3))
    table = pl.DataFrame({"label": label, "old": old, "new": new, "value": values})
    found = told(compare_tables(table, prediction=("old", "new"), slices=["value"]))["slices"]
    same(found, told(compare(label, old, new, slices={"value": values}))["slices"])
    finite = np.sort(values[np.isfinite(values)])
    edges = finite[quintile_ranks(len(finite))]
    expected = np.bincount(np.searchsorted(edges, values, side="right"))
    assert sorted(part["samples"] for part in found) == sorted(expected.tolist())


def test_a_tolerance_may_be_a_number_of_numpy():
    table = pl.DataFrame({"a": [0.5, 0.5, 0.5], "b": [0.45, 0.3, 0.9]})
    report = compare_score_tables(table, score=("a", "b"), tolerance=np.float64(0.1))
    assert (report.negative_flips, report.positive_flips) == (1, 1)


@pytest.mark.parametrize("name", ["disk", "max_temp_directory_size", "No space left on device"])
def test_a_name_does_not_fill_the_disk(tmp_path, name):
    path = tmp_path / f"{name}.parquet"
    path.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(InputError, match="can't be read as Parquet"):
        compare_tables(str(path), prediction=("a", "b"))


def test_a_conversion_that_fails_is_told_in_a_sentence(tmp_path):
    with duckdb_session(Resources(temp_directory=tmp_path)) as session, pytest.raises(InputError) as caught:
        session.rows("SELECT CAST('No space left on device' AS INTEGER)")
    assert isinstance(caught.value.__cause__, duckdb.ConversionException)
    assert "does not fit the type" in str(caught.value)


INTEGERS = pl.DataFrame({"label": [0, 1, 0, 1], "old": [0, 1, 1, 0], "new": [0, 1, 0, 0]})
TEXTS = INTEGERS.cast(pl.String)


def through(table, class_map):
    """Return the counts from tables and from arrays; or "refused"."""
    found = []
    for ask in (
        lambda: compare_tables(table, prediction=("old", "new"), class_map=class_map),
        lambda: compare(*(table[key].to_numpy() for key in ("label", "old", "new")), class_map=class_map),
    ):
        try:
            found.append(ask().counts)
        except InputError:
            found.append("refused")
    return found


@pytest.mark.parametrize(
    ("table", "class_map", "accepted"),
    [
        (INTEGERS, {0: 0, 1: 1}, True),
        (INTEGERS, {np.int64(0): np.array([0]), 1: np.array([1, 0])}, True),
        (INTEGERS, {False: 0, True: (1,)}, True),
        (INTEGERS, {"0": 0, "1": 1}, False),
        (INTEGERS, {0: "0", 1: "1"}, False),
        (INTEGERS, {0: 0.9, 1: 0.9}, False),
        (TEXTS, {"0": "0", "1": ["1"]}, True),
        (TEXTS, {np.str_("0"): np.array(["0"]), "1": {"1"}}, True),
        (TEXTS, {0: "0", 1: "1"}, False),
        (TEXTS, {"0": 0, "1": 1}, False),
    ],
)
def test_class_maps_mean_the_same_on_tables_and_arrays(table, class_map, accepted):
    tables, arrays = through(table, class_map)
    assert tables == arrays
    assert (tables != "refused") is accepted


def test_no_class_is_rounded():
    with pytest.raises(InputError, match=r"class_map holds 0\.9"):
        compare_tables(INTEGERS, prediction=("old", "new"), class_map={0: 0.9, 1: 1})
    with pytest.raises(InputError, match="class_map holds inf"):
        compare_tables(INTEGERS, prediction=("old", "new"), class_map={0: float("inf"), 1: 1})


@pytest.mark.parametrize("table", [INTEGERS, TEXTS])
def test_class_maps_of_files_are_read_in_the_columns_types(table):
    plain = compare_tables(table, prediction=("old", "new"))
    for written in (WrittenMap({"0": 0, "1": 1}), WrittenMap({"0": "0", "1": ["1"]})):
        assert compare_tables(table, prediction=("old", "new"), class_map=written).counts == plain.counts
    with pytest.raises(InputError, match="class_map"):
        compare_tables(INTEGERS, prediction=("old", "new"), class_map=WrittenMap({"no": 0, "1": 1}))
