"""A rollout: in which waves the nodes of a task begin, and how many may fail before no more begin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from drydock.errors import InvalidInput, RolloutUnknown

MAX_WAVES = 100
#: Python converts no more than some thousands.
_DIGITS = 9
#: The step of a subtask whose wave has not begun, as it is stored. No workflow has it, so that no worker, of whatever
#: version, claims such a row; it is released by setting the step to NULL.
AWAIT_WAVE = "await_wave"
#: The step at which a task with a rollout is queued, as it is stored. Workers of versions without rollouts, which would
#: begin all nodes at once, do not know it.
FIRST_STEP = "rollout_resolve_design"
#: The step at which a subtask of a plan is queued once its wave has begun, as it is stored. Workers of versions without
#: plans, which would not look whether the plan still holds, do not know it.
CHECK_PLAN = "check_plan"
#: Who paused a task that paused by itself.
ITSELF = "its rollout"
#: Who terminated the nodes that did not begin, as too many had failed.
BUDGET = "the failure budget"
#: Why nodes do not begin whose task failed as a whole.
TASK_ENDED = "its task has ended"


class Pause(StrEnum):
    """After which waves the task pauses until it is resumed."""

    NEVER = "never"
    AFTER_FIRST = "after_first"
    AFTER_EACH = "after_each"


@dataclass(frozen=True, slots=True)
class Share:
    """A number of nodes, or a percentage of those in scope."""

    number: int
    percent: bool = False

    def of(self, total: int) -> int:
        """Rounded up, at least one; not more than ``total`` for a percentage."""
        if not self.percent:
            return self.number
        return max(1, -(-self.number * total // 100))

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)

    @property
    def json(self) -> int | str:
        return str(self) if self.percent else self.number


@dataclass(frozen=True, slots=True)
class Rollout:
    """``waves`` are cumulative: each says how many nodes have begun when it has. Nodes that are left after the last
    begin in one wave more. ``max_failed``: None for no limit.
    """

    waves: tuple[Share, ...]
    max_failed: Share | None
    pause: Pause

    @classmethod
    def parse(cls, value: Any, default: Rollout) -> Self:
        """From JSON; what is not there is as in ``default``. Raises ``InvalidInput`` that names the field."""
        if not isinstance(value, Mapping):
            raise InvalidInput("must be an object", field="rollout")
        unknown = sorted(str(key) for key in value if key not in ("waves", "max_failed", "pause"))
        if unknown:
            raise InvalidInput("is not known; expected waves, max_failed, pause", field=f"rollout.{unknown[0]:.100}")
        return cls(
            waves=_waves(value["waves"]) if "waves" in value else default.waves,
            max_failed=_max_failed(value["max_failed"]) if "max_failed" in value else default.max_failed,
            pause=_pause(value["pause"]) if "pause" in value else default.pause,
        )

    @classmethod
    def stored(cls, value: Mapping[str, Any] | None) -> Self:
        """As a task is kept with it. Raises ``RolloutUnknown``: a newer version's, after a release was taken back."""
        try:
            return cls.parse(value or {}, PLAIN)
        except InvalidInput as exc:
            raise RolloutUnknown(
                f"only a newer version can read the task's rollout: run a worker of that version, or terminate the "
                f"task ({exc})"
            ) from exc

    @property
    def json(self) -> dict[str, Any]:
        return {
            "waves": [wave.json for wave in self.waves],
            "max_failed": None if self.max_failed is None else self.max_failed.json,
            "pause": str(self.pause),
        }

    def ends(self, total: int) -> tuple[int, ...]:
        """How many nodes have begun after each wave, for ``total`` in scope: increasing, the last is ``total``.

        A wave that adds no node is left out.
        """
        found: list[int] = []
        for end in (*(min(wave.of(total), total) for wave in self.waves), total):
            if end > (found[-1] if found else 0):
                found.append(end)
        return tuple(found)

    def without_nodes(self, total: int) -> str:
        """In words, after others: which waves, as they were given, add no node to those before them."""
        begun = 0
        found: list[str] = []
        for wave in self.waves if total else ():
            end = min(wave.of(total), total)
            if end <= begun:
                found.append(str(wave))
            begun = max(begun, end)
        return f"; waves that add no node: {', '.join(found)}" if found else ""

    def budget(self, total: int) -> int | None:
        """The number of failed nodes from which on no more begin, at least 1; None if there is no limit."""
        return None if self.max_failed is None else max(1, self.max_failed.of(total))

    def pauses_after(self, wave: int) -> bool:
        """Whether the task pauses when ``wave``, from 0, has ended."""
        return self.pause is Pause.AFTER_EACH or (self.pause is Pause.AFTER_FIRST and wave == 0)


#: All nodes at once, without a limit.
PLAIN = Rollout((Share(100, percent=True),), None, Pause.NEVER)


class Move(StrEnum):
    """What a task with a rollout is to do next."""

    #: All nodes have ended.
    END = "end"
    #: The budget is spent: nodes that have not begun end.
    STOP = "stop"
    WAIT = "wait"
    #: The nodes of the present wave begin.
    RELEASE = "release"
    #: The present wave has ended: the next one becomes the present one, and begins.
    ADVANCE = "advance"
    #: The same, but it begins when the task is resumed.
    ADVANCE_AND_PAUSE = "advance_and_pause"


@dataclass(frozen=True, slots=True)
class Gate:
    """Why no node of a task begins: ``spent`` is final, ``paused_by`` is not."""

    spent: str | None
    paused_by: str | None


@dataclass(frozen=True, slots=True)
class RolloutState:
    """``at_work``: nodes that were released and have not ended, ``unbegun`` of them are still queued; ``waiting``: for
    their wave, ``waiting_now`` of them for the present one. ``next_wave``: of those that wait for a later one.
    ``failed``: names of the nodes that began and failed. ``budget``: None for no limit.
    """

    rollout: Rollout
    wave: int
    budget: int | None
    paused_by: str | None
    total: int
    at_work: int
    unbegun: int
    waiting: int
    waiting_now: int
    next_wave: int | None
    failed: tuple[str, ...]

    @property
    def spent(self) -> str | None:
        """In words; None while nodes may begin."""
        return spent(self.budget, self.failed)

    @property
    def move(self) -> Move:
        if not self.at_work and not self.waiting:
            return Move.END
        if self.spent is not None:
            return Move.STOP if self.waiting or self.unbegun else Move.WAIT
        if self.paused_by is not None:
            return Move.WAIT
        if self.waiting_now:
            return Move.RELEASE
        if self.at_work:
            return Move.WAIT
        return Move.ADVANCE_AND_PAUSE if self.rollout.pauses_after(self.wave) else Move.ADVANCE

    @property
    def words(self) -> str:
        """What the task waits for."""
        ended = f"{self.total - self.at_work - self.waiting} of {self.total} nodes finished"
        if self.spent is not None:
            return f"{self.spent}; {ended}, {self.at_work} on their way"
        waves = f"wave {self.wave + 1} of {len(self.rollout.ends(self.total))}"
        if self.paused_by is None:
            return f"{waves}; {ended}"
        return f"{waves}; paused by {self.paused_by}; {ended}, {self.waiting} have not begun"


def spent(budget: int | None, failed: Sequence[str]) -> str | None:
    """That a budget is spent, in words, with the first nodes that failed; None if it is not."""
    if budget is None or len(failed) < budget:
        return None
    more = f" and {len(failed) - 10} more" if len(failed) > 10 else ""
    return f"failure budget of {budget} spent: {', '.join(failed[:10])}{more}"


def waves_of(names: Sequence[str], rollout: Rollout) -> Mapping[str, int]:
    """The wave of each node, from 0. ``names``: in the order in which they begin, see ``spread``."""
    found: dict[str, int] = {}
    begin = 0
    for wave, end in enumerate(rollout.ends(len(names))):
        found.update(dict.fromkeys(names[begin:end], wave))
        begin = end
    return found


def spread(nodes: Iterable[tuple[str, str | None]]) -> Sequence[str]:
    """One node of each rack in turn, each rack's in the given order; nodes without a rack are one of their own."""
    racks: dict[str | None, list[str]] = {}
    for name, rack in nodes:
        racks.setdefault(rack, []).append(name)
    ranked = [(place, order, name) for order, names in enumerate(racks.values()) for place, name in enumerate(names)]
    return [name for _, _, name in sorted(ranked)]


def share_of(text: str) -> int | str:
    """As in JSON, from an option: a number as a number, a percentage as it is, and what is neither, for ``parse``."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else text


def _waves(value: Any) -> tuple[Share, ...]:
    if not isinstance(value, list) or not value:
        raise InvalidInput('must be a list such as [1, "10%", "100%"]', field="rollout.waves")
    if len(value) > MAX_WAVES:
        raise InvalidInput(f"must have at most {MAX_WAVES} items", field="rollout.waves")
    waves = tuple(_share(item, f"rollout.waves[{at}]", least=1) for at, item in enumerate(value))
    for kind in (False, True):
        last = 0
        for at, wave in enumerate(waves):
            if wave.percent is kind:
                if wave.number < last:
                    raise InvalidInput("must not be less than those before it", field=f"rollout.waves[{at}]")
                last = wave.number
    return waves


def _max_failed(value: Any) -> Share | None:
    return None if value is None else _share(value, "rollout.max_failed", least=0)


def _pause(value: Any) -> Pause:
    try:
        return Pause(value)
    except ValueError as exc:
        raise InvalidInput(f"must be one of {', '.join(Pause)}", field="rollout.pause") from exc


def _share(value: Any, field: str, *, least: int) -> Share:
    expected = f'must be a whole number from {least} to 1000000 or a percentage such as "10%"'
    percent = isinstance(value, str)
    if percent and value.endswith("%") and value[:-1].isascii() and value[:-1].isdecimal() and len(value) <= 4:
        number = int(value[:-1])
        if least <= number <= 100:
            return Share(number, percent=True)
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= 1_000_000:
        return Share(value)
    raise InvalidInput(expected, field=field)
