# SPDX-License-Identifier: GPL-2.0
"""The kernels that a target can run: found by the user's name for them, installed or in the package archive."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import packages, proc
from ..errors import HarnessError, UsageError
from . import archive, buildroot, compilers, umlkernel
from .compilers import Compiler
from .linuxsource import USR_SRC

TARGETS = ("uml", "qemu", "host")
DEFAULT_VERSION = "6.12"
NEWEST = "newest"
"""The newest stock kernel of the mirror, whatever release it is for. It is built for, and kept in, the build root."""

BOOT = Path("/boot")

# kbuild's names of some machines of uname -m; the others have the same name.
ARCHES = {"x86_64": "x86", "aarch64": "arm64", "ppc64le": "powerpc", "s390x": "s390", "riscv64": "riscv"}
HOST_MODULES = Path("/lib/modules")


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
    def target(self) -> str:
        """The target that runs it."""
        if not self.image:
            return "host"
        return "uml" if self.arch == "um" else "qemu"


def find(target: str, spec: str | None = None) -> Kernel:
    """Return the kernel that `spec` names: a version ("6.1"), a full release, "newest" (qemu), or None for the target's default.

    It is fetched or built if necessary. UsageError for an unknown target or kernel, HarnessError if it cannot be obtained.
    """
    match target:
        case "uml":
            return _uml(spec or DEFAULT_VERSION)
        case "qemu":
            return _newest() if spec == NEWEST else _stock(spec or DEFAULT_VERSION)
        case "host":
            return _running(spec)
        case _:
            raise UsageError(f"target {target!r} is unknown: there are {', '.join(TARGETS)}")


def uml_versions() -> list[str]:
    """Return the versions of linux-source in the archive, oldest first."""
    sources = archive.names(r"^linux-source-[0-9]+\.[0-9]+$")
    return sorted((name.removeprefix("linux-source-") for name in sources), key=_order)


def stock_releases() -> list[str]:
    """Return the releases of stock kernels, installed or in the archive, oldest first."""
    found = {name.removeprefix("linux-headers-") for name in archive.names(r"^linux-headers-[0-9]+\..*-amd64$")}
    found |= {folder.name.removeprefix("linux-headers-") for folder in USR_SRC.glob("linux-headers-*-amd64")}
    return sorted((release for release in found if _micro(release)), key=_order)


def newest_stock() -> dict[str, str]:
    """Return the newest release of the ordinary flavour by version, oldest version first."""
    return {_dotted(_version(release)): release for release in stock_releases() if _plain(release)}


def stock_headers(release: str) -> Path:
    """Return the kdir of a stock kernel: the system's, or the archive's, which then builds from the cache."""
    installed = USR_SRC / f"linux-headers-{release}"
    if (installed / "Makefile").exists():
        return installed
    folder = f"usr/src/linux-headers-{release}"
    tree = archive.tree(
        f"headers-{release}",
        lambda: _headers_packages(release),
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


def _uml(spec: str) -> Kernel:
    version = _version(spec)
    offered = uml_versions()
    if offered and _dotted(version) not in offered:
        raise UsageError(f"kernel {spec!r} is unknown: uml is built from linux-source {', '.join(offered)}")
    tree = umlkernel.tree(_dotted(version))
    release = umlkernel.release(tree)
    if spec not in (_dotted(version), release):
        raise UsageError(f"kernel {spec!r} cannot be had: linux-source-{_dotted(version)} is {release}")
    return Kernel(release, version, "um", kdir=tree, image=tree / "linux", source=tree)


def _stock(spec: str) -> Kernel:
    version = _dotted(_version(spec))
    if not archive.names(r"^linux-headers-[0-9]+\..*-amd64$"):
        packages.refresh()
    releases = stock_releases()
    matching = [name for name in releases if name == spec or spec == version == _dotted(_version(name)) and _plain(name)]
    if not matching:
        plain = ", ".join(filter(_plain, releases))
        raise UsageError(f"kernel {spec!r} is unknown: there are {plain}, 6.1 or 6.12 for the newest of those, and {NEWEST}")
    release = matching[-1]
    return Kernel(
        release, _version(release), "x86", kdir=stock_headers(release), image=stock_image(release), source=None
    )


def _newest() -> Kernel:
    root = buildroot.find()
    return Kernel(
        root.release, _version(root.release), "x86", kdir=root.kdir, image=root.image, source=None, inside=root
    )


def _running(spec: str | None) -> Kernel:
    release = platform.release()
    version = _version(release)
    if spec not in (None, release, _dotted(version)):
        raise UsageError(f"kernel {spec!r} is not the running one: target host takes only {release}")
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


def _headers_packages(release: str) -> list[archive.Package]:
    main = archive.require(f"linux-headers-{release}")
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


def _version(text: str) -> tuple[int, int]:
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


def _order(release: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", release)]
