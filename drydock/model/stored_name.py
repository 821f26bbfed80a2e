"""Names that rows hold, and that another release may have more of."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self


class StoredName(StrEnum):
    """An enumeration that keeps a name it does not have as it is: equal to no member, with ``known`` false.

    While a release is rolled back, rows may hold what only the newer one knows. Such a row is shown as it is stored.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        made: Any = str.__new__(cls, value)
        made._name_ = made._value_ = value
        return made  # type: ignore[no-any-return]

    @property
    def known(self) -> bool:
        return self._name_ in type(self).__members__
