"""Queries that say nothing in the columns that search the old gallery."""

import numpy as np
import pytest
import torch
from torch import nn

from segue.compatible.recipes import train
from segue.compatible.recipes.measuring import measure_new
from segue.errors import InputError
from segue.retrieval import Relevance
from tests.compatible.recipes.cases import INPUTS, stored, update


def of(labels):
    return Relevance.from_labels(labels, labels, exclude=np.arange(len(labels)))


OLD = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])


def test_a_query_of_zeros_finds_nothing_and_the_others_what_they_found():
    new = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.1]])
    found = measure_new(new, OLD, "cmc@1", of([0, 0, 1, 1]))
    assert found.values["new_old"].tolist() == [1, 0, 1, 1]
    assert found.silent.tolist() == [False, True, False, False]
    with pytest.raises(InputError) as error:
        found.refuse_silent()
    assert str(error.value) == (
        "the network that build makes returned zeros in the first 2 columns, which search the old gallery, for 1 of 4 "
        "samples, first sample 1, which can find nothing; does it end in a ReLU? Let it end in a linear layer"
    )


def test_a_query_with_nothing_to_find_does_not_count_even_if_it_says_nothing():
    new = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.1]])
    values = measure_new(new, OLD, "map", of([0, 0, 1, 2])).values["new_old"]
    assert np.isnan(values).tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("strange", "sentence"),
    [
        (
            0.0,
            "the network that build makes returned zeros for 1 of 4 samples, first sample 2, which can",
        ),
        (float("nan"), "the network that build makes returned numbers that are not finite for 1 of 4 samples, first"),
    ],
)
def test_embeddings_without_any_direction(strange, sentence):
    new = OLD.clone()
    new[2] = strange
    with pytest.raises(InputError) as error:
        measure_new(new, OLD, "cmc@1", of([0, 0, 1, 1]))
    assert str(error.value).startswith(sentence)


class Silent(nn.Module):
    """Says nothing of some inputs in the columns that search the old gallery."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(INPUTS, 10)

    def forward(self, inputs):
        made = self.inner(inputs)
        return torch.cat([made[:, :4] * (inputs[:, :1] > -1), made[:, 4:]], dim=1)


def test_a_network_that_says_nothing_of_some_queries_is_told():
    told = "the network that build makes returned zeros in the first 4 columns, which search the old gallery, for"
    with pytest.raises(InputError, match=told):
        train(update(epochs=1, build=Silent, old=stored()), "contrastive", progress=False)
    free = train(update(epochs=1, build=Silent, old=stored()), "independent", progress=False)
    assert free.paragon.per_query["new_old"].min() == 0
