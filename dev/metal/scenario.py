"""What is done to the machines, in an order that lets their work overlap, and what has to come of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from dev.metal import machines
from dev.metal.checks import CheckFailed, Checks
from dev.metal.machines import Machine
from dev.metal.operator import ENDED, Json, Operator, messages, outcome
from dev.metal.tools import Tools
from dev.peers.libvirt_daemon import LibvirtDaemon
from dev.stack import Stack
from drydock.model.hardware_sources import FROM_NODE

KEY_WATCH = re.compile(r"key-watch: (\d{3})")
#: States of Ironic in which the agent works on the disk.
INSTALLING = ("deploying", "wait call-back")
MAINTENANCE = "the key is looked at"
#: Of a key that is no more: not this node's, or the node is not being deployed.
REFUSED = ("401", "403", "404")


class Scenario:
    """``good`` is installed, and again; ``failing`` too, with a boot action that fails."""

    def __init__(
        self, stack: Stack, operator: Operator, checks: Checks, daemon: LibvirtDaemon, tools: Tools, ironic_log: Path,
        good: Machine, failing: Machine,
    ) -> None:  # fmt: skip
        self._stack, self._operator, self._checks = stack, operator, checks
        self._daemon, self._tools, self._ironic_log = daemon, tools, ironic_log
        self._good, self._failing = good, failing
        self._all = (good, failing)
        self._reference = ""

    def run(self, design: str, too_large: str, *, whole: bool) -> None:
        """``too_large``: the same, but for ``failing`` more than fits on its disk. Raises ``Stopped``.

        Ends when the system has been started, unless it is to be ``whole``.
        """
        run = self._checks.run
        run("the design is loaded", lambda: self._upload(design), needed=True)
        run("verify_nodes: each BMC answers", lambda: self._succeeds("verify_nodes"), needed=True)
        run("prepare_nodes: inspected and cleaned by the agent", lambda: self._succeeds("prepare_nodes"), needed=True)
        run("their facts are those of the machines", self._facts)
        first = self._operator.create("deploy_nodes", self._reference, self._good.name)
        run("a disk that is too small is refused, and not written to", lambda: self._refused(too_large))
        second = self._operator.create("deploy_nodes", self._reference, self._failing.name)
        run("the worker is killed during an installation, another goes on", lambda: self._kill(first), needed=True)
        run("installed on the disk of the design, and started from it", lambda: self._installed(first), needed=True)
        run("nothing was done twice", self._once)
        if whole:
            self._after_installation(first, second)

    def _after_installation(self, first: str, second: str) -> None:
        run = self._checks.run
        run("deploy_nodes: success, all boot actions too", lambda: self._deployed(first), needed=True)
        run("bond, VLANs, addresses and disks are as designed", lambda: self._as_designed(first))
        run("the machine says of itself what the agent found", self._own_facts)
        run("a boot action that fails is shown failed, with its output", lambda: self._failed_action(second))
        run("redeployment revokes the key, tried from the machine", self._revoked)
        run("destroy_nodes succeeds", lambda: self._succeeds("destroy_nodes"), needed=True)
        run("the proof of their cleaning is kept", self._proof)
        run("the machines are off", self._off)
        run("their partition tables are gone", self._erased)

    def _upload(self, design: str) -> str:
        self._reference = self._operator.upload(design)
        return self._reference[-12:]

    def _succeeds(self, action: str) -> None:
        _want_success(self._operator.finished(self._operator.create(action, self._reference)))

    def _facts(self) -> str:
        for machine in self._all:
            facts = self._operator.facts(machine.name)["facts"]
            _want_devices(machine, facts)
        return f"{facts['vendor']} {facts['product']}, {facts['memory_mib']} MiB, BIOS {facts['bios_version']}"

    def _refused(self, too_large: str) -> str:
        machine = self._failing
        before = {name: machines.keep(machine, name) for name in ("data", "root")}
        task = self._operator.create("deploy_nodes", self._operator.upload(too_large), machine.name)
        found = messages(self._operator.finished(task)["nodes"][machine.name])
        said = next((text for text in found if "its partitions need" in text), None)
        if said is None:
            raise CheckFailed(f"it says: {found}")
        for disk, copy in before.items():
            if not machines.is_as_before(machine, disk, copy, self._tools):
                raise CheckFailed(f"the disk {disk} has changed")
        return said[said.index("the boot disk") :]

    def _kill(self, task: str) -> str:
        state = self._operator.until(lambda: self._installing(task), "the installation")
        pid = self._stack.processes["worker"].pid
        self._stack.processes.kill9("worker")
        self._stack.start_worker("worker-2")
        return f"process {pid}, in the state {state!r}"

    def _installing(self, task: str) -> str | None:
        node = self._operator.task(task, wait=2)["nodes"].get(self._good.name)
        if node is not None and node["status"] in ENDED:
            raise CheckFailed(f"it has ended: {node.get('reason')} {messages(node)[-2:]}")
        state = str(self._operator.node(self._good.name)["provision_state"])
        return state if state in INSTALLING and node is not None and node["step"] == "await_deployment" else None

    def _installed(self, task: str) -> str:
        name = self._good.name

        def look() -> bool:
            node = self._operator.task(task, wait=5)["nodes"][name]
            if node["status"] in ENDED and outcome(node) != "success":
                raise CheckFailed(f"{outcome(node)}: {messages(node)[-2:]}")
            return bool(self._operator.node(name)["provision_state"] == "active")

        self._operator.until(look, "the state active in Ironic")
        if not machines.holds_partitions(self._good, "root", self._tools):
            raise CheckFailed("nothing is on the disk that the design names")
        self._operator.until(lambda: f"{name} login:" in self._good.console_text(), "a login prompt of the new system")
        return "active in Ironic, and its console has a login prompt with the name of the design"

    def _deployed(self, task: str) -> None:
        _want_success(self._operator.finished(task))

    def _once(self) -> str:
        node = self._operator.node(self._good.name)["uuid"]
        lines = self._ironic_log_lines(f"Successfully deployed node {node}")
        if len(lines) != 1:
            raise CheckFailed(f"Ironic deployed it {len(lines)} times")
        return "one deployment in Ironic's log"

    def _ironic_log_lines(self, text: str) -> Sequence[str]:
        return [line for line in self._ironic_log.read_text(errors="replace").splitlines() if text in line]

    def _as_designed(self, task: str) -> str:
        said = "\n".join(messages(self._operator.task(task)["nodes"][self._good.name]))
        found = re.findall(r"^ok: (.*)$", said, re.MULTILINE)
        if "NOT:" in said or len(found) < 10:
            raise CheckFailed(f"it reports: {said[-1500:]}")
        return f"{len(found)} comparisons in the guest"

    def _own_facts(self) -> str:
        facts = self._operator.build_data(self._good.name, FROM_NODE)
        _want_devices(self._good, facts)
        known = self._operator.facts(self._good.name)["facts"]
        names = ("vendor", "product", "serial", "arch", "bios_version", "cpu_count")
        other = {name: (facts.get(name), known[name]) for name in names if facts.get(name) != known[name]}
        if other:
            raise CheckFailed(f"machine and agent differ: {other}")
        return f"{len(facts['disks'])} disks, {len(facts['nics'])} NICs, {', '.join(names)}"

    def _failed_action(self, task: str) -> str:
        self._operator.finished(task)
        node = self._operator.task(task)["nodes"][self._failing.name]
        said = " ".join(messages(node))
        if outcome(node) != "failure" or "No such file or directory" not in said or "fails" not in said:
            raise CheckFailed(f"{outcome(node)}: {said[-1000:]}")
        return "its output is in the task"

    def _revoked(self) -> str:
        """In maintenance: the machine stays on, and its old key is tried again before it is taken down."""
        name = self._good.name
        answers = KEY_WATCH.findall(self._good.console_text())
        if answers[-1:] != ["200"]:
            raise CheckFailed(f"before it the key got {answers}")
        start = len(self._good.console_text())
        self._operator.maintain(name, MAINTENANCE)
        task = self._operator.create("deploy_nodes", self._reference, name, force=True)

        def look() -> Sequence[str] | None:
            reason = self._operator.task(task)["nodes"].get(name, {}).get("reason") or ""
            found = KEY_WATCH.findall(self._good.console_text()[start:])
            return [found[0], reason] if found and MAINTENANCE in reason else None

        try:
            status, reason = self._operator.until(look, "an answer to the old key, the maintenance as a reason", 600)
        finally:
            self._operator.terminate(task)
            self._operator.maintain_no_more(name)
            self._operator.finished(task)  # it switches the machine off, which maintenance keeps it from
        if status not in REFUSED:
            raise CheckFailed(f"the old key got {status}")
        return f"200 before, {status} after; {reason}"

    def _off(self) -> None:
        on = [one.name for one in self._all if machines.is_running(one, self._daemon)]
        if on:
            raise CheckFailed(f"{' and '.join(on)} are on")

    def _proof(self) -> str:
        """The steps, unless no worker looked at the node while Ironic showed them; then its history."""
        said = []
        for machine in self._all:
            found = self._operator.build_data(machine.name, "ironic-cleaning")
            ended = [row for row in found["events"] if not row["failed"] and row["kind"] == "automated_cleaning_end"]
            if not any("erase" in step for step in found["steps"] or ()) and not ended:
                raise CheckFailed(f"{machine.name} has {found}")
            said.append(f"{machine.name} {', '.join(found['steps'] or ()) or 'by its history'}, ended {found['ended']}")
        return "; ".join(said)

    def _erased(self) -> None:
        for machine in self._all:
            for disk in ("root", "data"):
                if machines.holds_partitions(machine, disk, self._tools):
                    raise CheckFailed(f"{machine.name} has something at the ends of its disk {disk}")


def _want_devices(machine: Machine, facts: Json) -> None:
    serials = {disk.get("serial") for disk in facts["disks"] or ()}
    if not {f"{machine.name}-ROOT", f"{machine.name}-DATA"} <= serials:
        raise CheckFailed(f"{machine.name} has the disks {sorted(map(str, serials))}")
    macs = {nic["mac"] for nic in facts["nics"] or ()}
    if not set(machine.macs) <= macs:
        raise CheckFailed(f"{machine.name} has the NICs {sorted(macs)}")


def _want_success(task: Json) -> None:
    if outcome(task) != "success":
        nodes = {name: messages(node)[-3:] for name, node in task["nodes"].items()}
        raise CheckFailed(f"{outcome(task)}: {messages(task)[-3:]} {nodes}")
