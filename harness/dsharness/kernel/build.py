# SPDX-License-Identifier: GPL-2.0
"""Builds the modules for a kernel. kbuild writes beside the files that it reads, so it reads copies of the sources."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import command, locks, packages, paths, proc, ui
from ..errors import BuildError, HarnessError
from . import kernels, option, own, rustmodules, trees
from .kernels import Kernel
from .trees import Tree

KERNEL_FILES = (
    "include/config/auto.conf", "Module.symvers",
    *(f"include/generated/{name}.h" for name in ("autoconf", "compile", "package", "utsrelease")),
)  # fmt: skip
"""Files of a kernel tree that tell it from another one at the same path."""

COMPLAINT_LINES = 12
ABSENT = "absent.json"
"""File beside a build with the containers that it left out."""
ERROR = re.compile(r"\b(error|undefined)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Build:
    """The modules built for one kernel."""

    kernel: Kernel
    ko_dir: Path
    """All .ko files in one folder, without debug information."""
    mod_root: Path
    """The result of modules_install: mod_root/lib/modules/<release>/…, with depmod's indexes."""

    @property
    def absent(self) -> dict[str, str]:
        """The containers beside Rust, and its tunnel, that do not build for this kernel, each with the compiler's first error."""
        mark = self.ko_dir.with_name(ABSENT)
        found: dict[str, str] = json.loads(mark.read_text(encoding="utf-8")) if mark.exists() else {}
        return found


def modules(kernel: Kernel, *, tree: Tree | None = None, make_args: Sequence[str] = ()) -> Build:
    """Build the modules of `tree`, by default the working tree, for `kernel`. `make_args` are passed to make.

    HarnessError with the compiler's first messages on failure.
    """
    packages.ensure("base")
    tree = tree or trees.working()
    for path in (tree.into, kernel.kdir):
        if refused := paths.refused_by_kbuild(path):
            raise HarnessError(f"{path} has {refused!r} in it, which the kernel's makefiles refuse")
    folder = paths.make_folder(tree.into / kernel.builds, "build")
    build = Build(kernel, ko_dir=folder / "ko", mod_root=folder / "root")
    with locks.held(folder / ".lock", f"it builds in {folder}"):
        ground = basis(kernel)
        mark = folder / "recipe"
        if mark.exists() and mark.read_text(encoding="utf-8") == _recipe(ground, tree.stamp, make_args):
            return build
        mark.unlink(missing_ok=True)
        sources = folder / "src"
        _forget_other_kernel(sources, ground)
        copy_sources(sources, tree.root)
        # The stamp of the copies: a source may have changed since it was copied.
        stamp = tree.stamp_of(sources)
        absent = _kbuild(kernel, tree, sources, [f"DSBENCH_REVISION={stamp}", *make_args])
        _collect(_objects(sources / "modules"), build.ko_dir)
        install(build, build.mod_root)
        (folder / ABSENT).write_text(json.dumps(absent), encoding="utf-8")
        mark.write_text(_recipe(ground, stamp, make_args), encoding="utf-8")
    return build


def _recipe(ground: str, stamp: str, make_args: Sequence[str]) -> str:
    """Return all that a build depends on. kbuild has nothing to do while it stays the same."""
    return "\n".join([ground, stamp, *make_args]) + "\n"


def basis(kernel: Kernel) -> str:
    """Return what all objects of a kernel's build depend on, besides the sources: the kernel's tree and the compiler.

    The tree's configuration, version and exported symbols are identified by their content.
    """
    tree = kernel.kdir_outside
    files = [file for name in KERNEL_FILES if (file := tree / name).exists()]
    compiler = kernel.compiler
    return "\n".join([
        str(tree),
        *(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files),
        *compiler.arguments,
        *([f"{compiler.program} {_state(Path(compiler.program))}"] if compiler.program else []),
    ])  # fmt: skip


def install(build: Build, root: Path) -> None:
    """Put the modules where modprobe looks for them under `root`, and index them."""
    home = root / "lib/modules" / build.kernel.release
    updates = paths.make_folder(home / "updates/dsbench", "module")
    _mirror(sorted(build.ko_dir.glob("*.ko")), updates)
    for listing in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        (home / listing).touch()
    proc.check(["depmod", "--basedir", root, build.kernel.release], env=proc.build_environment())


def _forget_other_kernel(folder: Path, ground: str) -> None:
    """Remove what was built for another kernel tree of the same release, or by another compiler.

    kbuild sees no difference if the tree is older than the objects, and it does not look at the compiler.
    """
    mark = folder.with_name("basis")
    if not mark.exists() or mark.read_text(encoding="utf-8") != ground:
        shutil.rmtree(folder, ignore_errors=True)
        mark.write_text(ground, encoding="utf-8")


def copy_sources(folder: Path, root: Path) -> None:
    """Make `folder` have the sources of `root`, beside those products of earlier builds that are made of these sources.

    kbuild decides by times. A source may be replaced by an older file (rsync -t, git stash, tar), so a copy keeps no time: it is as
    new as its content.
    """
    copies = {folder / source.relative_to(root): source for source in trees.source_files(root)}
    if _headers(trees.source_files(folder)) != _headers(copies):
        shutil.rmtree(folder, ignore_errors=True)
    for gone in set(trees.source_files(folder)) - set(copies):
        gone.unlink()
    changed = [copy for copy, source in copies.items() if _update(copy, source)]
    if changed and not _are_newest(changed, folder):
        shutil.rmtree(folder)
        copy_sources(folder, root)


def _update(copy: Path, source: Path) -> bool:
    """Give a copy the content of its source. Return true if it had another one. It is read-only: the source is the file to edit."""
    content = source.read_bytes()
    if copy.is_file() and not copy.is_symlink() and copy.read_bytes() == content:
        return False
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    copy.write_bytes(content)
    copy.chmod(0o444)
    return True


def _are_newest(changed: Sequence[Path], folder: Path) -> bool:
    """Return true if the changed files are newer than all others, as they are unless the clock was set back."""
    oldest = min(file.stat().st_mtime_ns for file in changed)
    return all(file in changed or os.lstat(file).st_mtime_ns < oldest for file in _files(folder))


def _headers(files: Iterable[Path]) -> set[Path]:
    """Return the headers among these files. A new one may hide another one from objects whose dependencies do not name it."""
    return {file for file in files if file.suffix == ".h"}


def _files(folder: Path) -> Iterator[Path]:
    return (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)


def _kbuild(kernel: Kernel, tree: Tree, sources: Path, make_args: Sequence[str]) -> dict[str, str]:
    """Run kbuild. Return the containers beside Rust that had to be left out, each with the compiler's first error.

    HarnessError if anything else does not build.
    """
    of_tree = "" if tree.name == trees.WORKTREE else f" of {tree.name}"
    log = paths.logs() / f"build{of_tree and f'-{tree.revision}'}-{kernel.builds}.log"
    absent: dict[str, str] = {}
    while True:
        log.unlink(missing_ok=True)
        with ui.step(f"building the modules{of_tree} for {kernel.release}"):
            result = kbuild(kernel, sources / "modules", log, [*make_args, *_without(kernel, absent)])
        lines = log.read_text(encoding="utf-8", errors="replace").replace(f"{sources}/", f"{tree.root}/").splitlines()
        if not result.status:
            break
        failed = rustmodules.failures(lines, tree.rust_containers) if kernel.rust else {}
        if not failed.keys() - absent.keys():
            raise _refused(lines, result, f"the modules{of_tree} do not build for {kernel.release} (log: {log})")
        for container, error in failed.items():
            ui.warn(f"{container} does not build for {kernel.release} and is left out: {error} (log: {log})")
        absent.update(failed)
    for line in _complaints(lines):
        ui.say(line)
    return absent


def _without(kernel: Kernel, absent: Iterable[str]) -> list[str]:
    """Return the variables of make that build the modules in Rust, except these containers. make goes on after an error there."""
    return ["-k", "DSBENCH_RUST=m", f"DSBENCH_RUST_WITHOUT={' '.join(absent)}"] if kernel.rust else []


def _complaints(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if re.search(r"\b(warning|error|undefined)\b", line, re.IGNORECASE)]


def _refused(lines: Sequence[str], result: proc.Finished, what: str) -> BuildError:
    """Return the error of a failed build, with the compiler's first messages."""
    complaints = _complaints(lines)
    errors = [line for line in complaints if ERROR.search(line)]
    shown = "\n".join((errors or complaints)[:COMPLAINT_LINES] or result.tail)
    return BuildError(f"{what}:\n{shown}")


def kbuild(kernel: Kernel, folder: Path, log: Path, make_args: Sequence[str] = ()) -> proc.Finished:
    """Run kbuild on the modules of `folder`. All of its output goes to `log`."""
    argv: list[proc.Arg] = [
        "make", "-C", kernel.kdir, f"M={folder}", f"ARCH={kernel.arch}", *kernel.compiler.arguments,
        f"-j{os.cpu_count() or 1}",
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
    option.add(parser, "6.1, 6.12, newest or a full release; default: the target's")
    command.declare(parser, run, needs=("base",), check=checked_kernel)


def checked_kernel(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options. UsageError for a target or kernel that is not allowed."""
    args.kernel = option.one(args)
    kernels.check(args.target, args.kernel)
    return args


def run(args: argparse.Namespace) -> int:
    """Build, and print the folder of the modules. Return the exit status."""
    build = modules(kernels.find(args.target, args.kernel))
    count = len(list(build.ko_dir.glob("*.ko")))
    kernel = "".join(f" {shlex.quote(word)}" for word in own.options_of(args.kernel))
    ui.say(f"{count} modules for {build.kernel.release}; next: harness/dsbench shell --target {args.target}{kernel}")
    print(build.ko_dir)
    return 0
