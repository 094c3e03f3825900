# SPDX-License-Identifier: GPL-2.0
"""The plan of a sweep: what to run where, from the options of the command line."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import options, paths, targets
from ..errors import UsageError
from ..kernel import kernels, option, own, trees
from ..kernel.own import Spec
from ..results import datapath, floors
from ..results.samples import CONTAINER_OPS, DATAPATH_OPS, name_of
from ..targets import guestnet, guestoptions
from ..targets.guestoptions import GuestOptions

ORDERS = ("shuffled", "sequential")
ALLOCS = ("prealloc", "inline")
ERASE_ORDERS = ("key", "insertion")
DEFAULT_SIZES = ("500", "1000", "2000", "4000")
DEFAULT_TRIES = 100
PRECISION_SCALE = 1000
"""The core takes the precision in thousandths of the median."""
DEFAULT_PRECISION = 10
DEFAULT_STEPS, MAX_STEPS = 5, 1000
"""Number of commits of a repository to sweep."""
MAX_N = 1 << 24
MAX_TRIES = 1_000_000
MAX_SAMPLES = 1_000_000
MAX_THREADS = 63
MAX_NUMBERS_OF_THREADS = 16
MAX_WRITES = 1_000_000
SHARED_OPS = ("find", "for_each")
"""The operations for which readers share a container."""
MAX_CPU = 8191
"""The kernel's largest NR_CPUS on x86_64, less one."""
MAX_SECONDS = 7 * 86_400
MAX_U64 = (1 << 64) - 1


@dataclass(frozen=True)
class DatapathPlan:
    """The datapath's part of a plan."""

    devices: tuple[str, ...]
    payloads: tuple[int, ...]
    settings: tuple[str, ...]
    required: bool
    """True if the user asked for the datapath: without devices the sweep then fails."""
    named: tuple[str, ...] = ()
    """The devices that the user named."""
    packets: tuple[str, ...] = ()
    """PARAMETER=VALUE of dsbench_tunnel: how packets are made and received, where the user says so."""
    bursts: tuple[int, ...] = ()
    """Packets between two softirqs: each payload that is no GSO packet has cells of each, besides those without a burst."""

    @property
    def names(self) -> list[str]:
        """Names of the cells, if all devices are present."""
        return [
            name_of(kind, op, octets, burst=burst)
            for octets in self.payloads for kind in self.devices for burst in (0, *datapath.bursts_of(octets, self.bursts))
            for op in DATAPATH_OPS
        ]  # fmt: skip

    @property
    def cells(self) -> int:
        """Number of cells, if all devices are present."""
        return len(self.names)


@dataclass(frozen=True)
class Plan:
    """A checked sweep. `tries` and `warmup` are None for the target's default; an option that is not given is not passed on."""

    target: str
    kernel: Spec | None
    accel: str | None
    sizes: tuple[int, ...]
    tries: int | None
    warmup: int | None
    containers: tuple[str, ...]
    ops: tuple[str, ...]
    settings: tuple[str, ...]
    datapath: DatapathPlan | None
    timeout: float
    precision: int = 0
    """A cell gets no more tries once the 95 % interval of its median is this narrow: thousandths of the median, either
    side. 0: every cell gets all tries."""
    threads: tuple[int, ...] = ()
    """Numbers of readers that share the containers."""
    writer: bool = True
    """True if one more thread erases and inserts beside the readers."""
    output: Path | None = None
    """The result file; None: results/<target>-<time>.json."""
    pictures: Path | None = None
    """Where the sweep draws its pictures; None: it draws none."""
    explain: bool = False
    """True if the sweep also profiles each cell."""
    wanted: re.Pattern[str] | None = None
    """The cells that a comparison of this sweep's results is about, by their names; None: all. All are timed."""
    cpu: int | None = None
    """The CPU of this machine that a guest, or the run on the host, is bound to; None: the least busy one for uml, the core's choice
    on the host, any for qemu."""

    guest: GuestOptions = GuestOptions()
    series: tuple[Spec, ...] = ()
    """Kernels to sweep one after the other; empty: `kernel` alone."""

    @property
    def cpus(self) -> int:
        """Number of CPUs that the guest needs."""
        return max(self.threads) + self.writer if self.threads else 1

    @property
    def peers(self) -> tuple[str, ...]:
        """The devices that the user named."""
        return self.datapath.named if self.datapath else ()

    @property
    def names(self) -> list[str]:
        """Names of the cells, if all operations and devices are present."""
        names = [name_of(container, op, n) for n in self.sizes for container in self.containers for op in self.ops]
        names += [
            name_of(container, op, n, threads)
            for n in self.sizes for container in self.containers for op in self.ops if op in SHARED_OPS for threads in self.threads
        ]  # fmt: skip
        names += [name_of(floors.FLOOR, op, n) for n in self.sizes for op in floors.OPS]
        return [*names, *(self.datapath.names if self.datapath else ())]

    @property
    def cells(self) -> int:
        """Number of cells, if all operations and devices are present."""
        packets = self.datapath.cells if self.datapath else 0
        return len(self.sizes) * self.cells_of_size + packets

    @property
    def cells_of_size(self) -> int:
        """Number of cells of each size, the floors included."""
        shared = len(self.threads) * len([op for op in self.ops if op in SHARED_OPS])
        return len(self.containers) * (len(self.ops) + shared) + len(floors.OPS)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a Plan, as texts: checked_plan() explains a wrong value better than argparse does."""
    parser.add_argument("--sizes", nargs="+", default=DEFAULT_SIZES, metavar="N", help="elements (500 1000 2000 4000)")
    parser.add_argument("--tries", metavar="T", help="tries of each cell (up to 100; up to 20 under icount, where counts repeat)")
    parser.add_argument(
        "--precision",
        metavar="PERCENT",
        help="stop a cell after 10 tries or more once the 95%% interval of its median is within PERCENT of the median;"
        " 0: never (1; 0 with --tries)",
    )
    add_container_options(parser)
    parser.add_argument(
        "--threads", nargs="+", metavar="K", help="also share the containers among K readers; several K: one after the other (none)"
    )
    parser.add_argument("--writes", metavar="RATE", help="erasures and insertions per second beside the readers (1000)")
    parser.add_argument("--cpu", metavar="K", help="bind the guest, or the run on the host, to this CPU (uml: the least busy one)")
    guestoptions.add_options(parser)
    _add_datapath_options(parser)


def add_container_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the place of the run and for its containers."""
    add_place_options(parser)
    add_run_options(parser)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the containers, which do not depend on the place of the run."""
    parser.add_argument("--container", nargs="+", metavar="NAME", help=f"of {', '.join(known_containers())} (all)")
    parser.add_argument("--op", nargs="+", metavar="NAME", help=f"of {', '.join(CONTAINER_OPS)} (all)")
    add_key_options(parser)
    parser.add_argument("--warmup", metavar="MS", help="uncounted tries before a run, in ms of guest time (500; 5 under icount)")
    parser.add_argument("--patience", metavar="MS", help="average time that a try may wait for an idle core, cycles only (3)")


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the elements, their keys and the lookups."""
    parser.add_argument("--order", help="order of the keys: shuffled or sequential (shuffled)")
    parser.add_argument("--alloc", help="allocate the elements before a try or in it: prealloc or inline (prealloc)")
    parser.add_argument("--erase-order", help="order in which elements are erased: key or insertion (key)")
    parser.add_argument("--lookups", metavar="K", help="keys that a find try looks up (0: the core chooses)")
    parser.add_argument("--misses", metavar="PERCENT", help="share of the lookups whose key is absent (0)")
    parser.add_argument("--seed", metavar="S", help="seed of every permutation (1)")


def add_place_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the place of the run and for its time limit."""
    parser.add_argument("--target", default="uml", help="uml, qemu or host (uml)")
    option.add(parser, "kernel version, 6.1 or a full release (the target's default)")
    parser.add_argument("--accel", help="qemu only: auto, kvm, tcg or icount (auto)")
    parser.add_argument("--timeout", default="900", metavar="SECONDS", help="end a guest after this time (900)")


def _add_datapath_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--datapath",
        action=argparse.BooleanOptionalAction,
        help="time the datapath of network devices, too (default: yes in guests, no on the host)",
    )
    add_device_options(parser, "all", datapath.PAYLOADS, datapath.BURSTS)


def add_device_options(parser: argparse.ArgumentParser, devices: str, payloads: Sequence[str], bursts: Sequence[str]) -> None:
    """Add the options for the datapath. `devices`, `payloads` and `bursts` are the defaults that the help shows."""
    parser.add_argument("--device", nargs="+", metavar="NAME", help=f"of {', '.join(datapath.DEVICES)} ({devices}); {guestnet.BY_NAME}")
    parser.add_argument("--payloads", nargs="+", metavar="OCTETS", help=f"octets of a packet ({' '.join(payloads)})")
    parser.add_argument("--burst", nargs="+", metavar="PACKETS", help=f"packets between two softirqs, each in cells of its own; 0: no such cells ({' '.join(bursts)})")


    add_packet_options(parser)


def add_packet_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for how packets are made and received."""
    parser.add_argument("--hash", metavar="0|1", help="1: a socket owns the packets, and they carry the hash of its flow; 0: neither (1)")
    parser.add_argument("--sink-gro", metavar="0|1", help="1: the receiver's socket asks for UDP_GRO (1)")
    parser.add_argument("--protocol", metavar="NAME", help=f"what the packets contain: {' or '.join(datapath.PROTOCOLS)} (udp)")


def packet_settings(args: argparse.Namespace) -> tuple[str, ...]:
    """Check the options of add_packet_options(). Return the parameters of dsbench_tunnel that were given."""
    found = {
        "hash": options.whole("hash", getattr(args, "hash", None), 0, 1),
        "sink_gro": options.whole("sink-gro", getattr(args, "sink_gro", None), 0, 1),
        "protocol": options.choice("protocol", getattr(args, "protocol", None), datapath.PROTOCOLS),
    }
    return tuple(f"{name}={value}" for name, value in found.items() if value is not None)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the option for the result file of a sweep."""
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/<target>-<time>.json)")


def add_series(parser: argparse.ArgumentParser) -> None:
    """Add the options for a series of kernels from a repository."""
    option.add_git(parser, ("A..B",), "sweep kernels from commit A to B of the repository DIR, --steps of them")
    parser.add_argument("--steps", metavar="N", help=f"number of commits from A to B, the ends included ({DEFAULT_STEPS})")


def checked_series(args: argparse.Namespace) -> Plan:
    """Return checked_plan(), of several kernels if several are named. UsageError as for that."""
    named = option.several(args)
    git = option.of_git(args)
    steps = options.whole("steps", args.steps, 2, MAX_STEPS)
    if steps is not None and not git:
        raise UsageError(f"--steps is {steps}: it is allowed with --kernel-git only")
    if git:
        folder, config, (text,) = git
        named += own.series(folder, text, steps or DEFAULT_STEPS, config)
    if len(named) < 2:
        return checked_plan(args)
    if args.explain:
        raise UsageError("--explain has no use with several kernels: explain compares two of them, by --against")
    args.kernel = args.config = args.bzimage = None
    plan = checked_plan(args)
    for kernel in named:
        targets.check(plan.target, kernel, plan.accel, guest=plan.guest)
    return dataclasses.replace(plan, kernel=named[0], series=tuple(named))


def plan_of(*words: str) -> Plan:
    """Return the plan of a sweep with these words on its command line."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    add_output(parser)
    return checked_plan(parser.parse_args(words))


def known_containers(kernel: Spec | None = None) -> list[str]:
    """Return the containers of the working tree that are built for a kernel, by the user's name for it."""
    rust = trees.rust_containers(paths.ROOT) if kernel in kernels.WITH_RUST else []
    return [*trees.containers(paths.ROOT), *rust]


def key_settings(args: argparse.Namespace) -> dict[str, str | int | None]:
    """Check the options of add_key_options(). Return the core's parameters; None for those that were not given."""
    return {
        "order": options.choice("order", args.order, ORDERS),
        "alloc": options.choice("alloc", args.alloc, ALLOCS),
        "erase_order": options.choice("erase-order", args.erase_order, ERASE_ORDERS),
        "lookups": options.whole("lookups", args.lookups, 0, MAX_N),
        "misses": options.whole("misses", args.misses, 0, 100),
        "seed": options.whole("seed", args.seed, 0, MAX_U64),
    }


def checked_plan(args: argparse.Namespace, known: Sequence[str] | None = None) -> Plan:
    """Check the options and return the Plan. `known` are the allowed containers; None: those of the working tree.

    UsageError names the option, its value and the allowed values.
    """
    kernel = option.one(args)
    numbers = {options.whole("sizes", size, 1, MAX_N) for size in options.words(args.sizes)}
    if not numbers:
        raise UsageError("--sizes is empty: name whole numbers from 1 to 16777216")
    tries = options.whole("tries", args.tries, 1, MAX_TRIES)
    containers = options.names("container", args.container, known or known_containers(kernel))
    ops = options.names("op", args.op, CONTAINER_OPS)
    cpu = options.whole("cpu", getattr(args, "cpu", None), 0, MAX_CPU)
    settings = {
        "containers": ",".join(containers) if args.container else None,
        "ops": ",".join(ops) if args.op else None,
        **key_settings(args),
        "patience": options.whole("patience", args.patience, 0, 1000),
        **_sharing(args),
        "cpu": cpu if args.target == "host" else None,
    }
    plan = Plan(
        target=args.target,
        kernel=kernel,
        accel=args.accel,
        sizes=tuple(sorted(numbers)),
        tries=tries,
        precision=_precision(args),
        warmup=options.whole("warmup", args.warmup, 0, 60_000),
        containers=containers,
        ops=ops,
        settings=tuple(f"{name}={value}" for name, value in settings.items() if value is not None),
        datapath=_datapath(args, kernel),
        timeout=options.whole("timeout", args.timeout, 1, MAX_SECONDS),
        threads=_threads(args),
        writer=settings["writes"] != 0,
        output=options.json_file("output", getattr(args, "output", None)),
        pictures=paths.PLOTS if getattr(args, "draw", False) else None,
        explain=_explain(args),
        cpu=cpu,
        wanted=options.pattern("filter", getattr(args, "filter", None)),
        guest=guestoptions.checked(args),
    )
    targets.check(plan.target, plan.kernel, plan.accel, guest=plan.guest)
    if plan.wanted and not any(map(plan.wanted.search, plan.names)):
        raise UsageError(f"--filter {plan.wanted.pattern!r} matches no cell of this comparison: names are such as {plan.names[0]}")
    _check_cpus(plan)
    samples = plan.cells * (tries or DEFAULT_TRIES)
    if samples > MAX_SAMPLES:
        raise UsageError(
            f"--tries {tries or DEFAULT_TRIES} makes {samples} samples of this sweep, at most {MAX_SAMPLES} are allowed: "
            "lower it, or name fewer --sizes, --container, --op, --device, --payloads or --burst"
        )
    return plan


def needs(plan: Plan) -> tuple[str, ...]:
    """Return the groups of packages that the command of this plan needs. HarnessError if the target cannot be used here."""
    kernels = plan.series or (plan.kernel,)
    return ("plot", *(group for kernel in kernels for group in targets.prerequisites(plan.target, kernel, network=plan.datapath is not None)))


def _explain(args: argparse.Namespace) -> bool:
    """Return whether the cells are profiled, too. UsageError where the clock does not count instructions."""
    wanted: bool = getattr(args, "explain", False)
    if wanted and (args.target, args.accel) != ("qemu", "icount"):
        raise UsageError(f"--explain needs --target qemu --accel icount, not {args.target}{f' --accel {args.accel}' if args.accel else ''}")
    return wanted


def _precision(args: argparse.Namespace) -> int:
    """Return the precision in thousandths. A number of tries that the user names is exact, unless a precision is named, too."""
    text: str | None = getattr(args, "precision", "0")  # a command without the option takes all tries
    if text is None:
        return DEFAULT_PRECISION if args.tries is None else 0
    share = options.percentage("precision", text)
    precision = round(share * PRECISION_SCALE)
    if share and not precision:
        raise UsageError(f"--precision is {text!r}: the smallest is {100 / PRECISION_SCALE:g}, and 0 switches it off")
    return precision


def _datapath(args: argparse.Namespace, kernel: Spec | None) -> DatapathPlan | None:
    """Return the datapath's plan; None without a datapath. The bare link always takes part: all tunnels run over it."""
    named = datapath.named_kinds(args.device, datapath.DEVICES, kernel)
    octets = datapath.PAYLOADS if args.payloads is None else options.words(args.payloads)
    payloads = {options.whole("payloads", one, 1, datapath.MAX_PAYLOAD) for one in octets}
    if not 1 <= len(payloads) <= datapath.MOST_PAYLOADS:
        raise UsageError(f"--payloads names {len(payloads)} numbers: allowed are 1 to {datapath.MOST_PAYLOADS} of them")
    if args.datapath is False and args.device:
        raise UsageError("--device has no use with --no-datapath: leave one of them out")
    required = bool(args.datapath or args.device)
    if not required and (args.datapath is False or args.target == "host"):
        return None
    return DatapathPlan(
        devices=tuple(kind for kind in datapath.DEVICES if kind in named or kind == datapath.BARE),
        payloads=tuple(sorted(payloads)),
        bursts=_bursts(getattr(args, "burst", None)),
        packets=packet_settings(args),
        settings=() if args.seed is None else (f"seed={args.seed}",),
        required=required,
        named=named if args.device else (),
    )


def _bursts(named: Sequence[str] | None) -> tuple[int, ...]:
    """Return the numbers of packets between two softirqs, smallest first; none if the user names 0."""
    words = datapath.BURSTS if named is None else options.words(named)
    if list(words) == [datapath.NO_BURSTS]:
        return ()
    bursts = {options.whole("burst", word, 1, datapath.MAX_BURST) for word in words}
    if not 1 <= len(bursts) <= datapath.MOST_BURSTS:
        raise UsageError(f"--burst names {len(bursts)} numbers: allowed are 1 to {datapath.MOST_BURSTS} of them, or {datapath.NO_BURSTS} for no bursts")
    return tuple(sorted(bursts))


def _threads(args: argparse.Namespace) -> tuple[int, ...]:
    """Return the numbers of readers, smallest first."""
    words = options.words(getattr(args, "threads", None) or ())
    return tuple(sorted({options.whole("threads", word, 1, MAX_THREADS) for word in words}))


def _sharing(args: argparse.Namespace) -> dict[str, str | int | None]:
    """Return the core's parameters for readers and the writer."""
    threads = _threads(args)
    writes = options.whole("writes", getattr(args, "writes", None), 0, MAX_WRITES)
    if writes is not None and not threads:
        raise UsageError(f"--writes {writes} has no use without --threads: name the number of readers")
    if len(threads) > MAX_NUMBERS_OF_THREADS:
        raise UsageError(f"--threads names {len(threads)} numbers: at most {MAX_NUMBERS_OF_THREADS} are allowed")
    return {"threads": ",".join(map(str, threads)) or None, "writes": writes}


def _check_cpus(plan: Plan) -> None:
    """UsageError if the target has fewer CPUs than the readers and the writer need, or if --cpu names one that cannot be used.

    qemu has as many CPUs as the plan needs.
    """
    usable = os.sched_getaffinity(0)
    if plan.cpu is not None and plan.cpu not in usable:
        raise UsageError(f"--cpu is {plan.cpu}: allowed are the CPUs that are online and open to this process, {_ranges(usable)}")
    if plan.cpu is not None and plan.threads:
        raise UsageError("--cpu has no use with --threads, whose readers and writer need a CPU each: leave one of them out")
    have = {"uml": 1, "host": os.cpu_count() or 1}.get(plan.target)
    if plan.threads and have and plan.cpus > have:
        what = f"{max(plan.threads)} reader{'s' if max(plan.threads) > 1 else ''}{' and a writer' if plan.writer else ''}"
        raise UsageError(
            f"--threads {max(plan.threads)}: {what} need {plan.cpus} CPUs, target {plan.target} has {have}: "
            "take --target qemu, which has as many as needed, or fewer readers, or no writer (--writes 0)"
        )


def _ranges(numbers: Collection[int]) -> str:
    """Return numbers for people: "0-3, 6"."""
    groups = itertools.groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0])
    runs = [[number for _, number in group] for _, group in groups]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
