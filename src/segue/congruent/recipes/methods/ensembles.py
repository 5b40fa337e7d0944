"""Several models of the same architecture: together, the most typical of them, or distilled into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn

from segue.congruent.ensemble import most_centric
from segue.congruent.losses import LogitDifferenceInhibition
from segue.congruent.objective import Mixed
from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods.base import Method, sweep
from segue.congruent.recipes.methods.plain import independent_run
from segue.congruent.recipes.predictors import Members
from segue.congruent.recipes.runs import Run
from segue.congruent.recipes.workshop import Workshop

MEMBERS = 4
WEIGHTS = (0.02, 0.1)
CLIP = 1.0  # logit differences are squared and summed over the classes: the first steps are steep


def member_runs(workshop: Workshop, members: int = MEMBERS) -> tuple[Run, ...]:
    """Train the members.

    Args:
        workshop: Where they are trained.
        members: How many.

    Returns:
        Their runs.
    """
    return tuple(independent_run(workshop, member) for member in range(members))


def mean_logits(workshop: Workshop, runs: tuple[Run, ...], part: str) -> torch.Tensor:
    """Return the mean of the members' logits, ``(n, classes)``.

    Args:
        workshop: Where they were trained.
        runs: The members.
        part: ``"train"`` or ``"validation"``.

    Returns:
        The mean.
    """
    return torch.stack([workshop.logits(run, part) for run in runs]).mean(dim=0)


def _ensemble(workshop: Workshop) -> Iterator[Candidate]:
    runs = member_runs(workshop)
    members = Members([_loader(workshop, run) for run in runs])
    logits = mean_logits(workshop, runs, "validation")
    yield workshop.candidate("ensemble", {"members": len(runs)}, members, runs, logits)


def _most_centric(workshop: Workshop) -> Iterator[Candidate]:
    runs = member_runs(workshop)
    chosen = most_centric(torch.stack([workshop.logits(run, "validation") for run in runs]).numpy())
    yield workshop.single("most-centric", {"members": len(runs)}, runs[chosen], runs)


def _elodi(workshop: Workshop) -> Iterator[Candidate]:
    runs = member_runs(workshop)
    reference = mean_logits(workshop, runs, "train")

    def candidates(weight: float) -> Iterator[Candidate]:
        objective = Mixed(LogitDifferenceInhibition(margin=0.0), weight)
        run = workshop.run(f"elodi-{weight:g}", objective, reference=reference, seed=2000, clip_norm=CLIP)
        yield workshop.single("elodi", {"members": len(runs), "weight": weight}, run, runs)

    yield from sweep(workshop, WEIGHTS, candidates)


def _loader(workshop: Workshop, run: Run) -> Callable[[], nn.Module]:
    return lambda: workshop.model(run)


ENSEMBLE = Method("ensemble", f"mean logits of {MEMBERS} independent models, Yan et al., CVPR 2021", _ensemble)
MOST_CENTRIC = Method("most-centric", f"of {MEMBERS} models, Xie et al., ACL 2021", _most_centric)
ELODI = Method("elodi", f"{MEMBERS} members, margin 0, Zhao et al., TPAMI 2024", _elodi)
