"""Make a LightningModule congruent in two lines: a class that mixes in CongruentModule, and follow()."""

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

from segue.congruent.losses import FocalDistillation, KLDivergence
from segue.congruent.objective import Mixed
from segue.flips import compare
from segue.integrations.lightning import CongruentModule


class Classifier(LightningModule):
    def __init__(self, width):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Linear(width, 10))

    def forward(self, images):
        return self.layers(images.float() / 16)

    def training_step(self, batch, batch_idx):
        return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.005)


class CongruentClassifier(CongruentModule, Classifier): ...


seed_everything(0)
x, y = map(torch.tensor, load_digits(return_X_y=True))
few, many = (DataLoader(TensorDataset(x[:n], y[:n]), batch_size=64, shuffle=True) for n in (300, 1347))
options = {"max_epochs": 15, "accelerator": "cpu", "logger": False, "enable_checkpointing": False}
Trainer(**options).fit(old := Classifier(16), few)
objective = Mixed(FocalDistillation(alpha=0, beta=1, distance=KLDivergence(temperature=2)), weight=0.5)
for new in (Classifier(64), CongruentClassifier(64).follow(old, objective)):
    Trainer(**options).fit(new, many)
    print(f"{type(new).__name__}\n{compare(y[1347:], old(x[1347:]), new(x[1347:]))}\n")
