"""The models: reproducible, sealed off from the test pictures, and really learning, from labels and from a champion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from segue.demo import digits
from segue.demo.models import train_and_answer, train_congruently_and_answer
from segue.demo.network import ResidualBlock, SmallResidualNetwork
from segue.demo.pictures import Pictures
from segue.demo.training import Recipe, train, train_congruently

RECIPE = Recipe(width=4, samples=None, epochs=2, batch=32, peak_rate=0.05)


@pytest.fixture
def bars(rng):
    """Upright and level bars under noise: two classes that any sane network tells apart."""
    labels = np.arange(240) % 2
    images = rng.integers(0, 60, (240, 8, 8), dtype=np.uint8)
    for image, label, at in zip(images, labels, rng.integers(1, 7, 240), strict=True):
        if label:
            image[:, at] = 255
        else:
            image[at, :] = 255
    return Pictures(images, labels.astype(np.int64))


def test_it_learns(bars):
    model = train(Recipe(width=4, samples=None, epochs=6, batch=16, peak_rate=0.05), bars[:200], classes=2, seed=0)
    answers = model.answer(bars[200:])
    assert (answers.classes == bars[200:].labels).mean() > 0.9


def test_the_same_seed_gives_the_same_answers_and_another_seed_others(bars):
    first, again, other = (train(RECIPE, bars, classes=2, seed=seed).answer(bars).confidences for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_an_answer_does_not_depend_on_its_neighbours(bars):
    model = train(RECIPE, bars, classes=2, seed=0)
    together = model.answer(bars[:40])
    alone = [model.answer(bars[number : number + 1]) for number in range(40)]
    np.testing.assert_array_equal(together.classes, [one.classes[0] for one in alone])
    np.testing.assert_allclose(together.confidences, [one.confidences[0] for one in alone], atol=1e-5)


def test_answers_are_the_most_probable_class_and_its_softmax(bars):
    model = train(RECIPE, bars, classes=2, seed=0)
    answers = model.answer(bars)
    grey = (torch.from_numpy(bars.images).double() - model.mean) / model.spread
    with torch.inference_mode():
        logits = model.network(grey.float().unsqueeze(1)).double().numpy()
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_array_equal(answers.classes, logits.argmax(axis=1))
    np.testing.assert_allclose(answers.confidences, (odds / odds.sum(axis=1, keepdims=True)).max(axis=1), atol=1e-5)


def test_every_picture_is_counted_in_every_epoch(bars):
    seen = []
    train(RECIPE, bars[:100], classes=2, seed=0, advance=seen.append)
    assert seen == [32, 32, 32, 4] * 2


def test_congruently_with_no_weight_is_the_plain_training_bit_for_bit(bars):
    old = torch.randn(len(bars), 2, generator=torch.Generator().manual_seed(0))
    plain = train(RECIPE, bars, classes=2, seed=1).answer(bars)
    congruent = train_congruently(RECIPE, bars, classes=2, seed=1, old=old, weight=0).answer(bars)
    np.testing.assert_array_equal(plain.confidences, congruent.confidences)


def test_congruent_training_follows_the_logits_of_each_picture(bars, rng):
    wrong = rng.random(len(bars)) < 0.5  # a champion that answers every other picture wrongly, at random
    said = np.where(wrong, 1 - bars.labels, bars.labels)
    old = torch.from_numpy(np.eye(2, dtype=np.float32)[said] * 8 - 4)
    follow = {
        weight: train_congruently(RECIPE, bars, classes=2, seed=1, old=old, weight=weight).logits(bars)
        for weight in (0.0, 0.01)
    }
    distances = {weight: (logits - old).square().sum(dim=1).numpy() for weight, logits in follow.items()}
    assert distances[0.01][~wrong].mean() < distances[0.0][~wrong].mean()
    # Where the champion is wrong its logits weigh a sixth of what they weigh elsewhere: the labels win there.
    assert (follow[0.01].argmax(dim=1).numpy() == bars.labels).mean() > 0.9


def test_every_picture_is_counted_in_congruent_training_too(bars):
    seen = []
    train_congruently(RECIPE, bars[:100], classes=2, seed=0, advance=seen.append, old=torch.zeros(100, 2), weight=0.01)
    assert seen == [32, 32, 32, 4] * 2


@pytest.fixture(scope="module")
def pictures():
    return digits.load()


def answers_of(pictures, progress, samples=100):
    return train_and_answer("champion", replace(RECIPE, samples=samples), pictures, 150, 0, progress)


def test_test_labels_are_never_read(pictures, progress, rng):
    labels = rng.permutation(pictures.test.labels)
    scrambled = replace(pictures, test=Pictures(pictures.test.images, labels))
    before, after = answers_of(pictures, progress), answers_of(scrambled, progress)
    np.testing.assert_array_equal(before.answers.confidences, after.answers.confidences)
    assert before.validation_accuracy == after.validation_accuracy


def test_test_pictures_are_never_trained_on(pictures, progress):
    black = replace(pictures, test=Pictures(np.zeros_like(pictures.test.images), pictures.test.labels))
    assert answers_of(pictures, progress).validation_accuracy == answers_of(black, progress).validation_accuracy


def test_validation_pictures_are_never_trained_on(pictures, progress):
    images = pictures.train.images.copy()
    images[-150:] = 0
    black = replace(pictures, train=Pictures(images, pictures.train.labels))
    before, after = (answers_of(each, progress, samples=None) for each in (pictures, black))
    assert before.learned_from == after.learned_from == len(pictures.train) - 150
    np.testing.assert_array_equal(before.answers.confidences, after.answers.confidences)


def test_congruent_training_reads_neither_test_nor_validation_pictures(pictures, progress, rng):
    def answers_of_both(pictures):
        champion = train_and_answer("champion", replace(RECIPE, samples=100), pictures, 150, 0, progress)
        recipe = replace(RECIPE, epochs=1)
        return train_congruently_and_answer("both", recipe, champion.model, 0.01, pictures, 150, 1, progress)

    images = pictures.train.images.copy()
    images[-150:] = 0
    labels = rng.permutation(pictures.test.labels)
    other = replace(
        pictures,
        train=Pictures(images, pictures.train.labels),
        test=Pictures(pictures.test.images, labels),
    )
    before, after = answers_of_both(pictures), answers_of_both(other)
    assert before.learned_from == len(pictures.train) - 150
    np.testing.assert_array_equal(before.answers.confidences, after.answers.confidences)


def test_parameters_are_counted_by_hand():
    # Stem 9w + 2w; blocks w->w: 18w^2 + 4w; w->2w: 54w^2 + 8w + shortcut 2w^2 + 4w; 2w->4w: 216w^2 + 16w + 8w^2 + 8w;
    # head 40w + 10.
    width = 4
    expected = 11 * width + (18 + 54 + 2 + 216 + 8) * width**2 + (4 + 8 + 4 + 16 + 8) * width + 40 * width + 10
    assert SmallResidualNetwork(10, width).parameter_count == expected


def test_a_block_without_its_body_is_the_activation():
    block = ResidualBlock(3, 3, stride=1).eval()
    for parameter in block.body.parameters():
        torch.nn.init.zeros_(parameter)
    features = torch.randn(2, 3, 5, 5)
    torch.testing.assert_close(block(features), features.clamp(min=0))
