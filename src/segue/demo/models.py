"""Train a model on the training pictures, and let it answer the test pictures."""

from __future__ import annotations

from dataclasses import dataclass

from segue.demo.pictures import PictureSet
from segue.demo.progress import Progress
from segue.demo.training import Answers, Recipe, train


@dataclass(frozen=True)
class Trained:
    """What became of a recipe.

    Attributes:
        recipe: The recipe.
        parameters: Number of trained numbers.
        learned_from: How many pictures the model learned from.
        validation_accuracy: Share of the validation pictures that it gets right.
        answers: Its answers to the test pictures.
    """

    recipe: Recipe
    parameters: int
    learned_from: int
    validation_accuracy: float
    answers: Answers


def train_and_answer(
    name: str, recipe: Recipe, pictures: PictureSet, validation: int, seed: int, progress: Progress
) -> Trained:
    """Train one model on training pictures, and let it answer the test pictures.

    Args:
        name: What the model is called, in words.
        recipe: How it is trained.
        pictures: The pictures; the test part is only answered.
        validation: How many of the last training pictures are held out.
        seed: Seed of the training.
        progress: Where to show how far it is.

    Returns:
        The model's answers, and what is worth telling of it.
    """
    kept = len(pictures.train) - validation
    learned_from = pictures.train[: kept if recipe.samples is None else min(recipe.samples, kept)]
    held_out = pictures.train[kept:]
    unit = f"{pictures.noun}s"
    with progress.step(f"training the {name}", recipe.epochs * len(learned_from), unit) as advance:
        model = train(recipe, learned_from, len(pictures.classes), seed, advance)
    watched = model.answer(held_out)
    with progress.step(f"asking the {name}", len(pictures.test), unit) as advance:
        answers = model.answer(pictures.test, advance)
    return Trained(
        recipe,
        model.network.parameter_count,
        len(learned_from),
        float((watched.classes == held_out.labels).mean()),
        answers,
    )
