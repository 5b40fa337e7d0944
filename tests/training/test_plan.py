import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.training.plan import Plan

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 70), st.integers(1, 5), st.integers(1, 4), st.integers(0, 99))


@given(SIZES)
def test_every_sample_counts_once_in_each_epoch_over_all_processes(sizes):
    samples, batch_size, parts, world, seed = sizes
    plan = Plan(samples, batch_size, 3, seed, parts)
    orders = []
    for epoch in range(3):
        shares = [plan.rest_of_epoch(epoch * plan.per_epoch, rank, world) for rank in range(world)]
        assert {len(steps) for steps in shares} == {plan.per_epoch}
        counted = [share.index[: share.counted] for steps in shares for step in steps for share in step]
        assert torch.cat(counted).sort().values.tolist() == list(range(samples))
        orders.append(torch.cat(counted).tolist())
    assert samples < 10 or orders[0] != orders[1]


@given(SIZES)
def test_weighted_means_add_up_to_the_mean_of_the_whole_batch(sizes):
    samples, batch_size, parts, world, seed = sizes
    plan = Plan(samples, batch_size, 1, seed, parts)
    values = torch.arange(samples, dtype=torch.float64)
    whole = torch.split(
        torch.cat([s.index for (s,) in Plan(samples, batch_size, 1, seed).rest_of_epoch(0)]), batch_size
    )
    by_rank = [plan.rest_of_epoch(0, rank, world) for rank in range(world)]
    for number, batch in enumerate(whole):
        shares = [share for steps in by_rank for share in steps[number]]
        mean = sum(share.weight * values[share.index].mean() for share in shares) / world
        assert mean.item() == pytest.approx(values[batch].mean().item())


@given(SIZES, st.integers(0, 200))
def test_going_on_from_a_step_is_going_on(sizes, step):
    samples, batch_size, parts, world, seed = sizes
    plan = Plan(samples, batch_size, 4, seed, parts)
    step %= plan.steps
    begun = step // plan.per_epoch * plan.per_epoch
    rest, whole = plan.rest_of_epoch(step, 0, world), plan.rest_of_epoch(begun, 0, world)
    told = [[share.index.tolist() for share in shares] for shares in rest]
    assert told == [[share.index.tolist() for share in shares] for shares in whole[step - begun :]]
