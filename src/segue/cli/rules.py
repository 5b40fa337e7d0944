"""The limits that ``segue gate`` is given: a policy's file, options, or both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.numbers import number, whole
from segue.cli.tables import option
from segue.errors import InputError

if TYPE_CHECKING:
    from segue.flips.gate.policy import Policy

POLICY = "Policy"


def _limit(words: str) -> typer.models.OptionInfo:
    return option(POLICY, "NUMBER", words, parser=number)


@dataclass(frozen=True)
class Rules:
    """The options that make a policy, as they were typed."""

    policy: Annotated[str | None, option(POLICY, "FILE", "The policy, a TOML file; options take its place.")] = None
    max_nfr: Annotated[float | None, _limit("Largest negative flip rate; 0.01 is 1%.")] = None
    max_relative_nfr: Annotated[float | None, _limit("Largest relative negative flip rate.")] = None
    max_churn: Annotated[float | None, _limit("Largest share of answers that change.")] = None
    min_accuracy_change: Annotated[float | None, _limit("Smallest accuracy change, new minus old.")] = None
    min_score_change: Annotated[float | None, _limit("Smallest change of the mean score.")] = None
    max_slice_nfr: Annotated[float | None, _limit("Largest negative flip rate in every slice.")] = None
    minimum_samples: Annotated[
        int | None, option(POLICY, "NUMBER", "With fewer samples nothing passes.", parser=whole)
    ] = None
    golden: Annotated[
        str | None, option(POLICY, "FILE", "Ids of protected samples, which may never break, one per line.")
    ] = None
    on: Annotated[
        str | None,
        option(POLICY, "confidence|point", "Judge the whole confidence interval (the default) or the estimate."),
    ] = None

    @property
    def inputs(self) -> list[str]:
        """The files that are read, the policy's own list of protected samples included."""
        from segue.flips.gate.policy import Policy

        listed = None if self.policy is None else Policy.read(self.policy).golden_file
        return [str(path) for path in (self.policy, self.golden, listed) if path is not None]

    @property
    def typed(self) -> dict[str, Any]:
        """The policy's keys that were typed."""
        keys = (
            "max_nfr", "max_relative_nfr", "max_churn", "min_accuracy_change", "min_score_change", "minimum_samples",
            "on",
        )  # fmt: skip
        return {key: value for key in keys if (value := getattr(self, key)) is not None}


def combined(rules: Rules, confidence: float | None) -> tuple[Policy, list[str]]:
    """Put together the policy's file and the limits that were typed; what was typed takes the place of the file's.

    Args:
        rules: What was typed.
        confidence: The confidence that was typed, if it was.

    Returns:
        The policy, and notes on what of the file was replaced.

    Raises:
        InputError: If the file is no policy, or nothing is limited.
    """
    from segue.flips.gate.policy import EverySlice, Policy
    from segue.flips.gate.policy_files import read_ids

    typed = rules.typed
    base = None if rules.policy is None else Policy.read(rules.policy)
    if confidence is not None:
        typed["confidence"] = confidence
    if rules.max_slice_nfr is not None:
        every = EverySlice() if base is None or base.every_slice is None else base.every_slice
        typed["every_slice"] = {**every.model_dump(exclude_defaults=True), "max_nfr": rules.max_slice_nfr}
    if rules.golden is not None:
        ids = () if base is None else base.protected_ids()
        typed["golden"] = {"ids": [*ids, *read_ids(Path(rules.golden))]}
    if base is None:
        if not set(typed) - {"on", "confidence", "minimum_samples"}:
            raise InputError("a decision needs a limit; pass --max-nfr 0.01, for instance, or --policy FILE")
        return Policy(**typed), []
    notes = [
        f"{_option(key)} {value:g} takes the place of the policy's {key}, which is {before.limit:g}"
        for key, value in typed.items()
        if (before := base.limits.get(key)) is not None and before.limit != value
    ]
    return base.replaced(**typed), notes


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"
