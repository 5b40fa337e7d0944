"""Replace a scikit-learn model by a skorch network that keeps what it got right: the old logits travel in X."""

import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier

from segue.congruent.losses import FocalDistillation, KLDivergence
from segue.congruent.objective import Mixed
from segue.flips import compare


class Network(torch.nn.Sequential):
    def __init__(self):
        super().__init__(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))

    def forward(self, images, old_logits=None):  # not needed to predict
        return super().forward(images)


class CongruentClassifier(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, X, training=False):
        return self.criterion_(y_pred, X["old_logits"].to(y_pred.device), y_true)


pixels, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(pixels.astype("float32") / 16, y, random_state=0)
old = LogisticRegression(max_iter=500).fit(X[:300], y[:300])
both = {"images": X, "old_logits": old.predict_log_proba(X).astype("float32")}

torch.manual_seed(0)
objective = Mixed(FocalDistillation(alpha=0, beta=1, distance=KLDivergence(temperature=2)), weight=0.5)
options = {"max_epochs": 15, "lr": 0.005, "optimizer": torch.optim.Adam, "batch_size": 64, "verbose": 0}
# skorch can't know that the objective reads logits: without a nonlinearity predict_proba would return those
congruent = CongruentClassifier(Network, criterion=objective, predict_nonlinearity=torch.nn.Softmax(dim=1), **options)
for new in (NeuralNetClassifier(Network, criterion=torch.nn.CrossEntropyLoss, **options), congruent):
    print(f"{type(new).__name__}\n{compare(y_test, old, new.fit(both, y), inputs=X_test)}\n")
