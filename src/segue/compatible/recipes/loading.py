"""A picked network, read again from the folder in which it was saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from segue.compatible.orthonormal_basis import OrthonormalBasis
from segue.compatible.recipes.files import load_weights, read_json
from segue.errors import InputError


class WithBasis(nn.Sequential):
    """A network and the basis after it.

    Args:
        network: What ``build`` makes.
        basis: The change of basis.
    """

    def __init__(self, network: nn.Module, basis: OrthonormalBasis) -> None:
        super().__init__(network, basis)


def basis_of(network: nn.Module) -> dict[str, Any] | None:
    """Return the sizes of the basis that a method put after the network.

    Args:
        network: A candidate's network.

    Returns:
        What :class:`segue.compatible.orthonormal_basis.OrthonormalBasis` is made with; ``None`` where the network is
        as ``build`` makes it.
    """
    if not isinstance(network, WithBasis):
        return None
    basis: Any = network[1]
    return {name: getattr(basis, name) for name in ("width", "new_dimension", "old_dimension", "extra", "scale")}


def load(folder: str | Path, build: Callable[[], nn.Module]) -> nn.Module:
    """Read the network that was picked, whatever method made it.

    Args:
        folder: The folder that ``segue train`` or :meth:`Outcome.save` wrote.
        build: The update's ``build``: returns a network of the same shape.

    Returns:
        The network, in evaluation mode: inputs to embeddings.

    Raises:
        InputError: If the folder holds no outcome, it is damaged, or ``build`` makes another network.

    Example:
        >>> import tempfile, torch
        >>> from segue.compatible.recipes import StoredEmbeddings, Update, train
        >>> inputs, labels, stored = torch.eye(4).repeat(8, 1), torch.arange(4).repeat(8), torch.randn(32, 2)
        >>> def build():
        ...     return nn.Linear(4, 2)
        >>> def optimizer(parameters):
        ...     return torch.optim.SGD(parameters, lr=0.5)
        >>> samples = (inputs, labels), (inputs[:16], labels[:16])
        >>> update = Update(build, StoredEmbeddings(stored, stored[:16]), *samples, optimizer, epochs=1)
        >>> outcome = train(update, "basis-transformation")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model = load(outcome.save(folder), build)
        >>> torch.equal(model(inputs), outcome.model(inputs))
        True
    """
    place = Path(folder)
    told = read_json(place / "outcome.json", "name a folder that segue train or Outcome.save() has written")
    network = build()
    if not isinstance(network, nn.Module):
        raise InputError(f"build returned a {type(network).__name__}; let it return a torch.nn.Module")
    sizes = told.get("basis")
    if sizes is not None:
        try:
            network = WithBasis(network, OrthonormalBasis(**sizes))
        except (TypeError, InputError) as error:
            raise InputError(f"{str(place / 'outcome.json')!r} is damaged ({error}); save the outcome again") from error
    return load_weights(
        place / "model.safetensors", network, "pass the build of the update that it was trained for, or save it again"
    )
