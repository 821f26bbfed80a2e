"""Enumerations stored in rows, where a row may hold a value of another version of Drydock."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class StoredEnum(StrEnum):
    @classmethod
    def stored(cls, text: str) -> Self:
        """The member, or for an unknown value a new one that is not a member and has ``known`` False.

        It is equal to its text and is shown as it is stored.
        """
        try:
            return cls(text)
        except ValueError:
            unknown = str.__new__(cls, text)
            unknown._name_ = unknown._value_ = text
            return unknown

    @property
    def known(self) -> bool:
        return self._value_ in type(self)._value2member_map_
