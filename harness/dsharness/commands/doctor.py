# SPDX-License-Identifier: GPL-2.0
"""Report what this machine offers for each target, and what to install for the rest."""

from __future__ import annotations

import argparse
import contextlib
import enum
import os
import platform
import re
import shutil
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import command, packages, paths
from ..errors import HarnessError
from ..kernel import archive, kernels, umlkernel
from ..kernel.build import Build
from ..targets import Uml, accel, host, umlhost
from ..targets.base import GUEST_MEMORY_MIB
from . import clean

NEEDED_DISK = umlkernel.BUILD_BYTES
NEEDED_MEMORY = 1 << 30
BOOT_SECONDS = 30.0

LEAST_COLUMNS = 80
"""Width of a terminal on which a detail stands beside the head of its line."""


class State(enum.Enum):
    """State of a finding. MISSING in a needed finding prevents the default target from working."""

    OK = "ok"
    LATER = "comes by itself"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One line of the table. `needed`: the default target, make plots, needs it."""

    what: str
    state: State
    detail: str
    needed: bool = False


def findings(probe: bool) -> Iterator[Finding]:
    """Return all findings, in the order of the table."""
    yield Finding("system", State.OK, f"Linux {platform.release()}, {os.cpu_count()} CPUs, {_who()}")
    yield _memory()
    yield _disk()
    yield from _unused()
    yield from _packages()
    yield from _sources()
    yield _guest()
    yield _kvm(probe)
    yield _running_headers()
    yield _loadable()


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench doctor`."""
    parser = subparsers.add_parser("doctor", help="report what this machine offers, and what to install", description=__doc__)
    parser.add_argument("--probe", action="store_true", help="boot a stock kernel under KVM now, if that was not tried")
    command.declare(parser, run, writes_output=False)


def run(args: argparse.Namespace) -> int:
    """Print the table. Return 1 if the default target cannot work here."""
    lacking = []
    for finding in findings(args.probe):
        print(_line(finding), flush=True)
        if finding.needed and finding.state is State.MISSING:
            lacking.append(finding.what)
    verdict = f"make plots cannot work here without: {', '.join(lacking)}" if lacking else "make plots works here"
    print(f"\n{verdict}")
    return int(bool(lacking))


def _line(finding: Finding) -> str:
    """Return a finding as a line; on a terminal as lines that break between words, below the head if the terminal is narrow."""
    head = f"{finding.what:<18} {finding.state.value:<16}"
    if not sys.stdout.isatty():
        return f"{head} {finding.detail}"
    columns = shutil.get_terminal_size().columns
    indent = len(head) + 1 if columns >= LEAST_COLUMNS else 4
    words = textwrap.wrap(finding.detail, max(columns - indent, 1), break_long_words=False, break_on_hyphens=False)
    first = [f"{head} {words.pop(0)}"] if words and indent > len(head) else [head.rstrip()]
    return "\n".join([*first, *(" " * indent + line for line in words)])


def _who() -> str:
    if os.geteuid() == 0:
        return "root"
    return "not root, sudo installs packages" if shutil.which("sudo") else "not root and without sudo"


def _memory() -> Finding:
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    match = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    free = int(match[1]) * 1024 if match else 0
    state = State.OK if free >= NEEDED_MEMORY else State.MISSING
    return Finding("memory", state, f"{clean.human(free)} available, a guest takes 512 MiB at most", needed=True)


def _disk() -> Finding:
    cache = paths.cache_path()
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    used = clean.human(clean.size(cache)) if cache.exists() else "empty"
    enough = os.access(existing, os.W_OK) and (umlkernel.built() or free >= NEEDED_DISK)
    detail = f"{cache}: {used}, {clean.human(free)} free"
    if not enough:
        detail += f"; it must be writable, and building a kernel takes {clean.human(NEEDED_DISK)} (DSBENCH_CACHE)"
    return Finding("cache", State.OK if enough else State.MISSING, detail, needed=True)


def _unused() -> Iterator[Finding]:
    """Return the unused builds; nothing if there are none, or if no compiler is there to identify them."""
    with contextlib.suppress(HarnessError):
        if folders := clean.unused():
            taken = clean.human(sum(clean.size(folder) for folder in folders))
            detail = f"{taken} in {len(folders)} kernels and build roots: harness/dsbench clean --unused removes them"
            yield Finding("cache, unused", State.OK, detail)


def _packages() -> Iterator[Finding]:
    can_install = packages.can_install() and (os.geteuid() == 0 or bool(shutil.which("sudo")))
    for group in packages.groups():
        absent = packages.missing([group])
        if not absent:
            yield Finding(f"packages: {group}", State.OK, "")
            continue
        by_itself = can_install and not packages.forbidden()
        detail = packages.remedy(absent)
        needed = group in ("base", "plot", "uml")
        yield Finding(f"packages: {group}", State.LATER if by_itself else State.MISSING, detail, needed)


def _sources() -> Iterator[Finding]:
    built = umlkernel.built()
    versions = kernels.uml_versions()
    if built:
        yield Finding("UML kernel", State.OK, f"built: {', '.join(folder.name for folder in built)}", needed=True)
    elif kernels.DEFAULT_VERSION in versions:
        yield Finding("UML kernel", State.LATER, "built from linux-source when first needed: minutes", needed=True)
    else:
        yield Finding("UML kernel", State.MISSING, f"needs linux-source-{kernels.DEFAULT_VERSION}", needed=True)
    yield _offer("linux-source", versions)
    yield _offer("stock kernels", list(kernels.newest_stock().values()))


def _guest() -> Finding:
    """Boot a guest of the default target once: only a boot shows that this machine permits all that UML needs."""
    try:
        umlhost.require(GUEST_MEMORY_MIB)
        folder = umlhost.place(GUEST_MEMORY_MIB).folder
    except HarnessError as error:
        return Finding("UML guest", State.MISSING, str(error), needed=True)
    built = umlkernel.built()
    if not built or packages.missing(["base"]):
        return Finding("UML guest", State.LATER, f"booted once the kernel is built; its memory comes to lie in {folder}", needed=True)
    began = time.monotonic()
    try:
        boot_without_modules(built[-1])
    except HarnessError as error:
        return Finding("UML guest", State.MISSING, str(error).splitlines()[0].rstrip(":"), needed=True)
    return Finding("UML guest", State.OK, f"boots and ends in {time.monotonic() - began:.1f} s, its memory lies in {folder}", needed=True)


def boot_without_modules(tree: Path) -> None:
    """Boot the UML kernel of this tree, run `true` and power it off. HarnessError if that fails."""
    release = umlkernel.release(tree)
    with tempfile.TemporaryDirectory(prefix="dsbench-") as folder:
        build = Build(kernels.Kernel(release, (0, 0), "um", tree, tree / "linux", tree), Path(folder, "ko"), Path(folder, "root"))
        build.ko_dir.mkdir()
        (build.mod_root / "lib/modules" / release).mkdir(parents=True)
        ended = Uml(build).run(["true"], timeout=BOOT_SECONDS)
    if ended.status:
        raise HarnessError(f"true ends with status {ended.status} in a guest (log: {ended.console})")


def _offer(what: str, names: list[str]) -> Finding:
    if not names:
        return Finding(what, State.MISSING, "the package lists have none: apt-get update, or a Debian source in /etc/apt")
    return Finding(what, State.OK, ", ".join(names))


def _kvm(probe: bool) -> Finding:
    if not accel.DEVICE.exists():
        return Finding("KVM", State.MISSING, f"no {accel.DEVICE}: qemu runs under icount, counting instructions")
    if probe:
        packages.ensure("base", "qemu")
        if problem := accel.kvm_problem(kernels.find("qemu")):
            return Finding("KVM", State.MISSING, f"{problem}: qemu runs under icount, counting instructions")
    answers = accel.remembered()
    if not answers:
        return Finding("KVM", State.LATER, f"unknown: {accel.DEVICE} is there, booting under it is tried at first use")
    booted = ", ".join(f"{release} {'boots' if boots else 'does not boot'}" for release, boots in answers.items())
    return Finding("KVM", State.OK if any(answers.values()) else State.MISSING, booted)


def _running_headers() -> Finding:
    release = platform.release()
    kdir = kernels.HOST_MODULES / release / "build"
    if (kdir / "Makefile").exists():
        return Finding("headers", State.OK, f"of the running kernel: {kdir}")
    if archive.candidate(f"linux-headers-{release}"):
        return Finding("headers", State.LATER, f"of the running kernel: linux-headers-{release}, fetched when needed")
    return Finding("headers", State.MISSING, f"of the running kernel {release}: target host cannot be built")


def _loadable() -> Finding:
    try:
        host.require()
    except HarnessError as error:
        return Finding("loadable modules", State.MISSING, str(error))
    return Finding("loadable modules", State.OK, "target host works")
