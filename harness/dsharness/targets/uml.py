# SPDX-License-Identifier: GPL-2.0
"""User Mode Linux: the kernel as ordinary processes of the user, on the host's file system."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..kernel import rustuml, tools
from ..kernel.build import Build
from . import umlhost
from .guest import INIT, Guest, Job
from .input import Files, Input

INPUT = "input"
"""Name of the folder, in that of the job, with the pieces of standard input."""

DEBUG_MEMORY_MIB = 1536
"""Memory of the debug kernel, in MiB: it keeps what is freed for a while, and a record of what is not."""
DEBUG_PARAMETERS = ("kasan_multi_shot", "kunit.autorun=1")
"""Each fault is reported, not the first one alone. Linux 7.3 configured by allnoconfig would not run the KUnit suites of modules."""
SCANS_MORE = "dsbench_kmemleak.ko"
"""The module that lets kmemleak scan .lbss, too."""


class Uml(Guest):
    """The host's programs on the guest's kernel. The root file system is the host's, read-only below an overlay.

    The job's folder is the only writable one in the guest. rdtsc runs at native speed.
    """

    name = "uml"
    boot_seconds = 120.0

    def __init__(self, build: Build, *, network: bool = False) -> None:
        """`network` adds udptunctl, and ip's plugin for udptun."""
        super().__init__(build)
        self._added = {"program": tools.udptunctl(), "plugin": tools.ip_plugin(), "plugins": tools.IP_PLUGINS} if network else {}
        if self.kernel.is_debug:
            self.memory_mib = DEBUG_MEMORY_MIB
            self.parameters = DEBUG_PARAMETERS

    def _input(self, source: int, folder: Path) -> Input:
        return Files(source, folder / INPUT)

    def _settings(self, job: Job) -> dict[str, str]:
        seen = "/job"
        return {
            "out": f"{seen}/{job.stdout.name}",
            "err": f"{seen}/{job.stderr.name}",
            "status": f"{seen}/{job.status.name}",
            "terminal": "/dev/tty1",
            **({"input": f"{seen}/{INPUT}"} if job.input else {}),
            **self._scanned(),
            **{name: str(path) for name, path in self._added.items()},
            "ko": str(self.build.ko_dir),
            "modules": str(self.build.mod_root / "lib/modules" / self.kernel.release),
        }

    def _scanned(self) -> dict[str, str]:
        """Return the parameters of SCANS_MORE, where the modules have it."""
        image = self.kernel.image
        if not image or not (self.build.ko_dir / SCANS_MORE).exists():
            return {}
        start, size = rustuml.large_bss(image)
        return {"large_bss": f"start={start:#x} size={size}"} if size else {}

    def _argv(self, job: Job) -> list[str]:
        terminal = f"fd:{job.terminal.guest_end},fd:{job.terminal.guest_end}" if job.terminal else "null"
        place = umlhost.place(self.memory_mib)
        if place.warning and place.warning not in self.warnings:
            self.warnings.append(place.warning)
        # UML's default of root= is a block device. Linux 6.1 without CONFIG_BLOCK mounts no root then, newer ones ignore it.
        return [
            "env", f"TMPDIR={place.folder}", str(self.kernel.image), f"mem={self.memory_mib}M",
            "root=hostfs", "rootfstype=hostfs", "rootflags=/", "ro", f'init="{INIT}"', f'DSBENCH_JOB="{job.folder}"',
            f"uml_dir={job.folder}", "umid=guest",
            "con0=null,fd:1", f"con1={terminal}", "con=null", "console=tty0", "quiet", "oops=panic", "panic=-1", *self.parameters,
        ]  # fmt: skip

    def _reason(self, console: Sequence[str]) -> str:
        return umlhost.explained(console) or super()._reason(console)
