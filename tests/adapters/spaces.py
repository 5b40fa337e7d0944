"""Small pairs of spaces that share what they show."""

import numpy as np


def paired(rng, pairs=60, source=5, target=4, noise=0.1):
    hidden = rng.normal(size=(pairs, max(source, target)))
    one = hidden @ rng.normal(size=(hidden.shape[1], source)) + rng.normal(size=source)
    other = hidden @ rng.normal(size=(hidden.shape[1], target)) + noise * rng.normal(size=(pairs, target))
    return one.astype(np.float32), other.astype(np.float32)


def rotation_matrix(rng, dimension):
    return np.linalg.qr(rng.normal(size=(dimension, dimension)))[0]


def to_unit(rows):
    doubles = np.asarray(rows, dtype=np.float64)
    return doubles / np.linalg.norm(doubles, axis=1, keepdims=True)
