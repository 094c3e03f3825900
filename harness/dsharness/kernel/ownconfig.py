# SPDX-License-Identifier: GPL-2.0
"""What decides a kernel of the user's besides its source: the target, the options and the compiler.

ownbuild.py builds by it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import paths, proc, ui
from ..errors import HarnessError
from . import compilers, umlkernel
from .compilers import Compiler
from .own import DEFCONFIG, OwnKernel

JOBS = os.cpu_count() or 1
REPEATABLE = ("LOCALVERSION=", "KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 2026", "KBUILD_BUILD_VERSION=1")
"""Variables by which the same source gives the same kernel."""

NEEDED = (
    "64BIT", "MODULES", "MODULE_UNLOAD", "PRINTK", "TTY", "SERIAL_8250", "SERIAL_8250_CONSOLE", "BLK_DEV_INITRD", "RD_GZIP", "PROC_FS",
    "SYSFS", "TMPFS", "DEVTMPFS", "DEBUG_FS", "BINFMT_ELF", "BINFMT_SCRIPT", "UNIX98_PTYS", "KALLSYMS", "ACPI", "PCI",
)  # fmt: skip
"""Options that a guest of target qemu needs. They are added to a configuration of the user's."""

OPTIONS, CONFIGURED = "dsbench.config", "dsbench-configured"
"""Files among the objects: the options that were asked for, and what .config was made of."""


@dataclass(frozen=True)
class Kind:
    """How kernels of one target are built."""

    arch: str
    """kbuild's name."""
    make: tuple[str, ...]
    goals: tuple[str, ...]
    image: str
    """The file to boot, by its path among the objects."""
    fragments: tuple[Path, ...]
    """dsbench's own configuration. A later file overrides an earlier one."""
    steps: int
    """Steps of a build of 6.12 with that, for the progress display alone."""

    def image_name(self, release: str) -> str:
        """Return the name under which the file to boot is kept."""
        return f"vmlinuz-{release}" if self.arch == "x86" else self.image


OURS = paths.HARNESS / "kernel"
KINDS = {
    "qemu": Kind("x86", ("make", "ARCH=x86"), ("bzImage", "modules"), "arch/x86/boot/bzImage", (OURS / "qemu.config",), 1900),
    # uml.config alone decides the UML kernels in everybody's cache: what newer trees need on top is in a file of its own.
    "uml": Kind("um", umlkernel.MAKE, ("linux", "modules"), "linux", (umlkernel.FRAGMENT, OURS / "uml-own.config"), umlkernel.BUILD_STEPS),
}
"""By target."""


@dataclass(frozen=True)
class Recipe:
    """What decides a build besides the source."""

    target: str
    lines: tuple[str, ...]
    """Options, in order; a later one counts."""
    base: str
    """DEFCONFIG, the text of a whole configuration, or "" for no option but `lines`."""
    compiler: Compiler
    version: str
    """The compiler's own words."""
    label: str
    """The configuration for people."""

    @property
    def kind(self) -> Kind:
        """How it is built."""
        return KINDS[self.target]

    @property
    def digest(self) -> str:
        """A name of all of it."""
        words = (self.target, *self.lines, self.base, *self.compiler.arguments, self.version, *self.kind.goals, *REPEATABLE)
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:10]

    @property
    def kin(self) -> str:
        """What two builds with dsbench's own options must share for one to begin with the objects of the other."""
        return " ".join((*self.make, self.version))

    @property
    def make(self) -> list[str]:
        """The command, without its goals."""
        make = umlkernel.MAKE_CLANG if self.target == "uml" and "clang" in self.version else self.kind.make
        return [*make, *self.compiler.arguments, *REPEATABLE]


def recipe(own: OwnKernel, target: str) -> Recipe:
    """Return how a kernel is built. HarnessError for a missing compiler, or a file that cannot be read."""
    compiler = compilers.chosen(f"the kernel of {own}")
    version = proc.check([compiler.program, "--version"], env=proc.build_environment()).splitlines()[0]
    fragments = KINDS[target].fragments
    fixed = [line for fragment in fragments for line in _lines(fragment.read_text(encoding="utf-8"))]
    ours = f"dsbench's {fragments[0].name}"
    if not own.config:
        return Recipe(target, tuple(fixed), "", compiler, version, ours)
    label = " ".join(own.config)
    base, *rest = own.config
    needed = [f"CONFIG_{name}=y" for name in NEEDED] + ["CONFIG_SERIAL_8250_NR_UARTS=4", "CONFIG_SERIAL_8250_RUNTIME_UARTS=4"]
    if base == DEFCONFIG:
        return Recipe(target, (*_of_files(rest), *needed), DEFCONFIG, compiler, version, label)
    text = _text(base)
    if _is_whole(text):
        return Recipe(target, (*_of_files(rest), *needed), text, compiler, version, label)
    return Recipe(target, (*fixed, *_of_files(own.config)), "", compiler, version, f"{ours} and {label}")


def say_refused(own: OwnKernel, wanted: Recipe, config: str) -> None:
    """Warn of options that the user named and this kernel does not take; HarnessError for those without which no guest works.

    `config` is the text of the configuration that kconfig has made.
    """
    taken = set(config.splitlines())
    last = {_name(line): line for line in wanted.lines}
    refused = [line for line in last.values() if line.startswith("CONFIG_") and line not in taken]
    if lacking := [line for line in refused if wanted.base and _name(line) in NEEDED]:
        raise HarnessError(f"the configuration {wanted.label} cannot have {', '.join(lacking)}, which a guest needs")
    users = set(_of_files([name for name in own.config if name != DEFCONFIG and not _is_whole(_text(name))]))
    if named := [line for line in refused if line in users]:
        ui.warn(f"{own} does not take {', '.join(named)}")
    if wanted.base and wanted.base != DEFCONFIG:
        before = set(wanted.base.splitlines())
        if added := [f"CONFIG_{name}" for name in NEEDED if f"CONFIG_{name}=y" not in before]:
            ui.say(f"added to the configuration, since a guest needs it: {', '.join(added)}")


def _name(line: str) -> str:
    match = re.search(r"CONFIG_(\w+)", line)
    return match[1] if match else ""


def _is_whole(text: str) -> bool:
    """Return true for a configuration that kconfig has written, false for a fragment."""
    return "Automatically generated file; DO NOT EDIT" in text


def _of_files(names: Sequence[str]) -> list[str]:
    return [line for name in names for line in _lines(_text(name))]


def _text(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise HarnessError(f"--config {name} cannot be read: {error.strerror}") from error


def _lines(text: str) -> list[str]:
    return re.findall(r"^(?:CONFIG_\w+=.*|# CONFIG_\w+ is not set)$", text, re.MULTILINE)
