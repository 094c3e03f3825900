# SPDX-License-Identifier: GPL-2.0
"""Tunnels made, changed and shown by ip of iproute2, which loads link_udptun.so for them: that of this Debian, and of the next one."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from case_refusals import REFUSED_BY_THE_KERNEL, REFUSED_BY_THE_TOOL
from checks import Skip, equal, true
from commands import KIND, Ran, run, tunctl
from lab import Cable
from packets import PORT
from registry import CASES
from shown import CONFIGURATIONS

Ip = list[str]
"""The command that runs an ip."""

OF_IP_ITSELF = ("kind", "mtu")
"""Keywords of udptunctl that ip has itself for all kinds of devices."""


def next_ip() -> Ip:
    """Return the ip of the next Debian, in its root. Skip if there is none."""
    root = os.environ.get("NEXT_DEBIAN", "")
    if not root or not Path(root, "usr/bin/ip").exists():
        raise Skip("there is no build root with the next Debian's ip, or the guest does not see it: it is in /tmp")
    plugin = next(Path("/usr/lib").glob(f"*/ip/link_{KIND}.so"))
    plugins = Path(root + str(plugin.parent))
    plugins.mkdir(exist_ok=True)  # the root is below an overlay: nothing is written to it
    (plugins / plugin.name).write_bytes(plugin.read_bytes())
    return ["chroot", root, "ip"]


def makes_and_shows(ip: Ip) -> None:
    """Each configuration comes out of ip as out of udptunctl, and ip takes what it prints; JSON says the same."""
    cable = Cable()
    with cable.a:
        tunctl("del tun0")
        for words in CONFIGURATIONS:
            of_ip = re.sub(r" mtu \d+", "", words)
            mtu = re.search(r"mtu \d+", words)
            link(ip, f"add tun0 {mtu[0] if mtu else ''} type {KIND} {of_ip}")
            shown = tunctl("show tun0").stdout
            wanted = re.sub(r" (kind|mtu) \w+", "", shown).strip().removeprefix("tun0 ")
            printed = details(ip, "tun0")
            true(f"{printed!r} has {wanted!r}", f"{KIND} {wanted} " in printed)
            (one,) = json.loads(tunctl("-j show tun0").stdout)
            (other,) = json.loads(link(ip, "show tun0", "-d", "-j").stdout)
            equal("kind", other["linkinfo"]["info_kind"], KIND)
            equal("JSON", other["linkinfo"]["info_data"], {key: one[key] for key in one if key not in ("ifindex", "ifname", "up", *OF_IP_ITSELF)})
            link(ip, "del tun0")
            link(ip, f"add tun0 {mtu[0] if mtu else ''} type {KIND} {wanted}")
            equal("made of what is shown", tunctl("show tun0").stdout, shown)
            link(ip, "del tun0")


def changes(ip: Ip) -> None:
    """What is not given keeps its value; a line of -batch is as good as a command."""
    with Cable().a:
        link(ip, f"change tun0 type {KIND} ttl 9")
        link(ip, f"set tun0 mtu 1300 type {KIND} tos inherit")
        run(*ip, "-batch", "-", stdin=f"link set tun0 type {KIND} csum\nlink set tun0 type {KIND} df set\n")
        shown = tunctl("show tun0").stdout
        for words in (f"remote 10.0.0.2 port {PORT}", "ttl 9 tos inherit csum", "df set", "mtu 1300"):
            true(f"{shown!r} has {words!r}", f" {words}" in shown)


def counts_strangers(ip: Ip) -> None:
    """`ip -s -d` shows udptun's own counter, too."""
    cable = Cable()
    with cable.b, cable.b.udp(4, "10.0.0.2", 9) as stranger:
        stranger.sendto(b"\x45", ("10.0.0.1", PORT))
    with cable.a:
        true("one stranger", "rx_stranger 1 " in details(ip, "tun0", "-s"))
        (shown,) = json.loads(link(ip, "show tun0", "-s", "-d", "-j").stdout)
        equal("JSON", shown["linkinfo"]["info_xstats"], {"rx_stranger": 1})


def helps(ip: Ip) -> None:
    """Both commands print the keywords of udptunctl's usage, but those that ip has itself."""
    wanted = keywords(tunctl("help").stdout) - set(OF_IP_ITSELF)
    for text in (run(*ip, "link", "help", KIND, status=None).stdout, link(ip, f"add type {KIND} help", status=None).stderr):
        true(f"usage: {text!r}", text.startswith(f"Usage: ... {KIND} local ADDR"))
        equal("keywords", keywords(text), wanted)


def keywords(usage: str) -> set[str]:
    """The keywords that a usage lists."""
    return set(re.findall(r"\[ ([\w-]+)", usage.partition("OPTIONS :=")[2]))


def refuses(ip: Ip) -> None:
    """Each wrong word: udptunctl's sentence, and no device; each contradiction: the kernel's."""
    cable = Cable()
    with cable.a:
        link(ip, "del tun0")
        wrong = {words: sentence.replace("udptunctl help", f"ip link help {KIND}") for words, sentence in REFUSED_BY_THE_TOOL.items()}
        for words, sentence in {**wrong, **REFUSED_BY_THE_KERNEL}.items():
            if any(f" {word} " in f" {words} " for word in OF_IP_ITSELF) or not words:
                continue
            refused(ip, words, sentence)
            true("no device is left", not cable.a.has("tun9"))
        refused(ip, f"mtu 1300 local 10.0.0.1 remote 10.0.0.2 port {PORT}", '"mtu" must stand before "type"')
        refused(ip, "kind udptun", '"kind" is the word after "type"')
        refused(ip, "key 5", f'unknown option "key", try "ip link help {KIND}"')


def refused(ip: Ip, words: str, sentence: str) -> None:
    """Failure unless ip prints this one sentence."""
    done = link(ip, f"add tun9 type {KIND} {words}", status=None)
    true(f"{words}: is refused", done.status)
    true(f"{words}: {done.stderr.strip()!r} has {sentence!r} in it", sentence in done.stderr)
    equal(f"{words}: lines of the refusal", len(done.stderr.strip().splitlines()), 1)


def link(ip: Ip, words: str, *options: str, status: int | None = 0) -> Ran:
    """Run ip link."""
    return run(*ip, *options, "link", *words.split(), status=status)


def details(ip: Ip, device: str, *options: str) -> str:
    """The output of `ip -d link show`."""
    return link(ip, f"show {device}", "-d", *options).stdout


def of_both() -> None:
    """Two cases of each function: this Debian's ip, and the next one's."""
    for function in (makes_and_shows, changes, counts_strangers, helps, refuses):
        CASES[f"ip_{function.__name__}"] = functools.partial(function, ["ip"])
        CASES[f"next_ip_{function.__name__}"] = functools.partial(_by_the_next, function)


def _by_the_next(function: Callable[[Ip], None]) -> None:
    function(next_ip())


of_both()
