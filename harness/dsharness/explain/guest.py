# SPDX-License-Identifier: GPL-2.0
"""Runs cells in one guest under the profile plugin, and makes their profiles."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import paths, targets, texts, ui
from ..errors import HarnessError
from ..kernel.build import Build
from ..kernel.trees import Tree
from ..results import floors
from ..results.datapath import Topology, parse_topology
from ..results.samples import CONTAINER_OPS, Cell, Report
from ..sweep import drive as sweeper
from ..sweep.marked import MarkedSections, damaged
from ..sweep.stream import StageResult, SweepStream
from . import annotate, emulator, profile, rustnames, single, symbols, tries, windows
from .cells import Wanted
from .place import Place
from .plan import ACCEL, SINGLE_OPS, TARGET, ExplainPlan
from .profile import Profile
from .single import Single
from .symbols import Symbols

SCRIPT = paths.HARNESS / "guest" / "explain.sh"
CODE = "code-"
"""Begins the names of the sections with the code of a function; its address follows."""
FLOORS_BESIDE = "list"
"""The container beside which the floors run if none is wanted at their size."""


@dataclass(frozen=True)
class Stage:
    """One run of the core: several containers and their operations at one size, or a device with one payload and burst."""

    name: str
    n: int
    cells: tuple[Wanted, ...]

    @property
    def device(self) -> str:
        """The kind of device; "" for containers."""
        return self.cells[0].container if self.cells[0].is_packet else ""

    @property
    def burst(self) -> int:
        """Packets between two softirqs of its cells; 0 for containers, and for as many as an operation sends by default."""
        return self.cells[0].burst

    @property
    def line(self) -> str:
        """Its line in the plan of explain.sh."""
        ops = ",".join(dict.fromkeys(cell.op for cell in self.cells if cell.container != floors.FLOOR)) or "for_each"
        if self.device:
            return f"{self.name} @{self.device} {ops} {self.n} {self.burst}"
        containers = ",".join(dict.fromkeys(cell.container for cell in self.cells if cell.container != floors.FLOOR)) or FLOORS_BESIDE
        with_floors = any(cell.container == floors.FLOOR for cell in self.cells)
        return f"{self.name} {containers} {ops} {self.n} {'Y' if with_floors else 'N'}"


@dataclass
class Outcome:
    """What a guest left."""

    profiles: list[Profile]
    symbols: Symbols
    build: Build
    nodes: dict[int, windows.Node] = field(default_factory=dict)
    release: str = ""
    absent: list[str] = field(default_factory=list)
    """Cells of patterns that do not exist or cannot be explained, each with the reason."""
    singles: list[Single] = field(default_factory=list)
    """Profiles of single operations, in place of those of tries."""
    code: dict[int, bytes] = field(default_factory=dict)
    """Address of a function to disassemble -> its code, and what follows it."""


def stages(cells: Iterable[Wanted]) -> list[Stage]:
    """Return the runs that cover the cells, and no cell twice. Containers share a run if they have the same operations and size."""
    by_size: dict[int, dict[str, list[Wanted]]] = {}
    by_packet: dict[tuple[str, int, int], list[Wanted]] = {}
    for cell in cells:
        if cell.is_packet:
            by_packet.setdefault((cell.container, cell.n, cell.burst), []).append(cell)
        else:
            by_size.setdefault(cell.n, {}).setdefault(cell.container, []).append(cell)
    groups: list[tuple[int, list[Wanted]]] = []
    for n, containers in by_size.items():
        alike: dict[tuple[str, ...], list[Wanted]] = {}
        of_floors = containers.pop(floors.FLOOR, [])
        for members in containers.values():
            alike.setdefault(tuple(sorted(cell.op for cell in members)), []).extend(members)
        sets = list(alike.values()) or [[]]
        sets[0] = [*sets[0], *of_floors]
        groups += [(n, members) for members in sets]
    groups += [(payload, members) for (_, payload, _), members in by_packet.items()]
    return [Stage(str(number), n, tuple(members)) for number, (n, members) in enumerate(groups)]


class ExplainStream(MarkedSections):
    """Collects the sections of explain.sh: functions, addresses, devices."""

    def __init__(self) -> None:
        super().__init__("@explain", self._mark)
        self.sections: dict[str, list[str]] = {}

    def _mark(self, words: list[str], since: list[str]) -> None:
        if len(words) != 2 or words[0] not in ("begin", "end"):
            raise damaged(words)
        if words[0] == "end":
            self.sections[words[1]] = since

    def section(self, name: str) -> list[str]:
        """Return the lines of a section. HarnessError if the guest did not print it."""
        if name not in self.sections:
            raise HarnessError(f"the guest's output is damaged: it lacks the section {name!r}")
        return self.sections[name]

    def address(self, name: str) -> int:
        """Return the address that a section has. HarnessError if it has none."""
        return _address("".join(self.section(name)))

    @property
    def code(self) -> dict[int, bytes]:
        """The code of each function by its address. HarnessError if it is damaged."""
        found = {name.removeprefix(CODE): lines for name, lines in self.sections.items() if name.startswith(CODE)}
        return {_address(text): annotate.unpacked(lines) for text, lines in found.items()}


def _address(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise HarnessError(f"the guest's output is damaged: {texts.quoted(text)} is no address") from None


@dataclass
class _Said:
    """The output of the guest."""

    sections: ExplainStream
    stages: dict[str, StageResult]


def run(plan: ExplainPlan, place: Place, tree: Tree) -> Outcome:
    """Run the plan's cells on the kernel of `place` with the modules of `tree`.

    HarnessError if the guest fails, or if a cell that the user named does not exist.
    """
    if plan.single:
        plan = dataclasses.replace(plan, cells=tuple(cell for cell in plan.cells if cell.op in SINGLE_OPS))
    devices = list(dict.fromkeys(cell.container for cell in plan.cells if cell.is_packet))
    target = targets.get(TARGET, place.kernel, ACCEL, network=bool(devices), peers=devices, tree=tree)
    assert isinstance(target, targets.Qemu)
    built = emulator.plugin()
    wanted = stages(plan.cells)
    known = symbols.of_kernel(target)
    with tempfile.TemporaryDirectory(prefix="dsbench-") as folder:
        out = Path(folder) / "profile"
        target.plugin = emulator.option(built, out, plan.plugin)
        said = _run_guest(plan, target, wanted, devices, _codes(plan, known, target.build), Path(folder))
        stream = windows.read(out)
    functions = Symbols([*known, *symbols.parse(symbols.unpacked(said.sections.section("modules")))])
    outcome = Outcome([], functions, target.build, stream.nodes, target.kernel.release)
    outcome.code = said.sections.code
    parts = tries.runs(tries.slices(stream.windows, functions))
    done = [stage for stage in wanted if stage.name in said.stages]
    if len(parts) != len(done):
        raise HarnessError(f"the profile has {len(parts)} runs instead of {len(done)}: please report this as a bug")
    for stage, part in zip(done, parts):
        _explain(plan, stage, said.stages[stage.name], part, _moved(functions, stage, said.sections), outcome)
    _check_absent(plan, said, outcome)
    order = [cell.name for cell in plan.cells]
    outcome.profiles.sort(key=lambda one: order.index(one.cell.name))
    return outcome


def _codes(plan: ExplainPlan, known: Sequence[symbols.Function], build: Build) -> list[str]:
    """Return what explain.sh needs to print code: addresses in the kernel, and names, which may be of modules."""
    kernel = Symbols(known)
    modules = [build.ko_dir / f"{tries.CORE}_{name}.ko" for name in dict.fromkeys(cell.container for cell in plan.cells)]
    return [
        word for name in plan.code
        for word in (*(f"{one.address:#x}" for one in kernel.named(name)), *rustnames.mangled(name, [one for one in modules if one.exists()]), name)
        if " " not in word
    ]  # fmt: skip


def _run_guest(
    plan: ExplainPlan, target: targets.Target, wanted: Sequence[Stage], devices: Sequence[str], codes: Sequence[str], folder: Path
) -> _Said:
    listed = folder / "plan"
    listed.write_text("".join(f"{stage.line}\n" for stage in wanted), encoding="ascii")
    containers = {cell.container for cell in plan.cells if cell.op in CONTAINER_OPS}
    if any(FLOORS_BESIDE in stage.line.split()[1].split(",") for stage in wanted):
        containers.add(FLOORS_BESIDE)
    modules = [f"{tries.CORE}_{name}" for name in sorted(containers)]
    settings = [f"tries={1 if plan.single else plan.tries}", "warmup=0", *plan.settings, *(["slice=1"] if plan.single else [])]
    argv = ["sh", SCRIPT.name, listed.name, " ".join(settings), " ".join(modules), " ".join(devices), " ".join(codes), " ".join(plan.packets)]
    files = [SCRIPT, listed, *sweeper.PARTS, *(sweeper.datapath_files() if devices else [])]
    sections = ExplainStream()
    found: dict[str, StageResult] = {}
    names = {stage.name: ", ".join(cell.name for cell in stage.cells[:3]) for stage in wanted}
    with ui.Progress(f"explaining in {TARGET}-{ACCEL}, kernel {target.kernel.release}", len(wanted), "runs") as progress:

        def finished(stage: StageResult) -> None:
            found[stage.stage] = stage
            progress.advance(names[stage.stage])

        runs = SweepStream(lambda stage, done, total: None, finished, {**names, "setup": "the modules"})

        def feed(chunk: bytes) -> None:
            sections.feed(chunk)
            runs.feed(chunk)

        ended = target.run(argv, files=files, timeout=plan.timeout, on_stdout=feed)
    if failure := runs.failure or sections.failure:
        raise failure
    if ended.status:
        raise HarnessError(sweeper.last_words(ended).replace("the sweep", "the profile"))
    return _Said(sections, found)


def _moved(functions: Symbols, stage: Stage, sections: ExplainStream) -> Symbols:
    """Return the functions at their addresses in a stage: the module of the datapath was loaded anew for it."""
    if not stage.device:
        return functions
    return functions.moved(tries.TUNNEL, sections.address(f"base-{stage.name}") - sections.address("base"))


def _explain(
    plan: ExplainPlan, stage: Stage, result: StageResult, run: Sequence[tries.Slice], functions: Symbols, outcome: Outcome
) -> None:
    """Add the profiles of a stage."""
    report: Report | None = result.report
    assert report
    overhead = report.header.number("clock_overhead")
    cells: dict[str, Cell] = {cell.name: cell for cell in result.cells}
    for wanted in stage.cells:
        if cell := cells.get(wanted.name):
            module = tries.module_of(cell, wanted.is_packet, wanted.container == floors.FLOOR)
            found = tries.of_cell(cell, module, run, overhead)
            try:
                if plan.single:
                    outcome.singles.append(single.make(wanted, found[0]))
                else:
                    outcome.profiles.append(profile.make(wanted, cell, found, overhead, functions))
            except HarnessError as error:
                if wanted.named:
                    raise
                outcome.absent.append(str(error))


def _check_absent(plan: ExplainPlan, said: _Said, outcome: Outcome) -> None:
    """Note the cells that do not exist. HarnessError for one that the user named, or if none exists."""
    told = said.sections.sections.get("topology")
    topology = parse_topology(told) if told is not None else Topology((), {})
    explained = {one.cell.name for one in outcome.profiles} | {one.cell.name for one in outcome.singles}
    for cell in plan.cells:
        if cell.name in explained or any(text.startswith(f"{cell.name} ") for text in outcome.absent):
            continue
        lacks = f"these modules send no bursts of {cell.burst}" if cell.burst else f"{cell.container} has no {cell.op}"
        reason = topology.absent.get(cell.container, lacks)
        if cell.named or not explained:
            raise HarnessError(f"{cell.name} does not exist here: {reason}")
        outcome.absent.append(f"{cell.name}: {reason}")
