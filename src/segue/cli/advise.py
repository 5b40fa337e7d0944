"""``segue advise``: which way to a new embedding model do the numbers support?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from segue.cli.numbers import number, whole
from segue.cli.options import sharing
from segue.cli.search_options import COLUMNS, EMBEDDINGS, RELEVANT, SEARCH
from segue.cli.tables import SHOWN, option
from segue.errors import require

COSTS = "Costs and limits"
HELP = """Say which way to a new embedding model the numbers support: change nothing, a learned map, or re-embedding.

OLD and NEW hold the same items, some hundreds to some thousands, embedded by both models, with labels. Embeddings are \
read from .npy, .npz (arrays [bold]embeddings[/bold], [bold]ids[/bold], [bold]labels[/bold]), .parquet or .arrow files \
(columns [bold]embedding[/bold], [bold]id[/bold], [bold]label[/bold]), and matched by their ids, where they have any."""
EXAMPLES = """[bold]Examples[/bold]

segue advise old.npz new.npz --gallery-old stored.npz

segue advise old.npy new.npy --labels items.csv --gallery-old stored.npy --gallery-labels stored.csv

segue advise old.npz new.npz --gallery-old stored.npz --gallery-size 2_000_000 --seconds-per-item 0.02

[bold]Exit codes[/bold]

0 one way is supported, doing nothing included, 2 usage or bad input, 3 these data can't tell"""


@dataclass(frozen=True)
class Advised:
    """The arguments and options, as they were typed."""

    old: Annotated[str, typer.Argument(metavar="OLD", help="Items, embedded by the old model: a file.")]
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same items, embedded by the new model.")]

    gallery_old: Annotated[
        str | None,
        option(EMBEDDINGS, "FILE", "What the old model has stored, or a large part of it; without, no map is advised."),
    ] = None
    queries_old: Annotated[
        str | None,
        option(EMBEDDINGS, "FILE", "Queries, embedded by the old model; without, each item asks for the others."),
    ] = None
    queries_new: Annotated[str | None, option(EMBEDDINGS, "FILE", "The same queries, embedded by the new model.")] = (
        None
    )

    labels: Annotated[
        str | None,
        option(RELEVANT, "FILE", "The items' labels: a .csv, .parquet, .arrow, .npz or .npy file; needed where OLD and "
               "NEW hold none."),
    ] = None  # fmt: skip
    gallery_labels: Annotated[
        str | None, option(RELEVANT, "FILE", "The same of --gallery-old; --labels by default, if that has ids.")
    ] = None
    query_labels: Annotated[
        str | None, option(RELEVANT, "FILE", "The same of the queries; --labels by default, if that has ids.")
    ] = None

    id: Annotated[
        str | None, option(COLUMNS, "NAME", "The items' ids; 'id' or 'ids' by default, where there are any.")
    ] = None
    embedding: Annotated[
        str | None, option(COLUMNS, "NAME", "The embeddings; 'embedding' or 'embeddings' by default.")
    ] = None
    label: Annotated[str | None, option(COLUMNS, "NAME", "The labels; 'label' or 'labels' by default.")] = None

    gallery_size: Annotated[int | None, option(COSTS, "NUMBER", "How many items are stored in all.", parser=whole)] = (
        None
    )
    seconds_per_item: Annotated[
        float | None, option(COSTS, "SECONDS", "What the new model takes to embed an item.", parser=number)
    ] = None
    old_seconds_per_item: Annotated[
        float | None, option(COSTS, "SECONDS", "What the old model takes.", parser=number)
    ] = None
    keep: Annotated[
        float, option(COSTS, "SHARE", "The least share of the upgrade that makes a map worth it.", parser=number)
    ] = 0.5
    worthwhile: Annotated[
        float, option(COSTS, "AMOUNT", "The least upgrade that is worth it; 0.01 is a point.", parser=number)
    ] = 0.01

    measure: Annotated[str, option(SEARCH, "NAME", "cmc@1, recall@K, precision@K, map, mrr, ndcg@K...")] = "cmc@1"
    folds: Annotated[int, option(SEARCH, "NUMBER", "Folds of the items, for choosing maps.", parser=whole)] = 5
    seed: Annotated[int, option(SEARCH, "NUMBER", "Seed of the folds.", parser=whole)] = 0
    progress: Annotated[
        bool, typer.Option(help="Show progress on standard error, if it is a terminal.", rich_help_panel=SEARCH)
    ] = True

    json: Annotated[str | None, option(SHOWN, "FILE", "Write JSON to a file, or to standard output for -.")] = None
    old_name: Annotated[str | None, option(SHOWN, "NAME", "What the old model is called.")] = None
    new_name: Annotated[str | None, option(SHOWN, "NAME", "What the new model is called.")] = None
    confidence: Annotated[float, option(SHOWN, "SHARE", "Coverage of the intervals.", parser=number)] = 0.95

    @property
    def inputs(self) -> list[str]:
        """The files that are read."""
        given = (self.old, self.new, self.gallery_old, self.queries_old, self.queries_new, self.labels,
                 self.gallery_labels, self.query_labels)  # fmt: skip
        return [path for path in given if path is not None]


@sharing(Advised)
def advise(asked: Advised) -> int:
    """Read the sample, measure the options, and say which one is supported.

    Args:
        asked: What was typed.

    Returns:
        The exit code: 0 one is, 3 can't tell.
    """
    from segue.cli.advise_reading import in_typed_words, read_given, refuse_contradictions
    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.advised import EXIT_CODES, advice_json, show_advice
    from segue.cli.progress import shown_progress

    require("faiss", "retrieval", "segue advise")
    refuse_contradictions(asked)
    check_outputs({"--json": asked.json}, asked.inputs)
    with shown_progress(asked.progress) as progress:
        with in_typed_words({}):
            given = read_given(asked)
        with in_typed_words(given.told):
            from segue.advise import advise as advised

            advice = advised(
                **given.arguments, gallery_size=asked.gallery_size, seconds_per_item=asked.seconds_per_item,
                old_seconds_per_item=asked.old_seconds_per_item, measure=asked.measure, keep=asked.keep,
                worthwhile=asked.worthwhile, folds=asked.folds, confidence=asked.confidence, seed=asked.seed,
                names=(asked.old_name or "the old model", asked.new_name or "the new model"), progress=progress,
            )  # fmt: skip
    if asked.json is not None:
        write(advice_json(advice, given.notes), asked.json, "--json")
    if asked.json != "-":
        show_advice(out(), advice, given.notes)
    return EXIT_CODES[advice.recommended is not None]
