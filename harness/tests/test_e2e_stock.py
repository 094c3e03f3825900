# SPDX-License-Identifier: GPL-2.0
"""The literal use on Debian's stock kernels, in QEMU, where the clock counts instructions."""

from __future__ import annotations

import re

import pytest
from dsharness import targets
from dsharness.errors import HarnessError
from dsharness.kernel import buildroot
from guests import CELLS, RUN, header, rows, sh


@pytest.fixture(scope="module", params=["6.1", "6.12", "newest"])
def stock(request: pytest.FixtureRequest) -> targets.Target:
    """A stock kernel; it boots for each script."""
    if request.param == "newest":
        try:
            buildroot.require_namespaces()
        except HarnessError as error:
            pytest.skip(str(error))
    return targets.get("qemu", request.param, "icount")


def test_insmod_and_cat_print_a_row_a_cell(stock: targets.Target) -> None:
    text = sh(stock, "insmod dsbench.ko n=4000 tries=100 warmup=0 && cat /proc/dsbench", timeout=600)
    found = rows(text)
    assert sorted((row.container, row.op) for row in found) == CELLS
    assert {(row.n, row.tries) for row in found} == {(4000, 100)}
    assert header(text, "unit") == ["instructions"]
    assert header(text, "kernel")[0].split()[0] == stock.kernel.release


def test_containers_come_and_go(stock: targets.Target) -> None:
    script = """
    insmod dsbench.ko n=100 tries=3 warmup=0 && cat /proc/dsbench > /dev/null
    insmod dsbench_rbtree.ko n=200 tries=2 && cat /proc/dsbench && lsmod
    rmmod dsbench && echo GONE
    rmmod dsbench_rbtree dsbench && echo ALL GONE
    """
    text = sh(stock, script)
    assert len(rows(text)) == len(CELLS) + 4
    assert re.findall(r"^dsbench\w*", text, re.MULTILINE) == ["dsbench_rbtree", "dsbench"]
    assert "\nGONE" not in text
    assert text.endswith("ALL GONE\n")


def test_instruction_counts_repeat(stock: targets.Target) -> None:
    script = f"insmod dsbench.ko n=1000 tries=5 warmup=0; cat /proc/dsbench; echo 1 > {RUN}; cat /proc/dsbench"
    first, second = (rows(part) for part in sh(stock, script).split("# dsbench: ")[1:])
    for one, other in zip(first, second, strict=True):
        # Their nodes come from an allocator whose state differs, most where many come and go; nothing else differs.
        allocates = {"maple": 0.1, "xarray": 0.03, "idr": 0.03, "rhashtable": 0.03} if one.op in ("fill", "erase") else {}
        assert other.min == pytest.approx(one.min, rel=allocates.get(one.container, 0), abs=0), (one, other)


def test_what_is_not_allowed(stock: targets.Target) -> None:
    text = sh(stock, "insmod dsbench.ko n=0 2>&1; insmod dsbench.ko n=10 tries=1 warmup=0 cpu=64 2>&1; dmesg | grep dsbench; lsmod")
    assert "n=0: must be a whole number from 1" in text
    assert "cpu=64: must be the number of a CPU that is online (0)" in text
    assert not re.search(r"^dsbench ", text, re.MULTILINE)
