"""How models are asked, and what is said where precision differs."""

import pytest
import torch
from torch import nn

from segue.errors import InputError
from segue.training import outputs_of
from segue.training.forward import call


@pytest.mark.parametrize("mapping", [False, True])
def test_inputs_of_another_precision_are_one_sentence(mapping):
    model = nn.Linear(4, 3).half()
    inputs = {"input": torch.randn(5, 4)} if mapping else torch.randn(5, 4)
    with pytest.raises(InputError) as error:
        outputs_of(model, (inputs, torch.zeros(5, dtype=torch.int64)))
    assert str(error.value) == (
        "the model's weights are float16 but its inputs float32; convert one of them, such as by model.float()"
    )


def test_other_errors_of_a_model_stay_its_own():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        call(nn.Linear(4, 3), torch.randn(5, 7))


def test_whole_numbers_are_no_precision():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        call(nn.Sequential(nn.Embedding(9, 2), nn.Linear(3, 1)), torch.tensor([[0, 1]]))
