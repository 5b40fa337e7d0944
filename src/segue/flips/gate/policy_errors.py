"""What is wrong with a policy, in one sentence that names the key."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

TABLES = ("every_slice", "golden")


def sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """Say the first mistake in words, and how many more there are.

    Args:
        error: What pydantic found.
        model: The model that was to be built.

    Returns:
        The sentence, without a full stop.
    """
    found = error.errors()
    told = _one(found[0], model)
    if len(found) > 1:
        told += f" (and {len(found) - 1} more mistake{'s' if len(found) > 2 else ''})"
    return told


def syntax_sentence(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    """Say where a file is no TOML.

    Args:
        path: The file.
        text: Its content.
        error: What the parser said.

    Returns:
        The sentence, with the line's number and text.
    """
    words = str(error)
    at = re.search(r"\s*\(at line (\d+), column \d+\)$", words)
    if at is None:
        return f"{path} is no valid TOML: {_small(re.sub(r' *[(]at end of document[)]$', ' at its end', words))}"
    line = text.splitlines()[int(at[1]) - 1].strip()
    return f"{path}, line {at[1]}: no valid TOML ({_small(words[: at.start()])}): {line}"


def _one(mistake: Any, model: type[BaseModel]) -> str:
    kind, location, given = mistake["type"], tuple(mistake["loc"]), mistake["input"]
    if location[-1:] == ("limit",) and len(location) > 1 and kind != "missing":
        location = location[:-1]  # max_nfr = "abc" is the mistake of max_nfr, in the short form as in the long one
    key, where = _place(location)
    if kind == "value_error":
        told = str(mistake["ctx"]["error"])
        return told.replace(key, f"{key}{where}", 1)
    if kind == "extra_forbidden":
        return f"unknown key {key!r}{where}; {_suggestion(key, location[:-1], model)}"
    if kind == "missing":
        return f"{key!r} is missing{where}"
    context = mistake.get("ctx", {})
    wanted = {
        "literal_error": f"must be {context.get('expected', '')}",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "greater_than": f"must be above {context.get('gt', 0):g}",
        "less_than": f"must be below {context.get('lt', 0):g}",
        "finite_number": "must be a finite number",
        "int_type": "must be a whole number",
        "int_from_float": "must be a whole number",
        "float_type": "must be a number",
        "bool_type": "must be true or false",
        "string_type": "must be a text in quotes",
        "string_too_short": "must not be empty",
        "tuple_type": "must be a list",
        "model_type": "must be a table of keys",
        "model_attributes_type": "must be a table of keys",
    }.get(kind, f"is refused ({mistake['msg'][:1].lower()}{mistake['msg'][1:]})")
    hint = "; write [[slices]] with two brackets" if location == ("slices",) and isinstance(given, dict) else ""
    return f"{key}{where} is {_shown(given)} but {wanted}{hint}"


def _place(location: tuple[Any, ...]) -> tuple[str, str]:
    """Return the key, and in which table it stands."""
    names = [part for part in location if not isinstance(part, int)]
    key = str(names[-1]) if names else "the policy"
    if len(names) < 2:
        number = location[1] if len(location) > 1 and isinstance(location[1], int) else None
        return (key, "") if number is None else (f"{key} number {number + 1}", "")
    if isinstance(location[1], int):
        inside = "".join(f", {name}" for name in names[1:-1])
        if location[0] == "slices":
            return key, f" in [[slices]] number {location[1] + 1}{inside}"
        return f"{key} number {location[1] + 1}", f" in {location[0]}"
    if isinstance(location[-1], int):
        return f"{key} number {location[-1] + 1}", f" in [{location[0]}]"
    return key, f" in [{'.'.join(map(str, names[:-1]))}]" if names[0] in TABLES else f" in {'.'.join(names[:-1])}"


def _suggestion(key: str, parents: tuple[Any, ...], model: type[BaseModel]) -> str:
    known = sorted(_inside(model, parents).model_fields)
    if key in model.model_fields and parents:
        if parents[0] == "golden":
            return "it belongs at the top of the file, above the first [table]"
        return "it holds for all samples only, so it belongs at the top of the file, above the first [table]"
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known keys are {', '.join(known)}"


def _inside(model: type[BaseModel], parents: tuple[Any, ...]) -> type[BaseModel]:
    for parent in parents:
        if isinstance(parent, str):
            model = _model_of(model.model_fields[parent].annotation) or model
    return model


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_of(part)) is not None), None)


def _shown(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= 40 else f"{told[:39]}…"


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]
