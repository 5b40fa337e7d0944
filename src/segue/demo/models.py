"""Train the models on the training pictures, and let each answer the test pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from segue.demo.pictures import Pictures, PictureSet
from segue.demo.progress import Advance, Progress
from segue.demo.training import Answers, Model, Recipe, train, train_congruently

Training = Callable[[Recipe, Pictures, int, int, Advance], Model]


@dataclass(frozen=True)
class Trained:
    """What became of a recipe.

    Attributes:
        recipe: The recipe.
        parameters: Number of trained numbers.
        learned_from: How many pictures the model learned from.
        validation_accuracy: Share of the validation pictures that it gets right.
        answers: Its answers to the test pictures.
        model: The model itself.
    """

    recipe: Recipe
    parameters: int
    learned_from: int
    validation_accuracy: float
    answers: Answers
    model: Model


def train_and_answer(
    name: str,
    recipe: Recipe,
    pictures: PictureSet,
    validation: int,
    seed: int,
    progress: Progress,
    training: Training = train,
) -> Trained:
    """Train one model on training pictures, and let it answer the test pictures.

    Args:
        name: What the model is called, in words.
        recipe: How it is trained.
        pictures: The pictures; the test part is only answered.
        validation: How many of the last training pictures are held out.
        seed: Seed of the training.
        progress: Where to show how far it is.
        training: How a model comes from a recipe, pictures, the number of classes and a seed.

    Returns:
        The model's answers, and what is worth telling of it.
    """
    learned_from, held_out = parts(recipe, pictures, validation)
    unit = f"{pictures.noun}s"
    with progress.step(f"training the {name}", recipe.epochs * len(learned_from), unit) as advance:
        model = training(recipe, learned_from, len(pictures.classes), seed, advance)
    watched = model.answer(held_out)
    with progress.step(f"asking the {name}", len(pictures.test), unit) as advance:
        answers = model.answer(pictures.test, advance)
    return Trained(
        recipe,
        model.network.parameter_count,
        len(learned_from),
        float((watched.classes == held_out.labels).mean()),
        answers,
        model,
    )


def train_congruently_and_answer(
    name: str,
    recipe: Recipe,
    champion: Model,
    weight: float,
    pictures: PictureSet,
    validation: int,
    seed: int,
    progress: Progress,
) -> Trained:
    """Train one model so that it keeps what the champion got right, and let it answer the test pictures.

    Args:
        name: What the model is called, in words.
        recipe: How it is trained.
        champion: The model that it is to replace; asked once about each picture that is learned from.
        weight: What the champion's logits count beside the labels.
        pictures: The pictures; the test part is only answered.
        validation: How many of the last training pictures are held out.
        seed: Seed of the training.
        progress: Where to show how far it is.

    Returns:
        The model's answers, and what is worth telling of it.
    """
    learned_from, _ = parts(recipe, pictures, validation)
    with progress.step("asking the champion what to keep", len(learned_from), f"{pictures.noun}s") as advance:
        logits = champion.logits(learned_from, advance)
    congruently = partial(train_congruently, old=logits, weight=weight)
    return train_and_answer(name, recipe, pictures, validation, seed, progress, congruently)


def parts(recipe: Recipe, pictures: PictureSet, validation: int) -> tuple[Pictures, Pictures]:
    """Return the pictures that a recipe learns from, and those that are held out.

    Args:
        recipe: The recipe.
        pictures: All pictures.
        validation: How many of the last training pictures are held out.

    Returns:
        Both parts of the training pictures.
    """
    kept = len(pictures.train) - validation
    return pictures.train[: kept if recipe.samples is None else min(recipe.samples, kept)], pictures.train[kept:]
