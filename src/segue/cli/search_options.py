"""What the commands of retrieval are asked: which embeddings, what is relevant to what, how to search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from segue.cli.numbers import number
from segue.cli.tables import SHOWN, option

EMBEDDINGS = "Embeddings"
RELEVANT = "What is relevant"
COLUMNS = "Columns and arrays"
SEARCH = "Search"
FILES = """Embeddings are read from .npy, .npz (arrays [bold]embeddings[/bold], [bold]ids[/bold], \
[bold]labels[/bold]), .parquet or .arrow files (columns [bold]embedding[/bold], [bold]id[/bold], \
[bold]label[/bold]). Files with ids are matched by them, in any order; files without, row by row. Without \
--queries-old and --queries-new every item is a query that searches all others."""


@dataclass(frozen=True)
class Searched:
    """The arguments and options of a search with two models, as they were typed."""

    old: Annotated[str, typer.Argument(metavar="OLD", help="The gallery's items, embedded by the old model: a file.")]
    new: Annotated[
        str | None,
        typer.Argument(metavar="NEW", help="The same items, embedded by the new model.", show_default=False),
    ] = None

    queries_old: Annotated[
        str | None,
        option(EMBEDDINGS, "FILE", "Queries, embedded by the old model; without, the items are the queries."),
    ] = None
    queries_new: Annotated[str | None, option(EMBEDDINGS, "FILE", "The same queries, embedded by the new model.")] = (
        None
    )
    queries_to_old: Annotated[
        str | None,
        option(EMBEDDINGS, "FILE", "The new model's queries mapped to the old space: they search OLD in its place."),
    ] = None
    gallery_to_new: Annotated[
        str | None,
        option(EMBEDDINGS, "FILE", "OLD mapped to the new space: new queries search it in place of OLD."),
    ] = None

    labels: Annotated[
        str | None,
        option(RELEVANT, "FILE", "The items' labels, and other columns: a .csv, .parquet, .arrow, .npz or .npy file; "
               "needed where OLD and NEW hold none."),
    ] = None  # fmt: skip
    query_labels: Annotated[
        str | None, option(RELEVANT, "FILE", "The same of the queries; --labels by default, if that has ids.")
    ] = None
    qrels: Annotated[
        str | None, option(RELEVANT, "FILE", "Judgements in place of labels: TREC's 'query iteration item grade'.")
    ] = None
    at_least: Annotated[
        float, option(RELEVANT, "GRADE", "The grade of --qrels from which an item counts as relevant.", parser=number)
    ] = 1.0

    exclude_own: Annotated[
        bool,
        typer.Option("--exclude-own", help="A query does not find the gallery item with its own id.",
                     rich_help_panel=RELEVANT),
    ] = False  # fmt: skip

    id: Annotated[
        str | None, option(COLUMNS, "NAME", "The items' ids; 'id' or 'ids' by default, where there are any.")
    ] = None
    embedding: Annotated[
        str | None, option(COLUMNS, "NAME", "The embeddings; 'embedding' or 'embeddings' by default.")
    ] = None
    label: Annotated[str | None, option(COLUMNS, "NAME", "The labels; 'label' or 'labels' by default.")] = None
    group: Annotated[
        str | None, option(COLUMNS, "NAME", "The customer or session that queries share: not independent.")
    ] = None

    metric: Annotated[str, option(SEARCH, "cosine|inner-product|l2", "What makes two embeddings similar.")] = "cosine"
    index: Annotated[
        str | None, option(SEARCH, "FACTORY", "Search approximately, with this faiss index, such as HNSW32.")
    ] = None

    json: Annotated[str | None, option(SHOWN, "FILE", "Write JSON to a file, or to standard output for -.")] = None
    old_name: Annotated[str | None, option(SHOWN, "NAME", "What the old model is called.")] = None
    new_name: Annotated[str | None, option(SHOWN, "NAME", "What the new model is called.")] = None
    confidence: Annotated[
        float | None, option(SHOWN, "SHARE", "Coverage of the intervals; 0.95 by default.", parser=number)
    ] = None
    progress: Annotated[
        bool, typer.Option(help="Show progress on standard error, if it is a terminal.", rich_help_panel=SEARCH)
    ] = True

    @property
    def inputs(self) -> list[str]:
        """The files that are read."""
        given = (
            self.old, self.new, self.queries_old, self.queries_new, self.queries_to_old, self.gallery_to_new,
            self.labels, self.query_labels, self.qrels,
        )  # fmt: skip
        return [path for path in given if path is not None]

    @property
    def itself(self) -> bool:
        """Whether the items are the queries."""
        return self.queries_old is None
