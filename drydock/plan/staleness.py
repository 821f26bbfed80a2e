"""Whether a plan still holds: what its nodes rested on, against what they rest on now; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: Nodes that a sentence names.
LISTED = 10

RestsOn = Mapping[str, str]

_WORDS = {
    "recorded": "its recorded deployment",
    "observed": "its state at the provisioner",
    "hold": "its hold",
}


def changed(planned: RestsOn, now: RestsOn) -> str | None:
    """What has changed of one node, in words; None if nothing has. Only what the plan rested on is compared."""
    found = [
        f"{_WORDS[name]} was {old} and is {now[name]}" if name in _WORDS else f"what is known of its {name} has changed"
        for name, old in planned.items()
        if now.get(name, old) != old
    ]
    return ", ".join(found) or None


def stale(planned: Mapping[str, RestsOn], now: Mapping[str, RestsOn]) -> str | None:
    """What has changed of all nodes, by name, in words; None if nothing has."""
    found = list(_each(planned, now))
    if not found:
        return None
    more = f"; and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return f"{'; '.join(found[:LISTED])}{more}"


def _each(planned: Mapping[str, RestsOn], now: Mapping[str, RestsOn]) -> Iterator[str]:
    for name, rests_on in planned.items():
        words = changed(rests_on, now[name]) if name in now else "it is no node of this plan any more"
        if words is not None:
            yield f"{name}: {words}"
    for name in now:
        if name not in planned:
            yield f"{name}: it is not in the plan"
