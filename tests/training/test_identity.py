import functools
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from segue.training.identity import digest_of, settings_of
from tests.training.problems import network, shaken


class Distance:
    def __init__(self, temperature):
        self.temperature = temperature


@dataclass(frozen=True, slots=True)
class Slotted:
    temperature: float


class Loss(nn.Module):
    def __init__(self, weight=1.0, temperature=1.0, act=torch.relu):
        super().__init__()
        self.weight, self.distance, self.act = weight, Distance(temperature), act
        self.inner = nn.CrossEntropyLoss(label_smoothing=weight / 10)


PAIRS = {
    "weights": (network(0), network(1)),
    "class": (nn.Tanh(), nn.ReLU()),
    "setting": (Loss(0.5), Loss(0.6)),
    "setting of an object within": (Loss(temperature=1.0), Loss(temperature=2.0)),
    "setting of an object without a dictionary": ([Slotted(1.0)], [Slotted(2.0)]),
    "number of numpy's": ([np.int64(1)], [np.int64(2)]),
    "bytes": ([b"a"], [b"b"]),
    "function within": (Loss(act=torch.relu), Loss(act=torch.tanh)),
    "function": (shaken, digest_of),
    "bound argument": (functools.partial(shaken, chance=1), functools.partial(shaken, chance=2)),
    "buffer": (nn.CrossEntropyLoss(torch.ones(3)), nn.CrossEntropyLoss(2 * torch.ones(3))),
    "type of numbers": (torch.zeros(3), torch.zeros(3, dtype=torch.float64)),
    "shape": (torch.zeros(2, 3), torch.zeros(3, 2)),
    "array": (np.arange(3), np.arange(1, 4)),
    "number": (1, 1.5),
    "mapping": ({"a": torch.zeros(1)}, {"b": torch.zeros(1)}),
    "order": ([1, 2], [2, 1]),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_what_differs_has_another_digest(pair):
    first, second = pair
    assert digest_of(first) == digest_of(first)
    assert digest_of(first) != digest_of(second)


def test_equal_things_have_equal_digests():
    assert digest_of(network(3)) == digest_of(network(3).eval())
    assert digest_of(Loss(0.5, 2.0)) == digest_of(Loss(0.5, 2.0))
    assert digest_of(torch.arange(6).reshape(2, 3).T) == digest_of(torch.arange(6).reshape(2, 3).T.contiguous())
    assert digest_of({1, 2, 3}) == digest_of({3, 2, 1})
    assert digest_of([Slotted(1.0)]) == digest_of([Slotted(1.0)])


def test_a_digest_is_the_same_in_another_process():
    code = "from tests.training.test_identity import *; print(digest_of(Loss(0.5)), digest_of({'b', 'a'}))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == [digest_of(Loss(0.5)), digest_of({"b", "a"})]


def test_settings_leave_out_what_every_module_has():
    assert settings_of(nn.Linear(2, 3)) == {"in_features": 2, "out_features": 3}
