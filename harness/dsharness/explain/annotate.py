# SPDX-License-Identifier: GPL-2.0
"""The disassembly of a function as the guest ran it, with how often each instruction ran."""

from __future__ import annotations

import base64
import bisect
import gzip
import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import proc
from ..errors import HarnessError
from ..kernel.build import Build
from .profile import Profile
from .symbols import Function, Symbols
from .windows import Block

MOST_BYTES = 16384
"""Number of bytes of a function that the guest sends."""
LISTED = 6
"""Number of functions to list in place of one that does not run."""

_INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\s+(\S.*)")
_TARGET = re.compile(r"^((?:call|jmp|j[a-z]+)\S*\s+)0x([0-9a-f]+)")
_LINE = re.compile(r"(.+):([0-9]+)(?: \(discriminator [0-9]+\))?")


@dataclass(frozen=True)
class Line:
    """One instruction: its address, how often it ran in the try, its text, and where it comes from: "file:line", "" if unknown."""

    address: int
    runs: int
    text: str
    source: str = ""


def unpacked(lines: Iterable[str]) -> bytes:
    """Return the code in base64 of gzip, as the guest sends it. HarnessError if it is damaged or empty."""
    try:
        code = gzip.decompress(base64.b64decode("".join(lines)))
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise HarnessError(f"the guest's code is damaged: {error}") from error
    if not code:
        raise HarnessError("the guest's /proc/kcore does not show its code: no disassembly is possible")
    return code


def lines(function: Function, code: bytes, profile: Profile, symbols: Symbols, build: Build) -> list[Line]:
    """Return the instructions of a function with their runs in a profile."""
    code = code[: min(function.end - function.address, MOST_BYTES)]
    runs = _runs(profile.blocks)
    found = [Line(address, runs(address), _named(text, function, symbols)) for address, text in disassembled(code, function.address)]
    while len(found) > 1 and not found[-1].runs and _is_padding(found[-1].text):
        found.pop()
    sources = _sources(function, [line.address for line in found], build)
    return [Line(one.address, one.runs, one.text, sources.get(one.address, "")) for one in found]


def disassembled(code: bytes, address: int) -> list[tuple[int, str]]:
    """Return the instructions of code at an address, by objdump."""
    with tempfile.NamedTemporaryFile(prefix="dsbench-") as file:
        file.write(code)
        file.flush()
        listing = proc.check([
            "objdump", "--disassemble-all", "--target=binary", "--architecture=i386:x86-64", "--no-show-raw-insn",
            f"--adjust-vma={address:#x}", file.name,
        ])  # fmt: skip
    matches = map(_INSTRUCTION.fullmatch, listing.splitlines())
    return [(int(match[1], 16), match[2].rstrip()) for match in matches if match]


class _runs:
    """How often the instruction at an address ran."""

    def __init__(self, blocks: Counter[Block]) -> None:
        changes: Counter[int] = Counter()
        for block, runs in blocks.items():
            changes[block.address] += runs
            changes[block.address + block.bytes] -= runs
        self._addresses = sorted(changes)
        self._runs: list[int] = []
        for address in self._addresses:
            self._runs.append((self._runs[-1] if self._runs else 0) + changes[address])

    def __call__(self, address: int) -> int:
        place = bisect.bisect_right(self._addresses, address) - 1
        return self._runs[place] if place >= 0 else 0


def _named(text: str, function: Function, symbols: Symbols) -> str:
    """Return an instruction with the name of the function that it calls or jumps to."""
    match = _TARGET.match(text)
    if not match:
        return text
    target = int(match[2], 16)
    if function.address <= target < function.end:
        return text
    other = symbols.at(target)
    offset = f"+{target - other.address:#x}" if target != other.address else ""
    return f"{match[1]}{other.name}{offset}"


def _is_padding(text: str) -> bool:
    return text.startswith(("nop", "xchg   %ax,%ax", "int3", "cs nop", "data16"))


def _sources(function: Function, addresses: list[int], build: Build) -> dict[int, str]:
    """Return the source line of each address, by addr2line; {} without debug information."""
    image, offset, section = _debug_file(function, build)
    if not image:
        return {}
    argv: list[proc.Arg] = ["addr2line", f"--exe={image}", *([f"--section={section}"] if section else [])]
    try:
        said = proc.check([*argv, *(f"{address - offset:#x}" for address in addresses)]).splitlines()
    except HarnessError:
        return {}
    found = {}
    for address, line in zip(addresses, said):
        if (match := _LINE.fullmatch(line)) and match[2] != "0":
            found[address] = f"{_short(match[1])}:{match[2]}"
    return found


def _debug_file(function: Function, build: Build) -> tuple[Path | None, int, str]:
    """Return the file with the debug information of a function, what to subtract from its addresses, and their section."""
    if not function.module:
        image = next((path for path in (build.kernel.kdir / "vmlinux", build.kernel.source and build.kernel.source / "vmlinux") if path and path.is_file()), None)
        return image, 0, ""
    module = next((build.ko_dir.parent / "src/modules").rglob(f"{function.module}.ko"), None)
    if not module:
        return None, 0, ""
    for line in proc.check(["nm", module]).splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == function.name:
            return module, function.address - int(words[0], 16), ".text"
    return None, 0, ""


def _short(path: str) -> str:
    """Return a source path from the last folder that a reader knows on."""
    for mark in ("/modules/", "/include/"):
        if mark in path:
            return mark[1:] + path.rpartition(mark)[2]
    return path


def running(profile: Profile, found: Sequence[Function]) -> list[Function]:
    """Return those functions that run in a profile."""
    addresses = [block.address for block in profile.blocks]
    return [one for one in found if any(one.address <= address < one.end for address in addresses)]


def check_runs(name: str, profiles: Sequence[Profile], found: Sequence[Function]) -> None:
    """HarnessError unless one of the functions runs in one of the profiles; it names the dearest ones that do."""
    if not any(running(profile, found) for profile in profiles):
        known = dict.fromkeys(function.partition(" ")[0] for profile in profiles for function in list(profile.functions)[:LISTED])
        cells = list(dict.fromkeys(profile.cell.name for profile in profiles))
        where = cells[0] if len(cells) == 1 else f"any of the {len(cells)} cells"
        raise HarnessError(f"--annotate {name}: no such function runs in {where}, where {', '.join([*known][:LISTED])} do")
