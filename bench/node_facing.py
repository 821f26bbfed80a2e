"""What machines and operators wait for, each beside a floor measured in the same run.

    python -m bench.node_facing [--quick] [--check]

bootdata: against (a) an empty Falcon application with as many bytes and (b) one that fetches them by primary key, in
the same gunicorn, asked with the same request. Rounds alternate between the servers, so that what else happens on the
machine hits all of them; a figure is the median of the ratios of neighbouring rounds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import figures, lists, rows, servers, wake_up
from bench.figures import Figures, Sample, table
from bench.load import Load, LoadFailed, request

BYTES = 4096
EMPTY, SELECT, DRYDOCK = "empty", "select", "drydock"
Shape = tuple[int, bool]  # connections, keep-alive
SHAPES: tuple[Shape, ...] = tuple(itertools.product((1, 8, 64), (True, False)))


def main() -> None:
    options = figures.options(__doc__)
    found = Figures(check=options.check)
    with servers.workplace() as directory, servers.database(directory) as url:
        bootdata(found, directory, url, quick=options.quick)
        wake_up.measure(found, directory, url, quick=options.quick)
        lists.measure(found, directory, url, quick=options.quick)
    found.finish()


def bootdata(found: Figures, directory: Path, url: str, *, quick: bool) -> None:
    sites = (1, 1000) if quick else (1, 100, 1000, 10_000)
    shapes: Sequence[Shape] = ((1, True), (8, True), (64, True), (8, False)) if quick else SHAPES
    # Many short rounds: what else happens on the machine is then the same for neighbours.
    rounds, seconds = (5, 0.1) if quick else (15, 0.25)
    rates: dict[tuple[int, Shape], list[dict[str, float]]] = {}
    with ExitStack() as stack:
        running = _start(stack, directory, url)
        for nodes in sites:
            requests = _requests(url, nodes)
            for shape in shapes:
                rates[nodes, shape] = [_round(running, requests, shape, seconds) for _ in range(rounds + 1)][1:]
    _show(rates)
    largest = sites[-1]
    for shape in shapes:
        ratio = _ratio(rates[largest, shape], SELECT).median
        found.add(f"bootdata_over_select_{_named(shape)}_{largest}_nodes", ratio, ">=", 0.7)
    flat = [_relative(rates[largest, shape], rates[1, shape]) for shape in shapes]
    found.add(f"bootdata_{largest}_nodes_over_1_node", Sample(tuple(flat)).median, ">=", 0.9)


def _start(stack: ExitStack, directory: Path, url: str) -> dict[str, servers.Server]:
    rows.floor(url, 1, BYTES)
    applications = {EMPTY: "bench.floors:empty()", SELECT: "bench.floors:select()", DRYDOCK: servers.API}
    return {
        name: stack.enter_context(servers.gunicorn(directory, application, url, BENCH_BYTES=str(BYTES)))
        for name, application in applications.items()
    }


def _requests(url: str, nodes: int) -> dict[tuple[str, bool], Iterator[list[bytes]]]:
    """By server and keep-alive: each node in turn, over and over again, asks for its two tarballs."""
    rows.clear(url)
    rows.floor(url, nodes, BYTES)
    site = rows.site(url, nodes, BYTES)
    rows.analyze(url)
    paths = {
        EMPTY: ("/bytes/{}", "/bytes/{}"),
        SELECT: ("/bytes/{}", "/bytes/{}"),
        DRYDOCK: ("/api/v1.0/bootdata/{}/units", "/api/v1.0/bootdata/{}/files"),
    }

    def script(one: rows.Booting, of_server: Sequence[str], *, keep_alive: bool) -> list[bytes]:
        headers = {"X-Bootaction-Key": one.key}
        return [request("GET", path.format(one.name), headers=headers, keep_alive=keep_alive) for path in of_server]

    return {
        (name, keep_alive): itertools.cycle([script(one, paths[name], keep_alive=keep_alive) for one in site])
        for name in paths
        for keep_alive in (True, False)
    }


def _round(
    running: dict[str, servers.Server],
    requests: dict[tuple[str, bool], Iterator[list[bytes]]],
    shape: Shape,
    seconds: float,
) -> dict[str, float]:
    """Requests per second of each server, and the CPU (µs) that one costs."""
    connections, keep_alive = shape
    measured = {}
    for name, server in running.items():
        before = server.cpu_seconds()
        result = Load(server.address, requests[name, keep_alive], connections=connections, keep_alive=keep_alive).run(
            seconds=seconds
        )
        if set(result.answers) != {200} or result.lost:
            raise LoadFailed(f"{name}: {dict(result.answers)}, {result.lost} connections lost")
        measured[name] = result.rate
        measured[f"{name} cpu"] = (server.cpu_seconds() - before) / sum(result.answers.values()) * 1e6
        measured[f"{name} p99"] = result.percentile(99) * 1e3
    return measured


def _show(rates: dict[tuple[int, Shape], list[dict[str, float]]]) -> None:
    head = [
        "nodes",
        "connections",
        "empty/s",
        "select/s",
        "drydock/s",
        "p99 ms",
        "of empty",
        "of select",
        "µs CPU",
        "of select's",
    ]
    body = [
        [
            nodes,
            _named(shape),
            *(_sample(measured, name) for name in (EMPTY, SELECT, DRYDOCK)),
            f"{_sample(measured, 'drydock p99').median:.1f}",
            f"{_ratio(measured, EMPTY).median:.2f}",
            f"{_ratio(measured, SELECT).median:.2f}",
            f"{_sample(measured, 'drydock cpu').median:.0f}",
            f"{_sample(measured, 'select cpu').median / _sample(measured, 'drydock cpu').median:.2f}",
        ]
        for (nodes, shape), measured in rates.items()
    ]
    table(f"GET bootdata, {BYTES} bytes: requests per second (median ± half the quartile range)", head, body)


def _sample(measured: list[dict[str, float]], name: str) -> Sample:
    return Sample(tuple(one[name] for one in measured))


def _ratio(measured: list[dict[str, float]], floor: str) -> Sample:
    return Sample(tuple(one[DRYDOCK] / one[floor] for one in measured))


def _relative(large: list[dict[str, float]], small: list[dict[str, float]]) -> float:
    """How much of the small site's speed is left, what the floor lost in the same time taken out."""
    return _ratio(large, EMPTY).median / _ratio(small, EMPTY).median


def _named(shape: Shape) -> str:
    return f"{shape[0]}_{'kept' if shape[1] else 'new'}"


if __name__ == "__main__":
    main()
