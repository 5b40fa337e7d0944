"""From the options that were typed to what is searched: both models' embeddings, and what is relevant."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.cli.measuring import same_file
from segue.cli.search_options import Searched
from segue.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segue.cli.embeddings import Items
    from segue.retrieval import Relevance

Files = dict[str, tuple[str, str]]


@dataclass(frozen=True, eq=False)
class Material:
    """What is searched.

    Attributes:
        queries: The queries; the gallery's items where these are the queries.
        gallery: The gallery.
        relevance: What is relevant to which query.
        vectors: Embeddings by role: ``queries_old``, ``gallery_new`` and so on.
        told: The files' names by role.
        notes: What a reader must know of how rows were matched.
    """

    queries: Items
    gallery: Items
    relevance: Relevance
    vectors: Mapping[str, NDArray[Any]]
    told: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def findable(self) -> int:
        """How many items a query can find."""
        return len(self.gallery) - int((self.relevance.exclude >= 0).any())

    def refuse_too_deep(self, k: int | None, given: str) -> None:
        """Refuse a rank at which everything has been found.

        Args:
            k: The rank; ``None`` for the whole ranking.
            given: The option as it was typed.

        Raises:
            InputError: If the gallery ends before it.
        """
        if k is not None and k >= self.findable:
            raise InputError(
                f"{given} looks at the {k:,} nearest, and a query can find {self.findable:,}, so that any model finds "
                f"all; pass a smaller rank"
            )


def read_material(
    searched: Searched, slices: tuple[str, ...] = (), paragon: tuple[str | None, str | None] = (None, None)
) -> Material:
    """Read the embeddings and what is relevant.

    Args:
        searched: What was typed; see :func:`refuse_contradictions`.
        slices: Columns of the queries.
        paragon: The files of the paragon's queries and gallery.

    Returns:
        What is searched.

    Raises:
        InputError: If a file can't be read, or files do not go together.
    """
    from segue.cli.embeddings import Names, read_items

    names = Names(searched.id, searched.embedding, searched.label)
    asking = Names(searched.id, searched.embedding, searched.label, searched.group, slices)
    held = _given(gallery_old=("OLD", searched.old), gallery_new=("NEW", searched.new),
                  gallery_to_new=("--gallery-to-new", searched.gallery_to_new),
                  gallery_paragon=("--gallery-paragon", paragon[1]))  # fmt: skip
    asked = _given(queries_old=("--queries-old", searched.queries_old),
                   queries_new=("--queries-new", searched.queries_new),
                   queries_to_old=("--queries-to-old", searched.queries_to_old),
                   queries_paragon=("--queries-paragon", paragon[0]))  # fmt: skip
    table = None if searched.labels is None else ("--labels", searched.labels)
    if searched.itself:
        gallery = queries = read_items({**held, **asked}, table, asking, metric=searched.metric)
        twins = {role.replace("gallery", "queries"): role for role in held if role != "gallery_to_new"}
        same = {query: role for query, role in twins.items() if query not in gallery.vectors}
        vectors = {**gallery.vectors, **{query: gallery.vectors[role] for query, role in same.items()}}
        told = {**gallery.told, **{query: gallery.told[role] for query, role in same.items()}}
    else:
        gallery = read_items(held, table, names, metric=searched.metric)
        own = None if searched.query_labels is None else ("--query-labels", searched.query_labels)
        queries = read_items(asked, own or table, asking, metric=searched.metric, shared_table=own is None)
        vectors, told = {**gallery.vectors, **queries.vectors}, {**gallery.told, **queries.told}
    exclude, notes = _own_copies(searched, queries, gallery)
    if gallery.by_row:
        notes.append("rows are matched one by one, since the files of embeddings have no ids")
    return Material(
        queries, gallery, _relevance(searched, queries, gallery, exclude), vectors, told, tuple(notes)
    )  # fmt: skip


def refuse_contradictions(searched: Searched, *, new_gallery: bool) -> None:
    """Refuse options that do not go together, before anything is read.

    Args:
        searched: What was typed.
        new_gallery: Whether the gallery is needed as the new model embeds it.

    Raises:
        InputError: If options contradict each other, or one is missing.
    """
    if searched.queries_to_old is not None and searched.gallery_to_new is not None:
        raise InputError(
            "--queries-to-old and --gallery-to-new are both given; pass one: mapped queries search OLD, or new queries "
            "the mapped gallery"
        )
    if searched.itself and searched.queries_new is not None:
        raise InputError("--queries-new is given without --queries-old; pass both, or neither")
    asks = searched.queries_to_old if not new_gallery else None
    if not searched.itself and searched.queries_new is None and asks is None:
        raise InputError("--queries-old is given without --queries-new; pass both, or neither")
    if searched.new is None and (new_gallery or (searched.itself and asks is None)):
        raise InputError("NEW is missing; name the file of the same items, embedded by the new model")
    if searched.new is not None and searched.itself and same_file(searched.old, searched.new):
        raise InputError(f"OLD and NEW are the same file, {searched.old!r}; pass what each model embedded")
    for option, queries, items, gallery in (
        ("--queries-old", searched.queries_old, "OLD", searched.old),
        ("--queries-new", searched.queries_new, "NEW", searched.new),
    ):
        if queries is not None and gallery is not None and same_file(queries, gallery):
            raise InputError(
                f"{option} and {items} are the same file, {queries!r}, so that each query would find itself; leave "
                f"--queries-old and --queries-new out, and every item asks for the others"
            )
    if searched.itself and searched.query_labels is not None:
        raise InputError("--query-labels is for --queries-old and --queries-new; name the items' labels with --labels")
    if searched.exclude_own and searched.itself:
        raise InputError("--exclude-own is for --queries-old; items that are the queries never find themselves")
    if searched.qrels is None and searched.at_least != 1:
        raise InputError("--at-least is for --qrels; leave it out, or name judgements")
    if searched.qrels is not None and searched.label is not None:
        raise InputError("--label and --qrels both say what is relevant; leave out one of them")


@contextmanager
def in_their_words(told: Mapping[str, str]) -> Generator[None]:
    """Name files in place of arguments in what the library says.

    Args:
        told: The files' names by argument.

    Yields:
        Nothing.

    Raises:
        InputError: What the library raised, in other words.
    """
    import re

    from segue.cli.words import for_the_command_line

    try:
        yield
    except InputError as error:
        said = for_the_command_line(str(error))
        if told:
            roles = "|".join(map(re.escape, told))
            said = re.sub(rf"(?<![\w-])({roles})\b", lambda found: told[found[1]], said)
        raise InputError(said) from error


def model_names(searched: Searched) -> tuple[str, str]:
    """Return what the models are called: as typed, or after their files.

    Args:
        searched: What was typed.

    Returns:
        Two different names.
    """
    found = Path(searched.old).stem, Path(searched.new or searched.queries_new or "new").stem
    old, new = found if found[0] != found[1] and all(found) else ("old", "new")
    return searched.old_name or old, searched.new_name or new


def _given(**files: tuple[str, str | None]) -> Files:
    return {role: (option, path) for role, (option, path) in files.items() if path is not None}


def _own_copies(searched: Searched, queries: Items, gallery: Items) -> tuple[NDArray[np.int64] | None, list[str]]:
    import numpy as np

    if searched.itself:
        return np.arange(len(gallery)), ["every item is a query, and does not find itself"]
    if queries.ids is None or gallery.ids is None:
        if searched.exclude_own:
            raise InputError("--exclude-own looks queries up in the gallery by their ids; give both ids")
        return None, []
    order = np.argsort(gallery.ids, kind="stable")
    place = order[np.minimum(np.searchsorted(gallery.ids, queries.ids, sorter=order), len(gallery) - 1)]
    rows = np.where(gallery.ids[place] == queries.ids, place, -1)
    own = int((rows >= 0).sum())
    if searched.exclude_own:
        them = "is in the gallery by its id, and does not find itself"
        if own != 1:
            them = "are in the gallery by their ids, and do not find themselves"
        return rows, [f"{own:,} of the queries {them}"]
    have, same = ("has", "it is the same item") if own == 1 else ("have", "they are the same items")
    told = f"{own:,} of the queries {have} the id of a gallery item; pass --exclude-own if {same}"
    return None, [told] if own else []


def _relevance(searched: Searched, queries: Items, gallery: Items, exclude: NDArray[np.int64] | None) -> Relevance:
    from segue.retrieval import Relevance

    asks = "--labels" if searched.itself else "--query-labels"
    with in_their_words({"query_ids": "the queries", "gallery_ids": "the gallery"}):
        if searched.qrels is not None:
            query_ids, gallery_ids = (
                _known(queries.ids, queries, asks, "ids"),
                _known(gallery.ids, gallery, "--labels", "ids"),
            )
            return Relevance.from_qrels(
                searched.qrels, query_ids, gallery_ids, exclude=exclude, at_least=searched.at_least
            )
        labels = _known(gallery.labels, gallery, "--labels", "labels")
        return Relevance.from_labels(_known(queries.labels, queries, asks, "labels"), labels, exclude=exclude)


def _known(values: NDArray[np.str_] | None, items: Items, option: str, what: str) -> NDArray[np.str_]:
    if values is not None:
        return values
    told = " and ".join(dict.fromkeys(items.told.values()))
    if what == "ids":
        raise InputError(
            f"--qrels names ids, and {told} have none; give them ids, or pass a file with ids with {option}"
        )
    raise InputError(f"{told} hold no labels; pass {option} FILE, or judgements with --qrels FILE")
