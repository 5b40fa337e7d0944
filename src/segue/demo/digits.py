"""scikit-learn's handwritten digits: 1,797 pictures of 8x8, always there, for tests and machines without a network."""

from __future__ import annotations

import numpy as np

from segue.demo.pictures import Pictures, PictureSet
from segue.errors import require

TEST_SHARE = 0.5
SPLIT_SEED = 0


def load() -> PictureSet:
    """Return the digits, half of them for the test, split by a fixed shuffle.

    Returns:
        The digits; grey values are stretched from 0..16 to 0..255.
    """
    bunch = require("sklearn.datasets", "demo", "the digits of the demo").load_digits()
    images = np.round(np.asarray(bunch.images) * (255 / 16)).astype(np.uint8)
    everything = Pictures(images, np.asarray(bunch.target, dtype=np.int64))
    order = np.random.default_rng(SPLIT_SEED).permutation(len(everything))
    cut = round(len(order) * (1 - TEST_SHARE))
    train, test = (Pictures(everything.images[part], everything.labels[part]) for part in (order[:cut], order[cut:]))
    return PictureSet("digits", "digit", "scikit-learn", tuple("0123456789"), train, test)
