"""What a search for slices returns: the confirmed slices, and how much was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.flips.checks import counted
from segue.flips.discovery.conditions import Condition, Conjunction
from segue.flips.estimate import Estimate


@dataclass(frozen=True)
class DiscoveredSlice:
    """A slice in which flips concentrate, confirmed on samples that were not used to find it.

    Attributes:
        conditions: What the samples of the slice have in common, one to three conditions.
        besides: Slices with flips so many that they were set aside before this one was found: their samples count
            neither for this slice nor for the rest, which they would drown.
        samples: Samples of the slice in the confirmation part, the one on which it was not found.
        flips: How many of these flipped.
        rate: Their (weighted) share, with its interval. As with every reported maximum, rates of slices that only just
            pass lean a little to the high side.
        rest_rate: The (weighted) share of flips in the rest of the confirmation part.
        lift: ``rate / rest_rate``; infinite where nothing flipped in the rest.
        p_value: One-sided test of "flips are no more frequent here than in the rest".
        adjusted_p_value: The same, adjusted for all candidates (weighted Holm).
        found_samples: Samples of the slice in the part on which it was found, those in ``besides`` included.
        found_flips: How many of these flipped.
    """

    conditions: tuple[Condition, ...]
    samples: int
    flips: int
    rate: Estimate
    rest_rate: float
    lift: float
    p_value: float
    adjusted_p_value: float
    found_samples: int
    found_flips: int
    besides: tuple[Conjunction, ...] = ()

    @property
    def conjunction(self) -> Conjunction:
        """The conditions as one, which can be applied to any table with the same columns."""
        return Conjunction(self.conditions)

    def mask(self, columns: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Return which samples of a table lie in the slice, ``(n,)``; see :meth:`Conjunction.mask`."""
        return self.conjunction.mask(columns)

    def __str__(self) -> str:
        """Return what was found in one line."""
        times = "none elsewhere" if self.rest_rate == 0 else f"{self.lift:.3g} times the {self.rest_rate:.2%} elsewhere"
        aside = f" (outside {'; '.join(map(str, self.besides))})" if self.besides else ""
        return (
            f"{self.conjunction}{aside}: {self.flips:,} of {self.samples:,} flipped ({self.rate.percent()}), {times}, "
            f"adjusted p = {self.adjusted_p_value:.2g}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON."""
        return {
            **self.conjunction.to_dict(),
            "besides": [other.to_dict() for other in self.besides],
            "samples": self.samples,
            "flips": self.flips,
            "rate": self.rate.to_dict(),
            "rest_rate": self.rest_rate,
            "lift": self.lift if np.isfinite(self.lift) else None,
            "p_value": self.p_value,
            "adjusted_p_value": self.adjusted_p_value,
            "found_samples": self.found_samples,
            "found_flips": self.found_flips,
        }


@dataclass(frozen=True)
class Discovery:
    """What a search for slices found and confirmed.

    Attributes:
        slices: The confirmed slices, the best first; each has an excess that those before it do not explain.
        candidates: How many slices were tested, on the part on which they were not found.
        fdr: Bound on the probability of any false slice among those reported, and so on the false discovery rate.
        samples_found: Samples of the first part. Each part is searched, and confirms what was found on the other.
        samples_confirmed: Samples of the second part.
        flips_found: Flips in the first part.
        flips_confirmed: Flips in the second part.
        notes: What could not be searched or decided, and why, in sentences.
    """

    slices: tuple[DiscoveredSlice, ...]
    candidates: int
    fdr: float
    samples_found: int
    samples_confirmed: int
    flips_found: int
    flips_confirmed: int
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """Return what was found in plain words."""
        if self.slices:
            heading = f"Flips concentrate in {len(self.slices)} slice{'s' if len(self.slices) > 1 else ''}:"
            lines = [heading, *(f"  {number}. {one}" for number, one in enumerate(self.slices, start=1))]
        else:
            lines = ["No slice was found in which flips concentrate."]
        lines.append(
            f"Searched on {counted(self.samples_found, 'sample')} ({counted(self.flips_found, 'flip')}) and on "
            f"{counted(self.samples_confirmed, 'other')} ({counted(self.flips_confirmed, 'flip')}); candidates tested "
            f"on the part where they were not found: {self.candidates:,}."
        )
        return "\n".join([*lines, *(f"Note: {note}" for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON."""
        return {
            "slices": [one.to_dict() for one in self.slices],
            "candidates": self.candidates,
            "fdr": self.fdr,
            "samples_found": self.samples_found,
            "samples_confirmed": self.samples_confirmed,
            "flips_found": self.flips_found,
            "flips_confirmed": self.flips_confirmed,
            "notes": list(self.notes),
        }
