# SPDX-License-Identifier: GPL-2.0
"""Builds the modules for a kernel. kbuild writes beside the files that it reads, so it reads links to the sources."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import command, locks, packages, paths, proc, ui
from ..errors import HarnessError
from . import kernels, trees
from .kernels import Kernel
from .trees import Tree

COMPLAINT_LINES = 12
ERROR = re.compile(r"\b(error|undefined)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Build:
    """The modules built for one kernel."""

    kernel: Kernel
    ko_dir: Path
    """All .ko files in one folder, without debug information."""
    mod_root: Path
    """The result of modules_install: mod_root/lib/modules/<release>/…, with depmod's indexes."""


def modules(kernel: Kernel, *, tree: Tree | None = None, make_args: Sequence[str] = ()) -> Build:
    """Build the modules of `tree`, by default the working tree, for `kernel`. `make_args` are passed to make.

    HarnessError with the compiler's first messages on failure.
    """
    packages.ensure("base")
    tree = tree or trees.working()
    for path in (tree.into, kernel.kdir):
        if re.search(r"[\s:%]", str(path)):
            raise HarnessError(f"{path} has a blank, a colon or a percent sign in it, which the kernel's makefiles refuse")
    folder = paths.make_folder(tree.into / f"{kernel.target}-{kernel.release}", "build")
    build = Build(kernel, ko_dir=folder / "ko", mod_root=folder / "root")
    with locks.held(folder / ".lock", f"it builds in {folder}"):
        recipe = _recipe(kernel, tree, make_args)
        mark = folder / "recipe"
        if mark.exists() and mark.read_text(encoding="utf-8") == recipe:
            return build
        mark.unlink(missing_ok=True)
        _forget_other_kernel(folder / "src", kernel)
        link_sources(folder / "src", tree.root)
        _kbuild(kernel, tree, folder / "src/modules", make_args)
        objects = _objects(folder / "src/modules")
        _collect(objects, build.ko_dir)
        install(build, build.mod_root)
        mark.write_text(recipe, encoding="utf-8")
    return build


def _recipe(kernel: Kernel, tree: Tree, make_args: Sequence[str]) -> str:
    """Return all that a build depends on. kbuild has nothing to do while it stays the same.

    The kernel's configuration, its exported symbols and the compiler are identified by size and time, the sources by content.
    """
    compiler = shutil.which("gcc", path=proc.build_environment()["PATH"])
    ingredients = [kernel.kdir / "include/config/auto.conf", kernel.kdir / "Module.symvers", *([Path(compiler)] if compiler else [])]
    states = [f"{file} {_state(file)}" for file in ingredients if file.exists()]
    return "\n".join([str(kernel.kdir), tree.stamp, *make_args, *states]) + "\n"


def install(build: Build, root: Path) -> None:
    """Put the modules where modprobe looks for them under `root`, and index them."""
    home = root / "lib/modules" / build.kernel.release
    updates = paths.make_folder(home / "updates/dsbench", "module")
    _mirror(sorted(build.ko_dir.glob("*.ko")), updates)
    for listing in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        (home / listing).touch()
    proc.check(["depmod", "--basedir", root, build.kernel.release], env=proc.build_environment())


def _forget_other_kernel(folder: Path, kernel: Kernel) -> None:
    """Remove what was built for another kernel tree of the same release: UML with another configuration, whose structures differ.

    kbuild sees no difference if that tree is older than the objects.
    """
    mark = folder.with_name("kdir")
    if not mark.exists() or mark.read_text(encoding="utf-8") != str(kernel.kdir):
        shutil.rmtree(folder, ignore_errors=True)
        mark.write_text(str(kernel.kdir), encoding="utf-8")


def link_sources(folder: Path, root: Path) -> None:
    """Make `folder` mirror the sources of `root` by links. Links whose source is gone are removed, kbuild's products stay."""
    links = {folder / source.relative_to(root): source for source in trees.source_files(root)}
    for link, source in links.items():
        if not link.is_symlink() or link.readlink() != source:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(source)
    for link in _files(folder):
        if link.is_symlink() and link not in links:
            link.unlink()


def _files(folder: Path) -> Iterator[Path]:
    return (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)


def _kbuild(kernel: Kernel, tree: Tree, folder: Path, make_args: Sequence[str]) -> None:
    of_tree = "" if tree.name == trees.WORKTREE else f" of {tree.name}"
    log = paths.logs() / f"build{of_tree and f'-{tree.revision}'}-{kernel.target}-{kernel.release}.log"
    log.unlink(missing_ok=True)
    with ui.step(f"building the modules{of_tree} for {kernel.release}"):
        result = kbuild(kernel, folder, log, [f"DSBENCH_REVISION={tree.stamp}", *make_args])
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    complaints = [line for line in lines if re.search(r"\b(warning|error|undefined)\b", line, re.IGNORECASE)]
    if result.status:
        errors = [line for line in complaints if ERROR.search(line)]
        shown = "\n".join((errors or complaints)[:COMPLAINT_LINES] or result.tail)
        raise HarnessError(f"the modules{of_tree} do not build for {kernel.release} (log: {log}):\n{shown}")
    for line in complaints:
        ui.say(line)


def kbuild(kernel: Kernel, folder: Path, log: Path, make_args: Sequence[str] = ()) -> proc.Finished:
    """Run kbuild on the modules of `folder`. All of its output goes to `log`."""
    argv: list[proc.Arg] = [
        "make", "-C", kernel.kdir, f"M={folder}", f"ARCH={kernel.arch}", f"-j{os.cpu_count() or 1}",
        # Type information for BPF needs pahole, and nothing here uses it.
        "CONFIG_DEBUG_INFO_BTF_MODULES=", *make_args, "modules",
    ]  # fmt: skip
    return proc.stream(kernel.command(argv), env=proc.build_environment(), log=log)


def _objects(folder: Path) -> list[Path]:
    """Return the modules that kbuild made, from its own list, which names .o or .ko files relative to M= or to the top."""
    listed = (folder / "modules.order").read_text(encoding="utf-8").split()
    return [folder / Path(os.path.relpath(folder / name, folder)).with_suffix(".ko") for name in listed]


def _collect(objects: Sequence[Path], ko_dir: Path) -> None:
    """Copy the modules without their debug information, if they are newer than the copies."""
    paths.make_folder(ko_dir, "module")
    for stale in {file.name for file in ko_dir.iterdir()} - {file.name for file in objects}:
        (ko_dir / stale).unlink()
    for file in objects:
        strip(file, ko_dir / file.name, ko_dir.parent)


def strip(module: Path, copy: Path, work: Path) -> None:
    """Make `copy` the module without its debug information, atomically and only if it is out of date.

    Guests may be reading the old file. The new one is in `work` until it is complete.
    """
    if not copy.exists() or copy.stat().st_mtime_ns != module.stat().st_mtime_ns:
        with _replaced(copy, work) as fresh:
            proc.check(["strip", "--strip-debug", "-o", fresh, module])
            shutil.copystat(module, fresh)


def _mirror(files: Sequence[Path], folder: Path) -> None:
    """Make `folder` contain copies of these files and nothing else. Copies that are up to date stay."""
    for stale in {file.name for file in folder.iterdir()} - {file.name for file in files}:
        (folder / stale).unlink()
    for file in files:
        copy = folder / file.name
        if not copy.exists() or _state(copy) != _state(file):
            with _replaced(copy, folder) as fresh:
                shutil.copy2(file, fresh)


def _state(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_mtime_ns, status.st_size


@contextlib.contextmanager
def _replaced(file: Path, work: Path) -> Iterator[Path]:
    """Provide a name in `work` whose file replaces `file` atomically at the end: guests may be reading the old one."""
    fresh = work / f".{file.name}.{os.getpid()}"
    try:
        yield fresh
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench build`."""
    parser = subparsers.add_parser("build", help="build the modules for a target's kernel", description=__doc__)
    parser.add_argument("--target", default="uml", help="uml (default), qemu or host")
    parser.add_argument("--kernel", metavar="VERSION", help="6.1, 6.12, newest or a full release; default: the target's")
    command.declare(parser, run, needs=("base",), check=checked_kernel)


def checked_kernel(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options. UsageError for a target or kernel that is not allowed."""
    kernels.check(args.target, args.kernel)
    return args


def run(args: argparse.Namespace) -> int:
    """Build, and print the folder of the modules. Return the exit status."""
    build = modules(kernels.find(args.target, args.kernel))
    count = len(list(build.ko_dir.glob("*.ko")))
    ui.say(f"{count} modules for {build.kernel.release}; next: harness/dsbench exec --target {args.target} -- sh")
    print(build.ko_dir)
    return 0
