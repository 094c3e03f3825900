# SPDX-License-Identifier: GPL-2.0
"""Selects the accelerator of QEMU that runs a kernel here.

A /dev/kvm that opens is no proof: on some hosts a stock kernel hangs under it. So the kernel is booted with a deadline, and the
cache keeps the answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from .. import locks, paths, proc, ui
from ..errors import HarnessError, UsageError
from ..kernel.kernels import Kernel
from . import initramfs, qemucmd

CHOICES = ("auto", *qemucmd.ACCELERATORS)
DEVICE = Path("/dev/kvm")
PROBE_SECONDS = 20.0
POLL_SECONDS = 0.05

SEPARATOR = " | "
MARKER = b"dsbench: this kernel boots"
PROBE_INIT = f"""#!/bin/sh
busybox mount -t devtmpfs none /dev
echo "{MARKER.decode()}" >/dev/ttyS0
busybox poweroff -f
""".encode()


def resolve(kernel: Kernel, wanted: str | None = None) -> str:
    """Return the accelerator for `wanted`, one of CHOICES: "kvm", "tcg" or "icount". None is "auto".

    auto selects KVM if it boots `kernel`, otherwise icount, and says so. UsageError for an unknown accelerator, HarnessError for a
    "kvm" that does not work.
    """
    wanted = wanted or "auto"
    if wanted not in CHOICES:
        raise UsageError(f"accelerator {wanted!r} is unknown: there are {', '.join(CHOICES)}")
    if wanted not in ("auto", "kvm"):
        return wanted
    # The user may have repaired KVM since the last failure.
    problem = kvm_problem(kernel, believe_failure=wanted == "auto")
    if not problem:
        return "kvm"
    if wanted == "kvm":
        raise HarnessError(f"--accel kvm cannot run {kernel.release}: {problem}; --accel icount works anywhere")
    ui.say(f"qemu runs under icount, its numbers are instructions, not cycles: {problem}")
    return "icount"


def kvm_problem(kernel: Kernel, *, believe_failure: bool = True) -> str:
    """Return why `kernel` does not run under KVM; "" if it boots. `again` repeats a test that failed before."""
    if not DEVICE.exists():
        return f"there is no {DEVICE}"
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return f"{DEVICE} is closed to this user"
    paths.cache()
    memory, key = _memory(), _key(kernel)
    with locks.held(memory.with_suffix(".lock"), "it tries KVM"):
        answers = _read(memory)
        problem = answers.get(key)
        if problem is None or problem and not believe_failure:
            with ui.step(f"trying whether {kernel.release} boots under KVM, {PROBE_SECONDS:g} s at most"):
                problem = _probe(kernel)
            _write(memory, {**answers, key: problem})
    return problem


def _probe(kernel: Kernel) -> str:
    """Return why the kernel does not reach its init under KVM before the deadline. Its console is kept in the cache."""
    assert kernel.image is not None
    archive = initramfs.base()
    archive.file("/init", PROBE_INIT, executable=True)
    console = paths.cache() / f"kvm-{kernel.release}.console"
    console.write_bytes(b"")
    deadline = time.monotonic() + PROBE_SECONDS
    with tempfile.TemporaryDirectory(prefix="dsbench-") as folder:
        image = Path(folder) / "initramfs"
        image.write_bytes(archive.packed())
        argv = qemucmd.argv("kvm", kernel.image, image, [qemucmd.to_file(console)])
        with console.open("ab") as log, proc.child(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
            ended = False
            while not ended and time.monotonic() < deadline:
                ended = process.poll() is not None
                if MARKER in console.read_bytes():
                    return ""
                time.sleep(POLL_SECONDS)
    if not ended:
        return f"{DEVICE} opens, but this kernel does not boot under it within {PROBE_SECONDS:g} s (log: {console})"
    return f"{DEVICE} opens, but QEMU ends before this kernel has booted under it (log: {console})"


def remembered() -> dict[str, bool]:
    """Return whether kernels boot under KVM, by release, for those tested with this QEMU on this machine."""
    if not DEVICE.exists() or not shutil.which(qemucmd.PROGRAM):
        return {}
    machine = _machine()
    keys = ((key.partition(SEPARATOR), problem) for key, problem in _read(_memory()).items())
    return {release: not problem for (release, _, tried_on), problem in keys if tried_on == machine}


def _memory() -> Path:
    return paths.cache_path() / "kvm.json"


def _key(kernel: Kernel) -> str:
    """Return all that the answer depends on."""
    return f"{kernel.release}{kernel.id and f' {kernel.id}'}{SEPARATOR}{_machine()}"


def _machine() -> str:
    """Return the versions of QEMU and of the host's kernel, its CPU and its /dev/kvm."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    device = f"{DEVICE} {DEVICE.stat().st_rdev:#x}"
    return SEPARATOR.join((qemucmd.version(), platform.release(), cpu[1] if cpu else platform.machine(), device))


def _read(memory: Path) -> dict[str, str]:
    """Return the known problem of each key, "" for none. Return {} if the file is missing or damaged."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        answers = json.loads(memory.read_text(encoding="utf-8"))
        if isinstance(answers, dict) and all(isinstance(value, str) for value in answers.values()):
            return answers
    return {}


def _write(memory: Path, answers: dict[str, str]) -> None:
    part = memory.with_suffix(".part")
    part.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")
    part.replace(memory)
