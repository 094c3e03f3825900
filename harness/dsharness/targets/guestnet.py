# SPDX-License-Identifier: GPL-2.0
"""Programs and modules for network tests in a guest without the host's userland: ip, tc, Python, the stock kernel's network modules.

They are added on request only, since they take time to pack and unpack, and no benchmark of containers needs them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import locks, packages, paths, proc, ui
from ..errors import HarnessError
from ..kernel import linuxsource, onefile, tools
from ..kernel.kernels import Kernel
from . import kernelmodules
from .initramfs import Archive, libraries

MODULES = (
    "veth", "dummy", "udp_tunnel", "ip6_udp_tunnel", "vxlan", "geneve", "bareudp", "fou", "fou6", "ipip", "wireguard", "vrf",
)  # fmt: skip
"""The kernel's own modules for tunnels and their tests. Modules that a kernel lacks are left out."""

LEFT_OUT = {"bareudp": "drivers/net/bareudp.c"}
"""Modules that Debian 12's kernels lack, with the place of their source."""
BY_NAME = f"{', '.join(LEFT_OUT)} is built for Debian 12's kernels, which lack it, when named"

PYTHON = Path("/usr/bin/python3")
PYTHON_IMPORTS = (
    "contextlib", "ctypes", "dataclasses", "encodings.ascii", "encodings.idna", "encodings.latin_1", "encodings.utf_8",
    "errno", "fnmatch", "functools", "hashlib", "json", "os", "pathlib", "re", "select", "signal", "socket", "struct", "subprocess",
    "sys", "time", "traceback", "typing", "__future__",
)  # fmt: skip
"""Python modules that scripts in the guest may import."""


MEASURING = ("iperf3", "sockperf", "netperf", "netserver", "wg")
"""Programs of the paper's evaluation that are added if this machine has them."""


@dataclass(frozen=True)
class Foreign:
    """A module of the kernel's source that the kernel was built without."""

    module: Path
    source: str
    """Name and version of its source, "linux-source-6.12 6.12.117-1"."""


def build_missing_modules(kernel: Kernel, names: Sequence[str]) -> list[Foreign]:
    """Build those modules of `names` that the kernel was built without, from Debian's source of its series.

    A warning names the modules that cannot be built.
    """
    found = []
    for name in names:
        if name not in LEFT_OUT or kernelmodules.has(kernel, name):
            continue
        try:
            found.append(_from_source(kernel, name))
        except HarnessError as error:
            ui.warn(f"{name} is not in {kernel.release} and cannot be built for it: {error}")
    return found


def _from_source(kernel: Kernel, name: str) -> Foreign:
    if kernel.inside:
        raise HarnessError("Debian 12 has no source of it")
    picked = onefile.pick(kernel, list(LEFT_OUT.values()), linuxsource.DRIVERS)
    folder = paths.make_folder(paths.objects() / kernel.builds / "drivers", "build")
    with (
        locks.held(folder / ".lock", f"it builds in {folder}"),
        ui.step(f"building {name} of {picked.source} for {kernel.release}"),
    ):
        return Foreign(onefile.module(kernel, picked, name, folder), picked.source)


def add_programs(archive: Archive) -> None:
    """Add ip with its plugin for udptun, tc, udptunctl, and the part of Python that PYTHON_IMPORTS needs."""
    packages.ensure("tunnel")
    for name in ("ip", "tc"):
        archive.program(_found(name), f"/usr/sbin/{name}")
    archive.program(tools.udptunctl(), "/usr/sbin/udptunctl")
    plugin = tools.ip_plugin()
    for file in (plugin, *tools.ip_plugin_links(plugin)):
        archive.copy(plugin, (tools.IP_PLUGINS / file.name).as_posix())
    for name in MEASURING:
        if program := shutil.which(name):
            archive.program(Path(program).resolve(), f"/usr/bin/{name}")
    archive.program(PYTHON.resolve(), "/usr/bin/python3")
    for file in _python_files():
        archive.copy(file, file.as_posix())
        if ".so" in file.suffixes:
            for library in libraries(file):
                archive.once(library)


def _found(name: str) -> Path:
    for folder in ("/usr/sbin", "/sbin", "/usr/bin", "/bin"):
        program = Path(folder, name)
        if program.exists():
            return program.resolve()
    raise HarnessError(f"there is no {name} on this machine")


def _python_files() -> Iterable[Path]:
    """Return the files that Python reads for these imports, as Python itself reports them."""
    script = (
        f"import sys, sysconfig, {', '.join(PYTHON_IMPORTS)}\n"
        "files = {getattr(module, '__file__', None) for module in sys.modules.values()}\n"
        "print(*sorted(file for file in files if file and not file.startswith('<')), sep='\\n')"
    )
    listed = proc.check([PYTHON, "-I", "-c", script], env=proc.build_environment())
    return [Path(line) for line in listed.splitlines()]
