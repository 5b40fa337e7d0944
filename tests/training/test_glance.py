import itertools

import torch
from torch.utils.data import Dataset

from segue.training import DatasetData, TensorData
from segue.training.glance import glance_at


class Pairs(Dataset):
    def __init__(self, inputs, labels, noise=None):
        self.inputs, self.labels, self.noise = inputs, labels, noise

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, place):
        moved = self.inputs[place] if self.noise is None else self.inputs[place] + next(self.noise)
        return moved, int(self.labels[place])


INPUTS, LABELS = torch.arange(200.0).reshape(100, 2), torch.arange(100) % 5


def of(inputs=INPUTS, labels=LABELS, noise=None):
    return glance_at(DatasetData(Pairs(inputs, labels, noise)))


def test_other_inputs_or_labels_are_another_dataset():
    assert of() == of(INPUTS.clone(), LABELS.clone())
    assert len({of(), of(INPUTS * 0), of(labels=LABELS * 0), of(INPUTS[:99], LABELS[:99])}) == 4


def test_chance_of_the_global_generators_is_the_same_and_left_alone():
    def chance():
        while True:
            yield torch.rand(2)

    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    assert of(noise=chance()) == of(noise=chance())
    assert torch.equal(torch.rand(1), expected)


def test_where_inputs_are_never_the_same_the_labels_count():
    assert of(noise=itertools.count()) == of(noise=itertools.count(7)) != of(labels=LABELS * 0, noise=itertools.count())


def test_inputs_by_name_and_tensors_in_memory():
    named = TensorData({"a": INPUTS, "b": LABELS}, LABELS)
    assert glance_at(named) == glance_at(TensorData({"a": INPUTS, "b": LABELS}, LABELS))
    changed = INPUTS.clone()
    changed[1, 0] += 1  # of tensors, every number counts
    assert glance_at(named) != glance_at(TensorData({"a": changed, "b": LABELS}, LABELS))
