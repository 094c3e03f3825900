# SPDX-License-Identifier: GPL-2.0
"""Where the modules in Rust are unsafe: the tunnel driver nowhere, the abstractions where they say why."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from dsharness import paths

DRIVER = paths.ROOT / "modules/rust/tunnel"
NET = paths.ROOT / "modules/rust/net"
KINDS = ("block", "fn", "impl", "trait", "extern")
_COMMENT = re.compile(r"//.*")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_UNSAFE = re.compile(r"\bunsafe\b\s*(\{|fn\b|impl\b|trait\b|extern\b)?")
_TABLE = re.compile(r"^\| `(\S+)` \|.*\| (\d+) \|$", re.MULTILINE)


def code(file: Path) -> str:
    """Return a file without comments and strings."""
    return _STRING.sub('""', _COMMENT.sub("", file.read_text(encoding="utf-8")))


def uses(file: Path) -> list[str]:
    """Return the kinds of the uses of unsafe in a file. A function pointer's type is none."""
    found = []
    for match in _UNSAFE.finditer(re.sub(r"Option<\s*unsafe extern", "Option<extern", code(file))):
        word = (match[1] or "").strip()
        found.append("block" if word in ("{", "") else word)
    return found


def files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.rs"))
    assert found, f"{folder} has no sources in Rust"
    return found


def test_driver_has_no_unsafe_code() -> None:
    assert {file.name: uses(file) for file in files(DRIVER) if uses(file)} == {}


def test_compiler_forbids_unsafe_code_in_driver() -> None:
    """module!() expands to unsafe code, so the root of the crate cannot forbid it, and has nothing else."""
    lax = [file.name for file in files(DRIVER) if "#![forbid(unsafe_code)]" not in file.read_text(encoding="utf-8")]
    assert lax == ["udptun_rust_main.rs"]


def test_driver_uses_the_abstractions_alone() -> None:
    """The bindings are theirs, and no function of the driver is called from C."""
    for file in files(DRIVER):
        assert not re.search(r"\bbindings\b|\bextern\b|#\[no_mangle\]|\*(?:mut|const)\b", code(file)), file


def test_each_unsafe_block_says_why_it_is_sound() -> None:
    """clippy checks each block, too, where the build root for Rust exists."""
    for file in files(NET):
        lines = file.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if re.search(r"\bunsafe\b\s*\{|\bunsafe impl\b", _COMMENT.sub("", line)):
                above = "\n".join(lines[max(0, number - 8) : number + 1])
                assert "// SAFETY:" in above, f"{file}:{number + 1}: {line.strip()}"


def test_each_unsafe_function_says_what_it_needs() -> None:
    """Those that implement a trait need what the trait says."""
    for file in files(NET):
        text = file.read_text(encoding="utf-8")
        for match in re.finditer(r"^ *(?:pub(?:\(super\))? )?unsafe (?:extern \"C\" )?(?:fn|trait) (\w+)", text, re.MULTILINE):
            above = text[: match.start()].rstrip().splitlines()
            owner = next(line for line in reversed(above) if line[:1].strip())
            of_trait = match[0].startswith(" ") and re.search(r"^impl\b.* for ", owner)
            assert of_trait or any("# Safety" in line for line in above[-16:]), f"{file}: {match[1]}"


def test_each_public_function_says_its_context() -> None:
    """May it sleep, does it need RTNL, RCU, softirqs disabled? A constant function has none."""
    without = []
    for file in files(NET):
        lines = file.read_text(encoding="utf-8").splitlines()
        is_public_trait = False
        for number, line in enumerate(lines):
            if line[:1].strip():
                is_public_trait = line.startswith("pub trait ")
            if not re.match(r" *pub (unsafe )?fn " + ("| +fn " if is_public_trait else ""), line):
                continue
            above = itertools.takewhile(lambda text: text.strip().startswith(("///", "#[")), reversed(lines[:number]))
            if not any("/// Context: " in text for text in above):
                without.append(f"{file.name}: {line.strip()}")
    assert without == []


def test_readme_counts_unsafe_uses_of_abstractions(capsys: pytest.CaptureFixture[str]) -> None:
    """The README has the count of each file, which this prints, too."""
    counts = {file.name: len(uses(file)) for file in files(NET)}
    with capsys.disabled():
        print(f"\nunsafe in the abstractions: {sum(counts.values())} uses, {counts}; in the driver: none")
    told = {name: int(count) for name, count in _TABLE.findall((DRIVER / "README.md").read_text(encoding="utf-8"))}
    assert told == {name: count for name, count in counts.items() if name != "mod.rs"}
