"""``segue adapter apply``: put the vectors of a file through a map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.options import sharing
from segue.cli.search_options import COLUMNS
from segue.cli.tables import SHOWN, option
from segue.errors import InputError, require

ENDINGS = (".npy", ".npz")
HELP = """Map the vectors of a file into the other space, and write them to a new file.

A .npy file is read and written by blocks, so that it may be larger than memory; .npz keeps ids and labels."""
EXAMPLES = """[bold]Examples[/bold]

segue adapter apply to-new stored.npy --out mapped.npy

segue adapter apply to-new stored.parquet --out mapped.npz    # ids and labels stay with the vectors"""


@dataclass(frozen=True)
class Applied:
    """The arguments and options, as they were typed."""

    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The folder that holds the adapter.")]
    vectors: Annotated[str, typer.Argument(metavar="INPUT", help="Vectors of the model that SOURCE was of: a file.")]
    out: Annotated[str, option(SHOWN, "FILE", "The file to write, .npy or .npz: a new one.")]
    id: Annotated[
        str | None, option(COLUMNS, "NAME", "The items' ids; 'id' or 'ids' by default, where there are any.")
    ] = None
    embedding: Annotated[
        str | None, option(COLUMNS, "NAME", "The embeddings; 'embedding' or 'embeddings' by default.")
    ] = None


@sharing(Applied)
def apply(asked: Applied) -> int:
    """Map vectors, and write them.

    Args:
        asked: What was typed.

    Returns:
        The exit code, 0.

    Raises:
        InputError: If the output is there already or ends otherwise, or something is wrong with the input.
    """
    from segue.cli.adapter_files import in_file_words, loaded, refuse_existing, write_mapped
    from segue.cli.console import out
    from segue.cli.embeddings import Names, read_items
    from segue.cli.outputs.visible import visible
    from segue.flips.checks import counted

    require("safetensors", "adapters", "segue adapter")
    refuse_existing(asked.out, "file")
    if Path(asked.out).suffix not in ENDINGS:
        raise InputError(f"--out is {asked.out!r}; name a file that ends in .npy or .npz")
    adapter = loaded(asked.folder)
    with in_file_words({}):
        items = read_items(
            {"source": ("INPUT", asked.vectors)}, None, Names(asked.id, asked.embedding), metric="cosine"
        )
    with in_file_words(items.told):
        write_mapped(adapter, items, Path(asked.out))
    dimensions = f"{adapter.source_dimension:,} to {counted(adapter.target_dimension, 'dimension')}"
    out().print(visible(f"{counted(len(items), 'vector')} mapped, {dimensions}. Written to {asked.out}.", most=2000))
    return 0
