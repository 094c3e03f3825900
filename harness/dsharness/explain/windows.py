# SPDX-License-Identifier: GPL-2.0
"""The stream of the profile plugin: what ran between two reads of the clock. harness/tools/profile/stream.h describes its lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import HarnessError

VERSION = "1"


@dataclass(frozen=True)
class Block:
    """Instructions that run one after the other."""

    address: int
    instructions: int
    bytes: int


@dataclass(frozen=True)
class Node:
    """A function in the tree of calls: the node of its caller, and the block that calls it. The root has none."""

    parent: int
    site: Block


@dataclass(frozen=True)
class Tally:
    """What a block did in a window."""

    block: Block
    runs: int
    loads: int
    stores: int


@dataclass
class Window:
    """What ran on a CPU between two reads of the clock."""

    cpu: int
    begin: int
    """Address of the first rdtsc."""
    end: int
    instructions: int
    loads: int
    stores: int
    taken: int
    """Branches to elsewhere than the next instruction."""
    lines: int
    """Distinct cache lines of data."""
    misses: tuple[int, ...]
    """Misses in each level of the model."""
    first: tuple[Block, ...]
    """Its first blocks."""
    tallies: list[Tally] = field(default_factory=list)
    paths: list[tuple[int, Block, int]] = field(default_factory=list)
    """Node, block and runs."""


@dataclass
class Stream:
    """All windows of a guest in their order. A window that repeats is the same object."""

    windows: list[Window]
    nodes: dict[int, Node]


def read(path: Path) -> Stream:
    """Read and check a stream. HarnessError says what is damaged."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise HarnessError(f"the profile {path} cannot be read: {error.strerror}") from error
    if not lines or lines[-1] != "end":
        raise HarnessError(f"the profile {path} is truncated: QEMU ended before the plugin had written all of it")
    if lines[0] != f"profile {VERSION}":
        raise HarnessError(f"the profile {path} begins with {lines[0]!r} instead of the plugin's version {VERSION}")
    stream = Stream([], {})
    try:
        _parse(iter(lines[1:-1]), stream)
    except (ValueError, KeyError, IndexError) as error:
        raise HarnessError(f"the profile {path} is damaged: {error}") from error
    return stream


def _parse(lines: Iterator[str], stream: Stream) -> None:
    blocks: dict[int, Block] = {}
    for line in lines:
        kind, *words = line.split()
        if kind == "c":
            block, *tally = map(int, words)
            stream.windows[-1].tallies.append(Tally(blocks[block], *tally))
        elif kind == "b":
            blocks[int(words[0])] = Block(int(words[1], 16), int(words[2]), int(words[3]))
        elif kind == "w":
            stream.windows.append(_window(words, blocks))
        elif kind == "=":
            stream.windows += [stream.windows[-1]] * int(words[0])
        elif kind == "s":
            node, block, runs = map(int, words)
            stream.windows[-1].paths.append((node, blocks[block], runs))
        elif kind == "n":
            node, parent, block = map(int, words)
            stream.nodes[node] = Node(parent, blocks[block])
        else:
            raise ValueError(f"it has the line {line!r}")


def _window(words: list[str], blocks: dict[int, Block]) -> Window:
    cpu, begin, end, *sums, misses, first = words
    instructions, loads, stores, taken, lines = map(int, sums)
    return Window(
        int(cpu), int(begin, 16), int(end, 16), instructions, loads, stores, taken, lines,
        misses=() if misses == "-" else tuple(map(int, misses.split(","))),
        first=tuple(blocks[int(block)] for block in first.split(",")),
    )  # fmt: skip
