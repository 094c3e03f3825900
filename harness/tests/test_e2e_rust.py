# SPDX-License-Identifier: GPL-2.0
"""The containers in Rust and their twins, in a guest of the newest stock kernel.

That kernel has no KUnit, so a module of its own runs the cases of the KUnit suites over them. All of it needs the build root for
Rust: make test-rust makes it. Elsewhere these tests are skipped, unless the cache has the root.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from guests import rows, script

from dsharness import paths, targets
from dsharness.errors import HarnessError
from dsharness.kernel import build, buildroot, kernels, rustroot, trees
from dsharness.rust import twins

pytest_plugins = ["guests"]
pytestmark = pytest.mark.rust

ADDED = trees.rust_containers(paths.ROOT)
"""The containers in Rust and their twins."""
RUST = [name for name in ADDED if twins.is_rust(name)]
CYCLES = 200

CORE = "insmod dsbench.ko autorun=0"
LOAD = " && ".join([CORE, *(f"insmod dsbench_{name}.ko" for name in ADDED)])


@pytest.fixture(scope="module")
def target() -> Iterator[targets.Target]:
    """A guest with a build that has the tests: it is apart, since the core exports more for them."""
    if not rustroot.built():
        pytest.skip("the cache has no build root for Rust, which takes 13 minutes: make test-rust makes it")
    try:
        buildroot.require_namespaces()
    except HarnessError as error:
        pytest.skip(str(error))
    kernel = kernels.find("qemu", kernels.RUST)
    apart = dataclasses.replace(trees.working(), into=paths.make_folder(paths.objects() / "rust-tests", "build"))
    yield targets.Qemu(build.modules(kernel, tree=apart, make_args=["DSBENCH_RUST_TESTS=m"]), "icount")


@script(f"{LOAD}; insmod dsbench_rust_wrong.ko; dmesg --clear; insmod dsbench_rust_tests.ko; status=$?; dmesg; exit $status", timeout=300)
def test_the_cases_of_the_c_containers_pass(output: str) -> None:
    results = re.findall(r"(not ok|ok) \d+ (\S+)", output)
    assert len(results) > 10 * len(RUST), output
    assert [name for result, name in results if result != "ok"] == []
    for name in ADDED:
        assert any(suite.endswith(name) for _, suite in results), f"no suite of {name}"


@script(
    f"{CORE}; i=0; while [ $i -lt {CYCLES} ]; do for m in {' '.join(f'dsbench_{name}' for name in RUST)}; do"
    " insmod $m.ko && rmmod $m || exit; done; i=$((i + 1)); done; echo done $i",
    timeout=300,
)
def test_modules_load_and_unload_many_times(output: str) -> None:
    assert f"done {CYCLES}" in output


@script(f"{LOAD}; echo {','.join(ADDED)} >/sys/module/dsbench/parameters/containers; echo 1 >/sys/kernel/debug/dsbench/run; cat /proc/dsbench", timeout=300)
def test_a_run_has_every_operation_of_every_container(output: str) -> None:
    found = {(row.container, row.op) for row in rows(output)}
    assert {(name, op) for name in RUST for op in ("fill", "find", "for_each", "erase")} <= found
    assert {name for name, _ in found} >= set(ADDED)


@script(
    f"{CORE} n=100 tries=2 warmup=0; insmod dsbench_rust_wrong.ko; echo rust_wrong >/sys/module/dsbench/parameters/containers;"
    " echo 1 >/sys/kernel/debug/dsbench/run; cat /proc/dsbench; dmesg | tail -n 3"
)
def test_a_wrong_answer_is_caught(output: str) -> None:
    assert "state=failed" in output or "wrong" in output.lower(), output


def test_nothing_is_left_out_of_the_build(target: targets.Target) -> None:
    assert target.build.absent == {}
