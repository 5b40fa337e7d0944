import os
from collections.abc import Generator

import numpy as np
import pytest
from hypothesis import settings
from playwright.sync_api import Browser

from tools.browser import open_browser

# No deadline: machines are shared, and a slow moment is no defect. In CI the examples are the same in every run, so
# that a red run means a change; elsewhere they go on exploring.
settings.register_profile("segue", deadline=None, max_examples=60, derandomize=bool(os.environ.get("CI")))
settings.load_profile("segue")


# One browser for all tests of a process: a second one can't be started beside it.
@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    try:
        with open_browser() as started:
            yield started
    except FileNotFoundError as error:
        # A machine without a browser fails the tests; it does not pass them by leaving them out.
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20201116)
