import os

import numpy as np
import pytest
from hypothesis import settings

# No deadline: machines are shared, and a slow moment is no defect. In CI the examples are the same in every run, so
# that a red run means a change; elsewhere they go on exploring.
settings.register_profile("segue", deadline=None, max_examples=60, derandomize=bool(os.environ.get("CI")))
settings.load_profile("segue")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20201116)
