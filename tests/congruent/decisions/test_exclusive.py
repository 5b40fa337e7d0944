"""Several processes that change one store: none of their updates is lost, and who must wait is told for whom."""

import multiprocessing
import os
import platform
import re
import signal
import threading

import numpy as np
import pytest

from segue.congruent.decisions import Confusion, PredictionStore, Replace
from segue.congruent.decisions.exclusive import exclusive
from segue.errors import InputError

CONFUSION = Confusion.fit(["a", "b"] * 20, ["a", "b"] * 20)
SYSTEM = multiprocessing.get_context("spawn")  # nothing is shared but the file
PROCESSES, UPDATES = 2, 6


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "predictions [1].npz"
    PredictionStore.create(np.arange(1000), ["a", "b"] * 500, CONFUSION).save(found)
    return found


def update_often(path, process, together):
    together.wait(200)
    for number in range(UPDATES):
        with PredictionStore.updating(path, wait=200) as store:
            store.update(store.ids, np.where(store.labels == "a", "b", "a"), CONFUSION, rule=Replace(),
                         name=f"{process}-{number}")  # fmt: skip


def hold(path, held, leave):
    with PredictionStore.updating(path):
        held.set()
        leave.wait(200)


def load_and_save(path, process, together):
    # what must not be done: all read before the first writes, so all but one update would be lost
    store = PredictionStore.load(path)
    store.update(store.ids, store.labels, CONFUSION, name=f"{process}")
    together.wait(200)
    try:
        store.save(path)
    except InputError as error:
        told = "predictions [1].npz has been changed since it was loaded, and saving would undo that; "
        os._exit(2 if str(error).startswith(told) else 3)


def started(target, path, *shared):
    processes = [SYSTEM.Process(target=target, args=(path, number, *shared)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(400)
    return sorted(process.exitcode for process in processes)


def test_no_update_of_two_processes_is_lost(path):
    assert started(update_often, path, SYSTEM.Barrier(PROCESSES)) == [0, 0]
    store = PredictionStore.load(path)
    wanted = {f"{process}-{number}" for process in range(PROCESSES) for number in range(UPDATES)}
    assert {event["name"] for event in store.history} == {"first", *wanted}
    assert store.generation == 1 + PROCESSES * UPDATES
    assert store.labels.tolist() == ["a", "b"] * 500  # turned around an even number of times
    # each model's answers count once: the belief is that of a store which one process updated
    alone = PredictionStore.create(np.arange(1000), ["a", "b"] * 500, CONFUSION)
    for _ in wanted:
        alone.update(alone.ids, np.where(alone.labels == "a", "b", "a"), CONFUSION, rule=Replace())
    assert np.array_equal(alone.posterior, store.posterior)


def test_a_store_that_was_changed_since_it_was_loaded_is_not_overwritten(path):
    assert started(load_and_save, path, SYSTEM.Barrier(PROCESSES)) == [0, 2]
    assert PredictionStore.load(path).generation == 2


def test_who_has_to_wait_too_long_is_told_for_whom(path):
    held, leave = SYSTEM.Event(), SYSTEM.Event()
    process = SYSTEM.Process(target=hold, args=(path, held, leave))
    process.start()
    assert held.wait(200)
    former = path.read_bytes()
    with pytest.raises(InputError) as error, PredictionStore.updating(path, wait=0.2):
        raise AssertionError("two at once")
    assert re.fullmatch(
        rf"predictions \[1\]\.npz is being changed by process {process.pid} on {re.escape(platform.node())} "
        r"\(since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\), and still was after 0\.2 seconds; try again when that has ended",
        str(error.value),
    )
    assert path.read_bytes() == former
    assert len(PredictionStore.load(path)) == 1000  # reading needs no lock
    leave.set()
    process.join(200)
    with PredictionStore.updating(path, wait=0.2) as store:
        assert store.generation == 1


def test_a_killed_process_holds_nothing(path):
    held, leave = SYSTEM.Event(), SYSTEM.Event()
    process = SYSTEM.Process(target=hold, args=(path, held, leave))
    process.start()
    assert held.wait(200)
    os.kill(process.pid, signal.SIGKILL)
    process.join(200)
    with PredictionStore.updating(path, wait=0.2) as store:
        store.update([1], ["a"], CONFUSION)
    assert PredictionStore.load(path).generation == 2


def test_what_an_error_ends_is_not_saved(path):
    former = path.read_bytes()

    def broken_off():
        with PredictionStore.updating(path) as store:
            store.update([1], ["a"], CONFUSION)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert path.read_bytes() == former
    with PredictionStore.updating(path, wait=0.2) as store:
        assert store.generation == 1


def test_threads_exclude_each_other_and_a_block_may_save_by_itself(path):
    told = []

    def other():
        try:
            with exclusive(path, wait=0.2):
                told.append("in")
        except InputError as error:
            told.append(str(error))

    with PredictionStore.updating(path) as store:
        store.update([1], ["a"], CONFUSION)
        store.save(path)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(200)
        store.update([2], ["b"], CONFUSION)
    assert PredictionStore.load(path).generation == 3
    assert len(told) == 1
    assert f"is being changed by process {os.getpid()} on " in told[0]
    other()
    assert told[1] == "in"


def test_one_file_has_one_lock_whatever_folder_its_path_begins_at(path, monkeypatch):
    (path.parent / "deep").mkdir()
    (path.parent / "link").symlink_to(path.parent)
    monkeypatch.chdir(path.parent / "deep")
    names = [path, f"../{path.name}", path.parent / "link" / path.name, f"../link/{path.name}"]
    store = PredictionStore.load(names[0])
    for name in names:  # else they would be taken for another's changes, or not be noticed
        store.save(name)
    with PredictionStore.updating(names[1]) as other:
        other.update([1], ["a"], CONFUSION)
    for name in names:
        with pytest.raises(InputError, match="has been changed since it was loaded"):
            store.save(name)
    assert sorted(one.name for one in path.parent.iterdir()) == [
        ".predictions [1].npz.lock", "deep", "link", "predictions [1].npz",
    ]  # fmt: skip


def test_what_is_no_store_gets_no_lock(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for name in ("notes.txt", "none.npz"):
        with pytest.raises(InputError), PredictionStore.updating(tmp_path / name):
            raise AssertionError("updated")
    with pytest.raises(InputError, match=r"is a folder; name a file$"), exclusive(tmp_path):
        raise AssertionError("in")
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]
