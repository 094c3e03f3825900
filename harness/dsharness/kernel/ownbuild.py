# SPDX-License-Identifier: GPL-2.0
"""Builds a kernel of the user's in the cache, and keeps what modules and guests need of it.

cache/own/<source tree>/
    tree/                   a copy of the source (mirror.py)
    tree/qemu-<recipe>/     kbuild's O=: the objects of one configuration and compiler. Below the source, its commands have relative paths.
    kdir-<digest>/          what modules are built with: headers, scripts, Module.symvers
    image-<digest>/         what a guest boots: the kernel, and its own modules
    states/                 a file for each state that was built, with the names of these two

kdir and image are named by their content. So the modules of dsbench are built once for all states of a tree that have the same headers,
and two states can be compared while the objects are those of one of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import locks, packages, paths, proc, ui
from ..errors import BuildError, HarnessError
from . import archive, compilers, umlkernel
from .compilers import Compiler
from .mirror import INDEX, TREE, Mirror, State
from .own import BUILT, DEFCONFIG, OwnKernel

SHELF = "own"
STATES = "states"
FRAGMENT = paths.HARNESS / "kernel" / "qemu.config"
JOBS = os.cpu_count() or 1
BUILD_BYTES = 4 << 30
"""Size of a copy of the source with its objects, in bytes."""
KEPT = 24
"""Number of kernels to keep of each tree. Older ones are removed when a new one is made."""

ARCH = "x86"
MAKE = ("make", f"ARCH={ARCH}")
GOALS = ("bzImage", "modules")
IMAGE = "arch/x86/boot/bzImage"
STEPS = 1900
"""Steps of a build with dsbench's configuration, for the progress display alone."""

REPEATABLE = ("LOCALVERSION=", "KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 2026", "KBUILD_BUILD_VERSION=1")
"""Variables by which the same source gives the same kernel."""

NEEDED = (
    "64BIT", "MODULES", "MODULE_UNLOAD", "PRINTK", "TTY", "SERIAL_8250", "SERIAL_8250_CONSOLE", "BLK_DEV_INITRD", "RD_GZIP", "PROC_FS",
    "SYSFS", "TMPFS", "DEVTMPFS", "DEBUG_FS", "BINFMT_ELF", "BINFMT_SCRIPT", "UNIX98_PTYS", "KALLSYMS", "ACPI", "PCI",
)  # fmt: skip
"""Options that a guest needs. They are added to a configuration of the user's."""

HEADERS = re.compile(r"(?:include|scripts|arch/x86|arch/um|tools/include|tools/objtool|tools/testing/kunit)/.*|[^/]+")
"""Files of the source that modules are built with."""
ALONE_FOLDER = "dsbench-alone"
ALONE = ("lib/rbtree_test.c", "lib/interval_tree_test.c", "lib/test_rhashtable.c", "drivers/net/bareudp.c")
"""Files that dsbench builds as modules of their own, kept in ALONE_FOLDER."""
_OBJECT_HEADERS = re.compile(r"(?:include|scripts)/.*|arch/(?:x86|um)/(?:.*/)?include/.*\.h|tools/objtool/objtool|Module\.symvers|\.config")
"""Products that modules are built with. Headers elsewhere, arch/x86/boot/zoffset.h for one, differ with each change of the kernel."""
_UNNEEDED = re.compile(r".*(?<!scripts/mod/empty)\.[oa]|.*/\..*\.cmd|include/generated/(?:compile|utsversion)\.h")
_STEP = re.compile(r" +[A-Z]+(?: \[M\])? +(\S+)")
_ERROR = re.compile(r"\b(?:error:|Error:|undefined reference|undefined!|fatal:|multiple definition)|No such file or directory|No rule to make|not found")
_OWN_CONFIG = "dsbench's"


@dataclass(frozen=True)
class Facts:
    """What results say about a kernel of the user's."""

    folder: str
    described: str
    """git's name of its state, "" outside of git; "-dirty" behind it if the files differ from the commit."""
    source: str
    """Digest of the source files."""
    config: str
    """What it was configured by."""
    options: str
    """Digest of the configuration."""
    compiler: str


@dataclass(frozen=True)
class Built:
    """A finished kernel."""

    release: str
    arch: str
    kdir: Path
    image: Path
    source: Path | None
    """The part of the source that is kept with it."""
    id: str
    """Name of what modules for it depend on."""
    facts: Facts


@dataclass(frozen=True)
class _Recipe:
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
    def digest(self) -> str:
        words = (self.target, *self.lines, self.base, *self.compiler.arguments, self.version, *GOALS, *REPEATABLE)
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:10]

    @property
    def make(self) -> list[str]:
        return [*MAKE, *self.compiler.arguments, *REPEATABLE]


def find(own: OwnKernel, target: str) -> Built:
    """Return the user's kernel for a target, built if its source or its configuration has changed.

    BuildError with the compiler's first error if it does not build; HarnessError for a missing compiler, or a full disk.
    """
    if refused := paths.refused_by_kbuild(paths.cache()):
        raise HarnessError(f"the cache folder {paths.cache()} has {refused!r} in its path, which the kernel's makefiles refuse")
    if own.image:
        return _ready(own, own.image)
    packages.ensure("base", "kernel")
    recipe = _recipe(own, target)
    whole = bool(own.config)
    name = hashlib.sha256(f"{own.folder}\0{whole}".encode(errors="surrogateescape")).hexdigest()[:12]
    folder = paths.make_folder(paths.cache() / SHELF / name, "kernel")
    with locks.held(folder.with_name(f"{name}.lock"), f"it builds {own.folder}"):
        (folder / "origin").write_text(f"{own.folder}\n", encoding="utf-8", errors="surrogateescape")
        mirror = Mirror(folder, whole)
        state = mirror.state(own)
        kept = folder / STATES / f"{recipe.digest}-{state.digest}"
        if not _is_kept(folder, kept):
            if not mirror.tree.exists():
                archive.require_space(folder, BUILD_BYTES)
                _inherit(folder, f"{target}-{recipe.digest}")
            state = mirror.update(own, state)
            kept = folder / STATES / f"{recipe.digest}-{state.digest}"
            _build(own, recipe, folder, state, kept)
        return _built(own, recipe, folder, state, *kept.read_text(encoding="utf-8").split())


def unused() -> list[Path]:
    """Return the folders of the cache with kernels of source trees that are gone."""
    origins = sorted((paths.cache_path() / SHELF).glob("*/origin"))
    return [origin.parent for origin in origins if not os.path.isdir(origin.read_bytes().rstrip(b"\n"))]


def config_id(own: OwnKernel, target: str) -> str:
    """Return a name of the configuration and the compiler, which all states of a tree share."""
    return f"{target} {_recipe(own, target).digest}"


def _recipe(own: OwnKernel, target: str) -> _Recipe:
    compiler = compilers.chosen(f"the kernel of {own}")
    version = proc.check([compiler.program, "--version"], env=proc.build_environment()).splitlines()[0]
    fixed = _lines(FRAGMENT.read_text(encoding="utf-8"))
    if not own.config:
        return _Recipe(target, tuple(fixed), "", compiler, version, f"{_OWN_CONFIG} {FRAGMENT.name}")
    label = " ".join(own.config)
    base, *rest = own.config
    needed = [f"CONFIG_{name}=y" for name in NEEDED] + ["CONFIG_SERIAL_8250_NR_UARTS=4", "CONFIG_SERIAL_8250_RUNTIME_UARTS=4"]
    if base == DEFCONFIG:
        return _Recipe(target, (*_of_files(rest), *needed), DEFCONFIG, compiler, version, label)
    text = _text(base)
    if _is_whole(text):
        return _Recipe(target, (*_of_files(rest), *needed), text, compiler, version, label)
    return _Recipe(target, (*fixed, *_of_files(own.config)), "", compiler, version, f"{_OWN_CONFIG} {FRAGMENT.name} and {label}")


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


def _inherit(folder: Path, objects: str) -> None:
    """Begin a copy of a source tree with that of another tree that has objects of the same configuration, if there is one.

    The update after it changes the files that differ, so that kbuild builds what they decide, and no more.
    """
    others = [path.parents[1] for path in folder.parent.glob(f"*/{TREE}/{objects}/vmlinux*") if path.name in ("vmlinux", "vmlinux.o")]
    for other in sorted(set(others), key=lambda path: -(path / INDEX).stat().st_mtime if (path / INDEX).exists() else 0.0)[:1]:
        with locks.held(other.with_name(f"{other.name}.lock"), f"it builds in {other}"), ui.step("copying the objects of another tree"):
            work = _fresh(folder / f"{TREE}.part")
            names = [name for name in sorted(os.listdir(other / TREE)) if name == objects or not name.startswith("qemu-")]
            proc.check(["cp", "--archive", "--reflink=auto", "--", *(other / TREE / name for name in names), f"{work}/"])
            _move_tools(work / objects, str(other), str(folder))
            shutil.copyfile(other / INDEX, folder / INDEX)
            work.rename(folder / TREE)


def _move_tools(objects: Path, old: str, new: str) -> None:
    """Replace a folder by another in what make knows of the tools, which have absolute paths, and keep its times."""
    for name in _files(objects / "tools"):
        file = objects / "tools" / name
        if not name.endswith((".cmd", ".d")):
            continue
        status = file.stat()
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
        if old in text:
            file.write_text(text.replace(old, new), encoding="utf-8", errors="surrogateescape")
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _is_kept(folder: Path, kept: Path) -> bool:
    """Return true if a state was built, and what was kept of it is there."""
    return kept.exists() and all((folder / part).exists() for part in kept.read_text(encoding="utf-8").split())


def _build(own: OwnKernel, recipe: _Recipe, folder: Path, state: State, kept: Path) -> None:
    """Build the copy of the source, and write the names of what is kept of it into `kept`."""
    objects = folder / TREE / f"{recipe.target}-{recipe.digest}"
    objects.mkdir(exist_ok=True)
    log = paths.logs() / f"kernel-{recipe.target}-{folder.name}.log"
    log.unlink(missing_ok=True)
    _configure(own, recipe, objects, state, log)
    _compile(own, recipe, objects, log)
    parts = (_keep_headers(folder, objects, state), _keep_image(folder, objects, _modules(objects)))
    _forget(folder, keep=parts)
    kept.parent.mkdir(exist_ok=True)
    part = kept.with_suffix(".part")
    part.write_text(" ".join(parts), encoding="utf-8")
    part.replace(kept)


def _built(own: OwnKernel, recipe: _Recipe, folder: Path, state: State, kdir: str, image: str) -> Built:
    for part in (kdir, image):
        os.utime(folder / part)  # used now: _forget() removes others first
    objects = folder / kdir / "build"
    release = umlkernel.release(objects)
    facts = Facts(str(own.folder), state.described, state.digest, recipe.label, _digest_of(objects / ".config"), _compiler(objects))
    file = folder / image / "boot" / f"vmlinuz-{release}"
    return Built(release, ARCH, objects, file, folder / kdir, f"own-{kdir.removeprefix('kdir-')}", facts)


def _configure(own: OwnKernel, recipe: _Recipe, objects: Path, state: State, log: Path) -> None:
    """Make .config, unless it was made of the same options and Kconfig files."""
    kconfigs = state.digest_of([name for name in state.files if name.rpartition("/")[2].startswith(("Kconfig", "Makefile")) or name.startswith("scripts/")])
    mark = objects / "dsbench-configured"
    if mark.exists() and mark.read_text(encoding="utf-8") == kconfigs and (objects / "include/config/auto.conf").exists():
        return
    mark.unlink(missing_ok=True)
    wanted = objects / "dsbench.config"
    wanted.write_text("".join(f"{line}\n" for line in recipe.lines), encoding="utf-8")
    with ui.step(f"configuring {own}"):
        if not recipe.base:
            _make(own, recipe, objects, log, [f"KCONFIG_ALLCONFIG={wanted}", "allnoconfig"])
        else:
            if recipe.base == DEFCONFIG:
                _make(own, recipe, objects, log, [DEFCONFIG])
            else:
                (objects / ".config").write_text(recipe.base, encoding="utf-8")
            with (objects / ".config").open("a", encoding="utf-8") as config:
                config.write("".join(f"{line}\n" for line in recipe.lines))
            _make(own, recipe, objects, log, ["olddefconfig"])
    _say_refused(own, recipe, (objects / ".config").read_text(encoding="utf-8"))
    mark.write_text(kconfigs, encoding="utf-8")


def _say_refused(own: OwnKernel, recipe: _Recipe, config: str) -> None:
    """Warn of options that the user named and this kernel does not take; HarnessError for those without which no guest works."""
    taken = set(config.splitlines())
    last = {_name(line): line for line in recipe.lines}
    refused = [line for line in last.values() if line.startswith("CONFIG_") and line not in taken]
    if lacking := [line for line in refused if recipe.base and _name(line) in NEEDED]:
        raise HarnessError(f"the configuration {recipe.label} cannot have {', '.join(lacking)}, which a guest needs")
    users = set(_of_files([name for name in own.config if name != DEFCONFIG and not _is_whole(_text(name))]))
    if named := [line for line in refused if line in users]:
        ui.warn(f"{own} does not take {', '.join(named)}")
    if recipe.base and recipe.base != DEFCONFIG:
        before = set(recipe.base.splitlines())
        if added := [f"CONFIG_{name}" for name in NEEDED if f"CONFIG_{name}=y" not in before]:
            ui.say(f"added to the configuration, since a guest needs it: {', '.join(added)}")


def _name(line: str) -> str:
    match = re.search(r"CONFIG_(\w+)", line)
    return match[1] if match else ""


def _compile(own: OwnKernel, recipe: _Recipe, objects: Path, log: Path) -> None:
    with ui.Progress(f"building {own} for {recipe.target} with {JOBS} jobs", unit=f"of about {STEPS} steps") as progress:

        def count(line: str) -> None:
            if match := _STEP.match(line):
                progress.advance(match[1])

        result = proc.stream(
            [*recipe.make, "-C", objects.parent, f"O={objects}", f"-j{JOBS}", *GOALS],
            env=proc.build_environment(), log=log, on_line=count,
        )  # fmt: skip
    if result.status:
        raise BuildError(f"{own} does not build: {_first_error(log, objects, own.folder) or result.last} (log: {log})")


def _make(own: OwnKernel, recipe: _Recipe, objects: Path, log: Path, words: Sequence[str]) -> None:
    argv: list[proc.Arg] = [*recipe.make, "-C", objects.parent, f"O={objects}", *words]
    result = proc.stream(argv, env=proc.build_environment(), log=log)
    if result.status:
        raise BuildError(f"{own} cannot be configured: {_first_error(log, objects, own.folder) or result.last} (log: {log})")


def _first_error(log: Path, objects: Path, folder: Path) -> str:
    """Return the first error in a log, with the names of the user's files; "" if none is known as one."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if _ERROR.search(line) and not line.startswith("make"):
            return line.strip().replace(f"{objects.parent}/", f"{folder}/").replace("../", f"{folder}/")
    return ""


def _keep_headers(folder: Path, objects: Path, state: State) -> str:
    """Keep what modules are built with. Return the name of its folder, which tells its content."""
    sources = [name for name in state.files if HEADERS.fullmatch(name) or name in ALONE]
    products = [name for name in _files(objects) if _OBJECT_HEADERS.fullmatch(name) and not _UNNEEDED.fullmatch(name)]
    digest = hashlib.sha256(state.digest_of(sources).encode())
    for name in products:
        digest.update(f"{name}\0{_digest_of(objects / name)}\0".encode())
    made = f"kdir-{digest.hexdigest()[:12]}"
    if (folder / made).exists():
        return made
    work = _fresh(folder / f"{made}.part")
    for name in sources:
        copy = work / ALONE_FOLDER / Path(name).name if name in ALONE else work / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (objects.parent / name).is_symlink():
            copy.symlink_to(os.readlink(objects.parent / name))
        else:
            os.link(objects.parent / name, copy)
    build = work / "build"
    for name in [*products, *(name for name in _files(objects) if re.fullmatch(r"include/generated/(?:compile|utsversion)\.h", name))]:
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(objects / name, build / name)
    (build / "Makefile").write_text(f"include {folder / made}/Makefile\n", encoding="utf-8")
    (build / "source").symlink_to("..")
    work.rename(folder / made)
    return made


def _keep_image(folder: Path, objects: Path, modules: Sequence[Path]) -> str:
    """Keep what a guest boots: the kernel and its own modules. Return the name of its folder, which tells its content."""
    release = umlkernel.release(objects)
    return _keep(folder, objects / IMAGE, f"vmlinuz-{release}", objects, release, modules)


def _keep(folder: Path, file: Path, name: str, objects: Path, release: str, modules: Sequence[Path]) -> str:
    digest = hashlib.sha256(_digest_of(file).encode())
    for module in modules:
        digest.update(_digest_of(module).encode())
    made = f"image-{digest.hexdigest()[:12]}"
    if (folder / made).exists():
        return made
    work = _fresh(folder / f"{made}.part")
    (work / "boot").mkdir()
    shutil.copy2(file, work / "boot" / name)
    home = work / "lib/modules" / release
    (home / "kernel").mkdir(parents=True)
    for module in modules:
        copy = home / "kernel" / module.relative_to(objects)
        copy.parent.mkdir(parents=True, exist_ok=True)
        proc.check(["strip", "--strip-debug", "-o", copy, module])
    (home / "modules.order").write_text("".join(f"kernel/{module.relative_to(objects)}\n" for module in modules), encoding="utf-8")
    for listing in ("modules.builtin", "modules.builtin.modinfo"):
        if (objects / listing).exists():
            shutil.copy2(objects / listing, home / listing)
        else:
            (home / listing).touch()
    work.rename(folder / made)
    return made


def _modules(objects: Path) -> list[Path]:
    """Return the kernel's own modules, from kbuild's list, which names .o or .ko files."""
    order = objects / "modules.order"
    listed = order.read_text(encoding="utf-8").split() if order.exists() else []
    return [found for name in listed if (found := (objects / name).with_suffix(".ko")).exists()]


def _forget(folder: Path, keep: Sequence[str]) -> None:
    """Remove the kernels of this tree that were not used for the longest time."""
    for kind in ("kdir", "image"):
        found = sorted((path for path in folder.glob(f"{kind}-*") if path.name not in keep), key=lambda path: -path.stat().st_mtime)
        for old in found[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)


def _ready(own: OwnKernel, image: Path) -> Built:
    """Return a kernel that the user has built: its image and modules are copied, and the folder is read."""
    packages.ensure("base")
    release = umlkernel.release(own.folder)
    name = hashlib.sha256(f"{own.folder}\0built".encode(errors="surrogateescape")).hexdigest()[:12]
    folder = paths.make_folder(paths.cache() / SHELF / name, "kernel")
    with locks.held(folder.with_name(f"{name}.lock"), f"it copies {image}"):
        (folder / "origin").write_text(f"{own.folder}\n", encoding="utf-8", errors="surrogateescape")
        made = _keep(folder, image, f"vmlinuz-{release}", own.folder, release, _modules(own.folder))
        _forget(folder, keep=(made,))
    digest = hashlib.sha256("".join(_digest_of(own.folder / part) for part in BUILT).encode()).hexdigest()[:12]
    facts = Facts(str(own.folder), "", "", str(image), _digest_of(own.folder / "include/generated/autoconf.h"), _compiler(own.folder))
    return Built(release, ARCH, own.folder, folder / made / "boot" / f"vmlinuz-{release}", None, f"own-{digest}", facts)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _files(folder: Path) -> Iterator[str]:
    """Yield the regular files below a folder, by their paths in it, sorted."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not os.path.islink(path := os.path.join(parent, name)):
                yield os.path.relpath(path, folder)


def _digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _compiler(objects: Path) -> str:
    """Return the compiler's name in the configuration that a kernel was built with."""
    try:
        text = (objects / ".config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    match = re.search(r'^CONFIG_CC_VERSION_TEXT="(.*)"$', text, re.MULTILINE)
    return match[1] if match else ""


def as_json(facts: Facts) -> dict[str, str]:
    """Return the facts as results have them."""
    return asdict(facts)
