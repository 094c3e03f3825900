# SPDX-License-Identifier: GPL-2.0
"""The containers in Rust and their twins, in a guest of the newest stock kernel.

That kernel has no KUnit, so a module of its own runs the cases of the KUnit suites over them.
"""

from __future__ import annotations

import re

import pytest
import rustguests
from dsharness import paths, targets
from dsharness.kernel import trees
from dsharness.rust import twins
from guests import RUN, script

pytest_plugins = ["guests"]
pytestmark = pytest.mark.rust

ADDED = trees.rust_containers(paths.ROOT)
"""The containers in Rust and their twins."""
RUST = [name for name in ADDED if twins.is_rust(name)]
MODULES = " ".join(f"dsbench_{name}" for name in RUST)
CYCLES = 200

CORE = "insmod dsbench.ko autorun=0"
LOAD = " && ".join([CORE, *(f"insmod dsbench_{name}.ko" for name in ADDED)])


@pytest.fixture(scope="module")
def target() -> targets.Target:
    """A guest with the tests' modules."""
    return rustguests.guest(rustguests.built("tests", rustguests.TESTS))


@script(
    f"{LOAD} && insmod dsbench_rust_wrong.ko && dmesg -c >/dev/null && insmod dsbench_rust_tests.ko; status=$?; dmesg; exit $status",
    timeout=900,
)
def test_the_cases_of_the_c_containers_pass(output: str) -> None:
    results = re.findall(r"^(?:\[[^]]*\] )?( *)(not ok|ok) \d+ (\S+)", output, re.MULTILINE)
    assert [name for _, result, name in results if result != "ok"] == []
    suites = [name for indent, _, name in results if not indent]
    assert suites == ["dsbench_rust_api", *suites[1:-1], "dsbench_rust_wrong"]
    assert sorted(suites[1:-1]) == sorted(f"dsbench_{name}{part}" for name in ADDED for part in ("", "_starving"))
    assert "# SKIP no kprobes" not in output


@script(
    # A process for all modules: in a guest whose clock counts instructions, a process costs more than a module.
    f"{CORE}; i=0; while [ $i -lt {CYCLES} ]; do modprobe -a {MODULES} && rmmod {MODULES} || exit; i=$((i + 1)); echo cycle $i; done",
    timeout=1800,
)
def test_modules_load_and_unload_many_times(output: str) -> None:
    assert [line for line in output.splitlines() if line] == [f"cycle {i}" for i in range(1, CYCLES + 1)]


WRONG_AT = {100: "fill", 101: "find", 102: "for_each", 103: "erase"}
"""Number of elements -> operation that rust_wrong does wrong."""


@script(
    f"{CORE} tries=2 warmup=0; insmod dsbench_rust_wrong.ko; cd /sys/module/dsbench/parameters; echo rust_wrong >containers;"
    + "".join(f" echo {n} >n; echo {op} >ops; echo 1 >{RUN}; cat /proc/dsbench;" for n, op in WRONG_AT.items())
)
def test_a_wrong_answer_is_caught(output: str) -> None:
    for n, op in WRONG_AT.items():
        assert f"rust_wrong gave a wrong answer in {op} at n={n}: its results are dropped" in output


def test_nothing_is_left_out_of_the_build(target: targets.Target) -> None:
    assert target.build.absent == {}
