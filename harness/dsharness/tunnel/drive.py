# SPDX-License-Identifier: GPL-2.0
"""Runs one evaluation, in a guest or between two machines, and keeps every finished round."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import packages, paths, proc, signals, targets, ui
from ..errors import HarnessError
from ..kernel import tools
from ..results import environment, results
from ..results.datapath import UDPTUN
from ..targets import hostlock
from . import record, table
from .devices import DEVICES, LINK, Keys, options_of
from .meters import TOOLS, Reading
from .plan import Peer, TunnelPlan
from .record import Evaluation, Sample
from .sides import Here, Ssh
from .steps import Experiment, Link, Step, Take, steps, veth_link, write
from .stream import Stream

SCRIPT = paths.HARNESS / "guest" / "tunnel.sh"

PEER = "peer"
CHUNK = 65536
UNDO_SECONDS = 25.0

# Time that a guest may take beyond the measurements, and the factor for its seconds under emulation.
SETUP_SECONDS = 300.0
SLOWER = {"icount": 100.0, "tcg": 20.0}

Sink = Callable[[bytes], None]


@dataclass(frozen=True)
class Place:
    """Where the steps run. `execute` takes their files and a sink for their output, and returns status and error message."""

    label: str
    context: dict[str, Any]
    experiment: Experiment
    execute: Callable[[Sequence[Path], Sink], tuple[int, str]]


def run(plan: TunnelPlan) -> int:
    """Measure, show the tables, and say where the results lie and what to do next. Return the exit status."""
    try:
        packages.ensure("tunnel-extra")
    except HarnessError as error:
        ui.warn(f"what needs them is left out: {error}")
    path, evaluation = evaluate(plan)
    table.show(evaluation)
    ui.say(f"results: {paths.short(path)} and {path.with_suffix('.csv').name}")
    if plan.rounds < 10:
        ui.say(f"next: more --rounds, {4 * plan.rounds} say, tell smaller distances from chance")
    return 0


def evaluate(plan: TunnelPlan) -> tuple[Path, Evaluation]:
    """Run `plan`. Return the result file and its content.

    Without an output the file gets a new name, and latest-tunnel.json points to it. If the evaluation ends early, the finished rounds
    are in the file, marked incomplete.
    """
    results.check_room(plan.output, _takes(plan))
    place = _between_machines(plan, plan.peer) if plan.peer else _in_guest(plan)
    path = plan.output or results.new_path(f"tunnel-{place.context['target']}", place.context["accel"])
    made = steps(place.experiment)
    recorder = EvaluationRecorder(place, path)
    with (
        tempfile.TemporaryDirectory(prefix="dsbench-tunnel-") as folder,
        ui.Progress(f"measuring {place.label}", place.experiment.takes, "measurements") as progress,
    ):

        def begin(step: Step) -> None:
            if step.take:
                device = "bare link" if step.take.device == LINK else step.take.device
                note = f"round {step.take.round + 1} of {plan.rounds}, {device}, {step.take.tool.name}"
                progress.update(_place(place.experiment, step.take), note)
            else:
                progress.update(0, f"setting up {'the link' if step.part == '-' else step.part}")

        stream = Stream(made, begin, recorder.add, lambda number: recorder.keep(number, stream))
        try:
            status, complaint = place.execute([SCRIPT, *write(made, Path(folder))], stream.feed)
            if stream.failure:
                raise stream.failure
            if status or not recorder.complete:
                raise HarnessError(f"the evaluation ended with status {status} before all rounds were done{complaint}")
        finally:
            recorder.close(point_latest=plan.output is None)
    return path, recorder.evaluation


class EvaluationRecorder:
    """Keeps the finished rounds, on disk after each one."""

    def __init__(self, place: Place, path: Path) -> None:
        self._path = path
        self._rounds = place.experiment.rounds
        self._done = 0
        self._fresh: list[Sample] = []
        self.evaluation = Evaluation(place.context, [])

    @property
    def complete(self) -> bool:
        """Whether every round is there."""
        return self._done == self._rounds

    def add(self, take: Take, reading: Reading) -> None:
        """Record a measurement of the current round."""
        self._fresh.append(Sample(take, reading))

    def keep(self, number: int, stream: Stream) -> None:
        """Keep a finished round; it counts once it is on disk. HarnessError if the disk is full."""
        before = self.evaluation.context
        context = {
            **before,
            **_told(stream),
            "devices": [name for name in before["devices"] if name not in stream.absent],
            "rounds": number + 1,
            "complete": number + 1 == self._rounds,
        }
        grown = Evaluation(context, [*self.evaluation.samples, *self._fresh])
        with signals.delayed():
            record.write(grown, self._path)
            self.evaluation = grown
            self._fresh = []
            self._done = number + 1

    def close(self, point_latest: bool) -> None:
        """Report missing rounds, and point latest-tunnel.json to the file."""
        if not self._done:
            ui.warn("no round was finished: there is no result file")
            return
        for warning in self.evaluation.context["warnings"]:
            ui.warn(warning)
        if reason := self.evaluation.context["absent"].get(UDPTUN):
            ui.warn(f"udptun itself is absent: {reason}")
        if not self.complete:
            finished = f"{self._done} of {self._rounds} rounds"
            ui.warn(f"the evaluation is incomplete: {finished} are kept in {self._path}, marked complete=false")
        if point_latest:
            results.point_latest(self._path, record.LATEST)


def _takes(plan: TunnelPlan) -> int:
    return plan.rounds * (len(plan.devices) + 1) * len(TOOLS)


def _place(experiment: Experiment, take: Take) -> int:
    """Return the number of measurements before this one."""
    return take.round * (experiment.takes // experiment.rounds) + take.order


def _told(stream: Stream) -> dict[str, Any]:
    """What the steps found out."""
    facts = dict(stream.facts)
    cpus = facts.pop("near_cpus", "")
    known = {f"{tool.name}_version" for tool in TOOLS}
    return {
        "cpus": int(cpus) if cpus.isdigit() else 0,
        "tools": {name.removesuffix("_version"): text for name, text in facts.items() if name in known},
        **{name: text for name, text in facts.items() if name not in known},
        "absent": dict(stream.absent),
    }


def _in_guest(plan: TunnelPlan) -> Place:
    """Return a guest of the target, or the host, with two network namespaces."""
    peers = plan.devices if plan.named else ()
    target = targets.get(plan.target, plan.kernel, plan.accel, network=True, peers=peers, guest=plan.guest)
    program = tools.udptunctl()
    experiment = _experiment(plan, veth_link(), (f"./{program.name}",) * 2)
    timeout = SETUP_SECONDS + 2 * experiment.duration * SLOWER.get(target.accel or "", 1.0)

    def execute(files: Sequence[Path], sink: Sink) -> tuple[int, str]:
        argv = ["sh", files[0].name, files[1].name]
        ended = target.run(argv, files=[*files, program], timeout=timeout, on_stdout=sink)
        console = f" (the console is in {ended.console})" if ended.console else ""
        return ended.status, f"{last_line(ended.stderr)}{console}"

    label = f"in {results.label(target.name, target.accel)}, kernel {target.kernel.release}"
    told = {"target": target.name, "accel": target.accel, "kernel": target.kernel.release, "arch": target.kernel.arch}
    link = "veth between two network namespaces of one kernel, MTU 1500"
    known = _context(plan, link, target.accel)
    known["warnings"] += target.warnings
    if target.accel == "icount":
        known["warnings"].append("under icount a second is 10^9 instructions: the figures count instructions, not time")
    return Place(label, {**known, **told}, experiment, execute)


def _between_machines(plan: TunnelPlan, peer: Peer) -> Place:
    """Return this machine and another one, by ssh."""
    if os.geteuid() != 0:
        raise HarnessError("--peer-host makes network interfaces on both machines: only root may")
    hostlock.claim()
    far = Ssh(peer.destination, peer.ssh_config)
    try:
        user = proc.check(far.argv(["id", "-u"])).strip()
    except HarnessError as error:
        raise HarnessError(f"--peer-host {peer.destination} cannot be used: {error}") from error
    if user != "0":
        raise HarnessError(f"--peer-host {peer.destination} logs in as user {user}: log in as root")
    far_address = peer.address or _address(peer)
    interface, near_address = _route(far_address)
    mtu = int((Path("/sys/class/net") / interface / "mtu").read_text(encoding="ascii"))
    local = str(tools.udptunctl())
    experiment = _experiment(plan, Link(Here(), far, near_address, far_address, mtu, shared=True), (local, "udptunctl"))

    def execute(files: Sequence[Path], sink: Sink) -> tuple[int, str]:
        argv: list[proc.Arg] = ["sh", files[0], files[1].name]
        with proc.child(
            argv, cwd=files[1].parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            try:
                while data := os.read(process.stdout.fileno(), CHUNK):
                    sink(data)
                complaint = process.communicate()[1]
            except BaseException:
                _let_undo(process)
                raise
        return process.returncode, last_line(complaint)

    told = {"target": PEER, "accel": None, "kernel": platform.release(), "arch": platform.machine()}
    link = f"{near_address} ({interface}, MTU {mtu}) to {far_address} of {peer.destination}"
    label = f"between this machine and {peer.destination}"
    return Place(label, {**_context(plan, link), **told}, experiment, execute)


def _let_undo(process: subprocess.Popen[bytes]) -> None:
    """End the script, with time to clean up both machines."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(UNDO_SECONDS)


def _experiment(plan: TunnelPlan, link: Link, udptunctl: tuple[str, str]) -> Experiment:
    devices = tuple(device for device in DEVICES if device.name in plan.devices)
    return Experiment(link, devices, plan.rounds, plan.seconds, plan.seed, udptunctl, keys())


def _context(plan: TunnelPlan, link: str, accel: str | None = None) -> dict[str, Any]:
    """Return the context before the first round."""
    facts = environment.facts()
    return {
        "schema_version": record.SCHEMA_VERSION,
        "complete": False,
        **facts,
        "warnings": environment.warnings(facts, accel),
        "link": link,
        "devices": list(plan.devices),
        "device_options": options_of(plan.devices),
        "rounds": 0,
        "seconds": plan.seconds,
        "seed": plan.seed,
    }


def keys() -> tuple[Keys, Keys] | None:
    """Return new keys for both ends of wireguard; None without wg, whose absence its steps then report."""
    if not shutil.which("wg"):
        return None
    private = [proc.check(["wg", "genkey"]).strip() for _ in range(2)]
    public = [subprocess.run(["wg", "pubkey"], input=key, capture_output=True, encoding="utf-8", check=True).stdout.strip()
              for key in private]  # fmt: skip
    return Keys(private[0], public[1]), Keys(private[1], public[0])


def _address(peer: Peer) -> str:
    """Return the IPv4 address of the host that ssh connects to. HarnessError if there is none."""
    config = ["-F", str(peer.ssh_config)] if peer.ssh_config else []
    listed = proc.check(["ssh", "-G", *config, "--", peer.destination])
    names = dict(line.partition(" ")[::2] for line in listed.splitlines())
    host = names.get("hostname", peer.destination)
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise HarnessError(f"{host} has no IPv4 address that is known here: name one by --peer-address") from error


def _route(address: str) -> tuple[str, str]:
    """Return the interface and the address of this machine for packets to `address`."""
    route = json.loads(proc.check(["ip", "-json", "route", "get", address]))[0]
    if route["dev"] == "lo":
        raise HarnessError(f"{address} is this machine's own: --peer-address has to be another one's")
    return str(route["dev"]), str(route["prefsrc"])


def last_line(complaint: bytes) -> str:
    """Return the last line of an error message, to follow a sentence."""
    lines = [line.strip() for line in complaint.decode(errors="replace").splitlines() if line.strip()]
    return f": {lines[-1]}" if lines else ""
