# SPDX-License-Identifier: GPL-2.0
"""Tunnels by the kernel's own netlink client, which reads include/uapi/udptun.yaml; YNL has the names of its files."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from checks import Skip, equal, true
from commands import Ran, run, tunctl
from lab import Machine
from packets import PORT
from registry import case


def installed() -> Path | None:
    """Return the folder with cli.py, and with the other files in lib/, where it looks for them. None: this guest has no client."""
    files = os.environ.get("YNL", "").split()
    if not files:
        return None
    program = Path("/run/ynl")
    if not program.exists():
        (program / "lib").mkdir(parents=True)
        for name in files:
            (program if name == "cli.py" else program / "lib").joinpath(name).write_bytes(Path(name).read_bytes())
    return program


def client(flags: str, operation: str, link: object, status: int | None = 0) -> Ran:
    """Run one operation. Skip if this guest has no client."""
    program = installed()
    if not program:
        raise Skip("the kernel's netlink client is not in this guest")
    spec = ["--spec", "udptun.yaml", "--schema", str(program / "lib/netlink-raw.yaml"), "--process-unknown", "--output-json"]
    return run("/usr/bin/python3", str(program / "cli.py"), *spec, *flags.split(), operation, "--json", json.dumps(link), status=status)


def address(text: str) -> str | int:
    """Return an address as the client takes it: as text, or as a number or in hexadecimal by the client of 6.12."""
    if "specdir.py" in os.environ.get("YNL", "").split():
        return text
    return socket.inet_pton(socket.AF_INET6, text).hex() if ":" in text else int.from_bytes(socket.inet_aton(text), "big")


@case
def ynl_makes_changes_and_shows() -> None:
    """What the client makes is what udptunctl shows, and it reads each attribute back."""
    with Machine("a"):
        data = {"local": address("10.0.0.1"), "remote": address("10.0.0.2"), "local-port": PORT, "ttl": 9, "udp-csum": 1, "df": "set"}
        client("--create --excl --do", "newlink", {"ifname": "tun0", "mtu": 1300, "linkinfo": {"kind": "udptun", "data": data}})
        true("shown", f"port {PORT} remote-port {PORT} ttl 9 tos 0 csum df set mtu 1300" in tunctl("show tun0").stdout)
        client("--do", "newlink", {"ifname": "tun0", "linkinfo": {"kind": "udptun", "data": {"tos": 1}}})
        read = json.loads(client("--do", "getlink", {"ifname": "tun0"}).stdout)["linkinfo"]
        equal("read", read["kind"], "udptun")
        wanted = {**data, "local": "10.0.0.1", "remote": "10.0.0.2", "remote-port": PORT, "tos": 1}
        equal("read", {key: read["data"].get(key) for key in wanted}, wanted)
        equal("xstats", read["xstats"], {"rx-stranger": 0})
        client("--do", "dellink", {"ifname": "tun0"})
        equal("shown", tunctl("show").stdout, "")


@case
def ynl_over6() -> None:
    """IPv6 addresses are 16 bytes; the flow label is in network byte order."""
    with Machine("a"):
        data = {"local6": address("fd00::1"), "remote6": address("fd00::2"), "local-port": 7, "flowlabel": 0xABCDE, "udp-zero-csum6-tx": 1}
        client("--create --do", "newlink", {"ifname": "tun0", "linkinfo": {"kind": "udptun", "data": data}})
        true("shown", "local fd00::1 remote fd00::2 port 7" in tunctl("show tun0").stdout)
        true("shown", "flowlabel 0xabcde zerocsum6tx" in tunctl("show tun0").stdout)
        (read,) = [one["linkinfo"]["data"] for one in json.loads(client("--dump", "getlink", {"linkinfo": {"kind": "udptun"}}).stdout)]
        equal("read", (read["local6"], read["flowlabel"], read["df"]), ("fd00::1", 0xABCDE, "inherit"))


@case
def ynl_refusals() -> None:
    """The client prints the kernel's sentence."""
    with Machine("a"):
        data = {"local": address("10.0.0.1"), "local-port": PORT}
        done = client("--create --do", "newlink", {"ifname": "tun9", "linkinfo": {"kind": "udptun", "data": data}}, status=None)
        said = done.stdout + done.stderr
        true(f"{said!r} has the kernel's sentence", "The remote address is missing" in said)
