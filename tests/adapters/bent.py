"""Spaces of which the one is no linear map of the other, and what a mistake is told."""

import numpy as np
import pytest

from segue.errors import InputError


def bent(rng, pairs=400, source=4, target=3, noise=0.05):
    one = rng.normal(size=(pairs, source))
    other = np.abs(one @ rng.normal(size=(source, target))) + noise * rng.normal(size=(pairs, target))
    return one.astype(np.float32), other.astype(np.float32)


def refused(ask):
    with pytest.raises(InputError) as error:
        ask()
    return str(error.value)
