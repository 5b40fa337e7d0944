"""Train a successor whose queries can search the old gallery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.choice import BestOnOldGallery
from segue.compatible.recipes.methods import METHODS
from segue.compatible.recipes.outcome import Outcome, Tried
from segue.compatible.recipes.update import Update
from segue.compatible.recipes.workshop import Workshop
from segue.errors import DivergedError, InputError, MissingExtraError, SegueError
from segue.retrieval.cross_result import CrossTest
from segue.retrieval.measures import named_measure

if TYPE_CHECKING:
    from lightning.fabric import Fabric

AUTO = "auto"
AUTOMATIC = ("old-neighbours", "contrastive", "influence-cosine")
"""What ``"auto"`` tries, the most promising first."""


def train(
    update: Update,
    method: str | Sequence[str] = AUTO,
    *,
    rule: BestOnOldGallery | None = None,
    measure: str = "cmc@1",
    folder: str | Path | None = None,
    fabric: Fabric | None = None,
    progress: bool = True,
    after_step: Callable[[Tried], object] = lambda tried: None,
) -> Outcome:
    """Train the successor of an embedding model so that its queries can search the gallery as it is stored.

    First the network is trained without regard to the old model, with a linear and with a cosine head: the better one
    is the paragon that the others are compared with. Then each method is run over the strengths of what holds the
    network to the old one, every candidate is measured on the validation samples, and the rule picks one.

    Where the new embeddings are longer than the old ones, their first ``d_old`` columns search the old gallery, and all
    columns a new one.

    Args:
        update: What the old model left behind, how a new one is built and trained, and the data.
        method: ``"auto"``, or one or several names of ``METHODS``.
        rule: How the candidate is picked; by default the best on the old gallery among those that lose at most one
            point on their own.
        measure: What quality is, see :func:`segue.retrieval.measures.named_measure`.
        folder: Where runs are kept, so that a killed call goes on; by default they are forgotten. One process at a
            time.
        fabric: A launched Fabric of one process, for accelerators and precision.
        progress: Whether to show bars on stderr, if it is a terminal.
        after_step: Called with each method when it is over.

    Returns:
        Every candidate, the front, the pick, and its cross test on the validation samples.

    Raises:
        InputError: If the update, the method or the measure is not as described, or the folder holds other runs.
        DivergedError: If the loss of the network without a constraint is not finite, or that of all methods; of some
            it is noted.
        MissingExtraError: If the only method asked for needs a package that is not installed.

    Example:
        A head of two columns on what an encoder returned, made compatible with stored vectors.

        >>> import torch
        >>> from segue.compatible.recipes import StoredEmbeddings, Update, train
        >>> inputs, labels = torch.eye(4).repeat(16, 1), torch.arange(4).repeat(16)
        >>> stored = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]).repeat(16, 1)
        >>> outcome = train(
        ...     Update(
        ...         build=lambda: torch.nn.Linear(4, 2),
        ...         old=StoredEmbeddings(stored, stored[:32]),
        ...         train=(inputs, labels),
        ...         validation=(inputs[:32], labels[:32]),
        ...         optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.5),
        ...         epochs=10,
        ...         batch_size=16,
        ...     ),
        ...     "old-neighbours",
        ... )
        >>> outcome.pick.new_old
        1.0
    """
    names = list(AUTOMATIC) if method == AUTO else check_methods([method] if isinstance(method, str) else method)
    measure = named_measure(measure).name
    chosen = BestOnOldGallery() if rule is None else rule
    if not isinstance(chosen, BestOnOldGallery):
        raise InputError(f"rule is a {type(rule).__name__}; pass BestOnOldGallery(margin=...)")
    workshop = Workshop(update, measure, None if folder is None else Path(folder), fabric, progress)
    old_old = workshop.old_old
    free: list[Candidate] = []
    tied: list[Candidate] = []
    tried: list[Tried] = []
    failed: dict[str, SegueError] = {}
    for name in ("independent", *(name for name in names if name != "independent")):
        before, note = (len(free) + len(tied), workshop.trainings, workshop.seconds), ""
        kept = tied if METHODS[name].compatible else free
        try:
            for one in METHODS[name].candidates(workshop):
                kept.append(one)
        except (DivergedError, InputError, MissingExtraError) as error:
            if name == "independent":
                raise
            note, failed[name] = str(error), error  # noted where others come off, or it made candidates before
        made, trainings, seconds = before
        tried.append(
            Tried(
                name,
                len(free) + len(tied) - made,
                workshop.trainings - trainings,
                workshop.seconds - seconds,
                note,
            )
        )
        after_step(tried[-1])
    if not tied:
        refuse_none(names, failed)
    paragon = max(free, key=lambda one: one.new_new)
    pick = chosen.pick(tied, paragon)
    test = CrossTest.of(
        old_old,
        pick.per_query["new_old"],
        pick.per_query["new_new"],
        paragon.per_query["new_new"],
        measure=measure,
        metric="cosine",
    )
    return Outcome(measure, float(test.old_old.value), paragon, (*free, *tied), pick, chosen, test, tuple(tried))


def refuse_none(names: Sequence[str], failed: Mapping[str, SegueError]) -> None:
    """Refuse to pick where what was asked for made no candidate: the network without a constraint is no answer.

    Args:
        names: The methods that were asked for.
        failed: What each method said that failed.

    Raises:
        SegueError: What the only method said that should regard the old gallery, or what each of several did.
    """
    compatible = [name for name in names if METHODS[name].compatible]
    if not compatible:
        return
    if len(compatible) == 1:
        raise failed[compatible[0]]
    kind = DivergedError if all(isinstance(failed[name], DivergedError) for name in compatible) else InputError
    raise kind(
        "no method made a network that regards the old gallery: "
        + "; ".join(f"{name}: {failed[name]}" for name in compatible)
    )


def check_methods(names: Sequence[str]) -> list[str]:
    """Refuse unknown methods.

    Args:
        names: What the caller asked for.

    Returns:
        The names.

    Raises:
        InputError: If there is none, one is unknown or named twice, or ``auto`` stands beside others.
    """
    if not isinstance(names, Sequence | set | frozenset):
        raise InputError(f"method is a {type(names).__name__}; pass 'auto', a name of METHODS or a list of such")
    if not names:
        raise InputError(f"method is empty; pass 'auto' or one of {', '.join(METHODS)}")
    if AUTO in names:
        raise InputError("method 'auto' chooses by itself; pass it alone, or leave it out")
    for name in names:
        if name not in METHODS:
            raise InputError(f"method {name!r} is unknown; pass 'auto' or one of {', '.join(METHODS)}")
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise InputError(f"method names {twice[0]!r} twice; name each once")
    return list(names)
