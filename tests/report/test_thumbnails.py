from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from segue.report.thumbnails import LEFT_OUT, NO_PICTURE, SIDE, Album, PictureError, thumbnail
from tests.report.reports import png


def opened(address: str) -> Image.Image:
    head, data = address.split(",", 1)
    assert head in {"data:image/png;base64", "data:image/jpeg;base64"}
    return Image.open(io.BytesIO(base64.b64decode(data)))


def written(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    held = io.BytesIO()
    picture.save(held, kind, **options)
    return held.getvalue()


def test_a_small_picture_is_kept_pixel_by_pixel():
    pixels = np.arange(784, dtype=np.uint8).reshape(28, 28)
    address, side = thumbnail(written(Image.fromarray(pixels)), Path())
    assert side == 28
    assert (np.asarray(opened(address)) == pixels).all()


def test_a_large_picture_is_shrunk_and_keeps_its_shape():
    address, side = thumbnail(png(3000, 1500, mode="RGB"), Path())
    assert side == 3000
    assert opened(address).size == (SIDE, SIDE // 2)
    assert len(address) < 20_000


def test_a_picture_is_turned_upright_as_its_camera_says():
    pixels = np.zeros((100, 200, 3), dtype=np.uint8)
    pixels[:, :100] = 255  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise: left becomes top
    turned = opened(thumbnail(written(Image.fromarray(pixels), "JPEG", exif=exif), Path())[0])
    assert turned.size == (80, 160)
    assert np.asarray(turned.convert("L"))[:60].mean() > 200
    assert np.asarray(turned.convert("L"))[100:].mean() < 50


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F", "I;16", "HSV", "LAB"])
def test_all_kinds_of_pixels_become_a_picture(mode):
    kind = "TIFF" if mode in {"CMYK", "YCbCr", "I", "F", "I;16", "LAB"} else "PNG"
    picture = Image.new("RGB" if mode == "HSV" else mode, (90, 70))
    assert opened(thumbnail(written(picture, kind), Path())[0]).size == (90, 70)


def test_deep_pixels_are_stretched_from_darkest_to_brightest():
    pixels = np.full((40, 40), 1000, dtype=np.uint16)
    pixels[10:20] = 1400  # an X-ray that uses a sliver of its range
    shown = np.asarray(opened(thumbnail(written(Image.fromarray(pixels)), Path())[0]))
    assert (shown.min(), shown.max()) == (0, 255)


def test_transparent_parts_are_white():
    shown = opened(thumbnail(written(Image.new("RGBA", (20, 20), (255, 0, 0, 0))), Path())[0])
    assert shown.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_the_first_frame_of_an_animation_is_shown():
    frames = [Image.new("L", (30, 30), shade) for shade in (10, 200)]
    held = io.BytesIO()
    frames[0].save(held, "GIF", save_all=True, append_images=frames[1:])
    assert opened(thumbnail(held.getvalue(), Path())[0]).convert("L").getpixel((3, 3)) < 50


@pytest.mark.parametrize(
    "source",
    [
        lambda folder: "pictures/one.png",
        lambda folder: Path("pictures/one.png"),
        lambda folder: str(folder / "pictures" / "one.png"),
        lambda folder: {"bytes": None, "path": "pictures/one.png"},
        lambda folder: {"bytes": png(), "path": "elsewhere.png"},
        lambda folder: bytearray(png()),
        lambda folder: memoryview(png()),
        lambda folder: np.zeros((28, 28, 3), dtype=np.uint8),
        lambda folder: np.zeros((28, 28)),
    ],
)
def test_where_a_picture_may_come_from(tmp_path, source):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "one.png").write_bytes(png())
    album = Album(tmp_path)
    assert album.add(source(tmp_path)) == 0
    assert opened(album.pictures[0]).size == (28, 28)
    assert album.small


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, NO_PICTURE),
        ("", NO_PICTURE),
        ({"bytes": None, "path": None}, NO_PICTURE),
        (float("nan"), NO_PICTURE),
        (np.zeros((0, 4), dtype=np.uint8), NO_PICTURE),
        ("no/such/file.png", "picture not found"),
        (".", "broken picture"),
        ("zero\0byte.png", "broken picture"),
        (b"not a picture", "not a picture that can be read"),
        (png(300, 300)[:200], "broken picture"),
        (png()[:20], "broken picture"),
    ],
)
def test_a_placeholder_says_why_there_is_no_picture(tmp_path, source, reason):
    album = Album(tmp_path)
    number = album.add(source)
    assert album.reasons[-1 - number] == reason
    assert album.pictures == []


def test_a_picture_of_a_million_by_a_million_pixels_is_not_opened(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5000)
    with pytest.raises(PictureError, match="too large"):
        thumbnail(png(200, 200), Path())


@given(st.binary(max_size=200))
def test_no_bytes_whatever_make_it_stumble(noise):
    for source in (noise, png()[:40] + noise, b"\xff\xd8\xff\xe0" + noise, b"GIF89a" + noise, b"BM" + noise):
        album = Album(Path())
        album.add(source)
        assert len(album.pictures) + len(album.reasons) == 1


def test_the_budget_is_kept_and_says_what_was_left_out():
    one = len(thumbnail(png(), Path())[0])
    album = Album(Path(), budget=3 * one + one // 2)
    numbers = [album.add(png()) for _ in range(5)] + [album.add(None)]
    assert numbers[:3] == [0, 1, 2]
    assert [album.reasons[-1 - number] for number in numbers[3:]] == [LEFT_OUT, LEFT_OUT, NO_PICTURE]
    assert sum(map(len, album.pictures)) <= 3 * one + one // 2
    assert album.wanted == 5


def test_pictures_beyond_the_budget_are_not_even_opened(tmp_path):
    album = Album(tmp_path, budget=0)
    album.add(png())
    assert album.reasons[-1 - album.add("no/such/file.png")] == LEFT_OUT
