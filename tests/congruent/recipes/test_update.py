"""What an update refuses before anything is trained."""

import numpy as np
import pytest
import torch

from segue.congruent.recipes import MostAccurate, StoredLogits, Workshop, train
from segue.errors import InputError
from tests.congruent.recipes import digits

LOGITS = StoredLogits(torch.zeros(500, 10), torch.zeros(400, 10))


@pytest.mark.parametrize("given", [range(8), torch.arange(8), np.arange(8)])
def test_a_class_map_is_kept_as_plain_numbers(given):
    found = digits.update(class_map=given).class_map
    assert found == (0, 1, 2, 3, 4, 5, 6, 7)
    assert {type(one) for one in found} == {int}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class_map": {0: 0}}, "the update's class_map can't be read as numbers"),
        ({"class_map": [0.0, 1.0]}, "the update's class_map holds torch.float32; pass integers"),
        ({"class_map": [0, 0]}, "the update's class_map sends more than one old class to the new class 0"),
        ({"batch_size": 0}, "batch_size is 0; pass a whole number from 1"),
        ({"epochs": "3"}, "epochs is '3'; pass a whole number from 1"),
        ({"old": "model.pt"}, "old is a str; pass the old model, or its StoredLogits"),
        ({"build": digits.build()}, "build must be a function that makes a new one each time, not this Sequential"),
        (
            {"optimizer": digits.optimizer(digits.build().parameters())},
            "optimizer must be a function that makes a new one each time, not this SGD",
        ),
        ({"schedule": 0.1}, "schedule must be a function that makes a new one each time, not this float"),
    ],
)
def test_mistakes(changes, said):
    with pytest.raises(InputError) as error:
        digits.update(**changes)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("train", "validation", "said"),
    [
        (np.zeros((500, 10)), LOGITS.validation, "old.train is a ndarray; pass a tensor of logits, (n, classes)"),
        (LOGITS.train, LOGITS.validation.long(), "old.validation are torch.int64; pass logits"),
        (LOGITS.train, LOGITS.validation * torch.nan, "old.validation has values that are not finite"),
        (LOGITS.train, LOGITS.validation[:, :8], "old.train has 10 classes and old.validation 8; pass logits of one"),
    ],
)
def test_stored_logits_that_are_none(train, validation, said):
    with pytest.raises(InputError) as error:
        digits.update(old=StoredLogits(train, validation)).data()
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("class_map", "said"),
    [
        (
            None,
            "the old model knows 8 classes and the new one 10; give the Update a class_map, the new class of each old "
            "class",
        ),
        ([0, 1], "the update's class_map names 2 old classes, but the old model knows 8"),
        (
            [0, 1, 2, 3, 4, 5, 6, 17],
            "the update's class_map names the new class 17, but the new model has 10 classes",
        ),
    ],
)
@pytest.mark.parametrize("method", ["averaging", "focal-logit-matching"])
def test_a_class_map_that_does_not_fit_is_refused_before_anything_is_trained(tmp_path, class_map, said, method):
    with pytest.raises(InputError) as error:
        train(digits.update(old=digits.old_model(8), class_map=class_map), method, folder=tmp_path, progress=False)
    assert str(error.value).startswith(said)
    assert not (tmp_path / "runs").exists()


def test_what_is_no_update_and_a_folder_that_is_a_file(tmp_path):
    with pytest.raises(InputError, match=r"^update is a int; pass an Update of segue\.congruent\.recipes$"):
        Workshop(42)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"can't keep runs .*; name another folder"):
        Workshop(digits.update(), tmp_path / "file")


def test_a_budget_of_flips_that_is_no_number():
    with pytest.raises(InputError) as error:
        MostAccurate("0.01")
    assert str(error.value) == "max_negative_flip_rate is '0.01'; pass a share from 0 to below 1 (write 1% as 0.01)"
