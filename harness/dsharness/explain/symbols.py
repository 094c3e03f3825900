# SPDX-License-Identifier: GPL-2.0
"""Names of a guest's functions, from its /proc/kallsyms."""

from __future__ import annotations

import base64
import bisect
import contextlib
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .. import locks, paths, ui
from ..errors import HarnessError
from ..kernel.kernels import Kernel
from ..targets import Target
from . import rustnames

SHELF = "symbols"
PADDING = "__pfx_"
"""Prefix of the symbols of padding before a function, which nothing executes."""

LIST_KERNEL = f"echo 0 >/proc/sys/kernel/kptr_restrict; grep -v -e ' {PADDING}' -e '\\]$' /proc/kallsyms | grep ' [tTwW] ' | gzip -9"
"""Prints the kernel's functions. The serial port takes most of the time, hence gzip."""
LIST_SECONDS = 300.0
_LINE = re.compile(r"([0-9a-f]+) [tTwW] (\S+)(?:\s+\[(\S+)\])?")
_SUFFIX = re.compile(r"\.(?:constprop|isra|part|cold|llvm)\b.*")
_BORDER = re.compile(r"^_*s?text$|_text_(?:start|end)$|_(?:begin|end)$")
"""Names of the borders of sections, which may be at the address of a function."""
_KERNEL_HALF = 1 << 63


@dataclass(frozen=True, order=True)
class Function:
    """A function of the guest. `module` is "" for the kernel's own."""

    address: int
    name: str
    module: str
    end: int
    """Address of the next function."""
    readable: str = ""
    """Its name without the mangling of Rust; "" if that is `name`."""

    @property
    def shown(self) -> str:
        """Name for people, without the suffixes of the compiler's copies and parts: "xas_load", "rbtree_find [dsbench_rbtree]"."""
        name = self.readable or _SUFFIX.sub("", self.name)
        return f"{name} [{self.module}]" if self.module else name


USER = Function(0, "(user space)", "", _KERNEL_HALF)
UNKNOWN = "(generated code)"
"""Name of code that kallsyms does not name, such as trampolines."""


class Symbols:
    """The functions of one guest, by address."""

    def __init__(self, functions: Iterable[Function]) -> None:
        """`functions` may have several names for an address, and no ends yet."""
        best: dict[int, Function] = {}
        for function in functions:
            known = best.get(function.address)
            if not known or _rank(function) < _rank(known):
                best[function.address] = function
        ordered = [best[address] for address in sorted(best)]
        ends = [function.address for function in ordered[1:]] + [1 << 64]
        self.functions = [replace(function, end=end) for function, end in zip(ordered, ends)]
        self._addresses = [function.address for function in self.functions]

    def at(self, address: int) -> Function:
        """Return the function that an address belongs to."""
        if address < _KERNEL_HALF:
            return USER
        place = bisect.bisect_right(self._addresses, address) - 1
        if place < 0:
            return Function(address, UNKNOWN, "", address + 1)
        return self.functions[place]

    def named(self, name: str, module: str | None = None) -> list[Function]:
        """Return the functions of this name; of this module, if it is given."""
        wanted = (one for one in self.functions if one.name == name or rustnames.fits(one.readable or _SUFFIX.sub("", one.name), name))
        return [one for one in wanted if module is None or one.module == module]

    def moved(self, module: str, offset: int) -> "Symbols":
        """Return the symbols with all functions of a module `offset` bytes further."""
        if not offset:
            return self
        return Symbols(replace(one, address=one.address + offset) if one.module == module else one for one in self.functions)


def _rank(function: Function) -> tuple[bool, int, str]:
    """Return a key that is lowest for the best of several names of an address."""
    name = function.name
    return bool(_BORDER.search(name)), len(name) - len(name.lstrip("_")), name


def parse(text: str) -> list[Function]:
    """Return the functions in lines of kallsyms. HarnessError if the guest hides their addresses."""
    found = [
        Function(int(match[1], 16), match[2], match[3] or "", 0)
        for line in text.splitlines()
        if (match := _LINE.fullmatch(line.strip())) and not match[2].startswith(PADDING)
    ]
    if not any(function.address for function in found):
        raise HarnessError(
            "the guest hides the addresses of its functions, which a profile needs: its kernel.kptr_restrict must be 0, or 1 for root"
        )
    plain = rustnames.readable(function.name for function in found)
    return [replace(function, readable=plain.get(function.name, "")) for function in found]


def unpacked(lines: Sequence[str]) -> str:
    """Return the text in base64 of gzip, as the guest sends it. HarnessError if it is damaged."""
    try:
        return gzip.decompress(base64.b64decode("".join(lines))).decode()
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise HarnessError(f"the guest's list of functions is damaged: {error}") from error


def kernel_file(kernel: Kernel) -> Path:
    """Return the file of the cache for the functions of this kernel's image, whose addresses are the same in each boot."""
    assert kernel.image is not None
    digest = hashlib.sha256(kernel.image.read_bytes()).hexdigest()[:12]
    return paths.make_folder(paths.cache() / SHELF, "symbols") / f"{kernel.release}-{digest}.gz"


def of_kernel(target: Target) -> list[Function]:
    """Return the functions of the target's kernel: from the cache, or from a guest that is booted for them, once for a kernel.

    HarnessError if they are hidden, or the guest fails.
    """
    path = kernel_file(target.kernel)
    with locks.held(path.with_suffix(".lock"), f"it reads the functions of {target.kernel.release}"):
        with contextlib.suppress(OSError, EOFError, ValueError, zlib.error):
            return parse(gzip.decompress(path.read_bytes()).decode())
        with ui.step(f"reading the names of the functions of {target.kernel.release}, once for this kernel"):
            ended = target.run(["sh", "-c", LIST_KERNEL], timeout=LIST_SECONDS)
        if ended.status:
            raise HarnessError(f"the guest cannot list its functions: status {ended.status} (the console is in {ended.console})")
        found = parse(gzip.decompress(ended.stdout).decode())
        part = path.with_suffix(".part")
        part.write_bytes(ended.stdout)
        part.replace(path)
        return found
