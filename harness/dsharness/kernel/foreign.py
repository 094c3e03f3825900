# SPDX-License-Identifier: GPL-2.0
"""Headers of stock kernels of other architectures: to compile the modules, not to run them.

A module may be right on x86-64 and not even link elsewhere: where a long has 32 bits, or where the clock is another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import HarnessError
from . import archive, kernels
from .kernels import Kernel

VERSION = "6.1"


@dataclass(frozen=True)
class Foreign:
    """An architecture: its names, and what builds for it."""

    arch: str
    """kbuild's name."""
    flavour: str
    """End of the release of Debian's ordinary kernel."""
    variables: tuple[str, ...]
    """Variables of make that choose the compiler."""


ARCHITECTURES: Mapping[str, Foreign] = {
    "i386": Foreign("i386", "686", ()),
    "arm64": Foreign("arm64", "arm64", ("CROSS_COMPILE=aarch64-linux-gnu-",)),
}
"""By Debian's name."""


def find(name: str) -> Kernel:
    """Return the kernel of an architecture of ARCHITECTURES, without an image. It is fetched if necessary. HarnessError if it cannot be."""
    foreign = ARCHITECTURES[name]
    pattern = rf"^linux-headers-{VERSION}\.[0-9]+-[0-9]+-{foreign.flavour}$"
    trouble: HarnessError | None = None
    if not archive.names(pattern, name):
        try:
            archive.refresh_foreign(name)
        except HarnessError as error:
            trouble = error  # of one list, perhaps, and the headers are in another
    releases = sorted((found.removeprefix("linux-headers-") for found in archive.names(pattern, name)), key=kernels.order)
    if not releases:
        raise trouble or HarnessError(f"the package archive has no headers of {VERSION} for {name}")
    kdir = kernels.headers(releases[-1], name)
    return Kernel(releases[-1], kernels.version_of(releases[-1]), foreign.arch, kdir=kdir, image=None, source=None)
