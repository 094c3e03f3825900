# SPDX-License-Identifier: GPL-2.0
"""What udptunctl shows."""

from __future__ import annotations

import json
import re

from checks import equal
from commands import GOOD, run, tunctl
from lab import Cable
from registry import case


@case
def shown_is_what_makes_it() -> None:
    """The output of show, given to add, makes the same tunnel; JSON says the same."""
    cable = Cable()
    for words in (
        GOOD,
        f"{GOOD} remote-port 9 ttl inherit tos inherit csum df set mtu 1300 dev veth0",
        "local fd00::1 remote fd00::2 port 7 ttl 1 tos 0xfc zerocsum6tx zerocsum6rx flowlabel inherit df unset",
        "local fd00::1 remote fd00::2 port 7 flowlabel 0xabcde",
    ):
        with cable.a:
            run("ip", "link", "del", "tun0")
            tunctl(f"add tun0 {words}")
            shown = tunctl("show").stdout
            tunctl("del tun0")
            tunctl(f"add {shown}")
            equal("shown", tunctl("show tun0").stdout, shown)
            (tunnel,) = json.loads(tunctl("-j show tun0").stdout)
            for key, value in re.findall(r"(local|remote|port|remote-port|ttl|tos|mtu|df|dev) (\S+)", shown):
                equal(key, str(tunnel[key]), value)
