# SPDX-License-Identifier: GPL-2.0
"""Number of instructions of a module's loop, by objdump: what the compiler generated, not what the source says."""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import proc
from ..errors import HarnessError

_INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\t(.*)")
_RELOCATION = re.compile(r"\s*[0-9a-f]+: R_\w+\t([\w.]+)")
_TARGET = re.compile(r"\s([0-9a-f]+) <")
_PADDING = ("nop", "xchg   %ax,%ax", "data16", "cs nop")
_READS_ONLY = ("cmp", "test", "lea", "nop", "call", "jmp", "push")


@dataclass
class Instruction:
    """One instruction of a function."""

    address: int
    text: str
    callee: str = ""
    """What its relocation names."""

    @property
    def mnemonic(self) -> str:
        return self.text.split(maxsplit=1)[0]

    @property
    def calls(self) -> bool:
        return self.mnemonic.startswith("call")

    @property
    def writes_memory(self) -> bool:
        """Whether its destination, the last operand, is in memory."""
        return self.text.endswith(")") and not self.mnemonic.startswith(_READS_ONLY)

    @property
    def target(self) -> int | None:
        """Target of its jump; None if it does not jump."""
        match = _TARGET.search(self.text) if self.mnemonic.startswith("j") else None
        return int(match[1], 16) if match else None


class Function:
    """The instructions of one function, and the paths through them."""

    def __init__(self, name: str, instructions: Sequence[Instruction]) -> None:
        self.name = name
        self.instructions = list(instructions)
        self._index = {one.address: at for at, one in enumerate(self.instructions)}

    def calls(self, callee: str) -> list[Instruction]:
        """Return its calls of `callee`, by address."""
        return [one for one in self.instructions if one.calls and one.callee == callee]

    def round_of(self, inside: Instruction) -> list[Instruction] | None:
        """Return the shortest path from an instruction back to itself: one round of its loop. None if it is in no loop."""
        return self._way(inside, inside)

    def round_through(self, inside: Instruction, other: Instruction) -> list[Instruction]:
        """Return the shortest such round that contains another instruction. HarnessError if there is none."""
        there, back = self._way(inside, other), self._way(other, inside)
        if there is None or back is None:
            raise HarnessError(f"{self.name} is no loop as expected in this build: its instructions cannot be counted")
        return [*there, *back]

    def shortest_round(self) -> list[Instruction]:
        """Return one round of the shortest loop. HarnessError if there is no loop."""
        rounds = [found for one in self.instructions if one.target is not None and (found := self.round_of(one))]
        if not rounds:
            raise HarnessError(f"{self.name} has no loop in this build: its instructions cannot be counted")
        return min(rounds, key=len)

    def _way(self, begin: Instruction, end: Instruction) -> list[Instruction] | None:
        """Return the fewest instructions from `begin` to `end`, without `end`; None if no path exists."""
        start, goal = self._index[begin.address], self._index[end.address]
        before: dict[int, int] = {}
        waiting = collections.deque([start])
        while waiting and goal not in before:
            at = waiting.popleft()
            for following in self._following(at):
                if following not in before:
                    before[following] = at
                    waiting.append(following)
        if goal not in before:
            return None
        way = [before[goal]]
        while way[-1] != start:
            way.append(before[way[-1]])
        return [self.instructions[at] for at in reversed(way)]

    def _following(self, at: int) -> list[int]:
        """Return the possible successors of an instruction within the function."""
        one = self.instructions[at]
        following = [] if one.mnemonic in ("jmp", "ret", "int3", "ud2") else [at + 1]
        if one.target is not None and one.target in self._index:
            following.append(self._index[one.target])
        return [index for index in following if index < len(self.instructions)]


def function(module: Path, name: str) -> Function:
    """Return a function of a .ko file. HarnessError if the file has none of that name."""
    listing = proc.check(["objdump", "--disassemble", "--reloc", "--no-show-raw-insn", module])
    return parse(listing, name, module.name)


def parse(listing: str, name: str, module: str) -> Function:
    """Return the function `name` in objdump's output for `module`."""
    head = re.search(rf"^[0-9a-f]+ <{re.escape(name)}>:\n", listing, re.MULTILINE)
    if not head:
        raise HarnessError(f"{module} has no function {name} in this build: its instructions cannot be counted")
    body = listing[head.end() :].split("\n\n", 1)[0]
    found: list[Instruction] = []
    for line in body.splitlines():
        if match := _INSTRUCTION.fullmatch(line):
            found.append(Instruction(int(match[1], 16), match[2].split("#")[0].rstrip()))
        elif found and (match := _RELOCATION.match(line)):
            found[-1].callee = match[1]
    return Function(name, [one for one in found if not one.text.startswith(_PADDING)])
