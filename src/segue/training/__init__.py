"""The one training loop that all training rooms share: deterministic from a seed, resumable, on Lightning Fabric."""

from segue.training.asking import outputs_of
from segue.training.data import Batch, DatasetData, TensorData, TrainingData
from segue.training.frozen import Frozen
from segue.training.history import Epoch, History
from segue.training.loop import fit
from segue.training.references import cached_outputs
from segue.training.validation import Validation

__all__ = [
    "Batch",
    "DatasetData",
    "Epoch",
    "Frozen",
    "History",
    "TensorData",
    "TrainingData",
    "Validation",
    "cached_outputs",
    "fit",
    "outputs_of",
]
