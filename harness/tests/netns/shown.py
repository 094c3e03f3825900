# SPDX-License-Identifier: GPL-2.0
"""Configurations that show every keyword, for the cases of udptunctl's output and of ip's."""

from __future__ import annotations

from commands import GOOD, KIND
from kinds import is_left_out

_ALL = (
    GOOD,
    f"{GOOD} remote-port 9 ttl inherit tos inherit csum df set mtu 1300 dev veth0",
    "local fd00::1 remote fd00::2 port 7 ttl 1 tos 0xfc zerocsum6tx zerocsum6rx flowlabel inherit df unset",
    "local fd00::1 remote fd00::2 port 7 flowlabel 0xabcde",
    f"{GOOD} sport hash fwmark 0x5",
    "local fd00::1 remote fd00::2 port 7 sport hash 1000-1999 fwmark 0x5/0xff",
    f"{GOOD} fwmark 0",
    f"{GOOD} remote-port 9 ttl inherit tos inherit csum df set mtu 1300",
)
CONFIGURATIONS = tuple(words for words in _ALL if not is_left_out(KIND, words))
