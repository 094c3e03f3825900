# SPDX-License-Identifier: GPL-2.0
"""QEMU: a stock kernel of the distribution, with a small userland in an initramfs.

Serial ports need no driver that a stock kernel has as a module only: ttyS0 is the console, ttyS1 the command's standard output or
the terminal, ttyS2 its standard error, ttyS3 the report and, towards the guest, the command's standard input.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..kernel.build import Build
from . import guestnet, initramfs, kernelmodules, qemucmd
from .guest import INIT, Guest, Job
from .input import Input, Serial

REPORT_AND_INPUT = "report"
"""Name of the pair of files behind the port of both."""
HEAD = "head"
"""Name of the file, in the job's folder, with the input that the guest boots with."""
LEFT_BREAKPOINT = re.compile(r"\bint3: [0-9a-f]{4} \[#")
"""Message of the fault; from 6.10 on "Oops: " precedes it."""
TERMINFO = (Path("/etc/terminfo"), Path("/lib/terminfo"), Path("/usr/share/terminfo"))


class Qemu(Guest):
    """A small PC with one CPU by default. `accel` decides what rdtsc counts: cycles under "kvm", instructions under "icount".

    `network` adds the programs and modules of guestnet.py, `names` further modules of its kernel, and `modules` files built for it.
    """

    name = "qemu"
    boot_seconds = 120.0

    def __init__(
        self,
        build: Build,
        accel: str,
        *,
        network: bool = False,
        names: Sequence[str] = (),
        modules: Sequence[Path] = (),
        cpus: int = 1,
    ) -> None:
        super().__init__(build, accel)
        self._accelerator = accel
        self._network = network
        self._names = (*(guestnet.MODULES if network else ()), *names)
        self._modules = modules
        self._cpus = cpus
        self.plugin = ""
        """TCG plugin of the next guest, as the value of -plugin; "" for none."""
        self._at_once = accel == "tcg" and cpus > 1
        """Whether each CPU has a thread of its own. Under icount the CPUs take turns, since one counter serves all of them."""

    def _input(self, source: int, folder: Path) -> Input:
        return Serial(source, folder / f"{REPORT_AND_INPUT}.in", folder / HEAD)

    def _settings(self, job: Job) -> dict[str, str]:
        ports = {"out": "/dev/ttyS1", "err": "/dev/ttyS2", "status": "/dev/ttyS3", "terminal": "/dev/ttyS1"}
        if isinstance(job.input, Serial):
            ports["head"] = f"/job/{HEAD}"
            if not job.input.ended:
                ports["input"] = ports["status"]
        return ports

    def _argv(self, job: Job) -> list[str]:
        assert self.kernel.image is not None
        image = job.folder / "initramfs"
        image.write_bytes(self._userland().packed() + _job_archive(job).packed())
        ports = [
            qemucmd.to_file(job.console),
            qemucmd.to_terminal(job.terminal.guest_path) if job.terminal else qemucmd.to_file(job.stdout),
            qemucmd.to_file(job.stderr),
            qemucmd.to_pipe(_pipe(job)) if job.input else qemucmd.to_file(job.status),
        ]
        parameters = (qemucmd.EARLY_CONSOLE, *self.parameters) if self.kernel.facts else self.parameters
        return qemucmd.argv(
            self._accelerator, self.kernel.image, image, ports, self.memory_mib, self._cpus, self._at_once, parameters, self.plugin
        )  # fmt: skip

    def _stumbled(self, console: Sequence[str]) -> bool:
        """Return true for the fault of a stale breakpoint, which several emulated CPUs may hit while one patches the kernel.

        Real CPUs are notified in time. QEMU before 8.1 may translate code while another CPU writes it, and keep the stale
        translation. On a busy host of two CPUs, one of 28 boots of Linux 7.3 with eight CPUs failed, none of 43 with four; CI saw
        it more often.
        """
        return self._at_once and any(map(LEFT_BREAKPOINT.search, console))

    def _take_turns(self) -> str:
        self._at_once = False
        return "the emulated CPUs take turns, for run at once one met a breakpoint that had been taken out"

    def _userland(self) -> initramfs.Archive:
        if not self._names and not self._modules:
            return initramfs.with_modules(self.build.ko_dir, self.build.mod_root)
        with kernelmodules.root(self.build, self._names, self._modules) as root:
            archive = initramfs.with_modules(self.build.ko_dir, root)
        if self._network:
            guestnet.add_programs(archive)
        return archive


def _pipe(job: Job) -> Path:
    """Return the name of a pair of files as QEMU's pipe has them: NAME.in is the FIFO of the input, NAME.out the report."""
    name = job.folder / REPORT_AND_INPUT
    out = name.with_suffix(".out")
    if not out.is_symlink():
        out.symlink_to(job.status)
    return name


def _job_archive(job: Job) -> initramfs.Archive:
    """Return the part of the initramfs that differs between guests."""
    archive = initramfs.Archive()
    archive.copy(INIT, "/init")
    archive.folder("/job/files")
    for path in (*job.described, job.folder / HEAD):
        if path.is_dir():
            archive.tree(path, f"/job/{path.name}")
        elif path.exists():
            archive.copy(path, f"/job/{path.name}")
    if job.terminal:
        _add_terminfo(archive, job.terminal.kind)
    return archive


def _add_terminfo(archive: initramfs.Archive, kind: str) -> None:
    """Describe the user's terminal to the guest's programs, if the host knows it."""
    for folder in TERMINFO:
        entry = folder / kind[:1] / kind
        if kind and entry.is_file():
            archive.copy(entry, f"/lib/terminfo/{kind[0]}/{kind}")
            return
