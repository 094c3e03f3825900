# SPDX-License-Identifier: GPL-2.0
"""What udptunctl shows."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

from checks import equal, true
from commands import ip, run, tunctl
from lab import Cable, Machine
from registry import case
from shown import CONFIGURATIONS


@case
def shown_is_what_makes_it() -> None:
    """The output of show, given to add, makes the same tunnel; JSON says the same."""
    cable = Cable()
    for words in CONFIGURATIONS:
        with cable.a:
            run("ip", "link", "del", "tun0")
            tunctl(f"add tun0 {words}")
            shown = tunctl("show").stdout
            tunctl("del tun0")
            tunctl(f"add {shown}")
            equal("shown", tunctl("show tun0").stdout, shown)
            (tunnel,) = json.loads(tunctl("-j show tun0").stdout)
            for key, value in re.findall(r"(?<!\S)(local|remote|port|remote-port|ttl|tos|mtu|df|dev) (\S+)", shown):
                equal(key, str(tunnel[key]), value)


@case
def the_underlay_is_shown_by_ip() -> None:
    """ip shows the underlay behind the name, where `dev` is given; from another namespace its number and the namespace.

    A device of c has the number that the underlay has in a.
    """
    cable, c = Cable(options="dev veth0"), Machine("c")
    with cable.a:
        index = next(index for index, name in socket.if_nameindex() if name == "veth0")
        equal("dev, by ip", details()["dev"], "veth0")
        true("tun0@veth0", re.match(r"\d+: tun0@veth0: ", run("ip", "-d", "link", "show", "tun0").stdout))
        equal("link", link()["link"], "veth0")
        tunctl("set tun0 nodev")
        true("tun0@NONE", re.match(r"\d+: tun0(@NONE)?: ", run("ip", "-d", "link", "show", "tun0").stdout))
        tunctl("set tun0 dev veth0")
        with c:
            ip(f"link add dummy0 index {index} type dummy")
        ip("link set tun0 netns c")
    with c:
        shown = link()
        equal("index of the underlay", shown["link_index"], index)
        true("the namespace of the underlay", "link_netnsid" in shown)
        equal("dev, by ip", details()["dev"], f"if{index}")
        (tunnel,) = json.loads(tunctl("-j show tun0").stdout)
        equal("dev, by udptunctl", tunnel["dev"], f"if{index}")
        ip("link set tun0 netns a")
    with cable.a:
        equal("dev, by ip", details()["dev"], "veth0")


def link() -> dict[str, Any]:
    """What ip shows of tun0."""
    found: list[dict[str, Any]] = json.loads(run("ip", "-d", "-j", "link", "show", "tun0").stdout)
    return found[0]


def details() -> dict[str, Any]:
    """What ip's plugin shows of tun0."""
    return dict(link()["linkinfo"]["info_data"])
