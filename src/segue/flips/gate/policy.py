"""The policy of a gate: what an update may break, written down in TOML and validated before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from segue.errors import InputError
from segue.flips.gate.limits import KINDS, Basis, told
from segue.flips.gate.policy_errors import sentence
from segue.flips.gate.policy_files import read_ids, read_toml
from segue.flips.gate.slice_values import Value, same_value

UNNAMED = "the policy is wrong: "
_BASES = {"confidence": "the whole interval", "point": "point estimate"}


class Limit(BaseModel):
    """A limit and what is held against it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    limit: float = Field(description="The limit itself.", allow_inf_nan=False)
    on: Basis | None = Field(
        default=None,
        description="'confidence': the whole interval must lie within the limit to pass, and beyond it to fail; "
        "'point': the estimate alone decides. The policy's own 'on' where left out.",
    )


def _long_form(value: Any) -> Any:
    # max_nfr = 0.01 is short for max_nfr = { limit = 0.01 }.
    return {"limit": value} if not isinstance(value, (Mapping, Limit)) else value


AnyLimit = Annotated[
    Limit,
    BeforeValidator(_long_form),
    WithJsonSchema({
        "anyOf": [
            {"type": "number"},
            {
                "type": "object",
                "properties": {"limit": {"type": "number"}, "on": {"enum": ["confidence", "point"]}},
                "required": ["limit"],
                "additionalProperties": False,
            },
        ]
    }),
]  # fmt: skip


class Limits(BaseModel):
    """Limits that hold overall as well as in a slice."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    max_nfr: AnyLimit | None = Field(
        default=None, description="Largest negative flip rate: the share of samples that the update breaks."
    )
    min_accuracy: AnyLimit | None = Field(default=None, description="Smallest accuracy of the new model.")
    min_accuracy_change: AnyLimit | None = Field(
        default=None, description="Smallest accuracy change, new minus old; -0.005 allows half a point less."
    )
    minimum_samples: int | None = Field(default=None, ge=1, description="With fewer samples nothing passes.")

    @field_validator(*(key for key in KINDS), mode="after", check_fields=False)
    @classmethod
    def _says_something(cls, value: Limit | None, info: ValidationInfo) -> Limit | None:
        kind = KINDS[str(info.field_name)]
        if value is None or kind.lowest <= value.limit < kind.highest:
            return value
        if kind.unit == "ratio":
            raise ValueError(f"{kind.key} is {value.limit:g} but must be 0 or more")
        between = f"must be at least {kind.lowest:g} and below {kind.highest:g}"
        hint = f" (write 1% as {'0.01' if kind.upper else '-0.01' if kind.unit == 'change' else '0.01'})"
        raise ValueError(f"{kind.key} is {value.limit:g} but {between}{hint}")

    @property
    def limits(self) -> dict[str, Limit]:
        """The limits that are set, by key, in the order of the table of limits."""
        return {key: value for key in KINDS if isinstance(value := getattr(self, key, None), Limit)}


class EverySlice(Limits):
    """Budgets of every slice of every slice column."""

    ignore_smaller: bool = Field(
        default=False,
        description="Whether slices below minimum_samples are left out and listed as exempt; else they are undecided.",
    )


def _as_typed(value: Any) -> Value | None:
    # Numbers stay numbers: 7 names the slices 7 and 7.0, while the text "7" does not name the slice "07".
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise PydanticCustomError("string_type", "Input should be a valid string")


class SliceBudget(Limits):
    """Budgets of one column's slices, or of a single slice; they take the place of more general ones, key by key."""

    column: str = Field(min_length=1, description="The slice column.")
    value: Annotated[
        Value | None,
        PlainValidator(_as_typed),
        WithJsonSchema({"anyOf": [{"type": ["string", "number", "boolean"]}]}),
    ] = Field(default=None, description="The value that names the slice; every value of the column where left out.")
    exempt: bool = Field(default=False, description="Whether the slices are not judged at all (and listed as exempt).")
    ignore_smaller: bool | None = Field(default=None, description="As in [every_slice].")

    def same_slices(self, other: SliceBudget) -> bool:
        """Return whether another budget is for the same slices.

        Args:
            other: The other budget.

        Returns:
            Whether it is.
        """
        if self.column != other.column or self.value is None or other.value is None:
            return self.column == other.column and self.value is other.value
        return same_value(self.value, str(other.value)) or same_value(other.value, str(self.value))


class Golden(BaseModel):
    """Protected samples, which may never flip from right to wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    ids: tuple[
        Annotated[
            str,
            BeforeValidator(lambda value: str(value) if type(value) is int else value),
            WithJsonSchema({"type": ["string", "integer"]}),
        ],
        ...,
    ] = Field(default=(), strict=False, description="Their ids.")
    file: str | None = Field(
        default=None,
        description="A text file with one id per line, beside the policy; empty lines and lines that begin with '#' "
        "are skipped.",
    )


class Policy(Limits):
    """What an update may break.

    Limits that are left out do not hold. Limits on slices are looked up from the most general to the most special:
    ``every_slice``, the ``slices`` entry of the column, the entry of column and value.

    Raises:
        InputError: If a key is unknown, a value out of range, or nothing is limited.

    Example:
        >>> policy = Policy(max_nfr=0.01, slices=[{"column": "country", "max_nfr": 0.02}])
        >>> policy.max_nfr.limit, policy.slice_columns
        (0.01, ('country',))
    """

    on: Basis = Field(default="confidence", description="What limits are held against unless they say otherwise.")
    confidence: float | None = Field(
        default=None, gt=0, lt=1, description="Coverage of the intervals; 0.95 where left out."
    )
    max_relative_nfr: AnyLimit | None = Field(
        default=None, description="Largest relative negative flip rate; 1 is what independent errors would give."
    )
    max_nfi: AnyLimit | None = Field(
        default=None, description="Largest negative flip impact: the share of the new model's errors that are new."
    )
    max_churn: AnyLimit | None = Field(default=None, description="Largest share of answers that change.")
    max_bad_churn: AnyLimit | None = Field(
        default=None, description="Largest share of answers that change to a wrong one."
    )
    min_score: AnyLimit | None = Field(default=None, description="Graded scores: smallest mean score of the new model.")
    min_score_change: AnyLimit | None = Field(
        default=None, description="Graded scores: smallest change of the mean score, new minus old."
    )
    every_slice: EverySlice | None = Field(default=None, description="Budgets of every slice of every slice column.")
    slices: tuple[SliceBudget, ...] = Field(
        default=(), strict=False, description="Budgets of one column's slices or of single slices."
    )
    golden: Golden | None = Field(default=None, description="Protected samples, which may never flip to wrong.")

    _directory: Path = PrivateAttr(default=Path())

    def __init__(self, **keys: Any) -> None:
        # A mistake of the user's is an InputError here as elsewhere, not pydantic's list of findings.
        try:
            super().__init__(**keys)
        except ValidationError as error:
            raise InputError(f"{UNNAMED}{sentence(error, type(self))}") from error

    @classmethod
    def read(cls, path: str | Path) -> Policy:
        """Read a policy from a TOML file.

        Args:
            path: The file.

        Returns:
            The policy.

        Raises:
            InputError: If the file can't be read, is no TOML, or is no policy; the sentence names file and key.
        """
        keys = read_toml(Path(path))
        try:
            policy = cls(**keys)
        except InputError as error:
            raise InputError(f"{path}: {str(error).removeprefix(UNNAMED)}") from error
        policy._directory = Path(path).parent
        return policy

    def replaced(self, **keys: Any) -> Policy:
        """Return the policy with some of its keys replaced.

        Args:
            **keys: The keys to set; ``None`` leaves a key as it is.

        Returns:
            A new policy.
        """
        changed = {key: value for key, value in keys.items() if value is not None}
        if not changed:
            return self
        policy = type(self)(**{**self.model_dump(exclude_defaults=True), **changed})
        policy._directory = self._directory
        return policy

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """The slice columns that the policy names, each once, in order."""
        return tuple(dict.fromkeys(budget.column for budget in self.slices))

    @property
    def golden_file(self) -> Path | None:
        """The file with the ids of protected samples, if the policy names one."""
        return None if self.golden is None or self.golden.file is None else self._directory / self.golden.file

    def told(self) -> list[str]:
        """Return what the policy limits, one line per limit, in words."""
        places: list[tuple[str, Limits]] = [("", self)]
        if self.every_slice is not None:
            places.append((" in every slice", self.every_slice))
        for budget in self.slices:
            value = "every value of " + budget.column if budget.value is None else f"{budget.column} = {budget.value}"
            places.append((f" in {value}", budget))
        lines = []
        for where, limits in places:
            for key, limit in limits.limits.items():
                kind, on = KINDS[key], limit.on or self.on
                direction = "at most" if kind.upper else "at least"
                lines.append(f"{kind.words}{where}: {direction} {told(limit.limit, kind.unit)} ({_BASES[on]})")
            if limits.minimum_samples is not None:
                lines.append(f"number of samples{where}: at least {limits.minimum_samples:,}")
            if isinstance(limits, SliceBudget) and limits.exempt:
                lines.append(f"not judged:{where.removeprefix(' in')}")
        return lines

    def protected_ids(self) -> tuple[str, ...]:
        """Return the ids of the protected samples, those of the file included, each once.

        Returns:
            The ids as strings; empty where the policy protects none.

        Raises:
            InputError: If the file can't be read, or names no sample.
        """
        if self.golden is None:
            return ()
        found = list(self.golden.ids)
        if self.golden_file is not None:
            found += read_ids(self.golden_file)
        return tuple(dict.fromkeys(found))

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        places: list[tuple[str, Limits]] = [("", self)]
        if self.every_slice is not None:
            places.append((" in [every_slice]", self.every_slice))
        places += [(f" in [[slices]] number {number}", budget) for number, budget in enumerate(self.slices, 1)]
        for where, limits in places:
            for key, limit in limits.limits.items():
                if limit.limit == 0 and KINDS[key].upper and (limit.on or self.on) == "confidence":
                    raise ValueError(
                        f"{key} is 0{where}, which no number of samples can show with confidence; allow a little, set "
                        f"on = 'point', or protect samples by name in [golden]"
                    )
        if self.golden is not None and not self.golden.ids and self.golden.file is None:
            raise ValueError("golden protects no sample; name some in ids, or a file")
        for number, budget in enumerate(self.slices, 1):
            if any(budget.same_slices(earlier) for earlier in self.slices[: number - 1]):
                raise ValueError(f"[[slices]] number {number} names the same slices as an earlier one; join the two")
            smaller, least = budget.ignore_smaller, budget.minimum_samples
            if smaller and least is None and (self.every_slice is None or self.every_slice.minimum_samples is None):
                raise ValueError(f"[[slices]] number {number} sets ignore_smaller but no minimum_samples; set both")
            if not budget.limits and not budget.exempt and least is None and smaller is None:
                raise ValueError(f"[[slices]] number {number} sets no limit; set max_nfr, or exempt = true")
        if self.every_slice is not None and self.every_slice.ignore_smaller and not self.every_slice.minimum_samples:
            raise ValueError("every_slice sets ignore_smaller but no minimum_samples; set both")
        if not any(limits.limits for _, limits in places) and self.golden is None:
            raise ValueError("it limits nothing, so everything would pass; set max_nfr = 0.01, for instance")
        return self
