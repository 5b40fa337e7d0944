import pytest
import torch

from tests.congruent.recipes import digits


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in one order, so that a run that was killed can end bit for bit as one left alone."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def update():
    torch.set_num_threads(1)
    return digits.update()


@pytest.fixture(scope="session")
def everything(update, tmp_path_factory):
    """The folder and the outcome of all methods."""
    from segue.congruent.recipes import METHODS, train

    folder = tmp_path_factory.mktemp("everything")
    return folder, train(update, list(METHODS), folder=folder, progress=False)
