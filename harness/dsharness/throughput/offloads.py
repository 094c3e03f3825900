# SPDX-License-Identifier: GPL-2.0
"""The settings of the matrix: outer checksum, segmentation by the underlay, and GRO, and how they are set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..tunnel.devices import LINK

ZERO, ON, SOFTWARE = "zero", "on", "software"
"""Outer UDP checksum: none; one that the underlay's hardware would add; one that the CPU adds."""
FIXED = ("wireguard",)
"""Tunnels that always have an outer checksum."""


@dataclass(frozen=True)
class Setting:
    """One combination. `tso`: the underlay cuts large packets of TCP and UDP, tunnelled ones, too. `gro`: receivers merge them."""

    checksum: str
    tso: bool
    gro: bool

    @property
    def has_outer_checksum(self) -> bool:
        """Whether the tunnels are made with one."""
        return self.checksum != ZERO

    def label(self) -> str:
        """Return it as in names of rows."""
        return f"csum:{self.checksum}/tso:{_word(self.tso)}/gro:{_word(self.gro)}"

    def features(self) -> list[str]:
        """Return the settings of the underlay for features.py, those that others depend on first."""
        checksum = self.checksum != SOFTWARE
        if checksum:
            return [f"tx-checksum-*=on,tx-*-segmentation={_word(self.tso)},rx-gro={_word(self.gro)}"]
        return [f"tx-*-segmentation=off,tx-checksum-*=off,rx-gro={_word(self.gro)}"]

    def concerns(self, device: str) -> bool:
        """Whether a device differs in this setting: the bare link and wireguard have no choice of an outer checksum."""
        return self.checksum != ON or device not in (LINK, *FIXED)


DEFAULT = Setting(ZERO, tso=True, gro=True)


def settings() -> Iterator[Setting]:
    """Return the settings in the order of the measurement, the default one first: all without an outer checksum, then the others.

    The kernel turns segmentation off with the hardware's checksum: that combination does not exist.
    """
    for checksum in (ZERO, ON):
        yield from (Setting(checksum, tso, gro) for tso in (True, False) for gro in (True, False))
    yield from (Setting(SOFTWARE, False, gro) for gro in (True, False))


def _word(on: bool) -> str:
    return "on" if on else "off"
