# SPDX-License-Identifier: GPL-2.0
"""Names of functions in Rust: the linker's name has its whole path and its types in it, mangled, which c++filt of binutils can read."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from .. import proc

PREFIX = "_R"
_ARGUMENTS = re.compile(r"::<.*>$")


def readable(names: Iterable[str]) -> dict[str, str]:
    """Return the readable form of each mangled name; {} where there is no c++filt."""
    mangled = [name for name in dict.fromkeys(names) if name.startswith(PREFIX)]
    if not mangled:
        return {}
    try:
        # -i leaves out the hashes of crates.
        said = subprocess.run(
            ["c++filt", "-i"], input="\n".join(mangled), check=False, capture_output=True, encoding="utf-8", errors="replace", env=proc.english()
        ).stdout.splitlines()  # fmt: skip
    except OSError:
        return {}
    return {name: text for name, text in zip(mangled, said) if text != name} if len(said) == len(mangled) else {}


def fits(name: str, wanted: str) -> bool:
    """Return true if a readable name is the wanted one, or ends in its path: list::find and find for "<rust_list::list>::find::<X>"."""
    bare = _ARGUMENTS.sub("", name)
    return wanted in (name, bare) or bare.endswith(f"::{wanted}")


def mangled(wanted: str, modules: Sequence[Path]) -> list[str]:
    """Return the linker's names of the functions in Rust of these modules that fit a wanted name."""
    found = dict.fromkeys(word for module in modules for word in proc.check(["nm", "--format=just-symbols", module]).split())
    return [name for name, text in readable(found).items() if fits(text, wanted)]
