import numpy as np
import pytest
from hypothesis import settings

# No deadline: these machines are shared, and a slow moment is no defect.
settings.register_profile("segue", deadline=None, max_examples=60)
settings.load_profile("segue")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20201116)
