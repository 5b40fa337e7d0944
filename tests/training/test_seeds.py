import random

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.training.seeds import derive, drawn_from, generator, kept_globals, seed_globals


def drawn():
    return torch.rand(1).item(), float(np.random.rand()), random.random()


def test_globals_are_seeded_and_put_back():
    before = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()
    with drawn_from(3, "weights"):
        first = drawn()
    with kept_globals():
        seed_globals(None, 3, "weights")
        assert drawn() == first
        seed_globals(torch.device("cpu"), 3, "order")
        assert drawn() != first
    assert (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()) == before


def test_they_are_put_back_after_an_error_too():
    before = torch.get_rng_state().tolist()
    try:
        with drawn_from(3, "weights"):
            torch.rand(1)
            raise KeyError
    except KeyError:
        pass
    assert torch.get_rng_state().tolist() == before


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["order", "step"]), st.integers(0, 99)), unique=True))
def test_each_purpose_has_a_seed_of_its_own(purposes):
    seeds = {derive(*purpose) for purpose in purposes}
    assert len(seeds) == len(purposes)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_generator_does_not_touch_the_globals():
    before = torch.get_rng_state().tolist()
    first = torch.rand(1, generator=generator(0, "order", 1))
    assert torch.equal(first, torch.rand(1, generator=generator(0, "order", 1)))
    assert torch.get_rng_state().tolist() == before
