"""``segue adapter fit``: learn a map from items that two models have embedded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from segue.cli.numbers import number
from segue.cli.options import sharing
from segue.cli.search_options import COLUMNS, RELEVANT
from segue.cli.tables import option
from segue.errors import InputError, require

if TYPE_CHECKING:
    from segue.adapters import Adapter
    from segue.cli.embeddings import Items

MAP = "The map"
AUTO = "auto"
SIDES = ("queries", "gallery")
HELP = """Learn a map from SOURCE to TARGET, the same items as two models embed them, and keep it in a folder.

Files are read and matched as by segue advise."""
EXAMPLES = """[bold]Examples[/bold]

segue adapter fit new.npz old.npz --side queries --out to-old    # new queries search the old gallery

segue adapter fit old.npz new.npz --side gallery --out to-new    # the old gallery moves to the new space

segue adapter fit old.npy new.npy --kind ridge --strength 0.1 --out to-new"""


@dataclass(frozen=True)
class Fitted:
    """The arguments and options, as they were typed."""

    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Items, embedded by the model whose vectors move.")]
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The same items, embedded by the other model.")]
    out: Annotated[str, option(MAP, "FOLDER", "The folder to write: a new one.")]
    kind: Annotated[str, option(MAP, "auto|ridge|procrustes|...", "The map; auto tries many, and keeps the best.")] = (
        AUTO
    )
    side: Annotated[
        str | None, option(MAP, "queries|gallery", "What SOURCE is: new queries, or stored vectors; for --kind auto.")
    ] = None
    strength: Annotated[float | None, option(MAP, "NUMBER", "Penalty of maps that have one.", parser=number)] = None
    labels: Annotated[
        str | None, option(RELEVANT, "FILE", "The items' labels, by which --kind auto chooses, if there are any.")
    ] = None
    id: Annotated[
        str | None, option(COLUMNS, "NAME", "The items' ids; 'id' or 'ids' by default, where there are any.")
    ] = None
    embedding: Annotated[
        str | None, option(COLUMNS, "NAME", "The embeddings; 'embedding' or 'embeddings' by default.")
    ] = None
    label: Annotated[str | None, option(COLUMNS, "NAME", "The labels; 'label' or 'labels' by default.")] = None
    group: Annotated[
        str | None, option(COLUMNS, "NAME", "The product or session that items share; for --kind auto.")
    ] = None


@sharing(Fitted)
def fit(asked: Fitted) -> int:
    """Fit a map, and keep it.

    Args:
        asked: What was typed.

    Returns:
        The exit code, 0.
    """
    from segue.cli.adapter_files import in_file_words, refuse_existing
    from segue.cli.console import out
    from segue.cli.embeddings import Names, read_items
    from segue.cli.outputs.visible import visible

    require("safetensors", "adapters", "segue adapter")
    refuse_existing(asked.out, "folder")
    named = _named(asked)
    table = None if asked.labels is None else ("--labels", asked.labels)
    files = {"source": ("SOURCE", asked.source), "target": ("TARGET", asked.target)}
    with in_file_words({}):
        items = read_items(files, table, Names(asked.id, asked.embedding, asked.label, asked.group), metric="cosine")
    with in_file_words(items.told):
        found, words = _best(asked, items) if named is None else _fitted(named, items)
        found.save_pretrained(asked.out)
    dimension = max(found.source_dimension, found.target_dimension)
    if found.pairs < dimension:
        words.append(f"Note: {found.pairs:,} pairs are fewer than {dimension:,} dimensions; more make a better map.")
    for line in (*words, f"Written to {asked.out}."):
        out().print(visible(line, most=2000))
    return 0


def _named(asked: Fitted) -> Adapter | None:
    from segue.cli.adapter_files import kinds
    from segue.cli.measuring import same_file

    if same_file(asked.source, asked.target):
        raise InputError(f"SOURCE and TARGET are the same file, {asked.source!r}; pass what each model embedded")
    if asked.kind == AUTO:
        if asked.strength is not None:
            raise InputError("--strength is for a map that is named; pass --kind ridge, for instance, or leave it out")
        if asked.side not in SIDES:
            told = "missing" if asked.side is None else repr(asked.side)
            raise InputError(f"--side is {told}; pass queries (SOURCE is new) or gallery (SOURCE is old), or a --kind")
        return None
    known = kinds()
    if asked.kind not in known:
        raise InputError(f"--kind is {asked.kind!r}; pass one of {', '.join([AUTO, *known])}")
    of_auto = {"--side": asked.side, "--labels": asked.labels, "--group": asked.group}
    typed = [name for name, given in of_auto.items() if given is not None]
    if typed:
        raise InputError(f"{typed[0]} is for --kind auto, which chooses by it; leave it out with --kind {asked.kind}")
    adapter = known[asked.kind]()
    if asked.strength is None:
        return adapter
    if "strength" not in adapter.get_params():
        raise InputError(f"--strength is for maps that have one, and {asked.kind} has none; leave it out")
    return adapter.set_params(strength=asked.strength)


def _best(asked: Fitted, items: Items) -> tuple[Adapter, list[str]]:
    from segue.adapters import fit_best

    require("faiss", "retrieval", "segue adapter fit --kind auto")
    side = cast("Literal['queries', 'gallery']", asked.side)
    vectors = items.vectors["source"], items.vectors["target"]
    choice = fit_best(*vectors, side=side, labels=items.labels, groups=items.groups)
    return choice.adapter, str(choice).splitlines()


def _fitted(adapter: Adapter, items: Items) -> tuple[Adapter, list[str]]:
    adapter.fit(items.vectors["source"], items.vectors["target"])
    return adapter, [adapter.describe()]
