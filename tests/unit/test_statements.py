"""docs/reference/statements.sql has every statement that the modules of ``drydock.db`` keep ready."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import Select
from sqlalchemy.sql.dml import UpdateBase

import drydock.db
from dev.statements import STATEMENTS


def test_each_statement_is_on_the_page() -> None:
    listed = [statement for _, statement in STATEMENTS]
    found = {}
    for module in pkgutil.iter_modules(drydock.db.__path__):
        for name, value in vars(importlib.import_module(f"drydock.db.{module.name}")).items():
            if name.isupper() and not name.startswith("_") and isinstance(value, Select | UpdateBase):
                found[f"{module.name}.{name}"] = value
    assert len(found) > 20
    assert [name for name, value in found.items() if not any(value is one for one in listed)] == []
