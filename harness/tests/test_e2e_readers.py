# SPDX-License-Identifier: GPL-2.0
"""Containers that readers share while a writer changes them: on stock kernels with four CPUs that run at once under emulation.

One guest a kernel runs all scripts.
"""

from __future__ import annotations

import csv
import io
import re

import pytest
from dsharness import targets
from dsharness.errors import HarnessError
from dsharness.kernel import buildroot
from guests import PARAMETERS, RUN, SAMPLES, header, script

pytest_plugins = ["guests"]

CPUS = 4
LOCKS = {
    "list": ("rcu_read_lock", "spin_lock"),
    "hashtable": ("rcu_read_lock", "spin_lock"),
    "rbtree": ("read_lock", "write_lock"),
    "xarray": ("rcu_read_lock", "xa_lock"),
    "maple": ("rcu_read_lock", "mtree_lock"),
    "rhashtable": ("rcu_read_lock", "rht_lock"),
    "idr": ("rcu_read_lock", "spin_lock"),
}
UNSHARED = ("llist", "sorted_array")
FAST = "insmod dsbench.ko n=300 tries=3 warmup=0 floors=N"
LONG = "insmod dsbench.ko n=300 tries=100000 warmup=0 floors=N threads=3 writes=100000 ops=find,for_each"
GUEST_SECONDS = 600

DEFAULT = pytest.param("6.12", marks=pytest.mark.xdist_group("readers-6.12"))
OTHERS = [
    pytest.param(kernel, marks=[pytest.mark.matrix, pytest.mark.xdist_group(f"readers-{kernel}")]) for kernel in ("6.1", "newest")
]
ON_DEFAULT = pytest.mark.parametrize("target", [DEFAULT], indirect=True)


@pytest.fixture(scope="module", params=[DEFAULT, *OTHERS])
def target(request: pytest.FixtureRequest) -> targets.Target:
    """A stock kernel with four CPUs."""
    if request.param == "newest":
        try:
            buildroot.require_namespaces()
        except HarnessError as error:
            pytest.skip(str(error))
    return targets.get("qemu", request.param, "tcg", cpus=CPUS)


@script(f"{FAST} threads=1,3 writes=100000 ops=find,for_each misses=10; cat /proc/dsbench {SAMPLES}", timeout=GUEST_SECONDS)
def test_every_container_beside_a_busy_writer(output: str) -> None:
    assert "state=complete" in output
    sharing = [line.split() for line in header(output, "sharing")]
    shared = {words[0]: (words[1], words[2]) for words in sharing if len(words) > 2}
    assert shared == {name: (f"readers={readers}", f"writer={writer}") for name, (readers, writer) in LOCKS.items()}
    assert {words[0] for words in sharing if words[1:] == ["absent"]} == set(UNSHARED)
    samples = list(csv.DictReader(io.StringIO(output[output.index("run,container,") :])))
    of_readers = [row for row in samples if row["threads"] != "0"]
    assert len(of_readers) == len(LOCKS) * 2 * 2 * 3
    for row in of_readers:
        assert int(row["reads"]) >= int(row["threads"]) * int(row["elements"]), "each reader makes a whole pass"
        assert int(row["elapsed"]) > 0
    # With four emulated CPUs on a busy machine, the writer may not run during the short time of a single container.
    assert sum(int(row["writes"]) for row in of_readers) > 0


@script(
    f"""
    {LONG}; until grep -q "running [1-9]" {RUN}; do sleep 0.1; done; echo stop > {RUN}
    cat /proc/dsbench | grep -o "state=interrupted"
    insmod dsbench_rbtree.ko; insmod dsbench_list.ko
    until grep -q "running [1-9]" {RUN}; do sleep 0.1; done; rmmod dsbench_rbtree && echo GONE
    echo stop > {RUN}; cat /proc/dsbench > /dev/null
    echo 0 > /sys/devices/system/cpu/cpu3/online; echo 1 > {RUN}; cat /proc/dsbench | grep "need 4 CPUs"
    rmmod dsbench_list dsbench; cat /proc/[0-9]*/comm | grep -c "^dsbench"
    """,
    timeout=GUEST_SECONDS,
    status=1,  # grep counted none
)
def test_a_module_and_a_cpu_are_removed_during_a_run(output: str) -> None:
    assert output.splitlines()[:2] == ["state=interrupted", "GONE"]
    assert "need 4 CPUs, one each for the readers and for a writer: 3 are online" in output
    assert output.splitlines()[-1] == "0", "a thread was left behind"


@ON_DEFAULT
@script(
    f"""
    {FAST} autorun=0 n=100 tries=20 threads=2 writes=0 containers=racy; insmod dsbench_racy.ko
    echo 1 > {RUN}; cat /proc/dsbench; echo 200000 > {PARAMETERS}/writes
    for i in 1 2 3 4 5 6; do echo 1 > {RUN}; cat /proc/dsbench > /tmp/report; grep -q "wrong answer" /tmp/report && break; done
    cat /tmp/report
    """,
    timeout=GUEST_SECONDS,
    broken=True,
)
def test_a_reader_that_loses_an_element_fails_the_run(output: str) -> None:
    right, wrong = output.split("# dsbench: ")[1:]
    assert "state=complete" in right
    assert re.search(r"racy gave a wrong answer in (find|for_each)", " ".join(header(wrong, "warning")))


REJECTED = ("threads=4", "threads=5", "threads=1,1", "threads=x", "threads=2,", "writes=-1", "writes=1000001")


@ON_DEFAULT
@script(
    "\n".join(f"insmod dsbench.ko {option} 2>/dev/null && echo LOADED" for option in REJECTED) + "\ndmesg | grep dsbench:; lsmod",
    timeout=GUEST_SECONDS,
)
def test_rejected_parameters(output: str) -> None:
    assert "LOADED" not in output
    assert "threads= and writes= need 5 CPUs" in output
    for option in ("threads=5", "threads=1,1", "threads=x", "threads=2,"):
        assert f"dsbench: {option}: must be 0, or up to 16 different numbers of readers from 1 to 4" in output
    for option in ("writes=-1", "writes=1000001"):
        assert f"dsbench: {option}: must be a whole number from 0 to 1000000" in output


CPU3 = "/sys/devices/system/cpu/cpu3/online"


@script(f"{FAST} autorun=0 cpu=3; echo 0 > {CPU3}; echo 1 > {RUN}; cat /proc/dsbench; echo 1 > {CPU3}; echo 1 > {RUN}; cat /proc/dsbench")
def test_a_run_on_an_offline_cpu_is_refused(output: str) -> None:
    refused, made = output.split("# dsbench: ")[1:]
    assert "cpu=3 is offline: choose one of 0-2, or -1 for the last of them" in refused
    assert "state=failed" in refused and "\nlist " not in refused
    assert "state=complete" in made and "\nlist " in made and " cpu=3 " in made


@script(
    f"""
    insmod dsbench.ko n=300 tries=100000 warmup=0 floors=N cpu=3
    until grep -q "running [1-9]" {RUN}; do sleep 0.1; done
    sleep 1; echo 0 > {CPU3}; cat /proc/dsbench; echo 1 > {CPU3}
    """
)
def test_a_cpu_that_goes_offline_ends_the_run_with_what_was_measured(output: str) -> None:
    assert "CPU 3 went offline during the run" in output
    assert "state=failed" in output and "\nlist " in output and "\nrbtree " in output
