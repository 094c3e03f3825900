# SPDX-License-Identifier: GPL-2.0
"""What is refused: one sentence, and nothing is left of it."""

from __future__ import annotations

import os
import subprocess

from checks import equal, true
from commands import GOOD, KIND, ip, refusal, run, tunctl
from kinds import is_left_out
from lab import Cable, Machine
from packets import PORT
from registry import case

REFUSED_BY_THE_TOOL = {
    "local 10.0.0": "takes an IPv4 or IPv6 address",
    "local 10.0.0.256": "takes an IPv4 or IPv6 address",
    "local fe80::1%nosuch0": 'Cannot find device "nosuch0"',
    "local fe80::1%": "takes an IPv4 or IPv6 address",
    "local 10.0.0.1%lo": "takes an IPv4 or IPv6 address",
    "local fd00::1%lo": "is not a link-local address: only these have a zone",
    "sport 5": "takes hash or fixed",
    "sport hash 9": "takes a range of ports, MIN-MAX, from 1 to 65535",
    "sport hash 0-9": "takes a range of ports, MIN-MAX, from 1 to 65535",
    "sport hash 9-8": "takes a range of ports, MIN-MAX, from 1 to 65535",
    "sport hash 9-65536": "takes a range of ports, MIN-MAX, from 1 to 65535",
    "sport fixed 1-2": '"sport fixed" takes no range',
    "fwmark 0x100000000": "takes MARK, MARK/MASK, both up to 0xffffffff, or inherit",
    "fwmark 5/": "takes MARK, MARK/MASK, both up to 0xffffffff, or inherit",
    "fwmark /5": "takes MARK, MARK/MASK, both up to 0xffffffff, or inherit",
    "remote b": "takes an IPv4 or IPv6 address",
    "port 65536": "takes a number from 0 to 65535",
    "port -1": "takes a number from 0 to 65535",
    "port 010x": "takes a number from 0 to 65535",
    "port 7000x": "takes a number from 0 to 65535",
    "port": "needs a value",
    "remote-port +1": "takes a number from 0 to 65535",
    "ttl 0": "takes a number from 1 to 255, or inherit",
    "ttl 256": "takes a number from 1 to 255, or inherit",
    "tos 1": "takes 0, a number from 2 to 255, or inherit",
    "tos 256": "takes 0, a number from 2 to 255, or inherit",
    "flowlabel 0x100000": "takes a number from 0 to 0xfffff, or inherit",
    "df maybe": "takes set, unset or inherit",
    "mtu 0": "takes a number of bytes, 1 or more",
    "mtu 99999999999999999999": "takes a number of bytes, 1 or more",
    "dev nosuch0": 'Cannot find device "nosuch0"',
    "csum nocsum": '"nocsum" conflicts with "csum"',
    "ttl 1 ttl 2": '"ttl" is given twice',
    "kind vxlan": "takes udptun or udptun_rust",
    "key 5": 'unknown option "key"',
}

_BY_THE_KERNEL = {
    "": "missing",
    "local 10.0.0.1 remote 10.0.0.2": "The local port is missing",
    "remote 10.0.0.2 port 1": "The local address is missing",
    "local 10.0.0.1 port 1": "The remote address is missing",
    "port 1": "The local and remote addresses are missing",
    "local 10.0.0.1 remote fd00::2 port 1": "must be of the same family",
    "local fd00::1 remote 10.0.0.2 port 1": "must be of the same family",
    "local 0.0.0.0 remote 10.0.0.2 port 1": "The local address is unspecified",
    "local 10.0.0.1 remote 0.0.0.0 port 1": "The remote address is unspecified",
    "local 224.0.0.1 remote 10.0.0.2 port 1": "The local address is a multicast address",
    "local 10.0.0.1 remote 239.1.1.1 port 1": "The remote address is a multicast address",
    "local 10.0.0.1 remote 255.255.255.255 port 1": "The remote address is a broadcast address",
    "local 10.0.0.1 remote 10.0.0.255 port 1": "The remote address is a broadcast address",
    "local 10.0.0.1 remote 10.0.0.1 port 1": "The local and remote addresses are the same",
    "local 10.0.0.9 remote 10.0.0.1 port 1": "The remote address belongs to this host",
    "local 10.0.0.1 remote 127.0.0.1 port 1": "The remote address belongs to this host",
    "local fd00::1 remote :: port 1": "The remote address is unspecified",
    "local fd00::1 remote ff02::1 port 1": "The remote address is a multicast address",
    "local fd00::9 remote fd00::1 port 1": "The remote address belongs to this host",
    "local fd00::1 remote ::ffff:10.0.0.2 port 1": "IPv4-mapped IPv6 addresses are not supported",
    "local fe80::1 remote fe80::2 port 1": "A link-local address needs an underlay device",
    "local 10.0.0.1 remote 10.0.0.2 port 0": "The local port cannot be 0",
    f"{GOOD} remote-port 0": "The remote port cannot be 0",
    f"{GOOD} tos 2": "The TOS must be a multiple of 4",
    f"{GOOD} remote-port 9 sport hash": "the local and the remote port must be the same",
    f"{GOOD} fwmark 5/4": "The mark has bits that its mask leaves out",
    f"{GOOD} flowlabel 5": "The flow label attributes apply to IPv6 only",
    f"{GOOD} zerocsum6tx": "The zero checksum attributes apply to IPv6 only",
    f"{GOOD} mtu 67": "mtu",
    f"{GOOD} mtu 65508": "mtu greater than device maximum",
    f"{GOOD} mtu 1000000": "mtu greater than device maximum",
    "local fd00::1 remote fd00::2 port 1 csum": "Over IPv6, the zero checksum attributes",
}
REFUSED_BY_THE_KERNEL = {words: sentence for words, sentence in _BY_THE_KERNEL.items() if not is_left_out(KIND, words)}


@case
def refused_by_the_tool() -> None:
    """Each wrong word: one sentence, status 1, and no device."""
    a = Machine("a")
    with a:
        for words, sentence in REFUSED_BY_THE_TOOL.items():
            refusal(f"add tun9 {words}", sentence, 1)
        for name in ("a/b", "a:b", "sixteen-letters-", ".", ".."):
            refusal(f"add {name} {GOOD}", "a device name has", 1)
        for command in ("set", "del", "show"):
            refusal(f"{command} nosuch0 {'ttl 5' if command == 'set' else ''}", 'Cannot find device "nosuch0"', 1)
        refusal("set lo ttl 5", '"lo" is not a udptun device', 1)
        refusal("del lo", '"lo" is not a udptun device', 1)
        refusal("show lo", '"lo" is not a udptun device', 1)
        refusal("remove tun0", 'command "remove" is unknown', 1)
        refusal("add", "needs a device name", 1)
    true("no device is left", not a.has("tun9"))


@case
def refused_by_the_kernel() -> None:
    """Each contradiction: the kernel's sentence as it is, status 2, no device and no socket."""
    cable = Cable()
    with cable.a:
        tunctl("del tun0")
        for words, sentence in REFUSED_BY_THE_KERNEL.items():
            refusal(f"add tun9 {words}", sentence, 2)
            true("no device is left", not cable.a.has("tun9"))
    for port in (1, PORT):
        with cable.a:
            cable.a.udp(4, "0.0.0.0", port).close()
            cable.a.udp(6, "::", port).close()


@case
def refused_when_taken() -> None:
    """A name, a port, a peer that another has."""
    cable = Cable()
    with cable.a, cable.a.udp(4, "0.0.0.0", 7001):
        refusal(f"add tun0 local 10.0.0.1 remote 10.0.0.9 port {PORT}", "File exists", 2)
        refusal("add tun9 local 10.0.0.1 remote 10.0.0.9 port 7001", "The local port is in use by another socket", 2)
        refusal(f"add tun9 {GOOD}", "Another tunnel uses these addresses and ports", 2)
        true("no device is left", not cable.a.has("tun9"))
    cable.check()


@case
def refused_changes() -> None:
    """A change that is refused changes nothing."""
    cable = Cable()
    with cable.a, cable.a.udp(4, "0.0.0.0", 7001):
        before = tunctl("show tun0").stdout
        for words, sentence in {
            "remote fd00::2": "cannot be changed",
            "local fd00::1 remote fd00::2": "cannot be changed",
            "remote 10.0.0.1": "The local and remote addresses are the same",
            "port 0": "The local port cannot be 0",
            "port 7001": "The local port is in use by another socket",
            "ttl 9 tos 3": "The TOS must be a multiple of 4",
            "dev tun0": "A tunnel cannot be its own underlay",
            "mtu 67": "mtu",
        }.items():
            refusal(f"set tun0 {words}", sentence, 2)
            equal(f"tun0 after {words}", tunctl("show tun0").stdout, before)
        other = "udptun" if KIND == "udptun_rust" else "udptun_rust"
        refusal(f"set tun0 kind {other}", f'the kind of "tun0" is {KIND} and cannot be changed', 1)
    cable.check()


@case
def refused_without_privilege() -> None:
    """No CAP_NET_ADMIN in the namespace."""
    cable = Cable()
    child = os.fork()
    if not child:
        with cable.a:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            try:
                for words in (f"add tun9 {GOOD}", "set tun0 ttl 5", "del tun0"):
                    refusal(words, "RTNETLINK answers: Operation not permitted", 2)
                equal("tunnels shown", tunctl("show").stdout.split()[0], "tun0")
                os._exit(0)
            except BaseException as error:  # noqa: BLE001 - nothing may leave the child but its status
                print(repr(error), flush=True)
                os._exit(1)
    equal("status of nobody's attempts", os.waitpid(child, 0)[1], 0)
    cable.check()


@case
def refused_without_the_module() -> None:
    """The kernel does not know the kind, and does not find its module."""
    run("rmmod", KIND)
    try:
        ip("link add dummy9 type dummy")
        run("mount", "-t", "tmpfs", "none", "/lib/modules")
        try:
            refusal(f"add tun9 {GOOD}", f"Error: Unknown device type (the module {KIND} is not installed)", 2)
            equal("tunnels shown", tunctl("-j show").stdout, "[]\n")
        finally:
            run("umount", "/lib/modules")
    finally:
        run("modprobe", KIND)


@case
def refused_to_the_root_of_another_user_namespace() -> None:
    """A tunnel that was given to a container keeps its socket here: the container's root must not open ports with it."""
    cable = Cable()
    argv = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", "echo; exec sleep 100"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as container:
        try:
            assert container.stdout is not None
            container.stdout.readline()
            with cable.a:
                ip(f"link set tun0 netns {container.pid}")
            inside = ["nsenter", "--target", str(container.pid), "--user", "--net", "udptunctl"]
            equal("tunnels inside", run(*inside, "show").stdout.split()[:1], ["tun0"])
            for words in ("ttl 9", "port 53"):
                done = run(*inside, "set", "tun0", *words.split(), status=None)
                true(f"set tun0 {words}: is refused", done.status != 0)
                true(f"set tun0 {words}: {done.stderr.strip()!r}", "CAP_NET_ADMIN" in done.stderr)
        finally:
            container.kill()
