"""The store on disk: whole or not there, whatever kills the process, and nothing but what was written is read."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from segue.congruent.decisions import Confusion, PredictionStore, Replace
from segue.errors import InputError

CONFUSION = Confusion.fit(["a", "b"] * 20, ["a", "b"] * 20)
FILES = [".predictions.npz.lock", "predictions.npz"]


def names(folder):
    return sorted(one.name for one in folder.iterdir())


def saved(folder, samples=3):
    store = PredictionStore.create([f"s{n} ü" for n in range(samples)], ["a", "b", "b"] * (samples // 3), CONFUSION)
    path = folder / "predictions.npz"
    store.save(path)
    return store, path


def test_it_comes_back_as_it_was_and_goes_on(tmp_path):
    store, path = saved(tmp_path)
    read = PredictionStore.load(path)
    for one in (store, read):
        one.update(["s1 ü"], ["a"], CONFUSION, name="v2")
    assert read.ids.tolist() == store.ids.tolist()
    assert read.labels.tolist() == store.labels.tolist()
    assert np.array_equal(read.posterior, store.posterior)
    assert read.history == store.history
    read.save(path)
    assert PredictionStore.load(path).history == store.history
    with pytest.raises(InputError, match="has answered already"):
        PredictionStore.load(path).update(["s1 ü"], ["a"], CONFUSION, name="v2")


def test_there_is_no_pickle_in_it(tmp_path):
    _, path = saved(tmp_path)
    with np.load(path, allow_pickle=False) as found:
        assert {found[name].dtype.kind for name in found.files} <= set("iuUf")


def update_and_save_for_ever(path, ready):
    store = PredictionStore.load(path)
    while True:
        store.update(store.ids, np.where(store.labels == "a", "b", "a"), CONFUSION, rule=Replace())
        store.save(path)
        ready.set()  # one at least was saved, however busy the machine is


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_process_killed_between_or_within_saves_leaves_a_whole_state(tmp_path):
    store, path = saved(tmp_path, 30_000)
    half = store.labels == "a"
    system = multiprocessing.get_context("fork")
    generations = [1]
    for wait in (0.2, 0.23, 0.26, 0.29, 0.32):
        ready = system.Event()
        process = system.Process(target=update_and_save_for_ever, args=(path, ready))
        process.start()
        assert ready.wait(60)
        time.sleep(wait)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        read = PredictionStore.load(path)
        assert len(read) == 30_000
        # labels, beliefs and history are of one and the same generation: each one turned every label around
        assert (read.labels == "a").tolist() == (half if read.generation % 2 else ~half).tolist()
        assert read.generation == len(read.history)
        again = PredictionStore.create(store.ids, store.labels, CONFUSION)
        for _ in range(read.generation - 1):
            again.update(again.ids, np.where(again.labels == "a", "b", "a"), CONFUSION, rule=Replace())
        assert np.array_equal(again.posterior, read.posterior)
        generations.append(read.generation)
    assert generations == sorted(generations)
    assert generations[-1] > 1
    read.save(path)
    assert names(tmp_path) == FILES  # what killed processes left is cleared up


def test_a_save_that_fails_leaves_the_former_state(tmp_path, monkeypatch):
    store, path = saved(tmp_path)
    former = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(InputError) as error:
        store.save(path)
    assert str(error.value) == f"path: {str(path)!r} can't be written (No space left on device); name another file"
    assert path.read_bytes() == former
    assert names(tmp_path) == FILES


def test_the_file_has_the_permissions_that_a_new_file_has(tmp_path):
    _, path = saved(tmp_path)
    (tmp_path / "plain").write_text("")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    path.chmod(0o640)
    PredictionStore.load(path).save(path)
    assert path.stat().st_mode & 0o777 == 0o640


def rewritten(path, **changes):
    with np.load(path) as found:
        arrays = {name: found[name] for name in found.files} | changes
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ids": np.array(["x", "x", "y"])}, "predictions.npz contradicts itself (ids repeat); restore it from a copy"),
        (
            {"labels": np.array([0, 1, 2])},
            "predictions.npz contradicts itself (a stored label is none of the classes); restore it from a copy",
        ),
        (
            {"labels": np.array([0, 1])},
            "predictions.npz contradicts itself (labels has shape (2,) in place of (3,)); restore it from a copy",
        ),
        (
            {"log_likelihood": np.full((3, 2), np.nan)},
            "predictions.npz contradicts itself (a probability is not finite); restore it from a copy",
        ),
        (
            {"classes": np.array(["b", "a"])},
            "predictions.npz contradicts itself (classes repeat or are out of order); restore it from a copy",
        ),
        (
            {"votes": np.ones((3, 2))},
            "predictions.npz contradicts itself (votes is of type float64); restore it from a copy",
        ),
        ({"votes": None}, "predictions.npz lacks votes; check that it is whole"),
        (
            {"history": np.frombuffer(b"{", np.uint8)},
            "predictions.npz has a history that can't be read; check that it is whole",
        ),
        (
            {"history": np.frombuffer(b"[1]", np.uint8)},
            "predictions.npz contradicts itself (the history is no list of events); restore it from a copy",
        ),
        (
            {"format": np.frombuffer(b"segue.congruent.decisions.predictions/9", np.uint8)},
            "predictions.npz is of the format 'segue.congruent.decisions.predictions/9', this version of Segue reads "
            "'segue.congruent.decisions.predictions/1'; update Segue",
        ),
        (
            {"format": None},
            "predictions.npz holds no stored predictions; name a file that PredictionStore.save() or 'segue decide "
            "start' wrote",
        ),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(tmp_path, changes, said):
    _, path = saved(tmp_path)
    rewritten(path, **changes)
    with pytest.raises(InputError) as error:
        PredictionStore.load(path)
    assert str(error.value) == said


def test_files_that_are_something_else_are_refused(tmp_path):
    _, path = saved(tmp_path)
    whole = path.read_bytes()
    pickled = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "pickle.npz", format=pickled)
    np.save(tmp_path / "array.npy", np.arange(3))
    for name, content in (("half.npz", whole[: len(whole) // 2]), ("empty.npz", b""), ("text.npz", b"id,prediction\n")):
        (tmp_path / name).write_bytes(content)
    for name in ("empty.npz", "text.npz", "array.npy"):
        with pytest.raises(InputError, match=f"^{name} holds no stored predictions; "):
            PredictionStore.load(tmp_path / name)
    for name in ("half.npz", "pickle.npz"):
        with pytest.raises(InputError, match=f"^{name} can't be read as stored predictions .*check that it is whole$"):
            PredictionStore.load(tmp_path / name)
    with pytest.raises(InputError) as error:
        PredictionStore.load("nowhere.npz")
    assert str(error.value) == "there is no file 'nowhere.npz'; check the path"


def test_places_that_can_not_be_written_are_told(tmp_path):
    store, _ = saved(tmp_path)
    with pytest.raises(InputError, match=r"is a folder; name a file$"):
        store.save(tmp_path)
    with pytest.raises(InputError, match="No such file or directory"):
        store.save(tmp_path / "none" / "x.npz")


def test_torch_is_not_needed():
    code = (
        "import sys, segue.congruent.decisions as d; d.PredictionStore; d.SwitchRule; "
        "heavy = {'torch', 'duckdb', 'pandas', 'pyarrow', 'pydantic', 'sklearn'} & set(sys.modules); "
        "print(','.join(sorted(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
