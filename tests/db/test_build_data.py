"""Build data of nodes."""

from __future__ import annotations

import pytest

from drydock.db.unit_of_work import UnitOfWork
from drydock.model.task import Task
from tests.factories.rows import add_task


def add(uow: UnitOfWork, node: str, generator: str, element: str) -> Task:
    task = add_task(uow)
    uow.build_data.add(node=node, task_id=task.id, generator=generator, data_format="text/plain", data_element=element)
    return task


def test_latest_is_the_newest_of_each_generator(uow: UnitOfWork) -> None:
    for generator, element in (("lshw", "1"), ("lshw", "2"), ("dmidecode", "3")):
        add(uow, "n1", generator, element)
    assert [found.data_element for found in uow.build_data.of_node("n1", latest=False)] == ["1", "2", "3"]
    assert [found.data_element for found in uow.build_data.of_node("N1", latest=True)] == ["2", "3"]
    assert uow.build_data.of_node("n2", latest=True) == ()


def test_build_data_by_task(uow: UnitOfWork) -> None:
    first, second = add(uow, "n1", "lshw", "1"), add(uow, "n2", "lshw", "2")
    assert [found.node for found in uow.build_data.of_task(first.id)] == ["n1"]
    assert uow.build_data.tasks_with_any([first.id, add_task(uow).id, second.id]) == {first.id, second.id}
    assert uow.build_data.tasks_with_any([]) == ()


def test_the_newest_of_a_node_whatever_its_spelling(uow: UnitOfWork) -> None:
    for node, element in (("N1", "1"), ("n1", "2"), ("N1", "3")):
        add(uow, node, "lshw", element)
    found = uow.build_data.newest_of_nodes(["n1"], ["lshw"], of_each=2, most_bytes=100)
    assert [row.data_element for row in found] == ["3", "2"]


@pytest.mark.parametrize(("stored", "asked"), [("n1", "N1"), ("\u00c4", "\u00c4"), ("\u0130", "\u0130")])
def test_the_newest_of_nodes_by_names_as_the_database_compares_them(uow: UnitOfWork, stored: str, asked: str) -> None:
    add(uow, stored, "lshw", "1")
    found = uow.build_data.newest_of_nodes([asked, "n2"], ["lshw"], of_each=1, most_bytes=100)
    assert [row.node for row in found] == [stored]
