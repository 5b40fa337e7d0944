"""What is measured on pictures, and the tables: against loops, and read back by pyarrow and Pillow."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from segue.demo import digits
from segue.demo.properties import GROUND, PROPERTIES, brightness, tallness, texture
from segue.demo.tables import answers_table, described, ids, png, protected_ids, write_parquet
from segue.demo.training import Answers

some_images = arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)))


def slow_brightness(image):
    greys = [int(grey) / 255 for row in image for grey in row if grey >= GROUND]
    return sum(greys) / len(greys) if greys else 0.0


def slow_tallness(image):
    places = [(i, j) for i, row in enumerate(image) for j, grey in enumerate(row) if grey >= GROUND]
    if not places:
        return 1.0
    (top, bottom), (left, right) = ((min(line), max(line)) for line in zip(*places, strict=True))
    return (bottom - top + 1) / (right - left + 1)


def slow_texture(image):
    height, width = image.shape
    neighbours = [((i, j), (i + 1, j)) for i in range(height - 1) for j in range(width)]
    neighbours += [((i, j), (i, j + 1)) for i in range(height) for j in range(width - 1)]
    steps = [
        abs(int(image[one]) - int(image[other])) / 255
        for one, other in neighbours
        if image[one] >= GROUND and image[other] >= GROUND
    ]
    return sum(steps) / len(steps) if steps else 0.0


SLOW = {brightness: slow_brightness, tallness: slow_tallness, texture: slow_texture}


@pytest.mark.parametrize("measure", PROPERTIES.values())
@given(images=some_images)
def test_properties_agree_with_loops(measure, images):
    np.testing.assert_allclose(measure(images), [SLOW[measure](image) for image in images])


@pytest.fixture(scope="module")
def pictures():
    return digits.load()


@pytest.fixture(scope="module")
def answers(pictures):
    count = len(pictures.test)
    return Answers(np.arange(count) % 10, np.linspace(0.1, 1, count))


def test_a_table_holds_every_test_picture_once(pictures, answers, tmp_path):
    table = described(pictures, answers_table(pictures, answers))
    write_parquet(table, tmp_path / "answers.parquet")
    read = pq.read_table(tmp_path / "answers.parquet").to_pydict()
    assert read["id"] == ids(pictures)
    assert read["label"] == read["digit"] == [str(label) for label in pictures.test.labels]
    assert read["prediction"][:12] == [*"0123456789", "0", "1"]
    assert read["confidence"][-1] == 1
    shown = np.array(Image.open(io.BytesIO(read["image"][17])))
    np.testing.assert_array_equal(shown, pictures.test.images[17])


def test_a_picture_survives_png():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(png(image)))), image)


def test_protected_pictures_are_test_pictures_at_even_distances(pictures):
    chosen = protected_ids(pictures)
    assert chosen[:3] == ["digit-00000", "digit-00004", "digit-00008"]
    assert 200 <= len(set(chosen)) <= 300
    assert set(chosen) <= set(ids(pictures))
    assert len(set(ids(pictures))) == len(pictures.test)


def test_digits_are_split_into_parts_that_do_not_meet(pictures):
    assert len(pictures.train) + len(pictures.test) == 1797
    assert pictures.train.images.max() == 255
    train, test = ({image.tobytes() for image in part.images} for part in (pictures.train, pictures.test))
    assert not train & test
