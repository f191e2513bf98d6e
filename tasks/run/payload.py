"""Payload of a shard, as a record of its round: numbers as arrays, everything else as JSON."""

import json
from collections.abc import Mapping
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.errors import AuditError

Array: TypeAlias = NDArray[np.generic]


class Payload(BaseModel):
    """Base of every round's payload.

    A field may be an array, a mapping of names to arrays, or anything that goes through JSON:
    numbers, texts, records. Arrays lie beside the JSON and keep their type to the bit.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        protected_namespaces=(),
        use_attribute_docstrings=True,
    )

    def parts(self) -> tuple[dict[str, Array], str]:
        """Arrays by name, and everything else as JSON.

        An array of a mapping is named `field/key`.
        """
        arrays: dict[str, Array] = {}
        several: dict[str, list[str]] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                arrays[name] = np.ascontiguousarray(value)
            elif _named_arrays(value):
                several[name] = list(value)
                arrays |= {f"{name}/{key}": np.ascontiguousarray(a) for key, a in value.items()}
        kept_apart = {*(name for name in arrays if "/" not in name), *several}
        rest = self.model_dump(mode="json", exclude=kept_apart)
        return arrays, json.dumps({"rest": rest, "several": several}, allow_nan=False)

    @classmethod
    def of_parts(cls, arrays: Mapping[str, Array], written: str) -> Self:
        """The payload again.

        Raises:
            AuditError: the parts belong to another payload.
        """
        try:
            content = json.loads(written)
            fields = dict(content["rest"])
            for name, keys in content["several"].items():  # a file does not keep their order
                fields[name] = {key: arrays[f"{name}/{key}"] for key in keys}
            fields |= {name: array for name, array in arrays.items() if "/" not in name}
            return cls.model_validate(fields)
        except (ValueError, KeyError, TypeError) as error:
            raise AuditError(f"a stored {cls.__name__} does not read back: {error}") from None


def _named_arrays(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(array, np.ndarray) for array in value.values())
    )
