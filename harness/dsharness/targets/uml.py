# SPDX-License-Identifier: GPL-2.0
"""User Mode Linux: the kernel as ordinary processes of the user, on the host's file system."""

from __future__ import annotations

from ..kernel.build import Build
from .guest import INIT, Guest, Job

DEBUG_MEMORY_MIB = 1536
"""Memory of the debug kernel, in MiB: it keeps what is freed for a while, and a record of what is not."""
DEBUG_PARAMETERS = ("kasan_multi_shot",)
"""Each fault is reported, not the first one alone."""


class Uml(Guest):
    """The host's programs on the guest's kernel. The root file system is the host's, read-only below an overlay.

    The job's folder is the only writable one in the guest. rdtsc runs at native speed.
    """

    name = "uml"
    boot_seconds = 120.0

    def __init__(self, build: Build, accel: str | None = None) -> None:
        super().__init__(build, accel)
        if self.kernel.is_debug:
            self.memory_mib = DEBUG_MEMORY_MIB
            self.parameters = DEBUG_PARAMETERS

    def _settings(self, job: Job) -> dict[str, str]:
        seen = "/job"
        return {
            "out": f"{seen}/{job.stdout.name}",
            "err": f"{seen}/{job.stderr.name}",
            "status": f"{seen}/{job.status.name}",
            "terminal": "/dev/tty1",
            "ko": str(self.build.ko_dir),
            "modules": str(self.build.mod_root / "lib/modules" / self.kernel.release),
        }

    def _argv(self, job: Job) -> list[str]:
        terminal = f"fd:{job.terminal.guest_end},fd:{job.terminal.guest_end}" if job.terminal else "null"
        return [
            str(self.kernel.image), f"mem={self.memory_mib}M",
            "rootfstype=hostfs", "rootflags=/", "ro", f'init="{INIT}"', f'DSBENCH_JOB="{job.folder}"',
            f"uml_dir={job.folder}", "umid=guest",
            "con0=null,fd:1", f"con1={terminal}", "con=null", "console=tty0", "quiet", "oops=panic", "panic=-1", *self.parameters,
        ]  # fmt: skip
