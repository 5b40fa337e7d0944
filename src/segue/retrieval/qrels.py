"""Reading relevance judgements (qrels) in the form of TREC, or as Python values."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from segue.errors import InputError
from segue.flips.checks import counted

Triple = tuple[str, str, float]
Qrels = Mapping[Any, Mapping[Any, float]] | Iterable[Any] | str | os.PathLike[str]


def read_qrels(qrels: Qrels) -> list[Triple]:
    """Return judgements as triples of query id, item id and grade.

    Args:
        qrels: A mapping ``{query: {item: grade}}``; triples ``(query, item, grade)``, or objects with the attributes
            ``query_id``, ``doc_id`` and ``relevance`` (as of ir_measures); a data frame with these columns; or the
            path of a TREC file with lines ``query iteration item grade``.

    Returns:
        The triples, ids as text.

    Raises:
        InputError: If they can't be read, a grade is no finite number, or a pair is judged twice.

    Example:
        >>> read_qrels({"q1": {"a": 2, "b": 0}})
        [('q1', 'a', 2.0), ('q1', 'b', 0.0)]
        >>> read_qrels([("q1", "a", 2)])
        [('q1', 'a', 2.0)]
    """
    triples = []
    seen: set[tuple[str, str]] = set()
    for where, query, item, grade in _lines(qrels):
        try:
            number = float(grade)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise InputError(f"qrels {where} has the grade {grade!r}; pass finite numbers")
        pair = (str(query), str(item))
        if pair in seen:
            raise InputError(f"qrels {where} judges item {pair[1]!r} for query {pair[0]!r} twice; keep one grade")
        seen.add(pair)
        triples.append((*pair, number))
    if not triples:
        raise InputError("qrels is empty; pass at least one judgement")
    return triples


def positions(ids: Iterable[Any], name: str) -> dict[str, int]:
    """Return where each id stands.

    Args:
        ids: The caller's ids; compared as text.
        name: What the caller calls them.

    Returns:
        Position by id.

    Raises:
        InputError: If an id occurs twice, or there is none.
    """
    if ids is None or isinstance(ids, (str, bytes)):
        raise InputError(f"{name} is {ids!r}; pass one id per row")
    texts = [str(one) for one in (ids.tolist() if hasattr(ids, "tolist") else ids)]
    found = {text: place for place, text in enumerate(texts)}
    if not found:
        raise InputError(f"{name} is empty; pass one id per row")
    if len(found) < len(texts):
        first = next(text for place, text in enumerate(texts) if found[text] != place)
        raise InputError(
            f"{name} repeats {counted(len(texts) - len(found), 'id')}, first {first!r}; give every row its own"
        )
    return found


def _lines(qrels: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    if isinstance(qrels, (str, os.PathLike)):
        yield from _of_file(Path(qrels))
    elif isinstance(qrels, Mapping):
        for query, items in qrels.items():
            if not isinstance(items, Mapping):
                raise InputError(f"qrels[{query!r}] is a {type(items).__name__}; pass a mapping from items to grades")
            for item, grade in items.items():
                yield f"at {query!r}", query, item, grade
    elif hasattr(qrels, "columns"):
        wanted = ("query_id", "doc_id", "relevance")
        missing = [name for name in wanted if name not in list(qrels.columns)]
        if missing:
            raise InputError(f"qrels has no column {missing[0]!r}; name the columns {', '.join(wanted)}")
        for row, values in enumerate(zip(*(qrels[name].to_list() for name in wanted), strict=True)):
            yield f"row {row}", *values
    elif isinstance(qrels, Iterable):
        for row, judgement in enumerate(qrels):
            if all(hasattr(judgement, name) for name in ("query_id", "doc_id", "relevance")):
                yield f"row {row}", judgement.query_id, judgement.doc_id, judgement.relevance
            elif isinstance(judgement, (tuple, list)) and len(judgement) == 3:
                yield f"row {row}", *judgement
            else:
                raise InputError(f"qrels row {row} is {judgement!r}; pass triples (query, item, grade)")
    else:
        raise InputError(f"qrels is a {type(qrels).__name__}; pass a mapping, triples, a data frame or a path")


def _of_file(path: Path) -> Iterator[tuple[str, Any, Any, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"qrels can't be read from {path} ({error}); pass a text file in TREC's format") from error
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 4:
            raise InputError(
                f"qrels line {number} of {path} has {counted(len(fields), 'field')}; TREC's format is "
                f"'query iteration item grade'"
            )
        yield f"line {number} of {path}", fields[0], fields[2], fields[3]
