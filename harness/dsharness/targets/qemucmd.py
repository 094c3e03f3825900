# SPDX-License-Identifier: GPL-2.0
"""QEMU's command line: a minimal PC with four serial ports."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from .. import proc

PROGRAM = "qemu-system-x86_64"
BOOT_MEMORY_MIB = 512
"""Memory of a kernel that only has to boot, in MiB."""

ACCELERATORS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=single", "-cpu", "max"],
    "icount": [
        "-accel", "tcg,thread=single", "-cpu", "max,family=15,model=107,stepping=1",
        # One instruction is one nanosecond of the guest's time, and the clock of an idle guest jumps to its next timer:
        # nothing that the guest observes depends on the host's speed or on chance.
        "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1",
    ],
}  # fmt: skip
"""Options of the accelerators. "tcg" uses the host's time, so rdtsc means little; "icount" counts instructions.

The kernel patches its memset(), memcpy() and clear_page() for the CPU, so counts are comparable only if "max" is the same CPU for all
versions of QEMU: that of 7.2, without LEFT_OUT.
"""

LEFT_OUT = ("fsrm", "fsrs", "fzrm")
"""Features of "max" that later versions emulate: short `rep movs` and `rep stos`, each repetition of which counts as an instruction."""

KERNEL_PARAMETERS = (
    "console=ttyS0,115200", "quiet", "oops=panic", "panic=-1",
    # The same addresses in each boot, no wait for entropy, no doubts about an emulated clock.
    "nokaslr", "random.trust_cpu=on", "tsc=reliable", "no_timer_check",
    # The table of UDP sockets of a large machine: a small guest's has 256 buckets, and whether two sockets meet in one, which costs
    # each packet some 35 instructions, depends on a secret of the boot.
    "uhash_entries=65536",
)  # fmt: skip

EARLY_CONSOLE = "earlycon=uart8250,io,0x3f8,115200"
"""Parameter for a kernel of the user's: it prints the reason of a panic that comes before ttyS0 is its console."""

MORE_KERNEL_PARAMETERS = {
    # The tick comes from the HPET: the local APIC timer's calibration reads clocks in a loop, which takes icount 4 s.
    "icount": ("noapictimer",),
}


def argv(
    accel: str,
    image: Path,
    initramfs: Path,
    ports: Sequence[str],
    memory_mib: int = BOOT_MEMORY_MIB,
    cpus: int = 1,
    at_once: bool = False,
    more: Sequence[str] = (),
    plugin: str = "",
) -> list[str]:
    """Return the command that boots `image`. `ports` are the chardevs of ttyS0 to ttyS3, without their ids.

    `more` are additional parameters of the kernel. `plugin` is the value of -plugin: a file and its options; "" for none.

    Emulated CPUs take turns in one thread of the host, or have a thread each with `at_once`.
    """
    parameters = (*KERNEL_PARAMETERS, *(MORE_KERNEL_PARAMETERS.get(accel, ()) if cpus == 1 else ()), *more)
    accelerator = [word.replace("thread=single", "thread=multi") if at_once else word for word in ACCELERATORS[accel]]
    if accel == "icount":
        cpu = accelerator.index("-cpu") + 1
        accelerator[cpu] = ",".join([accelerator[cpu], *(f"-{feature}" for feature in LEFT_OUT if feature in _features())])
    serial = [
        word
        for number, backend in enumerate(ports)
        for word in ("-chardev", with_id(backend, f"port{number}"), "-serial", f"chardev:port{number}")
    ]
    plugins = ["-plugin", plugin] if plugin else []
    return [
        PROGRAM, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-machine", "pc", "-m", str(memory_mib), "-smp", str(cpus), *accelerator, *plugins, *serial,
        "-kernel", str(image), "-initrd", str(initramfs), "-append", " ".join(parameters),
    ]  # fmt: skip


def version() -> str:
    """Return the version of the QEMU that is installed, as it calls itself. HarnessError if it does not start."""
    return proc.check([PROGRAM, "--version"]).splitlines()[0]


@functools.cache
def _features() -> frozenset[str]:
    """Return the features of CPUs that this QEMU knows. It refuses to leave out any other."""
    return frozenset(proc.check([PROGRAM, "-cpu", "help"]).split())


def to_file(path: Path) -> str:
    """Return the chardev that appends to a file."""
    return f"file,append=on,path={escaped(path)}"


def to_pipe(path: Path) -> str:
    """Return the chardev that reads from the FIFO `path`.in and writes to the file `path`.out."""
    return f"pipe,path={escaped(path)}"


def to_terminal(path: Path) -> str:
    """Return the chardev of a terminal's other end."""
    return f"serial,path={escaped(path)}"


def with_id(backend: str, name: str) -> str:
    """A chardev with its id."""
    kind, _, options = backend.partition(",")
    return f"{kind},id={name},{options}"


def escaped(path: Path) -> str:
    """Return a path as a value of a QEMU option, where a comma ends the value."""
    return str(path).replace(",", ",,")
