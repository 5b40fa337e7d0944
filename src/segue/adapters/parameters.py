"""Hyper-parameters as scikit-learn reads them: the constructor's arguments, kept under their own names."""

from __future__ import annotations

import inspect
from typing import Any, Self

from segue.errors import InputError


class Parameters:
    """What a constructor was given, to be read, changed and cloned.

    ``sklearn.base.clone``, ``GridSearchCV`` and their like work with it; scikit-learn itself is not needed.
    """

    @classmethod
    def _parameter_names(cls) -> tuple[str, ...]:
        return tuple(name for name in inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the hyper-parameters.

        Args:
            deep: Whether those of a wrapped adapter come too, as ``adapter__strength``.

        Returns:
            Values by name.
        """
        found: dict[str, Any] = {}
        for name in self._parameter_names():
            found[name] = getattr(self, name)
            if deep and isinstance(found[name], Parameters):
                found |= {f"{name}__{inner}": value for inner, value in found[name].get_params().items()}
        return found

    def set_params(self, **params: Any) -> Self:
        """Change hyper-parameters. What was learned with others is forgotten: fit again.

        Args:
            **params: Values by name, ``adapter__strength`` for those of a wrapped adapter.

        Returns:
            The same object.

        Raises:
            InputError: If there is no such hyper-parameter.
        """
        known = self.get_params()
        for name in params:
            if name not in known and not self._within(name, params):
                raise InputError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(self._parameter_names())}"
                )
        for name, value in sorted(params.items(), key=lambda item: "__" in item[0]):
            outer, _, inner = name.partition("__")
            if inner:
                getattr(self, outer).set_params(**{inner: value})
            else:
                setattr(self, outer, value)
        if params:
            self._forget()
        return self

    def _forget(self) -> None:
        """Forget what was learned."""

    @staticmethod
    def _within(name: str, params: dict[str, Any]) -> bool:
        # a parameter of an adapter that is put in by the same call
        outer, _, inner = name.partition("__")
        return isinstance(params.get(outer), Parameters) and inner in params[outer].get_params()

    def unfitted(self) -> Self:
        """Return a new object with the same hyper-parameters that has learned nothing.

        Returns:
            The object; a wrapped adapter in it is new and unfitted as well.
        """
        params = self.get_params(deep=False)
        return type(self)(
            **{name: value.unfitted() if isinstance(value, Parameters) else value for name, value in params.items()}
        )

    def __repr__(self) -> str:
        """Return the call that makes the object."""
        params = ", ".join(f"{name}={value!r}" for name, value in self.get_params(deep=False).items())
        return f"{type(self).__name__}({params})"
