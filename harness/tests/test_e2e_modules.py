# SPDX-License-Identifier: GPL-2.0
"""The modules in the UML guest: ordinary use, misuse, and many users at the same time. One guest runs all scripts."""

from __future__ import annotations

import csv
import io
import re

import numpy
import pytest
from dsharness import targets
from guests import (
    ABSENT,
    CELLS,
    CONTAINERS,
    FLOORS,
    OPS,
    PARAMETERS,
    RESULTS,
    RUN,
    SAMPLES,
    Row,
    floors,
    header,
    rows,
    script,
)

pytest_plugins = ["guests"]
pytestmark = pytest.mark.xdist_group("uml-modules")

QUICK = "insmod dsbench.ko n=50 tries=5 warmup=0"
"""Starts a run that takes milliseconds."""

LONG = "insmod dsbench.ko n=4000 tries=100000 warmup=0"
"""Starts a run that does not end by itself within a test."""

FEW_KIB = 16 << 10
"""Free memory of a guest whose page cache is full."""


@pytest.fixture(scope="module")
def target() -> targets.Target:
    """The UML guest."""
    return targets.get("uml")


# Literal use


@script("insmod dsbench.ko n=4000 tries=100 && cat /proc/dsbench")
def test_insmod_and_cat_print_a_row_per_cell(output: str) -> None:
    found = rows(output)
    assert sorted((row.container, row.op) for row in found) == CELLS
    assert {(row.n, row.tries) for row in found} == {(4000, 100)}


@script(f"{QUICK} && cat /proc/dsbench && insmod dsbench_rbtree.ko n=2000 tries=10 && cat /proc/dsbench")
def test_a_container_adds_a_run_of_its_own(output: str) -> None:
    first, second = output.split("# dsbench: ")[1:]
    assert len(rows(first)) == len(CELLS)
    assert rows(second)[: len(CELLS)] == rows(first)
    added = rows(second)[len(CELLS) :]
    assert [(row.container, row.op, row.n, row.tries) for row in added] == [("rbtree", op, 2000, 10) for op in OPS]


@script(f"insmod dsbench.ko autorun=0; insmod dsbench_list.ko; echo 1 > {RUN}; cat /proc/dsbench; lsmod")
def test_autoloaded_containers_go_and_those_of_the_user_stay(output: str) -> None:
    assert len(rows(output)) == len(CELLS)
    assert re.findall(r"^dsbench\w*", output, re.MULTILINE) == ["dsbench_list", "dsbench"]


@script(f"{QUICK} patience=1 order=sequential alloc=inline erase_order=insertion misses=20 lookups=30 seed=7 && cat /proc/dsbench")
def test_the_header_describes_the_run(output: str, target: targets.Target) -> None:
    assert header(output, "unit") == ["tsc"]
    assert header(output, "kernel")[0].split()[0] == target.kernel.release
    assert int(header(output, "clock_overhead")[0]) > 0
    assert re.fullmatch(r"run 1 p10=-?\d+ p50=-?\d+ p90=-?\d+ thousandths of a count a try", header(output, "clock_cost")[0])
    assert re.fullmatch(r"run 1 begin=[1-9]\d+ end=[1-9]\d+ core cycles per 1000 ticks of the TSC", header(output, "core_rate")[0])
    assert header(output, "stolen_time") == ["seen by the host's CPU time and involuntary switches"]
    assert header(output, "machine")[0].startswith("uml")
    (run,) = header(output, "run")
    for word in (
        "n=50", "tries=5", "patience=1", "seed=7", "order=sequential", "alloc=inline", "erase_order=insertion", "misses=20", "lookups=30",
    ):  # fmt: skip
        assert word in run.split()
    assert "state=complete" in run
    assert len(rows(output)) == len(CELLS)


@script(f"{QUICK} && cat /proc/dsbench")
def test_only_rows_begin_with_the_name_of_a_container(output: str) -> None:
    begins = [line for line in output.splitlines() if line.split()[0] in CONTAINERS]
    assert len(begins) == len(CELLS)
    assert all(len(line.split()) == 16 for line in begins)
    widths = {len(line) for line in begins} | {len(next(li for li in output.splitlines() if li.startswith("container ")))}
    assert len(widths) == 1, "the columns are not aligned"


# Numbers


@script(f"insmod dsbench.ko n=500 tries=37; cat {RESULTS}; echo ---; cat {SAMPLES}")
def test_statistics_agree_with_the_samples(output: str) -> None:
    results, samples = (list(csv.DictReader(io.StringIO(part))) for part in output.split("---\n"))
    assert len(results) == len(CELLS) + len(FLOORS)
    for result in results:
        key = (result["container"], result["op"])
        cycles = numpy.array([int(s["count"]) for s in samples if (s["container"], s["op"]) == key])
        assert len(cycles) == int(result["tries"]) == 37
        median = numpy.median(cycles)
        want = {
            "min": cycles.min(), "p50": median, "mean": cycles.mean(), "max": cycles.max(),
            "p90": numpy.percentile(cycles, 90), "p99": numpy.percentile(cycles, 99),
            "mad": numpy.median(abs(cycles - median)), "per_element": median / int(result["elements"]),
        }  # fmt: skip
        for name, value in want.items():
            assert float(result[name]) == pytest.approx(value, abs=0.0011), (key, name)


BITS = "/sys/module/dsbench_hashtable/parameters/bits"


@script(f"""
    insmod dsbench.ko n=30000 tries=30 warmup=0 autorun=0 containers=hashtable ops=find floors=N
    insmod dsbench_hashtable.ko
    echo 1 > {RUN}
    while ! grep -q running {RUN}; do :; done
    echo 4 > {BITS}
    cat /proc/dsbench
""")
def test_a_parameter_that_is_written_during_a_run_waits_for_the_next(output: str) -> None:
    (row,) = rows(output)
    assert row.tries == 30
    assert row.max < 200 * row.min, "with 16 buckets a lookup passes a thousand times as many elements"


@script("insmod dsbench.ko n=500 tries=10 lookups=100; cat /proc/dsbench")
def test_per_element_is_the_median_divided_by_the_elements(output: str) -> None:
    found = rows(output)
    assert found
    for row in found:
        elements = 100 if row.op == "find" else 500
        assert float(row.per_element) == pytest.approx(row.p50 / elements, abs=0.5 / elements + 0.0051)


@script("insmod dsbench.ko n=1 tries=1 warmup=0; cat /proc/dsbench")
def test_one_element(output: str) -> None:
    found = rows(output)
    assert [(row.n, row.tries) for row in found] == [(1, 1)] * len(CELLS)
    for row in found:
        assert row.per_element == "below_resolution" if row.p50 <= 0 else float(row.per_element) > 0


@pytest.mark.parametrize(
    "options",
    [
        "alloc=inline", "order=sequential", "erase_order=insertion", "alloc=inline erase_order=insertion", "misses=100",
        "misses=50 lookups=7", "patience=0",
    ],
)  # fmt: skip
@script(lambda options: f"insmod dsbench.ko n=1000 tries=3 warmup=0 {options}; cat /proc/dsbench")
def test_options(output: str, options: str) -> None:
    assert len(rows(output)) == len(CELLS)
    assert "state=complete" in output


# Floors


@script(f"insmod dsbench.ko n=50 tries=5 warmup=0 autorun=0; insmod dsbench_list.ko n=20 tries=7; echo 1 > {RUN}; cat /proc/dsbench")
def test_each_size_has_each_floor_once(output: str) -> None:
    want = {(op, n, tries) for op in FLOORS for n, tries in ((20, 7), (50, 5))}
    assert {(row.op, row.n, row.tries) for row in floors(output)} == want
    assert len(floors(output)) == 8
    assert {row.x_floor for row in floors(output)} == {"-"}


@script(f"{QUICK}; cat /proc/dsbench > /dev/null; insmod dsbench_rbtree.ko n=2000; cat /proc/dsbench")
def test_a_container_that_is_loaded_later_has_floors_of_its_size(output: str) -> None:
    assert [(row.op, row.n) for row in floors(output)] == [(op, n) for n in (50, 2000) for op in FLOORS]
    assert all(float(row.x_floor) > 0 for row in rows(output) if row.n == 2000)


@script(f"{QUICK} ops=find containers=rbtree; cat /proc/dsbench")
def test_selections_do_not_concern_the_floors(output: str) -> None:
    assert [row.op for row in floors(output)] == list(FLOORS)


@script(f"{QUICK} floors=N; cat /proc/dsbench")
def test_a_run_without_floors(output: str) -> None:
    assert not floors(output)
    assert {row.x_floor for row in rows(output)} == {"-"}
    assert len(rows(output)) == len(CELLS)


@pytest.mark.parametrize("order", ["shuffled", "sequential"])
@script(lambda order: f"insmod dsbench.ko n=2000 tries=9 order={order} alloc=inline lookups=500; cat {RESULTS}; cat /proc/dsbench")
def test_x_floor_is_the_ratio_to_the_floor_of_the_operation(output: str, order: str) -> None:
    results = list(csv.DictReader(io.StringIO(output.split("# dsbench: ")[0])))
    shown = {(row.container, row.op): row.x_floor for row in rows(output)}
    costs = {(row["container"], row["op"]): float(row["p50"]) / int(row["elements"]) for row in results}
    moving = "walk" if order == "sequential" else "random"
    against = {"fill": moving, "find": "random", "for_each": "walk", "erase": moving}
    for row in results:
        if row["container"] == "floor":
            assert row["x_floor"] == "-"
            continue
        want = costs[row["container"], row["op"]] / costs["floor", against[row["op"]]]
        assert float(row["x_floor"]) == pytest.approx(want, rel=1e-5, abs=0.0011)
        assert float(shown[row["container"], row["op"]]) == pytest.approx(want, rel=1e-5, abs=0.0061)


@script(f"""
    insmod dsbench.ko n=4000 tries=1000000 warmup=0 autorun=0 containers=list; insmod dsbench_list.ko
    echo 1 > {RUN}; until grep -q "running [1-9]" {RUN}; do :; done
    rmmod dsbench_list && cat /proc/dsbench
""")
def test_the_run_of_the_floors_ends_when_the_last_container_is_removed(output: str) -> None:
    assert "state=interrupted" in output
    assert all(row.tries < 1000000 for row in floors(output))


@script(f"{QUICK} ops=find,erase containers=xarray,list; cat /proc/dsbench")
def test_selected_operations_and_containers(output: str) -> None:
    assert {(row.container, row.op) for row in rows(output)} == {(c, op) for c in ("list", "xarray") for op in ("find", "erase")}


@script(f"{QUICK}; cat /proc/dsbench")
def test_the_header_names_operations_that_a_container_does_not_have(output: str) -> None:
    assert sorted(header(output, "absent")) == [f"{container} {op}" for container, op in sorted(ABSENT)]


@script(f"{QUICK} ops=fill,find containers=xarray,sorted_array; cat /proc/dsbench")
def test_the_header_names_no_operation_that_was_not_selected(output: str) -> None:
    assert len(rows(output)) == 4
    assert header(output, "absent") == []


@pytest.mark.parametrize(("container", "op"), sorted(ABSENT))
@script(lambda container, op: f"{QUICK} ops={op} containers={container}; cat /proc/dsbench")
def test_a_selection_without_any_cell(output: str, container: str, op: str) -> None:
    assert "lossy" not in {row.container for row in rows(output)}
    warning = f"run 1: {container} has no {op}, so there is nothing to time: choose other ops or containers"
    assert header(output, "warning") == [warning]


def million(*settings: str) -> str:
    """A script that runs a million elements once, while the shell counts: the machine must respond though it has one CPU."""
    return f"""
    (while :; do echo tick; sleep 0.2; done) > /tmp/ticks & clock=$!
    insmod dsbench.ko n=1000000 tries=1 warmup=0 {' '.join(settings)} && cat /proc/dsbench
    kill $clock; echo ticks $(wc -l < /tmp/ticks)
    """


def check_ticks(output: str) -> None:
    """Fail if the shell of million() counted less than a tenth of what it counts on an idle machine."""
    (run,) = header(output, "run")
    ticks = int(re.findall(r"^ticks (\d+)", output, re.MULTILINE)[0])
    milliseconds = int(re.findall(r"ms=(\d+)", run)[0])
    assert ticks >= milliseconds / 2000, "the guest stood still during the run"


@pytest.mark.matrix
@script(million(), timeout=900)
def test_a_million_elements(output: str) -> None:
    found = rows(output)
    assert len(found) == len(CELLS)
    assert {row.n for row in found} == {1000000}
    assert "16 of 1000000 keys in find list" in " ".join(header(output, "lookups"))
    check_ticks(output)


# One operation costs a quarter of all: each try fills the container, and verifies by looking up every key.
@script(million("ops=erase", "floors=N"), timeout=600)
def test_a_million_elements_in_each_container(output: str) -> None:
    found = rows(output)
    assert sorted((row.container, row.op) for row in found) == [cell for cell in CELLS if cell[1] == "erase"]
    assert {row.n for row in found} == {1000000}
    check_ticks(output)


@script(million("containers=list,hashtable"), timeout=600)
def test_a_million_elements_in_each_operation(output: str) -> None:
    found = rows(output)
    assert {(row.container, row.op) for row in found} == {(container, op) for container in ("list", "hashtable") for op in OPS}
    assert {row.n for row in [*found, *floors(output)]} == {1000000}
    assert [row.op for row in floors(output)] == list(FLOORS)
    assert "16 of 1000000 keys in find list" in " ".join(header(output, "lookups"))
    check_ticks(output)


# MemFree does not count the pages that each CPU keeps, up to 7 MiB; the sum of both repeats to 0.1 MiB.
@script(f"""
    free() {{
        echo 3 > /proc/sys/vm/drop_caches
        awk '/^MemFree:/ {{ kib += $2 }} $1 == "count:" {{ kib += 4 * $2 }} END {{ print "free", kib }}' \\
            /proc/meminfo /proc/zoneinfo
    }}
    insmod dsbench.ko n=20000 tries=1 warmup=0 alloc=inline; cat /proc/dsbench > /dev/null; free
    for i in 1 2 3 4 5 6; do echo 1 > {RUN}; cat /proc/dsbench > /dev/null; done; free
""")
def test_runs_free_their_memory(output: str) -> None:
    before, after = (int(kib) for kib in re.findall(r"free (\d+)", output))
    assert before - after < 512, "six runs lost more than 0.5 MiB: a pointer per element is 0.9 MiB"


@script(f"""
    free() {{ awk '/^MemFree:/ {{ print $2 }}' /proc/meminfo; }}
    find /usr -xdev -type f -size +256k | while read -r file && [ $(free) -gt {FEW_KIB} ]; do cat "$file" > /dev/null; done
    echo free $(free)
    insmod dsbench.ko n=500000 tries=2 warmup=0 alloc=inline containers=list ops=fill floors=0
    cat /proc/dsbench
""")
def test_the_page_cache_makes_room_for_a_run(output: str) -> None:
    """Both for what a run needs before its first try, 16 MiB, and for the elements that an operation allocates, 32 MiB."""
    (free,) = re.findall(r"^free (\d+)", output, re.MULTILINE)
    assert int(free) < 2 * FEW_KIB, "the page cache is full"
    assert "state=complete" in output
    assert [(row.container, row.op, row.tries) for row in rows(output)] == [("list", "fill", 2)]


# Parameters that are written

REJECTED = [
    ("n", "0", "whole number from 1"),
    ("n", "-1", "whole number from 1"),
    ("n", "many", "whole number from 1"),
    ("n", "16777217", "whole number from 1"),
    ("n", "16000000", "MiB of memory"),
    ("tries", "0", "whole number from 1"),
    ("tries", "-7", "whole number from 1"),
    ("tries", "1000001", "whole number from 1"),
    ("warmup", "-1", "whole number from 0"),
    ("patience", "1001", "whole number from 0 to 1000 ms"),
    ("seed", "x", "whole number from 0"),
    ("order", "random", "shuffled or sequential"),
    ("alloc", "kmalloc", "prealloc or inline"),
    ("lookups", "-1", "whole number from 0"),
    ("misses", "101", "whole number from 0 to 100"),
    ("slice", "16777217", "whole number from 0 to 16777216 elements"),
    ("cpu", "99", "number of a CPU that is online"),
    ("ops", "fill,insert", "fill, find, for_each, erase, tx, rx and path"),
    ("ops", "fill,walk", "fill, find, for_each, erase, tx, rx and path"),
    ("containers", "List", "names of containers"),
]


def write_rejected() -> str:
    """A script that writes each rejected value, and reports values that are accepted and parameters that change."""
    lines = [f"{QUICK}; cat /proc/dsbench"]
    for name, value, _ in REJECTED:
        lines.append(
            f"before=$(cat {PARAMETERS}/{name}); if env echo {value} > {PARAMETERS}/{name}; then echo ACCEPTED {name}={value}; fi;"
            f' [ "$before" = "$(cat {PARAMETERS}/{name})" ] || echo CHANGED {name}'
        )
    return "\n".join([*lines, "cat /proc/dsbench; dmesg"])


@script(write_rejected())
def test_a_rejected_value_has_a_message_and_changes_nothing(output: str) -> None:
    assert "ACCEPTED" not in output
    assert "CHANGED" not in output
    for name, value, sentence in REJECTED:
        assert re.search(rf"dsbench: {name}={re.escape(value)}: .*{sentence}", output), (name, value)
    found = rows(output)
    assert found[: len(CELLS)] == found[len(CELLS) :]


@pytest.mark.parametrize("wrong", ["n=0", "tries=none", "order=up", "n=16000000", "cpu=5"])
@script(lambda wrong: f"insmod dsbench.ko {wrong} 2>&1 && echo LOADED; dmesg; lsmod")
def test_insmod_rejects_it_too(output: str, wrong: str) -> None:
    assert "LOADED" not in output
    assert re.search(rf"dsbench: {wrong}: ", output)
    assert not re.search(r"^dsbench", output, re.MULTILINE)


LIST = "/sys/module/dsbench_list/parameters"


@script(f"""
    insmod dsbench.ko autorun=0 n=40 tries=4 warmup=0; insmod dsbench_list.ko n=20
    echo 2 > {LIST}/tries; env echo 0 > {LIST}/tries && echo ACCEPTED
    echo 1 > {RUN}; cat /proc/dsbench; dmesg
""")
def test_parameters_of_a_container_module(output: str) -> None:
    assert "ACCEPTED" not in output
    assert "dsbench: dsbench_list.tries=0: must be a whole number from 1" in output
    sizes = {row.container: (row.n, row.tries) for row in rows(output)}
    assert sizes == {**dict.fromkeys(CONTAINERS, (40, 4)), "list": (20, 2)}


@script(f"""
    insmod dsbench.ko n=300 tries=200 warmup=0 && echo 60 > {PARAMETERS}/n && cat /proc/dsbench
    echo 1 > {RUN}; cat /proc/dsbench
""")
def test_parameters_take_effect_at_the_next_run(output: str) -> None:
    first, second = output.split("# dsbench: ")[1:]
    assert {row.n for row in rows(first)} == {300}
    assert {row.n for row in rows(second)} == {300, 60}


@script(f"{QUICK} containers=skiplist,list; cat /proc/dsbench")
def test_an_unknown_container(output: str) -> None:
    assert "dsbench_skiplist is not loaded, and cannot be: modprobe ended with status 1" in " ".join(header(output, "warning"))
    assert "state=failed" in output
    assert {row.container for row in rows(output)} == {"list"}


@script(f"mount -t tmpfs none /lib/modules; {QUICK}; cat /proc/dsbench")
def test_no_container_is_installed(output: str) -> None:
    assert "no container module is loaded, and none can be" in " ".join(header(output, "warning"))
    assert not rows(output)


COPY = "rm -rf /run/installed; cp -r /lib/modules/$(uname -r) /run/installed; mount --bind /run/installed /lib/modules/$(uname -r)"
"""Makes the installed modules a copy that a script may damage."""


@script(f"""
    {COPY}
    damaged=$(find /run/installed -name dsbench_maple.ko)
    head -c 1000 "$damaged" > /run/part && cat /run/part > "$damaged"
    echo blacklist dsbench_idr > /etc/modprobe.d/dsbench-test.conf
    {QUICK}; cat /proc/dsbench; lsmod
    rm /etc/modprobe.d/dsbench-test.conf
""")
def test_a_container_that_cannot_be_loaded_is_named(output: str) -> None:
    missing = {"maple": "modprobe ended with status 1", "idr": "modprobe loaded nothing: is it blacklisted?"}
    assert dict(line.split(", run 1: ") for line in header(output, "not_loaded")) == missing
    assert {row.container for row in rows(output)} == set(CONTAINERS) - set(missing)
    assert "state=complete" in output
    assert re.findall(r"^dsbench\w*", output, re.MULTILINE) == ["dsbench"]


@script(f"""
    read -r before < /proc/sys/kernel/modprobe
    echo > /proc/sys/kernel/modprobe
    insmod dsbench.ko autorun=0 n=50 tries=5 warmup=0
    echo 1 > {RUN}; cat /proc/dsbench
    insmod dsbench_list.ko
    echo 1 > {RUN}; cat /proc/dsbench
    echo list,maple > {PARAMETERS}/containers
    echo 1 > {RUN}; cat /proc/dsbench
    echo "$before" > /proc/sys/kernel/modprobe
""")
def test_without_a_modprobe_the_advice_is_right(output: str) -> None:
    first, second, third = output.split("# dsbench: ")[1:]
    assert "none can be (kernel.modprobe names no program)" in " ".join(header(first, "warning"))
    told = dict(line.split(", run 2: ") for line in header(second, "not_loaded"))
    assert told == {name: "kernel.modprobe names no program" for name in CONTAINERS if name != "list"}
    assert {row.container for row in rows(second)} == {"list"}
    assert "dsbench_maple is not loaded, and cannot be: kernel.modprobe names no program" in " ".join(header(third, "warning"))


# Loading and unloading at the wrong moment


@script(f"{QUICK}; cat /proc/dsbench; insmod dsbench.ko 2>&1 && echo AGAIN; cat /proc/dsbench")
def test_a_second_insmod(output: str) -> None:
    assert "File exists" in output
    assert "AGAIN" not in output
    assert rows(output)[: len(CELLS)] == rows(output)[len(CELLS) :]


@script(f"""
    {QUICK}; cat /proc/dsbench > /dev/null; insmod dsbench_list.ko
    rmmod dsbench 2>&1 && echo GONE
    cat /proc/dsbench; rmmod dsbench_list dsbench
""")
def test_rmmod_of_the_core_while_a_container_uses_it(output: str) -> None:
    assert "is in use by: dsbench_list" in output
    assert "GONE" not in output
    assert len(rows(output)) == len(CELLS)


@script(f"{QUICK}; cat /proc/dsbench > /dev/null; rmmod dsbench && lsmod")
def test_rmmod_of_the_core_after_a_run(output: str) -> None:
    assert "dsbench" not in output


@script(f"""
    insmod dsbench.ko n=1000 tries=100000 warmup=0 containers=list,xarray autorun=0; insmod dsbench_list.ko
    insmod dsbench_xarray.ko tries=300
    echo 1 > {RUN}; until grep -q "running [1-9]" {RUN}; do :; done
    rmmod dsbench_list && cat /proc/dsbench && rmmod dsbench_xarray dsbench
""")
def test_rmmod_of_a_container_during_its_run(output: str) -> None:
    assert "state=interrupted" in output
    assert "list was removed during the run" in " ".join(header(output, "warning"))
    tries = {row.container: row.tries for row in rows(output)}
    assert tries["xarray"] == 300
    assert tries.get("list", 0) < 100000


@script(f"""
    insmod dsbench.ko n=500 tries=100000 warmup=0 patience=0 autorun=0; insmod dsbench_list.ko; insmod dsbench_xarray.ko tries=2
    echo 1 > {RUN}; until grep -q "running [1-9][0-9][0-9]" {RUN}; do :; done
    timeout 30 rmmod dsbench_xarray && echo GONE
    echo stop > {RUN}; cat /proc/dsbench
""")
def test_rmmod_of_a_container_that_has_all_its_tries(output: str) -> None:
    assert output.startswith("GONE")
    assert "xarray was removed" not in output
    assert {row.tries for row in rows(output) if row.container == "xarray"} == {2}


@script(f"""
    for i in $(seq 20); do
        insmod dsbench.ko n=500 tries=10000 warmup=0
        sleep 0.0$((i % 10))
        while grep -q ^dsbench /proc/modules; do
            rmmod $(sed -n 's/^\\(dsbench[^ ]*\\) .*/\\1/p' /proc/modules) 2> /dev/null
        done
    done
    lsmod
""")
def test_rmmod_of_everything_right_after_insmod(output: str) -> None:
    assert output.startswith("Module ")
    assert "dsbench" not in output


@script(f"""
    insmod dsbench.ko autorun=0 n=100 tries=20 warmup=0; echo Y > {PARAMETERS}/autorun
    for module in {' '.join(CONTAINERS)}; do insmod dsbench_$module.ko & done; wait
    cat /proc/dsbench; for module in {' '.join(CONTAINERS)}; do rmmod dsbench_$module & done; wait; rmmod dsbench
""")
def test_insmod_of_all_containers_at_once(output: str) -> None:
    assert len(rows(output)) == len(CELLS)


# Many users at the same time


@script(f"""
    insmod dsbench.ko n=500 tries=100
    for i in $(seq 15); do
        cat /proc/dsbench > /tmp/proc.$i & cat {SAMPLES} > /tmp/samples.$i & cat {RESULTS} > /tmp/results.$i &
    done
    wait
    cksum < /tmp/proc.1; cat /tmp/proc.* | grep -c '^list '
    for kind in proc samples results; do for i in $(seq 15); do cmp /tmp/$kind.1 /tmp/$kind.$i; done; done
    wc -l < /tmp/samples.1
""")
def test_many_readers_during_a_run(output: str) -> None:
    assert output.splitlines()[1:] == [str(15 * 4), str(1 + (len(CELLS) + len(FLOORS)) * 100)]


@script(f"""
    insmod dsbench.ko n=500 tries=100
    for i in 1 2 3; do env echo 1 > {RUN} && echo STARTED; done
    cat /proc/dsbench; dmesg
""")
def test_a_run_can_not_be_started_during_a_run(output: str) -> None:
    assert "STARTED" not in output
    assert "run: a run is in progress" in output
    assert {row.tries for row in rows(output)} == {100}


@script(f"{QUICK}; cat /proc/dsbench; env echo go > {RUN} && echo STARTED; env echo 0123456789012345678 > {RUN} && echo STARTED; dmesg")
def test_run_rejects_other_words(output: str) -> None:
    assert "STARTED" not in output
    assert "run=go: must be 1 or start" in output


@script(f"{LONG}; until grep -q 'running [1-9][0-9]' {RUN}; do :; done; echo stop > {RUN}; cat /proc/dsbench")
def test_stop_ends_a_run_and_keeps_its_tries(output: str) -> None:
    assert "state=interrupted" in output
    found = rows(output)
    assert found
    assert all(0 < row.tries < 100000 for row in found)


@script(f"{LONG} autorun=0; for i in 1 2 3; do echo 1 > {RUN}; echo stop > {RUN}; cat /proc/dsbench; done")
def test_stop_right_after_the_start(output: str) -> None:
    assert len(re.findall("state=interrupted", output)) >= 1


@script(f"""
    {LONG}; timeout 0.3 cat /proc/dsbench; echo status $?
    dd if=/proc/dsbench iflag=nonblock 2>&1 | grep -o 'Resource temporarily unavailable'
    until grep -q 'running [1-9][0-9][0-9]' {RUN}; do :; done
    echo stop > {RUN}; cat /proc/dsbench | grep -c '^xarray '
""")
def test_a_reader_can_give_up(output: str) -> None:
    assert output.splitlines() == ["status 124", "Resource temporarily unavailable", "4"]


# Permissions


@script(f"""
    {QUICK}; cat /proc/dsbench > /dev/null
    nobody() {{ setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }}
    nobody sh -c 'cat /proc/dsbench' | grep -c '^list '
    nobody sh -c 'echo 1 > {RUN}' 2>&1 || echo refused
    nobody sh -c 'echo 9 > {PARAMETERS}/n' 2>&1 || echo refused
    nobody sh -c 'echo 9 > /proc/dsbench' 2>&1 || echo refused
    cat {PARAMETERS}/n
""")
def test_only_root_writes(output: str) -> None:
    lines = output.splitlines()
    assert lines[0] == "4"
    assert lines.count("refused") == 3
    assert lines[-1] == "50"


@script(f"{QUICK}; cat /proc/dsbench /sys/kernel/debug/dsbench/*")
def test_no_kernel_pointer_is_shown(output: str) -> None:
    assert len(rows(output)) == len(CELLS)
    # UML's kernel lies at 0x60000000, its modules and slabs above; no other number is printed in hexadecimal.
    shown = re.sub(r"^# (revision|kernel|compiler|machine|cpu_model).*$", "", output, flags=re.M)
    assert not re.search(r"\b(0x)?[0-9a-f]*[a-f][0-9a-f]{7,}\b", shown)


# Containers with planted faults


@script(
    f"{QUICK} autorun=0; insmod dsbench_list.ko; insmod dsbench_broken.ko; echo 1 > {RUN}; cat /proc/dsbench; dmesg", broken=True
)
def test_a_wrong_answer_fails_the_run(output: str) -> None:
    assert "state=failed" in output
    assert "broken gave a wrong answer in find at n=50" in " ".join(header(output, "warning"))
    found: list[Row] = rows(output)
    assert {row.container for row in found} == set(CONTAINERS), "no row of a container that gave a wrong answer"
    assert re.search(r"dsbench: run 1: broken gave a wrong answer", output)


@script(f"{QUICK} autorun=0 ops=erase; insmod dsbench_lossy.ko; echo 1 > {RUN}; cat /proc/dsbench", broken=True)
def test_a_lost_element_fails_the_run_before_any_element_is_erased(output: str) -> None:
    assert "lossy gave a wrong answer in erase at n=50" in " ".join(header(output, "warning"))
    assert "lossy" not in {row.container for row in rows(output)}
