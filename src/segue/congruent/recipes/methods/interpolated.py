"""Weights between the old model and models that were fine-tuned from it: no loss looks at the old model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from torch import Tensor, nn

from segue.congruent.interpolation import ALPHAS, FISHER_ALPHAS, soup
from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods.base import Method
from segue.congruent.recipes.methods.plain import fine_tuned_run
from segue.congruent.recipes.predictors import Single
from segue.congruent.recipes.runs import Run
from segue.congruent.recipes.workshop import Workshop

SOUP = 3
# Without 1: the old model itself is no successor.
SHARES = tuple(alpha for alpha in ALPHAS if alpha < 1)
FISHER_SHARES = tuple(alpha for alpha in FISHER_ALPHAS if alpha < 1)


def between(
    workshop: Workshop,
    method: str,
    new: nn.Module,
    runs: Sequence[Run],
    alphas: Sequence[float] = SHARES,
    *,
    fisher: Mapping[str, Tensor] | None = None,
    settings: Mapping[str, float] | None = None,
) -> Iterator[Candidate]:
    """Measure the models between an old and a new one.

    Args:
        workshop: Where they are measured.
        method: The method's name.
        new: The new model.
        runs: The trainings it took.
        alphas: Shares of the old model.
        fisher: Which weights the old model depends on.
        settings: Other settings of the method.

    Yields:
        A candidate for each share.
    """
    batches = workshop.recalibration(new)
    for alpha in alphas:
        make = partial(workshop.origin.towards, new, alpha, fisher=fisher, recalibration=batches)
        yield workshop.candidate(method, {**(settings or {}), "alpha": alpha}, Single(make), tuple(runs))


def _interpolation(workshop: Workshop) -> Iterator[Candidate]:
    run = fine_tuned_run(workshop)
    yield from between(workshop, "interpolation", workshop.model(run), [run])


def _fisher(workshop: Workshop) -> Iterator[Candidate]:
    run = fine_tuned_run(workshop)
    fisher = workshop.origin.fisher(workshop.train_data, progress=workshop.progress)
    yield from between(workshop, "fisher-interpolation", workshop.model(run), [run], FISHER_SHARES, fisher=fisher)


def _soup(workshop: Workshop) -> Iterator[Candidate]:
    runs = [fine_tuned_run(workshop, member) for member in range(SOUP)]
    new = soup(workshop.model(run) for run in runs)
    yield from between(workshop, "soup-interpolation", new, runs)


INTERPOLATION = Method("interpolation", "BCWI, Schumann et al., EACL 2024", _interpolation, needs_weights=True)
FISHER = Method("fisher-interpolation", "Fisher BCWI, Schumann et al., EACL 2024", _fisher, needs_weights=True)
SOUPS = Method("soup-interpolation", f"soup BCWI of {SOUP}, Schumann et al., EACL 2024", _soup, needs_weights=True)
