# SPDX-License-Identifier: GPL-2.0
"""Builds a kernel of the user's in the cache.

cache/own/<source tree>/
    tree/                   a copy of the source (mirror.py)
    tree/<target>-<recipe>/ kbuild's O=: the objects of one configuration and compiler (ownconfig.py). Below the source, its commands have
                            relative paths.
    states/                 a file for each state that was built, with the names of what is kept of it (ownkeep.py)
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import locks, packages, paths, proc, ui
from ..errors import BuildError, HarnessError
from . import archive, ownconfig, ownkeep, ownkin, umlkernel
from .mirror import TREE, Mirror, State
from .own import BUILT, DEFCONFIG, OwnKernel, built_release
from .ownconfig import CONFIGURED, JOBS, KINDS, OPTIONS, Recipe

SHELF = "own"
STATES = "states"
BUILD_BYTES = 4 << 30
"""Size of a copy of the source with its objects, in bytes."""
FOR_A_PC = "qemu"
"""The target of a kernel that the user has built."""

_STEP = re.compile(r" +[A-Z]+(?: \[M\])? +(\S+)")
_ERROR = re.compile(r"\b(?:error:|Error:|undefined reference|undefined!|fatal:|multiple definition)|No such file or directory|No rule to make|not found")


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
    """Name of what modules for it depend on: the tree, since their objects name its headers by their paths, and what the headers are."""
    facts: Facts


def find(own: OwnKernel, target: str) -> Built:
    """Return the user's kernel for a target, built if its source or its configuration has changed.

    BuildError with the compiler's first error if it does not build; HarnessError for a missing compiler, or a full disk.
    """
    if refused := paths.refused_by_kbuild(paths.cache()):
        raise HarnessError(f"the cache folder {paths.cache()} has {refused!r} in its path, which the kernel's makefiles refuse")
    if own.image:
        return _ready(own, own.image)
    packages.ensure("base", "kernel")
    recipe = ownconfig.recipe(own, target)
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
                ownkin.begin_tree(folder, f"{target}-{recipe.digest}", recipe, state)
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
    return f"{target} {ownconfig.recipe(own, target).digest}"


def _is_kept(folder: Path, kept: Path) -> bool:
    """Return true if a state was built, and what was kept of it is there."""
    return kept.exists() and all((folder / part).exists() for part in kept.read_text(encoding="utf-8").split())


def _build(own: OwnKernel, recipe: Recipe, folder: Path, state: State, kept: Path) -> None:
    """Build the copy of the source, and write the names of what is kept of it into `kept`."""
    objects = folder / TREE / f"{recipe.target}-{recipe.digest}"
    ownkin.begin_objects(objects, recipe)
    log = paths.logs() / f"kernel-{recipe.target}-{folder.name}.log"
    log.unlink(missing_ok=True)
    _configure(own, recipe, objects, state, log)
    _compile(own, recipe, objects, log)
    ownkin.mark(objects, recipe)
    release = umlkernel.release(objects)
    name = recipe.kind.image_name(release)
    parts = (ownkeep.headers(folder, objects, state), ownkeep.image(folder, objects, objects / recipe.kind.image, name, release))
    ownkeep.forget(folder, keep=parts)
    kept.parent.mkdir(exist_ok=True)
    part = kept.with_suffix(".part")
    part.write_text(" ".join(parts), encoding="utf-8")
    part.replace(kept)


def _built(own: OwnKernel, recipe: Recipe, folder: Path, state: State, kdir: str, image: str) -> Built:
    for part in (kdir, image):
        os.utime(folder / part)  # used now: ownkeep.forget() removes others first
    objects = folder / kdir / "build"
    release = umlkernel.release(objects)
    facts = Facts(str(own.folder), state.described, state.digest, recipe.label, ownkeep.digest_of(objects / ".config"), _compiler(objects))
    file = folder / image / "boot" / recipe.kind.image_name(release)
    return Built(release, recipe.kind.arch, objects, file, folder / kdir, f"own-{folder.name}-{kdir.removeprefix('kdir-')}", facts)


def _configure(own: OwnKernel, recipe: Recipe, objects: Path, state: State, log: Path) -> None:
    """Make .config, unless it was made of the same options and Kconfig files."""
    kconfigs = state.digest_of([name for name in state.files if name.rpartition("/")[2].startswith(("Kconfig", "Makefile")) or name.startswith("scripts/")])
    mark = objects / CONFIGURED
    if mark.exists() and mark.read_text(encoding="utf-8") == kconfigs and (objects / "include/config/auto.conf").exists():
        return
    mark.unlink(missing_ok=True)
    wanted = objects / OPTIONS
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
    ownconfig.say_refused(own, recipe, (objects / ".config").read_text(encoding="utf-8"))
    mark.write_text(kconfigs, encoding="utf-8")


def _compile(own: OwnKernel, recipe: Recipe, objects: Path, log: Path) -> None:
    with ui.Progress(f"building {own} for {recipe.target} with {JOBS} jobs", unit=f"of about {recipe.kind.steps} steps") as progress:

        def count(line: str) -> None:
            if match := _STEP.match(line):
                progress.advance(match[1])

        result = proc.stream(
            [*recipe.make, "-C", objects.parent, f"O={objects}", f"-j{JOBS}", *recipe.kind.goals],
            env=proc.build_environment(), log=log, on_line=count,
        )  # fmt: skip
    if result.status:
        raise BuildError(f"{own} does not build: {_first_error(log, objects, own.folder) or result.last} (log: {log})")


def _make(own: OwnKernel, recipe: Recipe, objects: Path, log: Path, words: Sequence[str]) -> None:
    argv: list[proc.Arg] = [*recipe.make, "-C", objects.parent, f"O={objects}", *words]
    result = proc.stream(argv, env=proc.build_environment(), log=log)
    if result.status:
        raise BuildError(f"{own} cannot be configured: {_first_error(log, objects, own.folder) or result.last} (log: {log})")


def _first_error(log: Path, objects: Path, folder: Path) -> str:
    """Return the first error in a log, with the names of the user's files; "" if none is known as one."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if boxed := [words for line in lines if (words := line.removeprefix("***").strip()) and line.startswith("***")]:
        return ", ".join(re.sub(r"\.$", "", re.sub(r":\s+", ": ", words)) for words in boxed)  # Kconfig: the compiler is too old
    for line in lines:
        if _ERROR.search(line) and not line.startswith("make"):
            return line.strip().replace(f"{objects.parent}/", f"{folder}/").replace("../", f"{folder}/")
    return ""


def _ready(own: OwnKernel, image: Path) -> Built:
    """Return a kernel that the user has built: its image and modules are copied, and the folder is read."""
    packages.ensure("base")
    release = built_release(own.folder)
    name = hashlib.sha256(f"{own.folder}\0built".encode(errors="surrogateescape")).hexdigest()[:12]
    folder = paths.make_folder(paths.cache() / SHELF / name, "kernel")
    with locks.held(folder.with_name(f"{name}.lock"), f"it copies {image}"):
        (folder / "origin").write_text(f"{own.folder}\n", encoding="utf-8", errors="surrogateescape")
        made = ownkeep.image(folder, own.folder, image, KINDS[FOR_A_PC].image_name(release), release)
        ownkeep.forget(folder, keep=(made,))
    digest = hashlib.sha256("".join(ownkeep.digest_of(own.folder / part) for part in BUILT).encode()).hexdigest()[:12]
    facts = Facts(str(own.folder), "", "", str(image), ownkeep.digest_of(own.folder / "include/generated/autoconf.h"), _compiler(own.folder))
    kind = KINDS[FOR_A_PC]
    return Built(release, kind.arch, own.folder, folder / made / "boot" / kind.image_name(release), None, f"own-{name}-{digest}", facts)


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
