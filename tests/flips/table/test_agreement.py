"""Tables and arrays must tell the same of the same samples."""

import datetime
import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.flips import compare
from segue.flips.table import compare_tables
from segue.flips.table.request import WrittenMap
from tests.flips import slow

CLASSES = {"integers": [0, 1, 2], "strings": ["cat", "it's", 'a "dog"'], "booleans": [False, True]}
DAY = datetime.datetime(2026, 1, 31, 12)

ROW = st.fixed_dictionaries(
    {
        "label": st.integers(0, 2),
        "old": st.integers(0, 2),
        "new": st.integers(0, 2),
        "word": st.sampled_from(["x", "Y", "it's", "ü", None]),
        "few": st.integers(-3, 3),
        "many": st.integers(-1000, 1000),
        "real": st.sampled_from([0.5, -1.25, 3.0, 1e9, 1 / 3, float("nan")]),
        "flag": st.booleans(),
        "when": st.integers(0, 40).map(lambda days: DAY + datetime.timedelta(days=days, seconds=days)),
        "weight": st.sampled_from([0.5, 1.0, 2.0, 3.25]),
        "group": st.sampled_from(["a", "b", "c"]),
    }
)
SLICES = ["word", "few", "many", "real", "flag", "when"]


def tables(rows, classes, ids, *, labels_in="both"):
    """Return the two tables, the second in another order, and the samples as lists."""
    names = CLASSES[classes]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    for key in ("label", "old", "new"):
        columns[key] = [names[value % len(names)] for value in columns[key]]
    columns["id"] = ids
    order = np.random.default_rng(len(rows)).permutation(len(rows)).tolist()
    old = pl.DataFrame(
        {"id": ids, "label": columns["label"], "prediction": columns["old"]}
        | {key: pl.Series(columns[key], strict=False) for key in [*SLICES, "weight", "group"]}
    )
    new = pl.DataFrame({"id": ids, "label": columns["label"], "prediction": columns["new"]})[order]
    if labels_in == "old":
        new = new.drop("label")
    if labels_in == "new":
        old = old.drop("label")
    return old, new, columns


def arrays(columns):
    slices = {}
    for key in SLICES:
        kind = object if key == "word" else "datetime64[us]" if key == "when" else None
        slices[key] = np.array(columns[key], dtype=kind)
    return slices


def same(one, other, where=""):
    if isinstance(one, dict):
        assert list(one) == list(other), where
        for key in one:
            same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            same(a, b, f"{where}[{number}]")
    elif isinstance(one, float):
        assert other == pytest.approx(one, rel=1e-9, abs=1e-12, nan_ok=True), where
    else:
        assert one == other, where


def told(report):
    found = report.to_dict()
    # Pairs with the same count come in any order.
    found["flip_matrix"] = sorted(found["flip_matrix"], key=lambda pair: (str(pair["label"]), str(pair["answer"])))
    return found


@settings(max_examples=40)
@given(
    rows=st.lists(ROW, min_size=2, max_size=40),
    classes=st.sampled_from(list(CLASSES)),
    text_ids=st.booleans(),
    labels_in=st.sampled_from(["both", "old", "new"]),
    weighted=st.booleans(),
    grouped=st.booleans(),
)
def test_tables_and_arrays_tell_the_same(rows, classes, text_ids, labels_in, weighted, grouped):
    grouped = grouped and len({row["group"] for row in rows}) > 1
    ids = [f"id {n}" for n in range(len(rows))] if text_ids else [7 * n - 3 for n in range(len(rows))]
    old, new, columns = tables(rows, classes, ids, labels_in=labels_in)
    vocabularies = [set(columns[key]) for key in ("label", "old", "new")]
    if not (vocabularies[0] & vocabularies[1] and vocabularies[0] & vocabularies[2]):
        return  # refused by both, see the tests of bad input
    expected = compare(
        np.array(columns["label"]),
        np.array(columns["old"]),
        np.array(columns["new"]),
        ids=np.array(ids),
        slices=arrays(columns),
        weights=columns["weight"] if weighted else None,
        groups=columns["group"] if grouped else None,
    )
    found = compare_tables(
        old,
        new,
        id="id",
        slices=SLICES,
        weights="weight" if weighted else None,
        groups="group" if grouped else None,
    )
    same(told(expected), told(found))
    assert sorted(zip(expected.flips.columns["id"].tolist(), expected.flips.columns["flip"].tolist(), strict=True)) == (
        sorted(zip(found.flips.columns["id"].tolist(), found.flips.columns["flip"].tolist(), strict=True))
    )


@settings(max_examples=25)
@given(rows=st.lists(ROW, min_size=1, max_size=30), spread=st.sampled_from([1, 3, 1000]))
def test_counts_follow_the_definitions_whatever_the_ids(rows, spread):
    # Dense ids are counted by the shortcut, sparse ones by the full join.
    old, new, columns = tables(rows, "integers", [spread * n for n in range(len(rows))])
    vocabulary = set(columns["label"])
    if not (vocabulary & set(columns["old"]) and vocabulary & set(columns["new"])):
        return
    rates = compare_tables(old, new, id="id").rates
    for name, value in slow.rates(columns["label"], columns["old"], columns["new"]).items():
        assert rates[name].value == pytest.approx(value, nan_ok=True), name


def test_one_table_with_two_predictions_tells_the_same_as_two(rng):
    n = 500
    label, old, new = rng.integers(0, 4, n), rng.integers(0, 4, n), rng.integers(0, 4, n)
    place = rng.choice(["here", "there"], n)
    both = pl.DataFrame({"key": np.arange(n), "label": label, "a": old, "b": new, "place": place})
    found = compare_tables(both, label="label", prediction=("a", "b"), slices=["place"], id="key")
    same(told(compare(label, old, new, slices={"place": place})), told(found))
    without = compare_tables(both, label="label", prediction=("a", "b"), slices=["place"])
    same(told(found), told(without))
    assert "id" not in without.flips.columns


def test_class_maps_say_the_same_as_on_arrays(rng):
    n = 400
    label = rng.choice(["cat", "dog", "fox", "owl"], n)
    new = np.where(rng.random(n) < 0.8, label, "cat")
    old = rng.choice(["cat", "pet", "wild"], n)
    class_map = {"cat": "cat", "pet": ["cat", "dog"], "wild": []}
    ids = np.arange(n)
    found = compare_tables(
        pl.DataFrame({"id": ids, "label": label, "prediction": old}),
        pl.DataFrame({"id": ids, "prediction": new})[::-1],
        id="id",
        class_map=class_map,
    )
    same(told(compare(label, old, new, class_map=class_map)), told(found))
    assert any("does not know" in note for note in found.notes)


def test_class_maps_from_json_have_text_keys(rng):
    label = rng.integers(0, 3, 200)
    old, new = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    table = pl.DataFrame({"label": label, "a": old, "b": new})
    expected = compare(label, old, new, class_map={0: 1, 1: 0, 2: 2})
    found = compare_tables(table, prediction=("a", "b"), class_map=WrittenMap({"0": 1, "1": 0, "2": 2}))
    same(told(expected), told(found))


@pytest.mark.parametrize("value", ["real", "many", "when"])
def test_columns_of_many_numbers_are_cut_at_the_same_quintiles_as_arrays(rng, value, monkeypatch):
    n = 3000
    columns = {
        "real": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(0, 8, n)),
        "many": rng.integers(-(10**6), 10**6, n),
        "when": np.datetime64("2026-01-01", "us") + rng.integers(0, 10**7, n) * 10**6,
    }[value]
    label, old, new = (rng.integers(0, 2, n) for _ in range(3))
    # Small limits, so that a few thousand rows are cut by counting in ever finer ranges.
    monkeypatch.setattr("segue.flips.table.slicing.MANY_NUMBERS", 50)
    monkeypatch.setattr("segue.flips.table.slicing._FEW", 20)
    monkeypatch.setattr("segue.flips.table.slicing._RANGES_PER_ROUND", 8)
    table = pl.DataFrame({"id": np.arange(n), "label": label, "prediction": old, value: columns})
    other = pl.DataFrame({"id": np.arange(n), "label": label, "prediction": new})
    found = compare_tables(table, other, id="id", slices=[value])
    same(told(compare(label, old, new, slices={value: columns})), told(found))


@pytest.mark.parametrize("spread", [1, 1000])
def test_quintiles_follow_from_counted_values(rng, spread):
    # Dense ids are counted by the shortcut, which moves samples from one cell to another.
    n = 400
    numbers = rng.integers(0, 60, n) ** 2
    label = rng.integers(0, 2, n)
    old, new = (np.where(rng.random(n) < 0.6, label, 1 - label) for _ in range(2))
    table = pl.DataFrame({"id": np.arange(n) * spread, "label": label, "prediction": old, "number": numbers})
    other = pl.DataFrame({"id": np.arange(n) * spread, "label": label, "prediction": new})
    found = compare_tables(table, other, id="id", slices=["number"])
    same(told(compare(label, old, new, slices={"number": numbers})), told(found))


def test_too_many_combinations_of_slices_are_counted_column_by_column(rng, monkeypatch):
    n = 2000
    label, old, new = (rng.integers(0, 3, n) for _ in range(3))
    slices = {f"c{k}": rng.integers(0, 15, n) for k in range(4)}
    table = pl.DataFrame({"id": np.arange(n) * 100, "label": label, "prediction": old, **slices})
    other = pl.DataFrame({"id": np.arange(n) * 100, "prediction": new})
    whole = told(compare(label, old, new, slices=slices))
    for most in (10**6, 1000, 100_000):  # known beforehand, and found out after counting
        monkeypatch.setattr("segue.flips.table.counting.MOST_CUBE_ROWS", most)
        same(whole, told(compare_tables(table, other, id="id", slices=list(slices))))


def test_sorted_files_whose_first_rows_mislead_are_counted_rightly(rng, monkeypatch):
    # The first rows show one value of the slice column; the rest has hundreds of numbers.
    monkeypatch.setattr("segue.flips.table.slicing.SAMPLE_ROWS", 50)
    monkeypatch.setattr("segue.flips.table.counting.MOST_CUBE_ROWS", 400)
    n = 3000
    label, old, new = (rng.integers(0, 2, n) for _ in range(3))
    slices = {"late": np.sort(rng.integers(0, 900, n)), "other": np.repeat(np.arange(30), n // 30)}
    table = pl.DataFrame({"id": [f"{k}" for k in range(n)], "label": label, "prediction": old, **slices})
    other = pl.DataFrame({"id": [f"{k}" for k in range(n)], "prediction": new})
    found = compare_tables(table, other, id="id", slices=["late", "other"])
    same(told(compare(label, old, new, slices=slices)), told(found))


def test_permuting_rows_changes_nothing(rng):
    n = 300
    label, old, new, place = (rng.integers(0, k, n) for k in (3, 3, 3, 5))
    table = pl.DataFrame({"id": np.arange(n), "label": label, "prediction": old, "place": place})
    other = pl.DataFrame({"id": np.arange(n), "prediction": new})
    shuffled = [(table[rng.permutation(n).tolist()], other[rng.permutation(n).tolist()]) for _ in range(3)]
    reports = [told(compare_tables(*pair, id="id", slices=["place"])) for pair in shuffled]
    for one, another in itertools.pairwise(reports):
        same(one, another)
