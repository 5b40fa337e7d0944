"""``segue cross-test``: may the new model's queries search the old gallery, and what of the upgrade is that worth?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from segue.cli.options import sharing
from segue.cli.search_options import EMBEDDINGS, FILES, RELEVANT, SEARCH, Searched
from segue.cli.tables import option
from segue.errors import InputError, require

if TYPE_CHECKING:
    from segue.retrieval.estimates import Undefined

HELP = f"""Test whether a new embedding model's queries do better on the old gallery than the old model's.

{FILES}"""
EXAMPLES = """[bold]Examples[/bold]

segue cross-test old.npz new.npz

segue cross-test old.npy new.npy --labels items.csv --label product --measure cmc@1 --measure map

segue cross-test old.parquet new.parquet --queries-old q-old.parquet --queries-new q-new.parquet --qrels test.qrels \
--measure ndcg@10

segue cross-test old.npz new.npz --gallery-to-new mapped.npz --json result.json

[bold]Exit codes[/bold]

0 new queries do better on the old gallery (by every measure), 1 they do not (by one of them), 2 usage or bad input, \
3 can't tell: not enough queries"""
UNDEFINED: dict[str, Undefined] = {"drop": "leave out", "zero": "zero"}


@sharing(Searched)
def cross_test(
    searched: Searched,
    queries_paragon: Annotated[
        str | None,
        option(EMBEDDINGS, "FILE", "Queries of the paragon, the new model trained without regard to the old one."),
    ] = None,
    gallery_paragon: Annotated[str | None, option(EMBEDDINGS, "FILE", "The items, embedded by the paragon.")] = None,
    measure: Annotated[
        list[str] | None,
        option(SEARCH, "NAME", "cmc@1 (the default), recall@K, precision@K, map, mrr, ndcg@K...; may be repeated."),
    ] = None,
    without_relevant: Annotated[
        str, option(RELEVANT, "drop|zero", "Queries that nothing is relevant to: left out, or counted as 0.")
    ] = "drop",
) -> int:
    """Read the embeddings, search, and write what was asked for.

    Args:
        searched: What is searched.
        queries_paragon: The paragon's queries.
        gallery_paragon: The paragon's gallery.
        measure: What is measured.
        without_relevant: What queries count that nothing is relevant to.

    Returns:
        The exit code: 0 the criterion holds, 1 it does not, 3 can't tell.

    Raises:
        InputError: If anything is wrong with the options or the data.
    """
    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.crossed import EXIT_CODES, cross_json, show_cross_tests, verdict
    from segue.cli.progress import shown_progress
    from segue.cli.searching import in_their_words, model_names, read_material, refuse_contradictions
    from segue.retrieval import cross_test as crossed
    from segue.retrieval.measures import named_measure, refuse_index_for_whole_rankings

    require("faiss", "retrieval", "segue cross-test")
    refuse_contradictions(searched, new_gallery=True)
    _refuse_half_a_paragon(searched, queries_paragon, gallery_paragon)
    if without_relevant not in UNDEFINED:
        raise InputError(f"--without-relevant is {without_relevant!r}; pass drop or zero")
    measures = [named_measure(name) for name in dict.fromkeys(measure or ["cmc@1"])]
    for one in measures:
        refuse_index_for_whole_rankings(one, searched.index)
    paragon = [path for path in (queries_paragon, gallery_paragon) if path is not None]
    check_outputs({"--json": searched.json}, [*searched.inputs, *paragon])
    given: dict[str, Any] = {
        "metric": searched.metric,
        "undefined": UNDEFINED[without_relevant],
        "confidence": 0.95 if searched.confidence is None else searched.confidence,
        "names": model_names(searched),
        "index": searched.index,
    }
    with shown_progress(searched.progress) as progress:
        material = read_material(searched, paragon=(queries_paragon, gallery_paragon))
        for one in measures:
            material.refuse_too_deep(one.k, f"--measure {one.name}")
        tests = []
        for place, one in enumerate(measures):
            if progress is not None:
                progress(f"searching for {one.name}", place / len(measures))
            with in_their_words(material.told):
                vectors: dict[str, Any] = dict(material.vectors)
                groups = material.queries.groups
                tests.append(crossed(**vectors, relevance=material.relevance, measure=one.name, groups=groups, **given))
    if searched.json is not None:
        write(cross_json(tests, material.notes), searched.json, "--json")
    if searched.json != "-":
        show_cross_tests(out(), tests, material.notes)
    return EXIT_CODES[verdict(tests)]


def _refuse_half_a_paragon(searched: Searched, queries: str | None, gallery: str | None) -> None:
    if searched.itself and queries is not None:
        raise InputError("--queries-paragon is given without --queries-old; name the items with --gallery-paragon")
    if not searched.itself and (queries is None) != (gallery is None):
        given, missing = ("gallery", "queries") if queries is None else ("queries", "gallery")
        raise InputError(f"--{given}-paragon is given without --{missing}-paragon; pass both, or neither")
