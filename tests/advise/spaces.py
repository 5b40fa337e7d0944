"""Small collections as two models see them: classes, an old model and a new one."""

import numpy as np

from tests.adapters.spaces import rotation_matrix


def collection(count, *, old_noise, new_noise, seed=0, classes=20, dimension=16):
    """Return old and new vectors and labels; the new model sees what the old one blurs."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = rng.normal(size=(classes, dimension))
    turn = rotation_matrix(rng, dimension)
    shown = centres[labels] + 0.4 * rng.normal(size=(count, dimension))
    old = (shown + old_noise * rng.normal(size=shown.shape)) @ turn
    new = shown + new_noise * rng.normal(size=shown.shape)
    return old.astype(np.float32), new.astype(np.float32), labels


def parts(*vectors, items, gallery):
    """Split rows into items, a stored gallery, and queries."""
    return [(rows[:items], rows[items : items + gallery], rows[items + gallery :]) for rows in vectors]
