"""New-error dissonance: what the new model's errors cost where the old one made none (Bansal et al., AAAI 2019)."""

from __future__ import annotations

from segue.congruent.losses.reweighting import Reweighting


class NewError(Reweighting):
    r"""Punish the new model's errors on the samples that the old model got right.

    .. math:: D = \frac{1}{n} \sum_i 1[\hat y^{old}_i = y_i] \, \mathrm{CE}(z^{new}_i, y_i)

    The mean runs over all ``n`` samples, so that the dissonance has the scale of a mean cross-entropy: public code (the
    BackwardCompatibilityML package; its issue 155) divides by the number of samples the old model got right in one of
    its losses, which changes the weight from batch to batch. So scaled it is the same number as :class:`Reweighting`,
    found by others. The whole objective is ``Penalized(NewError(), weight)``. A sample whose label is not an old class
    has the value 0.

    Args:
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        One of two samples was right before: log 2 / 2, not log 2.

        >>> import torch
        >>> NewError()(torch.zeros(2, 2), torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
        tensor(0.3466)
    """
