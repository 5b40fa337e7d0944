"""Interpolated weights: the ends, the line between them, soups, heads that grew, and pairs that can't be averaged."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from segue.congruent.interpolation import interpolate, soup
from segue.errors import InputError


def network(seed: int, classes: int = 3, features: int = 4) -> nn.Sequential:
    """A network with all that there is to average: weights, BatchNorm statistics and its counter."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(features, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, classes)
        )
        model.train()
        for _ in range(seed + 2):
            model(torch.randn(8, features))
    return model


def bits(model: nn.Module) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in model.state_dict().items()}


def line(*weights: float) -> nn.Linear:
    """One input, one output per weight, no bias."""
    layer = nn.Linear(1, len(weights), bias=False)
    layer.weight.data = torch.tensor(weights, dtype=torch.float32)[:, None]
    return layer


@pytest.mark.parametrize("fisher", [False, True])
def test_at_0_and_1_stand_the_very_weights_of_new_and_old(fisher):
    old, new = network(0), network(1)
    importance = {name: torch.rand_like(weight) for name, weight in old.named_parameters()} if fisher else None
    assert bits(interpolate(old, new, 0, fisher=importance)) == bits(new)
    assert bits(interpolate(old, new, 1, fisher=importance)) == bits(old)


def test_the_end_keeps_the_sign_of_zero():
    model = interpolate(line(-0.0, 1.0), line(0.0, 2.0), 1.0)
    assert math.copysign(1, model.weight[0].item()) == -1


def test_a_case_worked_by_hand():
    old, new = nn.Linear(2, 2), nn.Linear(2, 2)
    old.weight.data, old.bias.data = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0.0, 8.0])
    new.weight.data, new.bias.data = torch.tensor([[5.0, 2.0], [-1.0, 0.0]]), torch.tensor([4.0, 0.0])
    model = interpolate(old, new, 0.75)
    assert model.weight.tolist() == [[2.0, 2.0], [2.0, 3.0]]
    assert model.bias.tolist() == [1.0, 6.0]


def test_fisher_worked_by_hand():
    # (a F old + (1 - a) new) / (a F + 1 - a) at a = 1/2: F = 0 gives new, F = 1 the mean, F = 3 three parts of old
    model = interpolate(
        line(1.0, 1.0, 1.0), line(5.0, 5.0, 5.0), 0.5, fisher={"weight": torch.tensor([[0.0], [1.0], [3.0]])}
    )
    assert model.weight.flatten().tolist() == [5.0, 3.0, 2.0]


def test_weights_that_do_not_matter_to_the_old_model_are_still_its_own_at_1():
    model = interpolate(line(1.0, 1.0), line(5.0, 5.0), 1.0, fisher={"weight": torch.tensor([[0.0], [2.0]])})
    assert model.weight.flatten().tolist() == [1.0, 1.0]


def test_fisher_of_ones_is_plain_interpolation():
    old, new = network(0), network(1)
    ones = {name: torch.ones_like(weight) for name, weight in old.named_parameters()}
    plain, weighted = interpolate(old, new, 0.3), interpolate(old, new, 0.3, fisher=ones)
    for one, other in zip(plain.state_dict().values(), weighted.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other)


@given(st.floats(0, 1), st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=8))
def test_every_weight_is_the_slow_formula_and_lies_between_the_ends(alpha, pairs):
    olds, news = zip(*pairs, strict=True)
    found = interpolate(line(*olds), line(*news), alpha).weight.flatten().tolist()
    for a, b, value in zip(olds, news, found, strict=True):
        assert value == pytest.approx(alpha * a + (1 - alpha) * b, rel=1e-5, abs=1e-3)
        assert min(a, b) - 1e-3 <= value <= max(a, b) + 1e-3


@given(st.floats(0, 1), st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=8))
def test_what_agrees_stays_bit_for_bit(alpha, weights):
    assert bits(interpolate(line(*weights), line(*weights), alpha)) == bits(line(*weights))


@given(st.floats(0.01, 0.99), st.floats(0, 50), st.floats(-10, 10), st.floats(-10, 10))
def test_fisher_agrees_with_its_formula(alpha, importance, old, new):
    fisher = {"weight": torch.tensor([[importance]])}
    expected = (alpha * importance * old + (1 - alpha) * new) / (alpha * importance + 1 - alpha)
    found = interpolate(line(old), line(new), alpha, fisher=fisher).weight.item()
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_neither_model_is_touched_and_the_result_is_a_third():
    old, new = network(0), network(1)
    old.eval()
    before = bits(old), bits(new)
    model = interpolate(old, new, 0.5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert (bits(old), bits(new)) == before
    assert (old.training, new.training, model.training) == (False, True, False)
    assert all(module.training for module in new.modules())


def test_dropout_does_not_disturb_the_answers():
    model = interpolate(network(0).train(), network(1).train(), 0.5)
    rows = torch.randn(6, 4)
    assert torch.equal(model(rows), model(rows))


def test_counters_are_the_nearer_models():
    old, new = network(0), network(5)
    counts = [int(interpolate(old, new, alpha)[1].num_batches_tracked) for alpha in (0.0, 0.5, 0.6, 1.0)]
    assert counts == [7, 7, 2, 2]


class Tied(nn.Module):
    """Words in and words out share one table; positions are an expanded view, masks hold infinities."""

    def __init__(self, scale: float, tied: bool = True) -> None:
        super().__init__()
        self.words, self.out = nn.Embedding(4, 2), nn.Linear(2, 4, bias=False)
        self.words.weight.data = scale * torch.arange(8.0).reshape(4, 2)
        self.out.weight = self.words.weight if tied else nn.Parameter(self.words.weight.detach().clone())
        self.register_buffer("positions", torch.arange(3)[None].expand(2, 3))
        self.register_buffer("mask", torch.full((2,), -math.inf)[:, None].expand(2, 2), persistent=False)

    def forward(self, ids):
        return self.out(self.words(ids))


def test_tied_weights_stay_tied_and_are_interpolated_once():
    model = interpolate(Tied(1.0), Tied(3.0), 0.5)
    assert model.out.weight is model.words.weight
    assert torch.equal(model.words.weight, 2.0 * torch.arange(8.0).reshape(4, 2))
    assert torch.isinf(model.mask).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype):
    model = interpolate(line(1.0).to(dtype), line(3.0).to(dtype), 0.5, fisher={"weight": torch.tensor([[3.0]])})
    assert model.weight.dtype == dtype
    assert model.weight.item() == 1.5


# soups


def test_a_soup_worked_by_hand():
    assert soup([line(1.0, 0.0), line(2.0, 0.0), line(6.0, 3.0)]).weight.flatten().tolist() == [3.0, 1.0]


@settings(deadline=None)
@given(st.integers(1, 7), st.integers(0, 5))
def test_a_soup_of_identical_models_is_the_model(count, seed):
    model = network(seed)
    assert bits(soup([copy.deepcopy(model) for _ in range(count)])) == bits(model)


def test_a_soup_agrees_with_the_mean_of_state_dicts_in_any_order():
    models = [network(0), network(1), network(2)]
    made = soup(models).state_dict()
    for name, tensor in soup(reversed(models)).state_dict().items():
        if tensor.is_floating_point():
            expected = torch.stack([model.state_dict()[name] for model in models]).mean(dim=0)
            torch.testing.assert_close(made[name], expected)
            torch.testing.assert_close(tensor, expected)


def test_soup_bcwi_is_the_line_to_the_soup():
    model = interpolate(line(0.0), soup([line(1.0), line(3.0)]), 0.25)
    assert model.weight.item() == 1.5


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        ([], "models is empty; pass the models to average"),
        (line(1.0), "models is a single module; pass a list of models"),
        ([line(1.0), "two"], "models[1] is a str; pass a torch module"),
        (
            [line(1.0), line(1.0, 2.0)],
            "'weight' has shape (1, 1) in models[0] but (2, 1) in models[1]; both must be the same architecture (where "
            "only the classes of the head differ, pass class_map)",
        ),
    ],
)
def test_soups_that_can_not_be_cooked(models, sentence):
    with pytest.raises(InputError) as caught:
        soup(models)
    assert str(caught.value) == sentence


# heads whose classes changed


def test_the_rows_of_new_classes_are_the_new_models():
    old, new = line(1.0, 2.0), line(10.0, 20.0, 30.0)
    # old class 0 is now class 2, old class 1 is now class 0; class 1 is new
    assert interpolate(old, new, 0.5, class_map=[2, 0]).weight.flatten().tolist() == [6.0, 20.0, 15.5]
    assert interpolate(old, new, 1.0, class_map=[2, 0]).weight.flatten().tolist() == [2.0, 20.0, 1.0]
    assert interpolate(old, new, 0.0, class_map=[2, 0]).weight.flatten().tolist() == [10.0, 20.0, 30.0]


def test_classes_that_are_gone_leave_no_trace():
    old, new = line(1.0, math.pi, 3.0), line(10.0, 20.0)
    assert interpolate(old, new, 0.5, class_map=[0, -1, 1]).weight.flatten().tolist() == [5.5, 11.5]


def test_classes_that_only_moved_need_the_heads_name():
    old, new = line(1.0, 2.0), line(10.0, 20.0)
    assert interpolate(old, new, 0.5, class_map=[1, 0], head=["weight"]).weight.flatten().tolist() == [6.0, 10.5]


def test_fisher_rows_follow_their_classes():
    fisher = {"weight": torch.tensor([[3.0], [0.0]])}
    model = interpolate(line(1.0, 2.0), line(10.0, 20.0, 5.0), 0.5, fisher=fisher, class_map=[2, 0])
    assert model.weight.flatten().tolist() == [10.0, 20.0, 2.0]


def test_a_grown_head_behind_a_body():
    old, new = network(0, classes=3), network(1, classes=5)
    model = interpolate(old, new, 0.25, class_map=[0, 1, 4])
    expected = new[4].weight.detach().clone()
    expected[[0, 1, 4]] = 0.25 * old[4].weight.detach() + 0.75 * expected[[0, 1, 4]]
    torch.testing.assert_close(model[4].weight.detach(), expected)
    torch.testing.assert_close(model[0].weight, 0.25 * old[0].weight + 0.75 * new[0].weight)
    assert torch.equal(model[4].bias[[2, 3]], new[4].bias[[2, 3]])
    by_layer = interpolate(old, new, 0.25, class_map=[0, 1, 4], head=["4"])
    assert bits(by_layer) == bits(model)


@settings(deadline=None)
@given(st.data())
def test_permuting_the_new_classes_permutes_the_result(data):
    order = data.draw(st.permutations(range(4)))
    old, new = line(1.0, 2.0, 3.0), line(10.0, 20.0, 30.0, 40.0)
    plain = interpolate(old, new, 0.4, class_map=[0, 1, 3]).weight.flatten()
    shuffled = line(*new.weight.flatten()[list(order)].tolist())
    moved = interpolate(old, shuffled, 0.4, class_map=[order.index(c) for c in (0, 1, 3)]).weight.flatten()
    assert torch.equal(moved, plain[list(order)])


class TwoHeads(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(classes, 2), nn.Linear(2, classes)


NO_MAP = "class_map must list the new class of old class 0, 1, ... as integers, -1 where it is gone"


@pytest.mark.parametrize(
    ("old", "new", "settings", "sentence"),
    [
        (
            TwoHeads(2),
            TwoHeads(3),
            {"class_map": [0, 1]},
            "'table.weight', 'head.weight', 'head.bias' differ in shape between old and new, in 2 layers; name those "
            "with a row per class with head=[...]",
        ),
        (
            TwoHeads(2),
            TwoHeads(3),
            {"class_map": [0, 1], "head": ["head"]},
            "'table.weight' differ in shape too, but head does not name them; name them as well",
        ),
        (
            line(1, 2),
            line(1, 2, 3),
            {"class_map": [0, 1, 2]},
            "'weight' has shape (2, 1) in old and (3, 1) in new, but class_map names 3 old classes; a head has one row "
            "per class and equal rows otherwise",
        ),
        (
            line(1, 2),
            line(1, 2, 3),
            {"class_map": [0, 3]},
            "class_map leads to class 3, but the new head has 3 rows (0 to 2)",
        ),
        (
            line(1, 2),
            line(1, 2, 3),
            {"class_map": [1, 1]},
            "class_map leads 2 old classes to new class 1; keep the row of one of them and give -1 for the others",
        ),
        (
            line(1, 2),
            line(1, 2, 3),
            {"class_map": [-1, -1]},
            "class_map keeps no old class; there is nothing to interpolate",
        ),
        (
            line(1, 2),
            line(1, 2),
            {"class_map": [1, 0]},
            "class_map moves classes, but all shapes agree, so that the head can't be told by its shape; name its "
            "tensors with head=[...]",
        ),
        (
            line(1, 2),
            line(1, 2),
            {"class_map": [0, 1]},
            "class_map was given, but all shapes agree and no class moves; leave it out, or name the head's tensors "
            "with head=[...]",
        ),
        (line(1, 2), line(1, 2, 3), {"class_map": [0.0, 1.0]}, NO_MAP),
        (line(1, 2), line(1, 2, 3), {"class_map": [0, -2]}, NO_MAP),
        (line(1, 2), line(1, 2, 3), {"class_map": []}, NO_MAP),
        (line(1, 2), line(1, 2, 3), {"class_map": ["a", "b"]}, NO_MAP),
        (
            line(1, 2),
            line(1, 2, 3),
            {"class_map": [0, 1], "head": ["fc"]},
            "head names 'fc', but no tensor or layer with 2 rows is called so in both models",
        ),
        (
            line(1, 2),
            line(1, 2, 3),
            {"class_map": [0, 1], "head": []},
            "head is empty; name the tensors with a row per class",
        ),
        (
            line(1, 2),
            line(1, 2),
            {"head": ["weight"]},
            "head was given without class_map; pass class_map=[new class of each old class]",
        ),
    ],
)
def test_heads_that_can_not_be_told(old, new, settings, sentence):
    with pytest.raises(InputError) as caught:
        interpolate(old, new, 0.5, **settings)
    assert str(caught.value) == sentence


# pairs that can't be averaged


def table(*numbers: int) -> nn.Module:
    layer = line(1.0)
    layer.register_buffer("codes", torch.tensor(numbers))
    return layer


def broken(value: float) -> nn.Module:
    layer = line(1.0)
    layer.weight.data.fill_(value)
    return layer


SAME = line(1.0)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("old.pt", line(1.0), "old is a str; pass a torch module"),
        (line(1.0), {"weight": 1}, "new is a dict; pass a torch module"),
        (SAME, SAME, "old and new are the same object; keep a copy of the old model before it is fine-tuned"),
        (
            line(1.0),
            line(1.0, 2.0),
            "'weight' has shape (1, 1) in old but (2, 1) in new; both must be the same architecture (where only the "
            "classes of the head differ, pass class_map)",
        ),
        (
            nn.Linear(1, 1),
            line(1.0),
            "old has 1 weights that new lacks ('bias'); both must be the same architecture, unwrapped in the same way",
        ),
        (
            line(1.0),
            nn.Sequential(line(1.0)),
            "old has 1 weights that new lacks ('weight'); both must be the same architecture, unwrapped in the "
            "same way",
        ),
        (
            nn.Sequential(nn.Linear(1, 1), nn.ReLU()),
            nn.Sequential(nn.Linear(1, 1), nn.GELU()),
            "layer '1' is a ReLU in old but a GELU in new; weights can only be averaged within one architecture",
        ),
        (
            line(1.0),
            line(1.0).half(),
            "'weight' is torch.float32 in old but torch.float16 in new; convert one model with model.to(dtype)",
        ),
        (
            table(1, 2),
            table(2, 1),
            "'codes' is a table of torch.int64 that differs between old and new; there is no average of such numbers: "
            "give both models the same table, or the weights before quantisation",
        ),
        (
            line(1.0),
            broken(math.nan),
            "'weight' of new holds NaN or infinity; train the model again or mend its file",
        ),
        (
            broken(math.inf),
            line(1.0),
            "'weight' of old holds NaN or infinity; train the model again or mend its file",
        ),
        (
            Tied(1.0),
            Tied(1.0, tied=False),
            "'out.weight' and 'words.weight' are one tensor in old but not in new; tie the weights in both models or "
            "in neither",
        ),
        (
            nn.LazyLinear(1),
            line(1.0),
            "old has no weights in 'weight' yet; call the model on one batch first",
        ),
    ],
)
def test_pairs_that_can_not_be_averaged(old, new, sentence):
    with pytest.raises(InputError) as caught:
        interpolate(old, new, 0.5)
    assert str(caught.value) == sentence


def test_dropout_in_one_model_only_is_no_other_architecture():
    old, new = nn.Sequential(line(1.0), nn.Identity()), nn.Sequential(line(3.0), nn.Dropout(0.5))
    assert interpolate(old, new, 0.5)[0].weight.item() == 2.0


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan, math.inf, True, "half", None])
def test_shares_that_are_none(alpha):
    with pytest.raises(InputError) as caught:
        interpolate(line(1.0), line(2.0), alpha)
    assert str(caught.value) == f"alpha is {alpha!r}; pass a number from 0 (the new model) to 1 (the old model)"


@pytest.mark.parametrize(
    ("fisher", "sentence"),
    [
        ({}, "fisher lacks 'weight'; compute it for this old model with diagonal_fisher(old, inputs)"),
        ([1.0], "fisher is a list; pass what diagonal_fisher(old, inputs) returned"),
        (
            {"weight": torch.ones(2)},
            "fisher['weight'] is (2,) but the weight has shape (1, 1); pass one number per weight",
        ),
        ({"weight": 1.0}, "fisher['weight'] is float but the weight has shape (1, 1); pass one number per weight"),
        (
            {"weight": torch.tensor([[-1.0]])},
            "fisher['weight'] has values that are negative or not finite; compute it again",
        ),
        (
            {"weight": torch.tensor([[math.nan]])},
            "fisher['weight'] has values that are negative or not finite; compute it again",
        ),
    ],
)
def test_fisher_that_does_not_fit(fisher, sentence):
    with pytest.raises(InputError) as caught:
        interpolate(line(1.0), line(2.0), 0.5, fisher=fisher)
    assert str(caught.value) == sentence


def test_a_model_that_can_not_be_copied_is_told_in_one_sentence():
    new = line(1.0)
    new.kept = new.weight * 2  # a tensor with a gradient history
    with pytest.raises(InputError, match=r"^new can't be copied \(.*\); remove tensors with a gradient history"):
        interpolate(line(1.0), new, 0.5)
