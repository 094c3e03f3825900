# SPDX-License-Identifier: GPL-2.0
"""Counts of the C containers beside Rust, which are those of an ordinary sweep, and of Rust without overflow checks.

A guest each for the build of dsbench rust, an ordinary build for the same kernel, and a build without CONFIG_RUST_OVERFLOW_CHECKS.
"""

from __future__ import annotations

import re
import subprocess

import pytest
import rustguests
from dsharness import paths, targets
from dsharness.kernel import build, kernels, trees
from dsharness.kernel.build import Build
from dsharness.rust import twins
from dsharness.targets import Target
from guests import OPS, check_log, table

pytestmark = pytest.mark.rust

N = 1000
IN_C = ("list", "rbtree", "xarray", "maple", "hashtable")
RUST = [name for name in trees.rust_containers(paths.ROOT) if twins.is_rust(name)]
UNCHECKED = ("DSBENCH_RUST_OVERFLOW_CHECKS=n",)

Counts = dict[tuple[str, str], float]
"""Container and operation -> instructions per element."""


def count(target: Target, names: list[str]) -> Counts:
    """The counts of these containers, interleaved in one guest."""
    load = " && ".join(["insmod dsbench.ko autorun=0", *(f"insmod dsbench_{name}.ko" for name in names)])
    run = f"cd /sys/module/dsbench/parameters && echo {','.join(names)} >containers && echo {N} >n && echo 10 >tries && echo 0 >warmup"
    result = target.run(["sh", "-c", f"{load} && {run} && echo 1 >/sys/kernel/debug/dsbench/run && cat /proc/dsbench && dmesg >&2"], timeout=900)
    check_log(result.stderr.decode())
    found = {(row.container, row.op): row.p50 / N for row in table(result.stdout.decode(), names)}
    assert result.status == 0 and found, result.stderr.decode()
    return found


@pytest.fixture(scope="module")
def checked() -> Build:
    """The build of dsbench rust."""
    rustguests.need_root()
    return build.modules(kernels.find("qemu", kernels.RUST))


@pytest.fixture(scope="module")
def unchecked() -> Build:
    """The same without overflow checks."""
    return rustguests.built("unchecked", UNCHECKED)


@pytest.fixture(scope="module")
def beside_rust(checked: Build) -> Counts:
    """The counts of a run of dsbench rust."""
    return count(rustguests.guest(checked), [*IN_C, *RUST])


SPREAD = 0.06
"""How far the tries of one guest are apart where a maple tree allocates or frees nodes, as a part of their count.

What a node costs depends on which slabs have free nodes after RCU freed those of earlier tries.
"""


def most(cell: tuple[str, str], count: float) -> float:
    """The most that a count may differ by: an instruction, or what the tries of one guest differ by."""
    return SPREAD * count if cell in (("maple", "fill"), ("maple", "erase")) else 1


def test_containers_in_c_count_the_same_as_in_an_ordinary_sweep(beside_rust: Counts) -> None:
    ordinary = count(targets.get("qemu", kernels.NEWEST, "icount"), list(IN_C))
    assert sorted(ordinary) == sorted((name, op) for name in IN_C for op in OPS)
    differing = {cell: (here, beside_rust[cell]) for cell, here in ordinary.items() if abs(here - beside_rust[cell]) > most(cell, here)}
    assert differing == {}


def test_rust_counts_without_overflow_checks(beside_rust: Counts, unchecked: Build) -> None:
    """Checks make fill of a list longer, and some other loops shorter, which modules/rust/README.md names."""
    without = count(rustguests.guest(unchecked), RUST)
    assert sorted(without) == sorted((name, op) for name in RUST for op in OPS)
    for name in ("rust_list", "rust_list_hand"):
        assert without[name, "fill"] < beside_rust[name, "fill"] - 1


def test_only_the_checked_build_has_overflow_checks(checked: Build, unchecked: Build) -> None:
    def overflows(made: Build, name: str) -> bool:
        symbols = subprocess.run(["nm", made.ko_dir / f"dsbench_{name}.ko"], capture_output=True, text=True, check=True).stdout
        return bool(re.search(r"panic_const_\w+_overflow", symbols))

    assert {name for name in RUST if not overflows(checked, name)} == set()
    assert {name for name in RUST if overflows(unchecked, name)} == set()
