"""An exhaustive search: every state that can be reached, by every order of events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Explored(Generic[State]):
    """``broken``: what was violated first, empty if nothing; ``story``: the shortest way there, event by event."""

    states: int
    transitions: int
    longest: int
    endings: frozenset[State]
    broken: str = ""
    story: tuple[str, ...] = ()


def explore(
    start: State,
    events: Callable[[State], Iterable[tuple[str, State]]],
    violation: Callable[[State], str | None],
    *,
    at_most: int = 2_000_000,
) -> Explored[State]:
    """Breadth first, so that the first violation has the shortest story. ``endings``: states where nothing can happen.

    Raises ``RuntimeError`` past ``at_most`` states: what was not looked at is not proved.
    """
    came_from: dict[State, tuple[State, str] | None] = {start: None}
    waiting = deque([(start, 0)])
    transitions, longest = 0, 0
    endings: set[State] = set()
    while waiting:
        state, steps = waiting.popleft()
        longest = steps
        broken = violation(state)
        if broken:
            story = _story(came_from, state)
            return Explored(len(came_from), transitions, longest, frozenset(endings), broken, story)
        stuck = True
        for name, following in events(state):
            transitions += 1
            stuck = False
            if following not in came_from:
                came_from[following] = (state, name)
                waiting.append((following, steps + 1))
                if len(came_from) > at_most:
                    raise RuntimeError(f"more than {at_most} states: the model is too large to be searched")
        if stuck:
            endings.add(state)
    return Explored(len(came_from), transitions, longest, frozenset(endings))


def without_way_out(
    start: State, events: Callable[[State], Iterable[tuple[str, State]]], over: Callable[[State], bool]
) -> frozenset[State]:
    """The states from which no order of events leads to one that is ``over``: traps, where something waits for ever."""
    before: dict[State, set[State]] = {start: set()}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        for _, following in events(state):
            if following not in before:
                before[following] = set()
                waiting.append(following)
            before[following].add(state)
    good = [state for state in before if over(state)]
    leads_out = set(good)
    while good:
        for earlier in before[good.pop()]:
            if earlier not in leads_out:
                leads_out.add(earlier)
                good.append(earlier)
    return frozenset(before) - leads_out


def _story(came_from: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    told: list[str] = []
    before = came_from[state]
    while before is not None:
        told.append(before[1])
        before = came_from[before[0]]
    return tuple(reversed(told))
