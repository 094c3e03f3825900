# SPDX-License-Identifier: GPL-2.0
"""Check the sources: warnings of the compiler and modpost, sparse, checkpatch, kernel-doc, mypy, shellcheck, rustfmt and clippy.

The modules are compiled apart from the targets' builds, completely each time, for the oldest and the newest supported kernels, and
for other architectures. A check that cannot run here is skipped, with the reason, and never counts as passed.
"""

from __future__ import annotations

import argparse
import enum
import functools
import os
import re
import shlex
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import command, options, packages, paths, proc, ui
from ..errors import HarnessError, UsageError
from ..kernel import build, foreign, kernels, rustmodules, rustroot
from ..kernel.kernels import Kernel

UML = "uml"
KERNELS = ("6.1", "6.12", kernels.NEWEST, UML)
"""Debian's stock kernels with their compilers, the newest one in the build root, and uml, which alone has KUnit."""

COMPILED = (*KERNELS, *foreign.ARCHITECTURES)
"""Kernels for the compiler's warnings: other architectures, too, which sparse checks no better than this one."""

OFFERED = (*COMPILED, kernels.RUST)
"""With the kernel for Rust sparse reads the files in C beside Rust. The warnings about them are in the check clippy."""

SPARSE_PRELUDE = paths.HARNESS / "lint" / "sparse.h"
COMPAT = paths.ROOT / "include" / "dsbench" / "compat.h"
"""The only file that may use the kernel's version."""

NOT_OF_TOOLS = "PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,EMBEDDED_FUNCTION_NAME"
"""Checks of checkpatch for kernel code only: kernel types, kernel macros, __func__ in messages."""

RUSTFMT = ("--check", "--color=never", "--edition=2021", "--config=newline_style=Unix")
"""The kernel's .rustfmt.toml, as options."""

NOISE = re.compile(
    r"^make\b|checker-valid\.sh|C=\d specified|compiler differs from the one used"
    r"|^cc1: warning: \./arch/um/include/generated/uapi: "
)
"""Messages of make, not of the compiler, and a folder that UML's makefile names but does not have."""

COMPLAINT = re.compile(r"\b(warning|error|undefined)\b", re.IGNORECASE)
PLACE = re.compile(r"^(?P<file>[^\s:]+):(?P<rest>\d+:.*)$")


class Verdict(enum.Enum):
    """What a check came to."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One check, of the modules built for one kernel, or of the sources alone."""

    name: str
    kernel: str | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.kernel}" if self.kernel else self.name


@dataclass(frozen=True)
class Outcome:
    """The verdict on a check. The notes are its findings, or why it was skipped."""

    check: Check
    verdict: Verdict
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{self.check.name:<11} {self.check.kernel or '-':<8} {self.verdict.value}"
        return "\n".join((head, *(f"    {note}" for note in self.notes)))


class Partial(HarnessError):
    """A check found nothing, but could not check everything."""


@dataclass(frozen=True)
class Site:
    """The folder in which the modules are built for one kernel."""

    kernel: Kernel
    variables: tuple[str, ...] = ()
    """Variables of make that choose the compiler."""

    @property
    def sources(self) -> Path:
        """Copies of the sources."""
        return paths.objects() / f"lint-{self.kernel.builds}" / "src"

    def make(self, *arguments: str) -> list[str]:
        """Run make on the modules. Return the lines of its output."""
        lines: list[str] = []
        argv: list[proc.Arg] = [
            "make", "-s", "-k", f"-j{os.cpu_count() or 1}", "-C", self.kernel.kdir, f"M={self.sources / 'modules'}",
            f"ARCH={self.kernel.arch}", *self.kernel.compiler.arguments, *self.variables, "CONFIG_DEBUG_INFO_BTF_MODULES=", "W=1", *arguments, "modules",
        ]  # fmt: skip
        result = proc.stream(self.kernel.command(argv), env=proc.build_environment(), on_line=lines.append)
        if result.status and not any(COMPLAINT.search(line) for line in lines):
            raise HarnessError(f"make fails for {self.kernel.release}: {result.last}")
        return lines

    def relative(self, line: str) -> tuple[str, bool]:
        """Return a message with its file relative to the project, and whether that file is ours."""
        match = PLACE.match(line)
        if not match:
            return line, True
        file = Path(os.path.normpath(self.sources / "modules" / match["file"]))
        if file.is_relative_to(self.sources):
            return f"{file.relative_to(self.sources)}:{match['rest']}", True
        return line, False


def plan(names: Sequence[str] = (), specs: Sequence[str] = OFFERED) -> list[Check]:
    """Return the checks of these names (default: all), those of built modules for each of these kernels that they are for."""
    checks = []
    for name in names or (*BUILT, *PLAIN):
        if name in BUILT:
            checks += [Check(name, spec) for spec in specs if spec not in NOT_FOR[name]]
        else:
            checks.append(Check(name))
    return checks


def perform(check: Check) -> Outcome:
    """Perform one check. UsageError for an unknown kernel; any other obstacle makes the check skipped."""
    try:
        findings = BUILT[check.name](check.kernel) if check.kernel else PLAIN[check.name]()
    except UsageError:
        raise
    except HarnessError as error:
        return Outcome(check, Verdict.SKIPPED, (str(error),))
    return Outcome(check, Verdict.FAILED if findings else Verdict.OK, tuple(findings))


def warnings(spec: str) -> list[str]:
    """Return the warnings of the compiler, objtool and modpost about the modules, with W=1."""
    site, lines = _compiled(spec)
    return [site.relative(line)[0] for line in lines if COMPLAINT.search(line) and not NOISE.search(line)]


def sparse(spec: str) -> list[str]:
    """Return the findings of sparse in our files. Partial if sparse could not parse the kernel's own files."""
    packages.ensure("lint")
    site, _ = _compiled(spec)
    prelude = site.sources.parent / SPARSE_PRELUDE.name
    shutil.copyfile(SPARSE_PRELUDE, prelude)
    # The headers of newer kernels lack the script by which C=2 looks for sparse.
    with ui.step(f"running sparse for {site.kernel.release}"):
        lines = site.make("KBUILD_CHECKSRC=2", f"CF=-include {prelude}")
    messages = [site.relative(line) for line in lines if COMPLAINT.search(line) and not NOISE.search(line)]
    if findings := [message for message, ours in messages if ours]:
        return findings
    if unread := [message for message, ours in messages if not ours and " error: " in message]:
        raise Partial(f"nothing in our files, but sparse cannot read all of this kernel's headers: {unread[0]}")
    return []


def checkpatch() -> list[str]:
    """Check the kernel's coding style by its own script."""
    script = _source() / "scripts" / "checkpatch.pl"
    # -X: Perl's own warnings about the script do not concern our files.
    argv: list[proc.Arg] = [
        "perl", "-X", script, "--strict", "--no-tree", "--terse", "--show-types", "--no-summary", "--quiet"
    ]  # fmt: skip
    sources = [*_sources("modules", (".c", ".h")), *_sources("include", (".h",))]
    compat = COMPAT.relative_to(paths.ROOT)
    common = [file for file in sources if file != compat]
    lines = _output([*argv, "--file", *common])
    if compat in sources:
        lines += _output([*argv, "--ignore", "LINUX_VERSION_CODE", "--file", compat])
    if tools := _sources("harness/tools", (".c", ".h")):
        lines += _output([*argv, "--ignore", NOT_OF_TOOLS, "--file", *tools])
    return lines


def kernel_doc() -> list[str]:
    """Check that the kernel-doc comments in include/ are complete."""
    script = _source() / "scripts" / "kernel-doc"
    return _output(["perl", script, "-none", "-Wall", *_sources("include", (".h",))])


def python() -> list[str]:
    """The harness, by mypy --strict."""
    packages.ensure("plot", "test", "lint")
    argv: list[proc.Arg] = [
        "/usr/bin/mypy", "--config-file", paths.HARNESS / "lint" / "mypy.ini", "--cache-dir", paths.BUILD / "mypy",
        "--no-error-summary", paths.HARNESS / "dsharness",
    ]  # fmt: skip
    return _output(argv)


def shell() -> list[str]:
    """Every shell script, by shellcheck."""
    packages.ensure("lint")
    return _output(["shellcheck", "--format=gcc", *_scripts()])


def rustfmt() -> list[str]:
    """The form of the sources in Rust, by the kernel's rules."""
    _require_rust()
    files = [paths.ROOT / file for file in _sources("modules", (".rs",))]
    # From standard input, rustfmt does not look for the generated bindings, which the sources do not have.
    each = 'for file in "$@"; do ' + shlex.join(["rustfmt", *RUSTFMT]) + ' < "$file" || echo "$file: not as rustfmt writes it"; done'
    return _output(rustroot.find().command(["sh", "-c", each, "sh", *files])) if files else []


def clippy() -> list[str]:
    """The modules in Rust and their twins, by clippy with the kernel's rules and by gcc and clang with W=1."""
    site, lines = _compiled(kernels.RUST)
    return [site.relative(line)[0] for line in rustmodules.complaints([line for line in lines if not NOISE.search(line)])]


def _require_rust() -> None:
    """HarnessError where the root is absent: it takes too long to be made for a check."""
    if not rustroot.built():
        raise HarnessError("the cache has no build root for Rust: make rust makes it")


BUILT: dict[str, Callable[[str], list[str]]] = {"warnings": warnings, "sparse": sparse}
NOT_FOR: dict[str, Collection[str]] = {"warnings": (kernels.RUST,), "sparse": foreign.ARCHITECTURES}
"""Kernels that a check leaves out."""
PLAIN: dict[str, Callable[[], list[str]]] = {
    "checkpatch": checkpatch,
    "kernel-doc": kernel_doc,
    "python": python,
    "shell": shell,
    "rustfmt": rustfmt,
    "clippy": clippy,
}


@functools.cache
def _site(spec: str) -> Site:
    if other := foreign.ARCHITECTURES.get(spec):
        packages.ensure("lint")
        return Site(foreign.find(spec), other.variables)
    if spec == kernels.RUST:
        _require_rust()
        return Site(kernels.find("qemu", spec), ("DSBENCH_RUST=m", "DSBENCH_RUST_TESTS=m", "CLIPPY=1"))
    return Site(kernels.find("uml") if spec == UML else kernels.find("qemu", spec))


@functools.cache
def _compiled(spec: str) -> tuple[Site, list[str]]:
    """Compile the modules from scratch. Return the site and the output of make."""
    packages.ensure("base")
    site = _site(spec)
    shutil.rmtree(site.sources, ignore_errors=True)
    build.copy_sources(site.sources, paths.ROOT)
    with ui.step(f"compiling the modules for {site.kernel.release} with W=1{' and clippy' if spec == kernels.RUST else ''}"):
        return site, site.make()


def _source() -> Path:
    """Return a kernel source with its scripts."""
    source = kernels.find("uml").source
    if not source:
        raise HarnessError("there is no kernel source here, whose scripts are needed")
    return source


def _sources(folder: str, suffixes: Sequence[str]) -> list[Path]:
    """Return sources as _output() needs them: relative to the project, since scripts pass these names to a shell."""
    return sorted(file.relative_to(paths.ROOT) for file in (paths.ROOT / folder).rglob("*") if file.suffix in suffixes)


def _scripts() -> list[Path]:
    """Return the files that begin like a shell script, and the files that scripts source."""
    candidates = [*paths.HARNESS.rglob("*"), *(paths.ROOT / ".ci").rglob("*")]
    return sorted(file for file in candidates if file.is_file() and (file.suffix == ".sh" or re.match(rb"#!.*\bsh\b", _first_line(file))))


def _first_line(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.readline(100)


def _output(argv: Sequence[proc.Arg]) -> list[str]:
    """Return the output of a checker with our files relative to the project. HarnessError for a failure without output."""
    lines: list[str] = []
    result = proc.stream(argv, cwd=paths.ROOT, env=proc.build_environment(), on_line=lines.append)
    said = [line.replace(f"{paths.ROOT}/", "") for line in lines if line.strip()]
    if result.status and not said:
        raise HarnessError(f"{os.fspath(argv[0])} failed with status {result.status}")
    return said


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench lint`."""
    parser = subparsers.add_parser("lint", help="check the sources of modules and harness", description=__doc__)
    parser.add_argument(
        "--kernel", nargs="+", metavar="VERSION", default=OFFERED,
        help=f"for warnings and sparse: a version or release of a stock kernel, {kernels.NEWEST}, {UML}, an architecture for warnings, or "
        f"{kernels.RUST} for sparse (default: {' '.join(OFFERED)})",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", type=_known, metavar="CHECK", default=(), help=f"of {', '.join((*BUILT, *PLAIN))} (all)")
    command.declare(parser, run, check=checked_kernels)


def checked_kernels(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options. UsageError for an unknown kernel."""
    for spec in args.kernel:
        if spec not in foreign.ARCHITECTURES:
            kernels.check("uml" if spec == UML else "qemu", None if spec == UML else spec)
    return args


def _known(name: str) -> str:
    return options.choice("only", name, (*BUILT, *PLAIN))


def run(args: argparse.Namespace) -> int:
    """Perform the checks. Return 1 if one failed."""
    outcomes = []
    for check in plan(args.only, args.kernel):
        outcomes.append(perform(check))
        print(outcomes[-1], flush=True)
    counts = [f"{sum(o.verdict is verdict for o in outcomes)} {verdict.value}" for verdict in Verdict]
    ui.say(", ".join(counts))
    return int(any(outcome.verdict is Verdict.FAILED for outcome in outcomes))
