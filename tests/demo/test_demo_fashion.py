"""Reading the four files: whole, packed or not, damaged in every way a download can be."""

from __future__ import annotations

import gzip
import shutil

import numpy as np
import pytest

from segue.demo import fashion
from segue.demo.pictures import UnavailableError

NAMES = tuple(fashion.CONTENTS)


def test_reads_pictures_and_labels(small):
    garments = fashion.read_folder(small, "somewhere")
    assert garments.train.images.shape == (600, 28, 28)
    assert garments.test.labels.tolist() == [9, 0, 3]
    assert garments.origin == "somewhere"
    assert [garments.classes[label] for label in garments.test.labels] == ["ankle boot", "T-shirt", "dress"]


def test_reads_unpacked_files_too(small, small_contents):
    packed = fashion.read_folder(small, "")
    for name, content in small_contents.items():
        (small / f"{name}.gz").unlink()
        (small / name).write_bytes(content)
    plain = fashion.read_folder(small, "")
    np.testing.assert_array_equal(plain.train.images, packed.train.images)


def test_another_gzip_header_is_the_same_file(small, small_contents):
    for name, content in small_contents.items():
        (small / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=1, mtime=1504176627))
    assert len(fashion.read_folder(small, "").train) == 600


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(small, name):
    (small / f"{name}.gz").unlink()
    with pytest.raises(UnavailableError, match=rf"small has no {name}\.gz"):
        fashion.read_folder(small, "")


def test_a_missing_folder_is_named(small):
    shutil.rmtree(small)
    with pytest.raises(UnavailableError, match=r"small has no train-images"):
        fashion.read_folder(small, "")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_file_cut_short_is_seen(small, name, share):
    path = small / f"{name}.gz"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UnavailableError, match=f"{name}.gz is (cut short|damaged)"):
        fashion.read_folder(small, "")


@pytest.mark.parametrize("position", [0, 1, 3, 500, 5000, -9, -5, -1])
def test_a_changed_byte_is_seen(small, position):
    path = small / "train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UnavailableError, match=r"train-images-idx3-ubyte\.gz is "):
        fashion.read_folder(small, "")


def test_an_error_page_in_place_of_the_file_is_seen(small):
    (small / "t10k-labels-idx1-ubyte.gz").write_text("<html>please log in</html>")
    with pytest.raises(UnavailableError, match="is damaged"):
        fashion.read_folder(small, "")


def test_the_other_mnist_is_not_taken_for_this_one(small, small_contents):
    (small / "t10k-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(small_contents["t10k-labels-idx1-ubyte"][:-1] + b"\1")
    )
    with pytest.raises(UnavailableError, match="another data set"):
        fashion.read_folder(small, "")


def test_a_folder_in_place_of_the_file_is_seen(small):
    (small / "t10k-labels-idx1-ubyte.gz").unlink()
    (small / "t10k-labels-idx1-ubyte").mkdir()
    with pytest.raises(UnavailableError, match="can't be read"):
        fashion.read_folder(small, "")


def test_idx_by_hand():
    content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])
    assert fashion.array_of_idx(content).tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\x08", b"\0\0\x0d\1\0\0\0\1\0\0\0\0", b"\0\0\x08\1\0\0\0\2\5", b"\0\0\x08\1\0\0\0\2\5\5\5"]
)
def test_what_is_no_idx_file_is_refused(content):
    with pytest.raises(ValueError, match=r"IDX|reshape"):
        fashion.array_of_idx(content)
