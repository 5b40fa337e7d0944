"""Train a network that keeps what its predecessor got right: the loss is one line, the loop stays yours."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from segue.congruent.losses import FocalDistillation, KLDivergence
from segue.congruent.objective import Mixed
from segue.flips import compare

pixels, digits = load_digits(return_X_y=True)
x, x_test, y, y_test = map(torch.tensor, train_test_split(pixels.astype("float32") / 16, digits, random_state=0))


def train(width, x, y, loss):
    torch.manual_seed(0)  # both trainings begin with the same weights and meet the digits in the same order
    model = torch.nn.Sequential(torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Linear(width, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(15):
        for batch in torch.randperm(len(y)).split(64):
            optimizer.zero_grad()
            loss(model(x[batch]), x[batch], y[batch]).backward()
            optimizer.step()
    return model.eval().requires_grad_(False)


def plain(new, x, y):
    return torch.nn.functional.cross_entropy(new, y)


def congruent(new, x, y):
    return objective(new, old(x), y)


# Where the old model is right, stay close to it. Weight and temperature were chosen on a part of the training data.
objective = Mixed(FocalDistillation(alpha=0, beta=1, distance=KLDivergence(temperature=2)), weight=0.5)
old = train(16, x[:300], y[:300], plain)  # the model in production is smaller and saw fewer digits
for loss in (plain, congruent):
    new = train(64, x, y, loss)
    print(f"{loss.__name__} training\n{compare(y_test, old(x_test), new(x_test))}\n")
