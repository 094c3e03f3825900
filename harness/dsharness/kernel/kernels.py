# SPDX-License-Identifier: GPL-2.0
"""The kernels that a target can run: found by the user's name for them, installed or in the package archive."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import options, packages, proc
from ..errors import HarnessError, UsageError
from . import archive, buildroot, compilers, own, ownbuild, rustroot, rustuml, umlkernel
from .compilers import Compiler
from .linuxsource import USR_SRC
from .own import OwnKernel, Spec
from .ownbuild import Facts

TARGETS = ("uml", "qemu", "host")
DEFAULT_VERSION = "6.12"
DEBUG = "debug"
"""UML's kernel of DEFAULT_VERSION with every check for faults that it has (harness/kernel/uml-debug.config)."""
NEWEST = "newest"
"""The newest stock kernel of the mirror, whatever release it is for. It is built for, and kept in, the build root."""
RUST = "rust"
"""The same kernel in the build root for Rust, where the modules in Rust are built, too. For uml: a kernel of its source."""
RUST_DEBUG = "rust-debug"
"""UML's kernel of that source with Rust and every check for faults (harness/kernel/uml-rust-debug.config)."""
UML_WITH_RUST = {RUST: rustuml.PLAIN, RUST_DEBUG: rustuml.DEBUG}
WITH_RUST = tuple(UML_WITH_RUST)
"""The kernels that the modules in Rust are built for."""

BOOT = Path("/boot")

# kbuild's names of some machines of uname -m; the others have the same name.
ARCHES = {"x86_64": "x86", "aarch64": "arm64", "ppc64le": "powerpc", "s390x": "s390", "riscv64": "riscv"}
HOST_MODULES = Path("/lib/modules")
STOCK_HEADERS = r"^linux-headers-[0-9]+\..*-amd64$"


@dataclass(frozen=True)
class Kernel:
    """A kernel that modules can be built for, and that a guest can boot."""

    release: str
    """`uname -r`, "6.12.117+deb12-amd64"."""
    version: tuple[int, int]
    """(6, 12)."""
    arch: str
    """make ARCH=: "um", "x86", on a host its own."""
    kdir: Path
    """for make -C kdir M=…"""
    image: Path | None
    """The bootable file: UML's `linux`, or a vmlinuz; None on the host."""
    source: Path | None
    """The unpacked linux-source if there is one (checkpatch, kunit.py)."""
    inside: buildroot.BuildRoot | None = None
    """The root whose tools build for the kernel if the system's are too old; `kdir` is then a folder inside it."""
    rust: bool = False
    """Whether the modules in Rust are built for it, too."""
    id: str = ""
    """What tells kernels of the user's apart that have the same release: all that modules for them depend on. "" for others."""
    facts: Facts | None = None
    """What results say about a kernel of the user's; None for others."""

    @property
    def kdir_outside(self) -> Path:
        """`kdir` as this process sees it."""
        return self.inside.path / self.kdir.relative_to("/") if self.inside else self.kdir

    @property
    def compiler(self) -> Compiler:
        """The compiler for modules. HarnessError if it is missing, or if CC or LLVM in the environment names one that cannot be."""
        return compilers.of(self.kdir_outside, self.release, own_tools=self.inside is not None)

    def command(self, argv: Sequence[proc.Arg]) -> list[str]:
        """Return `argv` to run with the tools that build for this kernel."""
        return self.inside.command(argv) if self.inside else [os.fspath(arg) for arg in argv]

    @property
    def is_debug(self) -> bool:
        """Whether it is the debug kernel."""
        return self.arch == "um" and self.release.endswith(f"-{DEBUG}")

    @property
    def builds(self) -> str:
        """Name of the folder with what is built for it."""
        return f"{self.target}-{self.release}{f'-{RUST}' if self.rust else f'-{self.id}' if self.id else ''}"

    @property
    def state(self) -> str:
        """Its release, and what tells states of the user's tree apart."""
        return f"{self.release} {self.facts.source} {self.facts.options}" if self.facts else self.release

    @property
    def called(self) -> str:
        """Its release for people, with git's name of the user's tree."""
        described = self.facts and (self.facts.described or self.facts.folder)
        return f"{self.release} ({described})" if described else self.release

    @property
    def target(self) -> str:
        """The target that runs it."""
        if not self.image:
            return "host"
        return "uml" if self.arch == "um" else "qemu"


def find(target: str, spec: Spec | None = None) -> Kernel:
    """Return the kernel that `spec` names: a version ("6.1"), a full release, "newest" (qemu), "rust" (qemu and uml), "debug" or
    "rust-debug" (uml), one of the user's, or None for the target's default.

    It is fetched or built if necessary. UsageError for an unknown target or kernel, HarnessError if it cannot be obtained.
    """
    check(target, spec)
    if isinstance(spec, OwnKernel):
        return _own(spec, target)
    if target == "uml":
        return _uml_with_rust(UML_WITH_RUST[spec]) if spec in UML_WITH_RUST else _uml(spec or DEFAULT_VERSION)
    if target == "host":
        return _running()
    if spec in (NEWEST, RUST):
        return _newest(rust=spec == RUST)
    return _stock(spec or DEFAULT_VERSION)


def check(target: str, spec: Spec | None) -> None:
    """UsageError if the target is unknown, or if it cannot have the kernel `spec`. Nothing is fetched, built or installed.

    Where the package lists are empty, only the form of `spec` is checked.
    """
    if target not in TARGETS:
        raise UsageError(f"target {target!r} is unknown: there are {', '.join(TARGETS)}{options.suggestion(target, TARGETS)}")
    if spec is None:
        return
    if isinstance(spec, OwnKernel):
        own.check(spec, target)
    elif target == "uml":
        _check_uml(spec)
    elif target == "host":
        _check_running(spec)
    elif spec in (DEBUG, RUST_DEBUG):
        raise UsageError(f"kernel {spec!r} is for target uml, not {target}")
    elif spec not in (NEWEST, RUST):
        version_of(spec)
        if archive.names(STOCK_HEADERS):
            _matching(spec)


def uml_versions() -> list[str]:
    """Return the versions of linux-source in the archive, oldest first."""
    sources = archive.names(r"^linux-source-[0-9]+\.[0-9]+$")
    return sorted((name.removeprefix("linux-source-") for name in sources), key=order)


def stock_releases() -> list[str]:
    """Return the releases of stock kernels, installed or in the archive, oldest first."""
    found = {name.removeprefix("linux-headers-") for name in archive.names(STOCK_HEADERS)}
    found |= {folder.name.removeprefix("linux-headers-") for folder in USR_SRC.glob("linux-headers-*-amd64")}
    return sorted((release for release in found if _micro(release)), key=order)


def newest_stock() -> dict[str, str]:
    """Return the newest release of the ordinary flavour by version, oldest version first."""
    return {_dotted(version_of(release)): release for release in stock_releases() if _plain(release)}


def stock_headers(release: str) -> Path:
    """Return the kdir of a stock kernel: the system's, or the archive's, which then builds from the cache."""
    installed = USR_SRC / f"linux-headers-{release}"
    return installed if (installed / "Makefile").exists() else headers(release)


def headers(release: str, arch: str = "") -> Path:
    """Return the kdir of the archive's headers of a release, of another architecture if `arch` names one; its tools are this system's."""
    folder = f"usr/src/linux-headers-{release}"
    tree = archive.tree(
        f"headers-{release}",
        lambda: _headers_packages(release, arch),
        proofs=[f"{folder}/Makefile", f"{folder}/Module.symvers", f"{folder}/scripts/mod/modpost"],
        mend=lambda root: _relocate(root / folder / "Makefile"),
    )
    return tree / folder


def stock_image(release: str) -> Path:
    """Return the vmlinuz of a stock kernel, the system's or the archive's."""
    installed = BOOT / f"vmlinuz-{release}"
    try:
        with installed.open("rb"):
            return installed
    except OSError:
        image = f"boot/vmlinuz-{release}"
        return archive.tree(f"image-{release}", lambda: _image_packages(release), proofs=[image]) / image


def _own(spec: OwnKernel, target: str) -> Kernel:
    built = ownbuild.find(spec, target)
    return Kernel(
        built.release, version_of(built.release), built.arch, kdir=built.kdir, image=built.image, source=built.source, id=built.id, facts=built.facts
    )


def _uml(spec: str) -> Kernel:
    debug = spec == DEBUG
    version = version_of(DEFAULT_VERSION if debug else spec)
    tree = umlkernel.tree(_dotted(version), debug=debug)
    release = umlkernel.release(tree)
    if spec not in (_dotted(version), release, DEBUG):
        raise UsageError(f"kernel {spec!r} cannot be had: linux-source-{_dotted(version)} is {release}")
    return Kernel(release, version, "um", kdir=tree, image=tree / "linux", source=tree)


def _uml_with_rust(flavour: rustuml.Flavour) -> Kernel:
    compilers.require_none(f"the {flavour.called}")
    root, tree = rustuml.find(flavour)
    outside = root.path / tree.relative_to("/")
    release = umlkernel.release(outside)
    return Kernel(release, version_of(release), "um", kdir=tree, image=outside / "linux", source=outside, inside=root, rust=True)


def _check_uml(spec: str) -> None:
    offered = uml_versions()
    if spec not in (DEBUG, *WITH_RUST) and _dotted(version_of(spec)) not in offered and offered:
        raise UsageError(f"kernel {spec!r} is unknown: uml is built from linux-source {', '.join(offered)}, or {', '.join((DEBUG, *WITH_RUST))}")


def _stock(spec: str) -> Kernel:
    if not archive.names(STOCK_HEADERS):
        packages.refresh()
    release = _matching(spec)
    return Kernel(
        release, version_of(release), "x86", kdir=stock_headers(release), image=stock_image(release), source=None
    )


def _matching(spec: str) -> str:
    """Return the newest release that `spec` names. UsageError if there is none."""
    version = _dotted(version_of(spec))
    releases = stock_releases()
    matching = [name for name in releases if name == spec or spec == version == _dotted(version_of(name)) and _plain(name)]
    if not matching:
        plain = ", ".join(filter(_plain, releases))
        raise UsageError(f"kernel {spec!r} is unknown: there are {plain}, 6.1 or 6.12 for the newest of those, and {NEWEST}")
    return matching[-1]


def _newest(rust: bool) -> Kernel:
    compilers.require_none(f"the kernel {RUST if rust else NEWEST}")
    root = rustroot.find() if rust else buildroot.find()
    kdir = rustroot.kdir(root) if rust else root.kdir
    return Kernel(
        root.release, version_of(root.release), "x86", kdir=kdir, image=root.image, source=None, inside=root, rust=rust
    )


def _check_running(spec: str) -> None:
    release = platform.release()
    if spec not in (release, _dotted(version_of(release))):
        raise UsageError(f"kernel {spec!r} is not the running one: target host takes only {release}")


def _running() -> Kernel:
    release = platform.release()
    version = version_of(release)
    kdir = HOST_MODULES / release / "build"
    if not (kdir / "Makefile").exists():
        if not archive.candidate(f"linux-headers-{release}"):
            raise HarnessError(
                f"headers of the running kernel {release} are missing: {kdir} is not there, and the package archive"
                f" has no linux-headers-{release} (the targets uml and qemu need none)"
            )
        kdir = stock_headers(release)
    return Kernel(release, version, _running_arch(), kdir=kdir.resolve(), image=None, source=None)


def _running_arch() -> str:
    """Return kbuild's name for the architecture of the running kernel. ARCH in the environment overrides it, as for kbuild."""
    machine = platform.machine()
    return os.environ.get("ARCH", "") or ARCHES.get(machine, machine)


def _headers_packages(release: str, arch: str) -> list[archive.Package]:
    main = archive.candidate(f"linux-headers-{release}", arch) if arch else archive.require(f"linux-headers-{release}")
    if not main:
        raise HarnessError(f"the package archive has no linux-headers-{release} for {arch}")
    parts = re.findall(r"(linux-headers-\S+-common(?:-rt)?|linux-kbuild-[^\s,]+)", main.depends)
    return [main, *(archive.require(part) for part in parts)]


def _image_packages(release: str) -> list[archive.Package]:
    """Return the signed image, or the unsigned one if there is no other."""
    return [archive.candidate(f"linux-image-{release}") or archive.require(f"linux-image-{release}-unsigned")]


def _relocate(makefile: Path) -> None:
    """Make Debian's headers, which refer to each other under /usr/src, find their neighbour wherever they are."""
    here = "$(dir $(abspath $(lastword $(MAKEFILE_LIST))))"
    text = makefile.read_text(encoding="utf-8")
    makefile.write_text(text.replace("include /usr/src/", f"include {here}../"), encoding="utf-8")


def version_of(text: str) -> tuple[int, int]:
    """Return (6, 12) for "6.12.117+deb12-amd64". UsageError if it is not the name of a kernel."""
    match = re.match(r"(\d+)\.(\d+)", text)
    if not match:
        raise UsageError(f"kernel {text!r} is not a version: say 6.1, 6.12, or a full release")
    return int(match[1]), int(match[2])


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _plain(release: str) -> bool:
    """Return true for Debian's ordinary flavour, neither cloud nor realtime."""
    return not re.search(r"-(cloud|rt)-amd64$", release)


def _micro(release: str) -> bool:
    """Return true for a full release; "6.12-amd64" is a meta-package."""
    return bool(re.match(r"\d+\.\d+\.\d+", release))


def order(release: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", release)]
