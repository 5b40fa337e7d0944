"""Each mistake in a table gets one sentence that says what, how many, which, and what to do."""

import numpy as np
import polars as pl
import pytest

from segue.errors import InputError
from segue.flips.table import Resources, compare_tables

OLD = {"id": [1, 2, 3, 4, 5], "label": ["a", "b", "a", "b", "a"], "prediction": ["a", "b", "b", "a", "a"]}
NEW = {"id": [5, 4, 3, 2, 1], "label": ["a", "b", "a", "b", "a"], "prediction": ["a", "b", "a", "b", "b"]}


def table(columns, **changes):
    return pl.DataFrame({**columns, **changes}, strict=False)


def refusal(old, new, **options):
    with pytest.raises(InputError) as caught:
        compare_tables(old, new, **{"id": "id", **options})
    return str(caught.value)


CASES = {
    "sample missing from new": (
        table(OLD),
        table(NEW)[1:],
        {},
        "the new table lacks 1 of the ids in the old table (id 5); complete it, or compare what both have with "
        "missing='drop'",
    ),
    "sample missing from old": (
        table(OLD)[2:],
        table(NEW),
        {},
        "the old table lacks 2 of the ids in the new table (id 1, 2); complete it, or compare what both have with "
        "missing='drop'",
    ),
    "no id in common": (
        table(OLD),
        table(NEW, id=[15, 14, 13, 12, 11]),
        {"missing": "drop"},
        "the old table and the new table: no sample is left to compare (the new table lacks 5 of the ids in the old "
        "table (id 1, 2, 3, ...): left out, as asked; the old table lacks 5 of the ids in the new table (id 11, 12, "
        "13, ...): left out, as asked), since the ids of the two have nothing in common; check the id column",
    ),
    "repeated id in old": (
        table(OLD, id=[1, 2, 2, 4, 5]),
        table(NEW),
        {},
        "the old table: 1 id has more than one row in column 'id' (id 2); keep one row for each id, or count rows "
        "that "
        "are the same in every column once with duplicates='merge'",
    ),
    "different rows of one id": (
        table(OLD, id=[1, 2, 2, 4, 5]),
        table(NEW)[[0, 1, 3, 4]],
        {"duplicates": "merge"},
        "the old table: 1 id has different rows in column 'id' (id 2); keep one row for each id",
    ),
    "missing id": (
        table(OLD, id=[1, None, 3, 4, None]),
        table(NEW),
        {},
        "the old table: 2 rows without an id (column 'id'); give every sample an id, or leave them out with "
        "missing='drop'",
    ),
    "missing answer": (
        table(OLD),
        table(NEW, prediction=["a", None, "a", None, "b"]),
        {},
        "the new table: column 'prediction' has no answer for 2 samples (id 2, 4); add them, or leave these "
        "samples out "
        "with nulls='drop', or count them as wrong answers with nulls='wrong'",
    ),
    "missing label": (
        table(OLD, label=["a", None, "a", "b", "a"]),
        table(NEW).drop("label"),
        {},
        "the old table: column 'label' has no label for 1 sample (id 2); label them, or leave these samples out with "
        "nulls='drop'",
    ),
    "missing label, missing answers wrong": (
        table(OLD, label=["a", None, "a", "b", "a"]),
        table(NEW),
        {"nulls": "wrong"},
        "the old table: column 'label' has no label for 1 sample (id 2); label them, or leave these samples out with "
        "nulls='drop'",
    ),
    "labels disagree": (
        table(OLD),
        table(NEW, label=["a", "a", "a", "b", "a"]),
        {},
        "the labels of the old table and the new table disagree on 1 sample (id 4: 'b' and 'a'); correct one of "
        "them, or "
        "take one file's labels with labels_disagree='old' or 'new'",
    ),
    "integers and strings": (
        table(OLD),
        table(NEW, prediction=[0, 1, 0, 1, 1]),
        {},
        "the new table: column 'prediction' holds integers but the old table: column 'label' holds strings; write "
        "both "
        "in the same way",
    ),
    "ids of two types": (
        table(OLD),
        table(NEW, id=["5", "4", "3", "2", "1"]),
        {},
        "the old table: id 'id' holds integers but the new table: id 'id' holds strings; write the ids in the same "
        "way "
        "in both",
    ),
    "answers as floats": (
        table(OLD),
        table(NEW, prediction=[0.0, 1.0, float("nan"), 1.0, 1.0]),
        {},
        "the new table: column 'prediction' holds floating-point numbers, which are no classes; write integers or "
        "strings (in pandas a missing answer turns integers into floats: use the type Int64), or compare graded "
        "scores "
        "with compare_score_tables()",
    ),
    "ids as floats": (
        table(OLD, id=[1.0, 2.0, 3.0, 4.0, 5.0]),
        table(NEW),
        {},
        "the old table: column 'id' holds floating-point numbers, which are no ids; write integers or strings (in "
        "pandas "
        "a missing id turns integers into floats: use the type Int64)",
    ),
    "only missing answers": (
        table(OLD),
        table(NEW, prediction=[None] * 5),
        {},
        "the new table: column 'prediction' holds only missing values; write one class per sample",
    ),
    "lists as answers": (
        table(OLD),
        table(NEW, prediction=[["a"]] * 5),
        {},
        "the new table: column 'prediction' holds VARCHAR[] values, which are no classes; write integers or strings",
    ),
    "no such column": (
        table(OLD),
        table(NEW),
        {"prediction": "predictions"},
        "the old table: there is no column 'predictions' (answers of the old model); did you mean 'prediction'?",
    ),
    "no such slice": (
        table(OLD),
        table(NEW),
        {"slices": ["country"]},
        "the old table and the new table: there is no column 'country' (slice); there are 'id', 'label', 'prediction'",
    ),
    "no id named": (
        table(OLD),
        table(NEW),
        {"id": None},
        "two tables are joined on the samples' ids; name the column with id=",
    ),
    "one table, one column": (
        table(OLD),
        None,
        {},
        "there is one table, but prediction names one column ('prediction'); pass the second table, or name the "
        "columns "
        "of the old and the new model",
    ),
    "empty": (table(OLD)[:0], table(NEW), {}, "the old table has no rows; there is nothing to compare"),
    "negative weight": (
        table(OLD, w=[1.0, -1.0, None, float("inf"), 2.0]),
        table(NEW),
        {"weights": "w"},
        "the old table: column 'w' has 3 weights that are negative, missing or infinite (id 2, 3, 4); give every "
        "sample "
        "a finite weight of zero or more",
    ),
    "weights of zero": (
        table(OLD, w=[0.0] * 5),
        table(NEW),
        {"weights": "w"},
        "the old table: column 'w' has only weights of zero; at least one sample must count",
    ),
    "missing group": (
        table(OLD, g=["x", "x", None, "y", "y"]),
        table(NEW),
        {"groups": "g"},
        "the old table: column 'g' has no group for 1 sample (id 3); give every sample a group",
    ),
    "one group": (
        table(OLD, g=["x"] * 5),
        table(NEW),
        {"groups": "g"},
        "the old table: column 'g' holds a single group; intervals between groups need at least two",
    ),
    "class map that lacks a class": (
        table(OLD),
        table(NEW),
        {"class_map": {"a": "a"}},
        "class_map lacks 1 of the old model's answers ('b'); map every old class to a new one, or to [] if it is gone",
    ),
    "class map that leads nowhere": (
        table(OLD),
        table(NEW),
        {"class_map": {"a": "x", "b": "y"}},
        "class_map leads to 'x', 'y', none of which is a label; map old classes to the classes that the labels use",
    ),
    "empty class map": (
        table(OLD),
        table(NEW),
        {"class_map": {}},
        "class_map must be a mapping {old class: new class or list of new classes} and not empty",
    ),
    "unknown treatment": (
        table(OLD),
        table(NEW),
        {"nulls": "ignore"},
        "nulls is 'ignore'; pass one of 'refuse', 'wrong', 'drop'",
    ),
    "confidence": (
        table(OLD),
        table(NEW),
        {"confidence": 95},
        "confidence is 95; pass a number between 0 and 1, such as 0.95",
    ),
    "memory": (
        table(OLD),
        table(NEW),
        {"resources": Resources(memory="lots")},
        "memory is 'lots', which DuckDB does not understand",
    ),
    "not a table": (
        3,
        table(NEW),
        {},
        "old is of type 'int'; pass a path, a list of paths, or a pandas, polars or pyarrow table",
    ),
    "no file": ("nowhere.parquet", table(NEW), {}, "old: there is no file 'nowhere.parquet'; check the path"),
    "no match": (
        "nowhere/*.parquet",
        table(NEW),
        {},
        "old: no file matches 'nowhere/*.parquet'; check the pattern and the folder",
    ),
    "target": (
        table(OLD),
        table(NEW),
        {"flips_to": "flips.xlsx"},
        "flips_to is 'flips.xlsx'; name a file that ends in .parquet or .csv",
    ),
    "target folder": (
        table(OLD),
        table(NEW),
        {"flips_to": "nowhere/f.csv"},
        "flips_to is 'nowhere/f.csv', but there is no folder",
    ),
}


@pytest.mark.parametrize("case", list(CASES))
def test_mistakes_get_one_clear_sentence(case):
    old, new, options, sentence = CASES[case]
    told = refusal(old, new, **options)
    assert told == sentence if case not in {"memory", "target folder"} else told.startswith(sentence)
    assert "\n" not in told


def test_answers_in_another_vocabulary_are_no_very_bad_model(rng):
    label = rng.choice(["cat", "dog"], 50)
    old = pl.DataFrame({"id": range(50), "label": label, "prediction": label})
    new = pl.DataFrame({"id": range(50), "prediction": np.where(label == "cat", "CAT", "DOG")})
    assert refusal(old, new) == (
        "the new table: column 'prediction': no answer (CAT, DOG, ...) is ever a label (cat, dog, ...); the "
        "classes have "
        "other names: pass class_map or rename them"
    )


def test_repeated_ids_in_new_are_counted_and_named_though_the_first_rows_are_sound(monkeypatch):
    monkeypatch.setattr("segue.flips.table.checks.SAMPLE_ROWS", 2)
    # As many rows as old has, so that only the ids tell: 2 twice, 5 missing; and the converse in the other table.
    told = refusal(table(OLD), table(NEW, id=[4, 3, 2, 1, 2]))
    assert told.startswith("the new table: 1 id has more than one row in column 'id' (id 2); ")
    told = refusal(table(OLD, id=[5, 4, 3, 2, 2]), table(NEW, id=[3, 5, 3, 4, 2]))
    assert told.startswith("the old table: 1 id has more than one row in column 'id' (id 2); ")


def test_a_column_with_few_values_is_refused_as_id_before_it_is_joined(rng):
    # Joined on this column, 200,000 rows with themselves would make ten billion.
    n = 200_000
    country = rng.choice(["de", "fr"], n)
    label = rng.integers(0, 2, n)
    rows = pl.DataFrame({"country": country, "label": label, "prediction": label})
    told = refusal(rows, rows, id="country")
    assert told.startswith("the old table: 2 ids have more than one row in column 'country' (id 'de', 'fr'); ")


def test_categories_without_end_are_refused(rng):
    n = 3000
    old = pl.DataFrame(
        {"id": range(n), "label": [0, 1, 0] * 1000, "prediction": [0] * n, "name": [f"n{k}" for k in range(n)]}
    )
    new = pl.DataFrame({"id": range(n), "prediction": [1] * n})
    assert refusal(old, new, slices=["name"]).startswith("slices['name'] has 3,000 different values, more than 1,000; ")


class TestTreatments:
    def test_missing_samples_are_left_out_and_told(self):
        report = compare_tables(table(OLD, id=[1, 2, 3, 4, None]), table(NEW)[2:], id="id", missing="drop")
        assert report.counts.to_dict() == {
            "both_right": 1, "negative_flips": 1, "positive_flips": 1, "both_wrong_same": 0, "both_wrong_differ": 0
        }  # fmt: skip
        assert report.notes == (
            "the old table: 1 row without an id left out, as asked",
            "the new table lacks 1 of the ids in the old table (id 4): left out, as asked",
        )

    def test_missing_answers_are_wrong_and_told(self):
        old = table(OLD, prediction=["a", None, "b", None, "a"])
        new = table(NEW, prediction=["a", None, "a", "b", None])
        report = compare_tables(old, new, id="id", nulls="wrong")
        # ids 1: right, none = broken; 2: none, right = mended; 3: mended; 4: none, none = same; 5: both right
        assert report.counts.to_dict() == {
            "both_right": 1, "negative_flips": 1, "positive_flips": 2, "both_wrong_same": 1, "both_wrong_differ": 0
        }  # fmt: skip
        assert report.flip_matrix.to_dict() == [{"label": "a", "answer": "(missing)", "count": 1}]
        assert report.notes == (
            "the old table: column 'prediction' has no answer for 2 samples: counted as wrong, as asked",
            "the new table: column 'prediction' has no answer for 2 samples: counted as wrong, as asked",
        )

    def test_missing_answers_and_labels_are_left_out_and_told(self):
        old = table(OLD, prediction=["a", None, "b", "a", "a"], label=["a", "b", None, "b", "a"])
        report = compare_tables(old, table(NEW), id="id", nulls="drop", labels_disagree="old")
        assert report.samples == 3
        assert report.notes == (
            "the old table: column 'label' has no label for 1 sample: left out, as asked",
            "the old table: column 'prediction' has no answer for 1 sample: left out, as asked",
        )

    def test_equal_rows_are_merged(self):
        old = pl.concat([table(OLD), table(OLD)[1:3]])
        report = compare_tables(old, table(NEW), id="id", duplicates="merge")
        assert report.counts == compare_tables(table(OLD), table(NEW), id="id").counts

    @pytest.mark.parametrize(("whose", "right_old"), [("old", 3), ("new", 4)])
    def test_one_files_labels_are_taken(self, whose, right_old):
        new = table(NEW, label=["a", "a", "a", "b", "a"])
        report = compare_tables(table(OLD), new, id="id", labels_disagree=whose)
        assert report.counts.right_old == right_old
        assert report.notes == (
            f"the labels of the old table and the new table disagree on 1 sample: those of the {whose} table were "
            f"taken, as asked",
        )
