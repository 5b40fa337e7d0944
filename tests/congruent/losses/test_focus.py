import pytest
import torch

from segue.congruent.losses import likelihood, negative_flip, new_incorrect, old_correct

# old class 0 is now 1, old class 1 is now 0; new class 2 is new: the fourth sample is of it
LABELS = torch.tensor([0, 0, 1, 2])
OLD_LABELS = torch.tensor([1, 1, 0, -1])
OLD = torch.tensor([[0.0, 3.0], [0.0, 3.0], [0.0, 3.0], [3.0, 0.0]])  # right, right, wrong, can't be right
NEW = torch.tensor([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 2.0, 0.0], [2.0, 0.0, 0.0]])  # right, wrong, right, wrong


@pytest.mark.parametrize(
    ("focus", "expected"),
    [
        (old_correct, [1, 1, 0, 0]),
        (negative_flip, [0, 1, 0, 0]),
        (new_incorrect, [0, 1, 0, 1]),
        (likelihood, [0.9526, 0.9526, 0.0474, 0.0]),  # 1 / (1 + e^-3)
    ],
)
def test_each_focus_worked_by_hand(focus, expected):
    torch.testing.assert_close(
        focus(NEW, OLD, LABELS, OLD_LABELS), torch.tensor(expected, dtype=torch.float32), rtol=0, atol=5e-5
    )
