# SPDX-License-Identifier: GPL-2.0
"""QEMU's command line: a minimal PC with four serial ports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PROGRAM = "qemu-system-x86_64"
BOOT_MEMORY_MIB = 512
"""Memory of a kernel that only has to boot, in MiB."""

ACCELERATORS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=single", "-cpu", "max"],
    "icount": [
        "-accel", "tcg,thread=single", "-cpu", "max",
        # One instruction is one nanosecond of the guest's time, and the clock of an idle guest jumps to its next timer:
        # nothing that the guest observes depends on the host's speed or on chance.
        "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1",
    ],
}  # fmt: skip
"""Options of the accelerators. "tcg" uses the host's time, so rdtsc means little; "icount" counts instructions."""

KERNEL_PARAMETERS = (
    "console=ttyS0,115200", "quiet", "oops=panic", "panic=-1",
    # The same addresses in each boot, no wait for entropy, no doubts about an emulated clock.
    "nokaslr", "random.trust_cpu=on", "tsc=reliable", "no_timer_check",
)  # fmt: skip

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
