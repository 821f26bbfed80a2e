"""The provisioner's images: asked now and then, never waited for too long, and a failure is told as one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from drydock.design.rules.base import NODE
from drydock.drivers.node.base import Image
from drydock.errors import DriverRefused, DriverUnavailable
from drydock.orchestrator.services.images import FAILURE_SECONDS, ImageCatalogue
from tests.factories.documents import network, node, site
from tests.orchestrator.fakes import FakeProvisioner


class Provisioner(FakeProvisioner):
    """``answer`` is what it does when it is asked; ``asked`` how often it was."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0
        self.answer: Callable[[], Sequence[Image] | None] = lambda: [Image("jammy", ("ga-22.04",))]

    def list_images(self) -> Sequence[Image] | None:
        self.times += 1
        return self.answer()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provisioner() -> Provisioner:
    return Provisioner()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalogue(provisioner: Provisioner, clock: Clock) -> ImageCatalogue:
    return ImageCatalogue(provisioner, seconds=60, patience=10, clock=clock)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def said(catalogue: ImageCatalogue, image: str = "jammy") -> list[tuple[str, str]]:
    design = site(network(), node(platform={"image": image}))
    found = catalogue.platform().check(design)
    return [(finding.level.value, finding.text.replace(NODE, finding.node)) for finding in found]


def test_what_is_offered_is_asked_once_in_a_while(
    catalogue: ImageCatalogue, provisioner: Provisioner, clock: Clock
) -> None:
    assert said(catalogue) == []
    assert said(catalogue, "noble") == [("Error", "Platform Validation: invalid image noble on BaremetalNode n1")]
    clock.now += 59
    assert (said(catalogue), provisioner.times) == ([], 1)
    provisioner.answer = list
    clock.now += 1
    assert [level for level, _ in said(catalogue)] == ["Error"]
    assert provisioner.times == 2


def test_a_provisioner_that_cannot_tell_is_no_warning_and_one_that_has_none_is_an_error(
    catalogue: ImageCatalogue, provisioner: Provisioner, clock: Clock
) -> None:
    provisioner.answer = lambda: None
    assert said(catalogue) == [("Info", "Images and kernels were not checked: fake has no list of images.")]
    provisioner.answer = list
    clock.now += 60
    assert [level for level, _ in said(catalogue)] == ["Error"]


@pytest.mark.parametrize("error", [DriverUnavailable("it is away"), DriverRefused("it is away")])
def test_a_provisioner_that_fails_costs_a_warning_and_is_soon_asked_again(
    catalogue: ImageCatalogue, provisioner: Provisioner, clock: Clock, error: Exception
) -> None:
    def fail() -> Sequence[Image]:
        raise error

    good, provisioner.answer = provisioner.answer, fail
    for _ in range(2):
        assert said(catalogue) == [("Warning", "Images and kernels were not checked: it is away.")]
    assert provisioner.times == 1
    provisioner.answer = good
    clock.now += FAILURE_SECONDS
    assert (said(catalogue), provisioner.times) == ([], 2)


def test_a_provisioner_that_hangs_is_waited_for_once(
    provisioner: Provisioner, clock: Clock, release: threading.Event
) -> None:
    def hang() -> Sequence[Image]:
        assert release.wait(60)
        return []

    provisioner.answer = hang
    catalogue = ImageCatalogue(provisioner, seconds=60, patience=0.05, clock=clock)
    warning = ("Warning", "Images and kernels were not checked: fake has not answered within 0.05 s.")
    assert said(catalogue) == [warning]
    clock.now += 3600
    assert said(catalogue) == [warning]
    assert provisioner.times == 1


def test_many_who_ask_at_once_wait_for_one_answer(
    catalogue: ImageCatalogue, provisioner: Provisioner, release: threading.Event
) -> None:
    good = provisioner.answer
    started = threading.Event()

    def slow() -> Sequence[Image]:
        started.set()
        assert release.wait(60)
        return good() or []

    provisioner.answer = slow
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(said, catalogue) for _ in range(8)]
        assert started.wait(10)
        release.set()
        assert [future.result(10) for future in waiting] == [[]] * 8
    assert provisioner.times == 1
