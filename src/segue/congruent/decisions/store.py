"""Stored predictions that are updated as better models arrive, without training (Träuble et al., NeurIPS 2021)."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.congruent.decisions.class_changes import changed_classes
from segue.congruent.decisions.class_sets import ClassMap, class_set
from segue.congruent.decisions.exclusive import WAIT, Version, exclusive, place_of, version_of
from segue.congruent.decisions.likelihood import AnswerLikelihood
from segue.congruent.decisions.posterior import entropy, most_uncertain, posterior
from segue.congruent.decisions.reading import log_prior, one_vote, read_answers, some
from segue.congruent.decisions.rules import CostRatio, Evidence, UpdateRule
from segue.congruent.decisions.state import State, read_state, write_state
from segue.congruent.decisions.update import PredictionUpdate
from segue.errors import InputError
from segue.flips.checks import counted

DEFAULT_RULE = CostRatio(10.0)


class PredictionStore:
    r"""The labels of a data set, with the belief that all models' answers so far lead to.

    The models are taken to err independently given the true class. They do not: similar models err alike, so the
    belief is surer of itself than it should be, and holds on to old answers the longer the more generations there were,
    unless a fitted :class:`Memory` makes earlier evidence count less.

    Memory: about ``10 * classes`` bytes for each sample.

    Args:
        state: What is stored; see :meth:`create` and :meth:`load`.

    Example:
        >>> from segue.congruent.decisions import Confusion, CostRatio, PredictionStore
        >>> poor = Confusion.fit([0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 1])
        >>> good = Confusion.fit([0] * 50 + [1] * 50, [0] * 50 + [1] * 50)
        >>> store = PredictionStore.create(ids=["a", "b", "c"], answers=[0, 0, 1], confusion=poor)
        >>> update = store.update(["a", "b"], [0, 1], good, rule=CostRatio(10))
        >>> update.changed, update.ids.tolist(), store.labels.tolist()
        (1, ['b'], [0, 1, 1])
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._order = np.argsort(state.ids, kind="stable")
        self._versions: dict[Path, Version | None] = {}

    @classmethod
    def create(
        cls,
        ids: ArrayLike,
        answers: ArrayLike,
        confusion: AnswerLikelihood,
        *,
        prior: Mapping[Any, float] | None = None,
        name: str = "first",
    ) -> PredictionStore:
        """Begin with the predictions that are stored today.

        Args:
            ids: Names of the samples, integers or strings, each once, ``(n,)``.
            answers: The first model's answers, which are the labels for now, ``(n,)``.
            confusion: How reliable that model is.
            prior: How frequent each class is; all classes equally by default, as in the paper.
            name: What the model is called in the history.

        Returns:
            The store, in memory; :meth:`save` writes it.

        Raises:
            InputError: If ids repeat, values are missing, or an answer is none of the confusion's classes.
        """
        classes = class_set(confusion.classes, "confusion.classes")
        names, said = read_answers(ids, answers, classes)
        state = State(
            ids=names,
            classes=classes,
            labels=said,
            log_likelihood=confusion.log_likelihood(said),
            log_unknown=np.full(len(names), -np.log(len(classes))),
            log_prior=log_prior(prior, classes),
            votes=one_vote(said, len(classes)),
            history=[{"event": "created", "generation": 1, "name": name, "answered": len(names)}],
        )
        return cls(state)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PredictionStore:
        """Read a store that was saved.

        Args:
            path: The file.

        Returns:
            The store.

        Raises:
            InputError: If there is no such file, or it is damaged, something else, or of another version.
        """
        version = version_of(path)  # before: a file that is replaced meanwhile must look like a newer one
        store = cls(read_state(path))
        store._versions[place_of(path)] = version
        return store

    @classmethod
    @contextmanager
    def updating(cls, path: str | os.PathLike[str], *, wait: float = WAIT) -> Generator[PredictionStore]:
        """Read a store, let it be changed, and save it, while no other process can do the same.

        It is saved at the end of the ``with`` block, and left as it was if an error ends the block.

        Args:
            path: The file.
            wait: How many seconds to wait for another process that changes it.

        Yields:
            The store.

        Raises:
            InputError: If another process changes it all the while, or it can't be read or written.

        Example:
            >>> import tempfile
            >>> from segue.congruent.decisions import Confusion, PredictionStore, Replace
            >>> good = Confusion.fit([0] * 50 + [1] * 50, [0] * 50 + [1] * 50)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     PredictionStore.create(["a", "b"], [0, 1], good).save(f"{folder}/predictions.npz")
            ...     with PredictionStore.updating(f"{folder}/predictions.npz") as store:
            ...         update = store.update(["b"], [0], good, rule=Replace())
            ...     PredictionStore.load(f"{folder}/predictions.npz").labels.tolist()
            [0, 0]
        """
        store = cls.load(path)  # before the lock: what is no store gets no lock beside it
        with exclusive(path, wait):
            if store._versions != {place_of(path): version_of(path)}:
                store = cls.load(path)
            yield store  # ruff: ignore[fallible-context-manager] - an error leaves the file as it was
            store.save(path)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the store to a file (``NAME.npz``, without pickle).

        The file is complete or not there: a process killed while it writes leaves the former file whole. A file that
        another process has changed since it was loaded is not overwritten; :meth:`updating` keeps others out.

        Args:
            path: The file.

        Raises:
            InputError: If it can't be written, or was changed meanwhile.
        """
        place = place_of(path)
        with exclusive(path):
            present = version_of(path)
            if present is not None and self._versions.get(place, present) != present:
                raise InputError(
                    f"{place.name} has been changed since it was loaded, and saving would undo that; load it again, "
                    f"and change it in a 'with PredictionStore.updating(path) as store:' block"
                )
            write_state(self._state, path)
            self._versions[place] = version_of(path)

    @property
    def ids(self) -> NDArray[Any]:
        """The samples' names, ``(n,)``."""
        return self._state.ids.copy()

    @property
    def classes(self) -> NDArray[Any]:
        """The classes in ascending order, ``(classes,)``."""
        return self._state.classes.copy()

    @property
    def labels(self) -> NDArray[Any]:
        """The stored label of each sample, ``(n,)``."""
        return np.asarray(self._state.classes[self._state.labels])

    @property
    def posterior(self) -> NDArray[np.float64]:
        """The probability that each class is the true one, ``(n, classes)``."""
        return np.exp(posterior(self._state.log_likelihood, self._state.log_prior))

    @property
    def confidence(self) -> NDArray[np.float64]:
        """The posterior probability of each stored label, ``(n,)``."""
        logs = posterior(self._state.log_likelihood, self._state.log_prior)
        return np.exp(logs[np.arange(len(logs)), self._state.labels])

    @property
    def uncertainty(self) -> NDArray[np.float64]:
        """Entropy of each sample's posterior in nats, ``(n,)``."""
        return entropy(posterior(self._state.log_likelihood, self._state.log_prior))

    @property
    def generation(self) -> int:
        """How many models have answered."""
        return sum(event["event"] in {"created", "updated"} for event in self._state.history)

    @property
    def history(self) -> tuple[dict[str, Any], ...]:
        """What happened to the store, oldest first."""
        return tuple(dict(event) for event in self._state.history)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._state.ids)

    def __str__(self) -> str:
        """Return in words what is stored."""
        last = self._state.history[-1]
        return (
            f"{counted(len(self), 'stored prediction')} of {len(self._state.classes):,} classes after "
            f"{counted(self.generation, 'generation')}; last: {last['event']} ({last['name']}). Mean probability of "
            f"the stored labels: {self.confidence.mean():.3f}."
        )

    def select(self, budget: int, *, seed: int = 0) -> NDArray[Any]:
        """Choose the samples that the next model is asked about: those with the highest posterior entropy.

        Args:
            budget: How many samples can be paid for, 1 or more; all where it exceeds their number.
            seed: Seed of the choice among equally uncertain samples.

        Returns:
            Their ids, the most uncertain first.

        Raises:
            InputError: If the budget is no whole number above 0.
        """
        if isinstance(budget, bool) or not isinstance(budget, (int, np.integer)) or budget < 1:
            raise InputError(f"budget is {budget!r}; pass how many samples can be re-evaluated, a whole number above 0")
        return np.asarray(self._state.ids[most_uncertain(self.uncertainty, int(budget), seed)])

    def update(
        self,
        ids: ArrayLike,
        answers: ArrayLike,
        confusion: AnswerLikelihood,
        *,
        rule: UpdateRule = DEFAULT_RULE,
        memory: float = 1.0,
        name: str | None = None,
    ) -> PredictionUpdate:
        """Take in the answers of a newer model, on all samples or on some, and change labels where the rule says so.

        Labels of samples that it did not answer stay. Nothing is changed where anything is refused.

        Args:
            ids: The samples that the model answered, each once, ``(m,)``.
            answers: Its answers, ``(m,)``.
            confusion: How reliable the model is; of the same classes as the store.
            rule: Which labels change.
            memory: Weight of the answered samples' earlier evidence, in [0, 1]; 1 as in the paper, which takes models
                to err independently. :class:`Memory` fits it.
            name: What the model is called; ``"generation 2"`` and so on by default. A name can't be used twice, so
                that a script that is run twice does not count a model's answers twice.

        Returns:
            What changed.

        Raises:
            InputError: If an id is not in the store or repeats, an answer is none of the classes, the confusion is of
                other classes, the memory is out of its range, or the name was used before.
        """
        state = self._state
        number = self.generation + 1
        called = self._fresh_name(name, number)
        if not 0 <= memory <= 1:
            raise InputError(f"memory is {memory}; pass the weight of earlier evidence, from 0 to 1")
        self._same_classes(confusion)
        names, said = read_answers(ids, answers, state.classes)
        rows = self._rows(names)
        likelihood = state.log_likelihood[rows]
        votes = (state.votes[rows] + one_vote(said, len(state.classes))).astype(np.uint16)
        before = posterior(likelihood, state.log_prior)
        likelihood = memory * likelihood + confusion.log_likelihood(said)
        after = posterior(likelihood, state.log_prior)
        stored = state.labels[rows]
        labels = rule.labels(Evidence(stored, said, before, after, votes))
        changed = labels != stored
        update = PredictionUpdate(
            generation=number,
            name=called,
            rule=str(rule),
            samples=len(state.ids),
            answered=len(rows),
            disagreed=int((said != stored).sum()),
            ids=state.ids[rows[changed]],
            old=state.classes[stored[changed]],
            new=state.classes[labels[changed]],
            uncertainty_before=float(entropy(before).mean()),
            uncertainty_after=float(entropy(after).mean()),
        )
        state.log_likelihood[rows] = likelihood
        state.log_unknown[rows] = memory * state.log_unknown[rows] - np.log(len(state.classes))
        state.votes[rows] = votes
        state.labels[rows] = labels
        event = {"event": "updated", "generation": number, "name": called, "answered": len(rows)}
        state.history.append(event | {"changed": update.changed, "rule": str(rule), "memory": float(memory)})
        return update

    def add(self, ids: ArrayLike, answers: ArrayLike, confusion: AnswerLikelihood, *, name: str | None = None) -> None:
        """Add samples that the store has not seen, with a model's answers as their labels.

        Args:
            ids: Their names, none of them in the store, ``(m,)``.
            answers: The model's answers, ``(m,)``.
            confusion: How reliable the model is; of the same classes as the store.
            name: What the model is called in the history; the last one's name by default.

        Raises:
            InputError: If an id is in the store or repeats, an answer is none of the classes, or the confusion is of
                other classes.
        """
        state = self._state
        self._same_classes(confusion)
        names, said = read_answers(ids, answers, state.classes)
        self._same_kind(names)
        there = np.isin(names, state.ids)
        if there.any():
            raise InputError(
                f"{counted(int(there.sum()), 'id')} ({some(names[there])}) {'is' if there.sum() == 1 else 'are'} in "
                f"the store; add() takes new samples only, update() the others"
            )
        called = name or str(state.history[-1]["name"])
        event = {"event": "added", "generation": self.generation, "name": called, "answered": len(names)}
        self._state = State(
            ids=np.concatenate([state.ids, names]),
            classes=state.classes,
            labels=np.concatenate([state.labels, said]),
            log_likelihood=np.concatenate([state.log_likelihood, confusion.log_likelihood(said)]),
            log_unknown=np.concatenate([state.log_unknown, np.full(len(names), -np.log(len(state.classes)))]),
            log_prior=state.log_prior,
            votes=np.concatenate([state.votes, one_vote(said, len(state.classes))]),
            history=[*state.history, event],
        )
        self._order = np.argsort(self._state.ids, kind="stable")

    def change_classes(
        self, class_map: ClassMap, *, classes: Sequence[Any] | None = None, prior: Mapping[Any, float] | None = None
    ) -> None:
        """Go over to another set of classes, before the first model that knows it answers.

        A class keeps what is known of it under its new name; where it was split, each part does, and a stored label
        becomes the part that comes first in the map. Where classes were merged, the new one is as probable as they
        are on average. Of a class that is new, the old answers say nothing: each is as probable as any other.

        Args:
            class_map: What each old class is called now: a class, a list of them where it was split, or ``[]`` where
                it is gone.
            classes: All classes of the new set; by default those that the map leads to.
            prior: How frequent each new class is; all equally by default. Required where the store has a prior.

        Raises:
            InputError: If the map lacks a class, leads to none of the new ones, or drops one that is a stored label.
        """
        self._state = changed_classes(self._state, class_map, classes, prior)

    def _rows(self, names: NDArray[Any]) -> NDArray[np.int64]:
        self._same_kind(names)
        ordered = self._state.ids[self._order]
        found = np.searchsorted(ordered, names).clip(max=len(ordered) - 1)
        unknown = names[ordered[found] != names]
        if len(unknown):
            raise InputError(
                f"{len(unknown):,} of the {counted(len(names), 'id')} ({some(unknown)}) "
                f"{'is' if len(unknown) == 1 else 'are'} not in the store; leave them out, or add them with add()"
            )
        return np.asarray(self._order[found])

    def _same_kind(self, names: NDArray[Any]) -> None:
        if (names.dtype.kind == "U") != (self._state.ids.dtype.kind == "U"):
            held, known = ("strings", "integers") if names.dtype.kind == "U" else ("integers", "strings")
            raise InputError(f"ids are {held} but those of the store are {known}; write them in the same way")

    def _same_classes(self, confusion: AnswerLikelihood) -> None:
        theirs = set(confusion.classes.tolist())
        ours = set(self._state.classes.tolist())
        if theirs - ours:
            raise InputError(
                f"the confusion knows {some(np.array(sorted(theirs - ours)))}, which the store does not; tell the "
                f"store of its new classes with change_classes()"
            )
        if ours - theirs:
            raise InputError(
                f"the confusion lacks {some(np.array(sorted(ours - theirs)))} of the store's classes; estimate it with "
                f"classes=store.classes"
            )

    def _fresh_name(self, name: str | None, number: int) -> str:
        called = f"generation {number}" if name is None else name
        if any(event["event"] in {"created", "updated"} and event["name"] == called for event in self._state.history):
            raise InputError(
                f"name is {called!r}, and a model of this name has answered already; its answers must not count twice, "
                f"so give another model another name"
            )
        return called
