"""From what was typed to the arguments of ``advise``: files read, matched, and called by their names in messages."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.cli.measuring import same_file
from segue.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segue.cli.advise import Advised
    from segue.cli.embeddings import Items

# what is said of zero vectors to those who choose a metric
OTHER_METRICS = " or pass metric='inner-product' or metric='l2'"
LIMITS = "keep|worthwhile|folds|seed|confidence|gallery_size|seconds_per_item|old_seconds_per_item|measure"


@dataclass(frozen=True, eq=False)
class Given:
    """What was read.

    Attributes:
        arguments: Arguments of ``advise`` by name.
        told: The files' names by argument.
        notes: What a reader must know of how rows were matched.
    """

    arguments: Mapping[str, Any]
    told: Mapping[str, str]
    notes: tuple[str, ...]


def refuse_contradictions(asked: Advised) -> None:
    """Refuse options that do not go together, before anything is read.

    Args:
        asked: What was typed.

    Raises:
        InputError: If options contradict each other, or one is missing.
    """
    if (asked.queries_old is None) != (asked.queries_new is None):
        has, lacks = ("new", "old") if asked.queries_old is None else ("old", "new")
        raise InputError(f"--queries-{has} is given without --queries-{lacks}; pass both, or neither")
    if same_file(asked.old, asked.new):
        raise InputError(f"OLD and NEW are the same file, {asked.old!r}; pass what each model embedded")
    for option, path, needed, other in (
        ("--query-labels", asked.query_labels, "--queries-old", asked.queries_old),
        ("--gallery-labels", asked.gallery_labels, "--gallery-old", asked.gallery_old),
    ):
        if path is not None and other is None:
            raise InputError(f"{option} is for {needed}, which is not given; name it, or leave {option} out")
    if asked.gallery_old is not None and same_file(asked.gallery_old, asked.old):
        raise InputError(
            f"--gallery-old and OLD are the same file, {asked.old!r}; name vectors that the old model has stored of "
            f"other items, or leave --gallery-old out"
        )


def read_given(asked: Advised) -> Given:
    """Read the files.

    Args:
        asked: What was typed.

    Returns:
        The arguments of ``advise``.

    Raises:
        InputError: If a file can't be read, files do not go together, or labels are missing.
    """
    from segue.cli.embeddings import Names, read_items

    names = Names(asked.id, asked.embedding, asked.label)
    table = None if asked.labels is None else ("--labels", asked.labels)
    items = read_items({"old": ("OLD", asked.old), "new": ("NEW", asked.new)}, table, names, metric="cosine")
    arguments: dict[str, Any] = {**items.vectors, "labels": items.labels}
    told, notes = dict(items.told), []
    if items.by_row:
        notes.append("rows are matched one by one, since the files of embeddings have no ids")
    known = [items]
    if asked.queries_old is not None and asked.queries_new is not None:
        own = None if asked.query_labels is None else ("--query-labels", asked.query_labels)
        files = {"queries_old": ("--queries-old", asked.queries_old),
                 "queries_new": ("--queries-new", asked.queries_new)}  # fmt: skip
        queries = read_items(files, own or table, names, metric="cosine", shared_table=own is None)
        arguments |= {**queries.vectors, "query_labels": _labels(queries, "--query-labels")}
        told |= queries.told
        known.append(queries)
    if asked.gallery_old is not None:
        own = None if asked.gallery_labels is None else ("--gallery-labels", asked.gallery_labels)
        files = {"gallery_old": ("--gallery-old", asked.gallery_old)}
        gallery = read_items(files, own or table, names, metric="cosine", shared_table=own is None)
        labels = _labels(gallery, "--gallery-labels")
        if len(known) == 1:
            _labels(items, "--labels")
        others = _others(gallery, known)
        told |= gallery.told
        if others is None:
            arguments |= {"gallery_old": gallery.vectors["gallery_old"], "gallery_labels": labels}
        else:
            left = len(gallery) - len(others)
            if not len(others):
                raise InputError(f"{told['gallery_old']} holds no other items than the sample; name a larger gallery")
            notes.append(f"{left:,} of {told['gallery_old']} are in the sample by their ids, and were left out of it")
            arguments |= {"gallery_old": gallery.vectors["gallery_old"][others], "gallery_labels": labels[others]}
    return Given(arguments, told, tuple(notes))


@contextmanager
def in_typed_words(told: Mapping[str, str]) -> Generator[None]:
    """Name files and options in place of arguments in what the library says.

    Args:
        told: The files' names by argument.

    Yields:
        Nothing.

    Raises:
        InputError: What the library raised, in other words.
    """
    try:
        yield
    except InputError as error:
        said = re.sub(rf"^({LIMITS})(?= (is|'|looks))", lambda found: "--" + found[1].replace("_", "-"), str(error))
        longer = "|".join(role for role in told if "_" in role)
        if longer:
            said = re.sub(rf"(?<![\w-])({longer})\b", lambda found: told[found[1]], said)
        if told:
            said = re.sub(r"(?<![\w-])(old|new)(?= (?:has|holds|stand|and)\b)", lambda found: told[found[1]], said)
            said = re.sub(r"\b(in|of) (old|new)\b", lambda found: f"{found[1]} {told[found[2]]}", said)
        raise InputError(said.replace(OTHER_METRICS, "")) from error


def _labels(items: Items, option: str) -> NDArray[np.str_]:
    if items.labels is None:
        told = " and ".join(dict.fromkeys(items.told.values()))
        raise InputError(f"{told} hold{'' if ' and ' in told else 's'} no labels; pass {option} FILE")
    return items.labels


def _others(gallery: Items, known: list[Items]) -> NDArray[np.int64] | None:
    # rows of the gallery that are not of the sample; None where all are, or nobody knows
    import numpy as np

    ids = [items.ids for items in known if items.ids is not None]
    if gallery.ids is None or not ids:
        return None
    others = np.flatnonzero(~np.isin(gallery.ids, np.concatenate(ids)))
    return None if len(others) == len(gallery) else others
