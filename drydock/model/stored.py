"""Enumerations that rows hold: a row may hold a value that only another version of Drydock knows."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class StoredEnum(StrEnum):
    @classmethod
    def stored(cls, text: str) -> Self:
        """The member, or for a value that this version does not know one of its own: no member, ``known`` False.

        It is equal to its text, is shown as it is stored, and is none of the members.
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
