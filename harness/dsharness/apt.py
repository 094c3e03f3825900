# SPDX-License-Identifier: GPL-2.0
"""apt: its options and its messages. An installation is simulated before it is done, and a mirror that does not answer is named.

The first attempt has no retries and a short timeout, since a mirror that does not answer now will not do so after four timeouts.
Only an attempt that failed for another reason, such as a broken connection, is repeated with patience.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import proc
from .errors import HarnessError

SOURCES = Path("/etc/apt/sources.list")
PROXY_VARIABLES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")
PROXY_OPTION = re.compile(r"Acquire::(?:https?::)?(?:Proxy\b|Proxy-Auto-Detect\b|ProxyAutoDetect\b)", re.IGNORECASE)

_FAILED = re.compile(r"^(?:E|W): Failed to fetch (?P<uri>\S+)\s+(?P<reason>.*)$")
_SILENT = re.compile(
    r"(?:Could not|Cannot|Unable to) (?:connect|resolve|initiate)|failure resolving|[Ee]rror resolving|happened resolving"
    r"|[Cc]onnection (?:timed out|failed|refused)|[Uu]nreachable|No route to host|from proxy|Proxy Authentication"
)
_PASSWORD = re.compile(r"(?<=//)[^/@\s]*@")


def patience(retries: int, seconds: int) -> list[str]:
    """Return options for downloads: the number of retries, and how long a mirror may be silent, in seconds."""
    timeouts = [f"Acquire::{kind}::Timeout={seconds}" for kind in ("http", "https")]
    return [word for option in (f"Acquire::Retries={retries}", *timeouts) for word in ("-o", option)]


IMPATIENT = patience(0, 10)
PATIENT = patience(3, 30)


@dataclass(frozen=True)
class Silence:
    """A mirror that did not answer, and what apt says of it."""

    mirror: str
    reason: str

    def __str__(self) -> str:
        return (
            f"the mirror {self.mirror} does not answer ({self.reason}): check the network{_proxies()}, or name another mirror"
            f" in {_sources(self.mirror)}"
        )


@dataclass(frozen=True)
class Installation:
    """What an installation would change, as apt-get says: names of packages, and sizes for people."""

    new: tuple[str, ...]
    upgraded: tuple[str, ...]
    removed: tuple[str, ...]
    download: str
    """ "58.7 MB"."""
    disk: str
    """Additional disk space, "210 MB"."""


def simulated(names: Sequence[str]) -> Installation:
    """Return what the installation of these packages would change. Nothing changes. HarnessError with apt's reason if it is impossible."""
    argv = ["apt-get", "--print-uris", "--no-install-recommends", "install", *names]
    done = subprocess.run(
        argv, check=False, capture_output=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL, env=proc.english()
    )
    if done.returncode:
        raise HarnessError(error(done.stderr.splitlines()) or f"apt-get's status is {done.returncode}")
    return installation(done.stdout)


def installation(text: str) -> Installation:
    """Parse what `apt-get --print-uris install` prints in English."""

    def listed(heading: str) -> tuple[str, ...]:
        match = re.search(rf"^The following (?:{heading}):\n((?: .*\n)+)", text, re.MULTILINE)
        return tuple(name.rstrip("*") for name in match[1].split()) if match else ()

    download = re.search(r"^Need to get ([\d,.]+ \w*B)(?:/[\d,.]+ \w*B)? of archives", text, re.MULTILINE)
    disk = re.search(r"([\d,.]+ \w*B) (?:of additional disk space )?will be (used|freed)", text)
    return Installation(
        new=listed("NEW packages will be installed"),
        upgraded=listed("packages will be upgraded"),
        removed=listed("packages will be REMOVED"),
        download=download[1] if download else "0 B",
        disk=disk[1] if disk and disk[2] == "used" else "0 B",
    )


def candidates(names: Sequence[str]) -> set[str]:
    """Return those of `names` of which the package lists have a version to install."""
    try:
        done = subprocess.run(["apt-cache", "policy", *names], check=False, capture_output=True, encoding="utf-8", errors="replace", env=proc.english())
    except FileNotFoundError:
        return set()
    return set(re.findall(r"^(\S+):\n(?:  Installed:.*\n)?  Candidate: (?!\(none\))", done.stdout, re.MULTILINE))


def error(lines: Sequence[str]) -> str:
    """Return the first error in the output of apt or mmdebstrap, without its mark; "" if there is none."""
    return next((line.split(": ", 1)[1] for line in lines if line.startswith(("E: ", "W: Failed"))), "")


def silences(lines: Sequence[str]) -> list[Silence]:
    """Return the mirrors that did not answer, from the output of apt or mmdebstrap, each one once."""
    found: dict[str, Silence] = {}
    for line in lines:
        match = _FAILED.match(line)
        if match and _SILENT.search(match["reason"]):
            mirror = _mirror(match["uri"])
            found.setdefault(mirror, Silence(mirror, _PASSWORD.sub("", match["reason"]).strip(" :")))
    return list(found.values())


def proxy_environment() -> dict[str, str]:
    """Return the variables by which the environment names proxies."""
    names = (*PROXY_VARIABLES, *(name.upper() for name in PROXY_VARIABLES))
    return {name: value for name in names if (value := os.environ.get(name))}


def proxy_options() -> list[str]:
    """Return the lines of apt's configuration that name proxies, "Acquire::http::Proxy "http://proxy:3128/";"."""
    try:
        dump = subprocess.run(["apt-config", "dump"], check=False, capture_output=True, encoding="utf-8", errors="replace").stdout
    except FileNotFoundError:
        return []
    return [line for line in dump.splitlines() if PROXY_OPTION.match(line) and not line.endswith('"";')]


def _proxies() -> str:
    """Return the proxies in use, as a part of a sentence."""
    named: Mapping[str, str] = {name: value for name, value in proxy_environment().items() if name.lower() != "no_proxy"}
    options = [line.rstrip(";") for line in proxy_options()]
    told = [*(f"{name}={value}" for name, value in named.items()), *options]
    if told:
        return f" and the proxy, {_PASSWORD.sub('', ', '.join(told))}"
    return ", name the proxy if there is one (http_proxy, or Acquire::http::Proxy in /etc/apt/apt.conf.d)"


def _mirror(uri: str) -> str:
    """Return the mirror's address in that of a package or list."""
    return _PASSWORD.sub("", re.split(r"/(?:pool|dists)/", uri, maxsplit=1)[0])


def _sources(mirror: str) -> str:
    """Return the file of apt's sources that names the mirror."""
    argv = ["apt-config", "shell", "main", "Dir::Etc::SourceList/f", "parts", "Dir::Etc::SourceParts/d"]
    try:
        settings = subprocess.run(argv, check=False, capture_output=True, encoding="utf-8", errors="replace").stdout
    except FileNotFoundError:
        settings = ""
    found = {name: Path(value) for name, value in re.findall(r"^(\w+)='(.*)'$", settings, re.MULTILINE)}
    main, parts = found.get("main", SOURCES), found.get("parts", SOURCES.with_suffix(".list.d"))
    for file in (main, *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))):
        with contextlib.suppress(OSError):
            if mirror in file.read_text(encoding="utf-8", errors="replace"):
                return str(file)
    return str(main)
