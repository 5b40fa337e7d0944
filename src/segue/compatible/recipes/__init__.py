"""Train the successor of an embedding model: sweep what holds it to the old one, show the front, pick by a rule.

What it takes is an :class:`Update`: how a new network is built and trained, data with labels, and the old model or its
stored vectors::

    update = Update(build=new_network, old=old_network, train=(x, y), validation=(x_val, y_val),
                    optimizer=partial(torch.optim.AdamW, lr=1e-3), epochs=10)
    outcome = train(update)
    print(outcome.cross_test)
    outcome.model
    outcome.save("run"); load("run", new_network)
"""

from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.choice import BestOnOldGallery, front
from segue.compatible.recipes.loading import load
from segue.compatible.recipes.methods import METHODS, Method
from segue.compatible.recipes.outcome import Outcome, Tried
from segue.compatible.recipes.training import train
from segue.compatible.recipes.update import StoredEmbeddings, Update
from segue.compatible.recipes.workshop import Workshop

__all__ = [
    "METHODS",
    "BestOnOldGallery",
    "Candidate",
    "Method",
    "Outcome",
    "StoredEmbeddings",
    "Tried",
    "Update",
    "Workshop",
    "front",
    "load",
    "train",
]
