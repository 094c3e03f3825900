# SPDX-License-Identifier: GPL-2.0
"""What kbuild says about the modules beside Rust. A newer kernel may have changed an API of its crate: which module does not build?"""

from __future__ import annotations

import re
from collections.abc import Sequence

_FAILED = re.compile(r"^make\[\d+\]: \*\*\* \[.*?(?:^|[/ ])(\w+)\.(?:o|ko|rs|h)\] Error")
"""kbuild's line about the object that it could not make."""
_UNDEFINED = re.compile(r'^ERROR: modpost: (.*\[(?:.*/)?dsbench_(\w+)\.ko\].*)')
TUNNEL = "udptun_rust"
"""The tunnel's driver."""
_OF_TUNNEL = re.compile(rf"\brust/(?:tunnel|net)/|\[(?:.*/)?{TUNNEL}\.ko\]")
"""In kbuild's lines about its objects."""
_ERROR = re.compile(r"^error(?:\[E\d+\])?: |\b(?:fatal )?error: ")
_PLACE = re.compile(r"^\s*--> (\S+?:\d+:\d+)")
_COMPLAINT = re.compile(r"\b(warning|error|undefined)\b", re.IGNORECASE)
_RUST = re.compile(r"^(?:warning|error)(?:\[\w+\])?: ")


def failures(lines: Sequence[str], containers: Sequence[str]) -> dict[str, str]:
    """Return those of the containers, and TUNNEL, whose objects failed, each with the first error before kbuild's line about the object."""
    found: dict[str, str] = {}
    since: list[str] = []
    for line in lines:
        undefined, failed = _UNDEFINED.match(line), _FAILED.match(line)
        if undefined and undefined[2] in containers:
            found.setdefault(undefined[2], undefined[1])
        if _OF_TUNNEL.search(line) and (failed or line.startswith("ERROR: modpost: ")):
            found.setdefault(TUNNEL, next(filter(_ERROR.search, since), line.removeprefix("ERROR: modpost: ")).strip())
            since = []
            continue
        for container in _owners(failed[1], containers) if failed else ():
            found.setdefault(container, next(filter(_ERROR.search, since), line).strip())
        since = [] if failed else [*since, line]
    return found


def _owners(stem: str, containers: Sequence[str]) -> list[str]:
    """Return the containers that an object belongs to: list.o and list_bindings.o to rust_list, list_owned.o to list_owned alone."""
    bare = stem.removeprefix("dsbench_")
    if bare in containers:
        return [bare]
    return [one for one in containers if one.startswith("rust_") and f"{bare}_".startswith(f"{one.removeprefix('rust_')}_")]


def complaints(lines: Sequence[str]) -> list[str]:
    """Return the compilers' warnings and errors, one line each. rustc names the place below its message: that comes first here."""
    found: list[str] = []
    for line in lines:
        place = _PLACE.match(line)
        if place and found and _RUST.match(found[-1]):
            found[-1] = f"{place[1]}: {found[-1]}"
        elif _RUST.match(line) or _COMPLAINT.search(line) and not re.match(r"^\s*[|=]|^\s*\d+\s*\|", line):
            found.append(line)
    return found
