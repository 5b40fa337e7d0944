"""Little memory, full disks, killed and interrupted runs."""

import os
import platform
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import polars as pl
import pytest

from segue.errors import InputError
from segue.flips import compare
from segue.flips.table import ResourceError, Resources, compare_tables
from tests.flips.table.test_agreement import same, told

ROWS = 1_000_000


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """Two files whose ids are too scattered for the shortcut, so that all rows are joined."""
    rng = np.random.default_rng(7)
    folder = tmp_path_factory.mktemp("big")
    ids = rng.choice(2**60, ROWS, replace=False)
    label, old, new = (rng.integers(0, 10, ROWS) for _ in range(3))
    place = rng.integers(0, 5, ROWS)
    order = rng.permutation(ROWS)
    pl.DataFrame({"id": ids, "label": label, "prediction": old, "place": place}).write_parquet(folder / "old.parquet")
    pl.DataFrame({"id": ids[order], "prediction": new[order]}).write_parquet(folder / "new.parquet")
    return folder, (label, old, new, place)


def test_what_does_not_fit_into_memory_goes_to_disk_and_is_removed(big, tmp_path):
    folder, (label, old, new, place) = big
    expected = told(compare(label, old, new, slices={"place": place}))
    seen = []

    def watch(task, share):
        seen.append(sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()))

    resources = Resources(memory="40MB", threads=2, temp_directory=tmp_path, progress=watch)
    found = compare_tables(
        folder / "old.parquet", folder / "new.parquet", id="id", slices=["place"], flips=5, resources=resources
    )
    same(expected, told(found))
    assert max(seen) > 1_000_000
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_one_sentence(big, tmp_path):
    folder, _ = big
    resources = Resources(memory="40MB", disk="1MB", temp_directory=tmp_path)
    with pytest.raises(ResourceError) as caught:
        compare_tables(folder / "old.parquet", folder / "new.parquet", id="id", resources=resources)
    assert str(caught.value) == (
        f"the disk is full: the data do not fit into the 40MB of memory that may be used, and there is no room for "
        f"the "
        f"rest in {tmp_path}; free some space, name another folder with temp_directory=, or allow more memory"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_for_temporary_data_that_is_none(big):
    folder, _ = big
    with pytest.raises(
        InputError, match=r"^temp_directory 'nowhere' can't be written to \(No such file or directory\)$"
    ):
        compare_tables(
            folder / "old.parquet", None, prediction=("a", "b"), resources=Resources(temp_directory="nowhere")
        )


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_all_flips_are_written(big, tmp_path, ending):
    folder, (label, old, new, _) = big
    target = tmp_path / f"flips.{ending}"
    report = compare_tables(
        folder / "old.parquet", folder / "new.parquet", id="id", slices=["place"], flips=10, flips_to=target
    )
    written = (pl.read_parquet if ending == "parquet" else pl.read_csv)(target)
    assert written.columns == ["id", "flip", "label", "old", "new", "place"]
    assert (written["flip"] == "negative").sum() == report.negative_flips == ((label == old) & (label != new)).sum()
    assert (written["flip"] == "positive").sum() == report.positive_flips
    broken = written.filter(pl.col("flip") == "negative")
    assert (broken["label"] == broken["old"]).all()
    assert (broken["label"] != broken["new"]).all()
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_killed_run_leaves_no_half_a_file_and_the_next_one_clears_up(big, tmp_path):
    folder, _ = big
    place, spill = tmp_path / "place", tmp_path / "spill"
    place.mkdir()
    spill.mkdir()
    target = place / "flips [1].csv"
    target.write_text("the former file\n")
    asked = {"id": "id", "flips": 0, "flips_to": target}
    script = textwrap.dedent(f"""
        from segue.flips.table import Resources, compare_tables
        compare_tables({str(folder / "old.parquet")!r}, {str(folder / "new.parquet")!r}, id="id", flips=0,
                       flips_to={str(target)!r}, resources=Resources(temp_directory={str(spill)!r}))
    """)
    process = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 300
    while not any(path.name.endswith(".part") and path.stat().st_size for path in place.iterdir()):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert target.read_text() == "the former file\n"
    assert len(list(place.iterdir())) == 2
    assert len(list(spill.iterdir())) == 1
    # What another process, still alive, is writing beside it stays.
    alive = place / f".flips [1].csv.by-{platform.node()}-{os.getppid()}.part"
    alive.write_text("half")
    report = compare_tables(
        folder / "old.parquet", folder / "new.parquet", **asked, resources=Resources(temp_directory=spill)
    )
    assert len(target.read_text().splitlines()) == 1 + report.negative_flips + report.positive_flips
    assert sorted(place.iterdir()) == sorted([alive, target])
    assert list(spill.iterdir()) == []


def test_ctrl_c_ends_a_running_query_and_leaves_nothing(big, tmp_path):
    folder, _ = big
    resources = Resources(
        memory="40MB",
        temp_directory=tmp_path,
        progress=lambda task, share: os.kill(os.getpid(), signal.SIGINT) if task == "counting" else None,
    )
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        compare_tables(folder / "old.parquet", folder / "new.parquet", id="id", resources=resources)
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_step_by_step(big):
    folder, _ = big
    seen = []
    resources = Resources(threads=1, progress=lambda task, share: seen.append((task, share)))
    compare_tables(folder / "old.parquet", folder / "new.parquet", id="id", resources=resources)
    tasks = list(dict.fromkeys(task for task, _ in seen))
    assert tasks == ["counting", "flip matrix", "flipped samples"]
    assert all(0 <= share <= 1 for _, share in seen)
    assert [share for task, share in seen if task == "counting"][-1] == 1.0


def test_one_thread_tells_the_same_as_two(big):
    folder, _ = big
    one, two = (
        compare_tables(
            folder / "old.parquet",
            folder / "new.parquet",
            id="id",
            slices=["place"],
            resources=Resources(threads=threads),
        )
        for threads in (1, 2)
    )
    same(told(one), told(two))
    assert one.flips.to_dict() == two.flips.to_dict()
