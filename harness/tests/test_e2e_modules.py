# SPDX-License-Identifier: GPL-2.0
"""The modules in the UML guest, used as a user uses them: well, badly, and many at a time."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

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
    broken_modules,
    floors,
    header,
    rows,
    sh,
)

QUICK = "insmod dsbench.ko n=50 tries=5 warmup=0"
"""A run that is over in no time."""

LONG = "insmod dsbench.ko n=4000 tries=100000 warmup=0"
"""A run that nobody waits for."""


@pytest.fixture(scope="module")
def uml() -> targets.Target:
    """The UML guest; it boots for each script."""
    return targets.get("uml")


# Literal use


def test_insmod_and_cat_print_a_row_a_cell(uml: targets.Target) -> None:
    found = rows(sh(uml, "insmod dsbench.ko n=4000 tries=100 && cat /proc/dsbench"))
    assert sorted((row.container, row.op) for row in found) == CELLS
    assert {(row.n, row.tries) for row in found} == {(4000, 100)}


def test_a_container_adds_a_run_of_its_own(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK} && cat /proc/dsbench && insmod dsbench_rbtree.ko n=2000 tries=10 && cat /proc/dsbench")
    first, second = text.split("# dsbench: ")[1:]
    assert len(rows(first)) == len(CELLS)
    assert rows(second)[: len(CELLS)] == rows(first)
    added = rows(second)[len(CELLS) :]
    assert [(row.container, row.op, row.n, row.tries) for row in added] == [("rbtree", op, 2000, 10) for op in OPS]


def test_borrowed_containers_go_and_those_of_the_user_stay(uml: targets.Target) -> None:
    text = sh(uml, f"insmod dsbench.ko autorun=0; insmod dsbench_list.ko; echo 1 > {RUN}; cat /proc/dsbench; lsmod")
    assert len(rows(text)) == len(CELLS)
    assert re.findall(r"^dsbench\w*", text, re.MULTILINE) == ["dsbench_list", "dsbench"]


def test_the_header_says_what_was_measured(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK} patience=1 order=sequential alloc=inline erase_order=insertion misses=20 lookups=30 seed=7 && cat /proc/dsbench")
    assert header(text, "unit") == ["cycles"]
    assert header(text, "kernel")[0].split()[0] == uml.kernel.release
    assert int(header(text, "clock_overhead")[0]) > 0
    assert header(text, "machine")[0].startswith("uml")
    (run,) = header(text, "run")
    for word in (
        "n=50", "tries=5", "patience=1", "seed=7", "order=sequential", "alloc=inline", "erase_order=insertion", "misses=20", "lookups=30",
    ):  # fmt: skip
        assert word in run.split()
    assert "state=complete" in run
    assert len(rows(text)) == len(CELLS)


def test_no_line_but_a_row_begins_with_a_containers_name(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK} && cat /proc/dsbench")
    begins = [line for line in text.splitlines() if line.split()[0] in CONTAINERS]
    assert len(begins) == len(CELLS)
    assert all(len(line.split()) == 15 for line in begins)
    widths = {len(line) for line in begins} | {len(next(li for li in text.splitlines() if li.startswith("container ")))}
    assert len(widths) == 1, "the columns are not aligned"


# Numbers


def test_statistics_agree_with_the_samples(uml: targets.Target) -> None:
    text = sh(uml, f"insmod dsbench.ko n=500 tries=37; cat {RESULTS}; echo ---; cat {SAMPLES}")
    results, samples = (list(csv.DictReader(io.StringIO(part))) for part in text.split("---\n"))
    assert len(results) == len(CELLS) + len(FLOORS)
    for result in results:
        key = (result["container"], result["op"])
        cycles = numpy.array([int(s["cycles"]) for s in samples if (s["container"], s["op"]) == key])
        assert len(cycles) == int(result["tries"]) == 37
        median = numpy.median(cycles)
        want = {
            "min": cycles.min(), "p50": median, "mean": cycles.mean(), "max": cycles.max(),
            "p90": numpy.percentile(cycles, 90), "p99": numpy.percentile(cycles, 99),
            "mad": numpy.median(abs(cycles - median)), "per_element": median / int(result["elements"]),
        }  # fmt: skip
        for name, value in want.items():
            assert float(result[name]) == pytest.approx(value, abs=0.0011), (key, name)


def test_per_element_is_the_median_divided(uml: targets.Target) -> None:
    for row in rows(sh(uml, "insmod dsbench.ko n=500 tries=10 lookups=100; cat /proc/dsbench")):
        elements = 100 if row.op == "find" else 500
        assert float(row.per_element) == pytest.approx(row.p50 / elements, abs=0.5 / elements + 0.0051)


def test_one_element(uml: targets.Target) -> None:
    text = sh(uml, "insmod dsbench.ko n=1 tries=1 warmup=0; cat /proc/dsbench")
    found = rows(text)
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
def test_ways_to_run(uml: targets.Target, options: str) -> None:
    text = sh(uml, f"insmod dsbench.ko n=1000 tries=3 warmup=0 {options}; cat /proc/dsbench")
    assert len(rows(text)) == len(CELLS)
    assert "state=complete" in text


# Floors


def test_floors_join_once_for_each_size(uml: targets.Target) -> None:
    text = sh(uml, "insmod dsbench.ko n=50 tries=5 warmup=0 autorun=0; insmod dsbench_list.ko n=20 tries=7;"
                   f" echo 1 > {RUN}; cat /proc/dsbench")  # fmt: skip
    want = {(op, n, tries) for op in FLOORS for n, tries in ((20, 7), (50, 5))}
    assert {(row.op, row.n, row.tries) for row in floors(text)} == want
    assert len(floors(text)) == 8
    assert {row.x_floor for row in floors(text)} == {"-"}


def test_a_container_that_is_loaded_later_has_floors_at_its_size(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK}; cat /proc/dsbench > /dev/null; insmod dsbench_rbtree.ko n=2000; cat /proc/dsbench")
    assert [(row.op, row.n) for row in floors(text)] == [(op, n) for n in (50, 2000) for op in FLOORS]
    assert all(float(row.x_floor) > 0 for row in rows(text) if row.n == 2000)


def test_selections_do_not_touch_the_floors(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK} ops=find containers=rbtree; cat /proc/dsbench")
    assert [row.op for row in floors(text)] == list(FLOORS)


def test_a_run_without_floors(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK} floors=N; cat /proc/dsbench")
    assert not floors(text)
    assert {row.x_floor for row in rows(text)} == {"-"}
    assert len(rows(text)) == len(CELLS)


@pytest.mark.parametrize("order", ["shuffled", "sequential"])
def test_x_floor_is_the_distance_to_the_operations_floor(uml: targets.Target, order: str) -> None:
    text = sh(uml, f"insmod dsbench.ko n=2000 tries=9 order={order} alloc=inline lookups=500; cat {RESULTS}; cat /proc/dsbench")
    results = list(csv.DictReader(io.StringIO(text.split("# dsbench: ")[0])))
    shown = {(row.container, row.op): row.x_floor for row in rows(text)}
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


def test_floors_do_not_go_on_when_the_containers_are_gone(uml: targets.Target) -> None:
    script = f"""
    insmod dsbench.ko n=4000 tries=1000000 warmup=0 autorun=0 containers=list; insmod dsbench_list.ko
    echo 1 > {RUN}; until grep -q "running [1-9]" {RUN}; do :; done
    rmmod dsbench_list && cat /proc/dsbench
    """
    text = sh(uml, script)
    assert "state=interrupted" in text
    assert all(row.tries < 1000000 for row in floors(text))


def test_selected_operations_and_containers(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK} ops=find,erase containers=xarray,list; cat /proc/dsbench")
    assert {(row.container, row.op) for row in rows(text)} == {(c, op) for c in ("list", "xarray") for op in ("find", "erase")}


def test_what_a_container_cannot_do_is_absent(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK}; cat /proc/dsbench")
    assert sorted(header(text, "absent")) == [f"{container} {op}" for container, op in sorted(ABSENT)]
    text = sh(uml, f"{QUICK} ops=fill,find containers=xarray,sorted_array; cat /proc/dsbench")
    assert header(text, "absent") == []


@pytest.mark.parametrize(("container", "op"), sorted(ABSENT))
def test_nothing_but_what_is_absent(uml: targets.Target, container: str, op: str) -> None:
    text = sh(uml, f"{QUICK} ops={op} containers={container}; cat /proc/dsbench")
    assert "lossy" not in {row.container for row in rows(text)}
    said = f"run 1: {container} has no {op}, so there is nothing to time: choose other ops or containers"
    assert header(text, "warning") == [said]


def test_a_million_elements(uml: targets.Target) -> None:
    # The shell goes on counting while the run holds the only CPU, or the machine would not be responsive.
    script = """
    (while :; do echo tick; sleep 0.2; done) > /tmp/ticks & clock=$!
    insmod dsbench.ko n=1000000 tries=1 warmup=0 && cat /proc/dsbench
    kill $clock; echo ticks $(wc -l < /tmp/ticks)
    """
    text = sh(uml, script, timeout=900)
    found = rows(text)
    assert len(found) == len(CELLS)
    assert {row.n for row in found} == {1000000}
    assert "16 of 1000000 keys in find list" in " ".join(header(text, "lookups"))
    (run,) = header(text, "run")
    ticks = int(re.findall(r"^ticks (\d+)", text, re.MULTILINE)[0])
    milliseconds = int(re.findall(r"ms=(\d+)", run)[0])
    assert ticks >= milliseconds / 2000, "the guest stood still during the run"


def test_memory_comes_back(uml: targets.Target) -> None:
    # pages that a CPU keeps at hand, up to 7 MiB, are not in MemFree; the sum repeats to 0.1 MiB
    script = f"""
    free() {{
        echo 3 > /proc/sys/vm/drop_caches
        awk '/^MemFree:/ {{ kib += $2 }} $1 == "count:" {{ kib += 4 * $2 }} END {{ print "free", kib }}' \\
            /proc/meminfo /proc/zoneinfo
    }}
    insmod dsbench.ko n=50000 tries=1 warmup=0 alloc=inline; cat /proc/dsbench > /dev/null; free
    for i in 1 2 3 4 5 6; do echo 1 > {RUN}; cat /proc/dsbench > /dev/null; done; free
    """
    before, after = (int(kib) for kib in re.findall(r"free (\d+)", sh(uml, script)))
    assert before - after < 512, "six runs of 3 MiB each lost more than 0.5 MiB"


# Parameters that are written

NOT_ALLOWED = [
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
    ("cpu", "99", "number of a CPU that is online"),
    ("ops", "fill,insert", "fill, find, for_each, erase, tx, rx and path"),
    ("ops", "fill,walk", "fill, find, for_each, erase, tx, rx and path"),
    ("containers", "List", "names of containers"),
]


def test_what_is_not_allowed_is_refused_in_a_sentence_and_loses_nothing(uml: targets.Target) -> None:
    lines = [f"{QUICK}; cat /proc/dsbench"]
    for name, value, _ in NOT_ALLOWED:
        lines.append(
            f"before=$(cat {PARAMETERS}/{name}); if env echo {value} > {PARAMETERS}/{name}; then echo ACCEPTED {name}={value}; fi;"
            f' [ "$before" = "$(cat {PARAMETERS}/{name})" ] || echo CHANGED {name}'
        )
    text = sh(uml, "\n".join([*lines, "cat /proc/dsbench; dmesg"]))
    assert "ACCEPTED" not in text
    assert "CHANGED" not in text
    for name, value, sentence in NOT_ALLOWED:
        assert re.search(rf"dsbench: {name}={re.escape(value)}: .*{sentence}", text), (name, value)
    found = rows(text)
    assert found[: len(CELLS)] == found[len(CELLS) :]


@pytest.mark.parametrize("wrong", ["n=0", "tries=none", "order=up", "n=16000000", "cpu=5"])
def test_insmod_refuses_it_too(uml: targets.Target, wrong: str) -> None:
    text = sh(uml, f"insmod dsbench.ko {wrong} 2>&1 && echo LOADED; dmesg; lsmod")
    assert "LOADED" not in text
    assert re.search(rf"dsbench: {wrong}: ", text)
    assert not re.search(r"^dsbench", text, re.MULTILINE)


def test_a_containers_own_parameters(uml: targets.Target) -> None:
    own = "/sys/module/dsbench_list/parameters"
    script = f"""
    insmod dsbench.ko autorun=0 n=40 tries=4 warmup=0; insmod dsbench_list.ko n=20
    echo 2 > {own}/tries; env echo 0 > {own}/tries && echo ACCEPTED
    echo 1 > {RUN}; cat /proc/dsbench; dmesg
    """
    text = sh(uml, script)
    assert "ACCEPTED" not in text
    assert "dsbench: dsbench_list.tries=0: must be a whole number from 1" in text
    sizes = {row.container: (row.n, row.tries) for row in rows(text)}
    assert sizes == {**dict.fromkeys(CONTAINERS, (40, 4)), "list": (20, 2)}


def test_parameters_take_effect_at_the_next_run(uml: targets.Target) -> None:
    script = f"""
    insmod dsbench.ko n=300 tries=200 warmup=0 && echo 60 > {PARAMETERS}/n && cat /proc/dsbench
    echo 1 > {RUN}; cat /proc/dsbench
    """
    first, second = sh(uml, script).split("# dsbench: ")[1:]
    assert {row.n for row in rows(first)} == {300}
    assert {row.n for row in rows(second)} == {300, 60}


def test_a_container_that_is_not_there(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK} containers=skiplist,list; cat /proc/dsbench")
    assert "there is no module dsbench_skiplist loaded or installed" in " ".join(header(text, "warning"))
    assert "state=failed" in text
    assert {row.container for row in rows(text)} == {"list"}


def test_no_container_at_all(uml: targets.Target) -> None:
    text = sh(uml, f"mount -t tmpfs none /lib/modules; {QUICK}; cat /proc/dsbench")
    assert "no container module is loaded or installed" in " ".join(header(text, "warning"))
    assert not rows(text)


# Loading and unloading at the wrong moment


def test_a_second_insmod(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK}; cat /proc/dsbench; insmod dsbench.ko 2>&1 && echo AGAIN; cat /proc/dsbench")
    assert "File exists" in text
    assert "AGAIN" not in text
    assert rows(text)[: len(CELLS)] == rows(text)[len(CELLS) :]


def test_rmmod_of_the_core_while_a_container_uses_it(uml: targets.Target) -> None:
    script = f"{QUICK}; cat /proc/dsbench > /dev/null; insmod dsbench_list.ko; rmmod dsbench 2>&1 && echo GONE; cat /proc/dsbench"
    text = sh(uml, f"{script}; rmmod dsbench_list dsbench")
    assert "is in use by: dsbench_list" in text
    assert "GONE" not in text
    assert len(rows(text)) == len(CELLS)


def test_rmmod_of_the_core_after_a_run(uml: targets.Target) -> None:
    assert "dsbench" not in sh(uml, f"{QUICK}; cat /proc/dsbench > /dev/null; rmmod dsbench && lsmod")


def test_rmmod_of_a_container_during_its_run(uml: targets.Target) -> None:
    script = f"""
    insmod dsbench.ko n=1000 tries=100000 warmup=0 containers=list,xarray autorun=0; insmod dsbench_list.ko
    insmod dsbench_xarray.ko tries=300
    echo 1 > {RUN}; until grep -q "running [1-9]" {RUN}; do :; done
    rmmod dsbench_list && cat /proc/dsbench && rmmod dsbench_xarray dsbench
    """
    text = sh(uml, script)
    assert "state=interrupted" in text
    assert "list was removed during the run" in " ".join(header(text, "warning"))
    tries = {row.container: row.tries for row in rows(text)}
    assert tries["xarray"] == 300
    assert tries.get("list", 0) < 100000


def test_rmmod_of_a_container_that_has_all_its_tries(uml: targets.Target) -> None:
    script = f"""
    insmod dsbench.ko n=500 tries=100000 warmup=0 patience=0 autorun=0; insmod dsbench_list.ko; insmod dsbench_xarray.ko tries=2
    echo 1 > {RUN}; until grep -q "running [1-9][0-9][0-9]" {RUN}; do :; done
    timeout 30 rmmod dsbench_xarray && echo GONE
    echo stop > {RUN}; cat /proc/dsbench
    """
    text = sh(uml, script)
    assert text.startswith("GONE")
    assert "xarray was removed" not in text
    assert {row.tries for row in rows(text) if row.container == "xarray"} == {2}


def test_rmmod_of_everything_right_after_insmod(uml: targets.Target) -> None:
    script = f"""
    for i in $(seq 30); do
        insmod dsbench.ko n=500 tries=10000 warmup=0
        sleep 0.0$((i % 10))
        while lsmod | grep -q ^dsbench; do
            for module in {' '.join(CONTAINERS)}; do rmmod dsbench_$module 2> /dev/null; done
            rmmod dsbench 2> /dev/null
        done
    done
    lsmod
    """
    assert "dsbench" not in sh(uml, script)


def test_insmod_of_all_at_once(uml: targets.Target) -> None:
    script = f"""
    insmod dsbench.ko autorun=0 n=100 tries=20 warmup=0; echo Y > /sys/module/dsbench/parameters/autorun
    for module in {' '.join(CONTAINERS)}; do insmod dsbench_$module.ko & done; wait
    cat /proc/dsbench; for module in {' '.join(CONTAINERS)}; do rmmod dsbench_$module & done; wait; rmmod dsbench
    """
    assert len(rows(sh(uml, script))) == len(CELLS)


# Many at a time


def test_many_readers_during_a_run(uml: targets.Target) -> None:
    script = f"""
    insmod dsbench.ko n=500 tries=200
    for i in $(seq 15); do
        cat /proc/dsbench > /tmp/proc.$i & cat {SAMPLES} > /tmp/samples.$i & cat {RESULTS} > /tmp/results.$i &
    done
    wait
    cksum < /tmp/proc.1; cat /tmp/proc.* | grep -c '^list '
    for kind in proc samples results; do for i in $(seq 15); do cmp /tmp/$kind.1 /tmp/$kind.$i; done; done
    wc -l < /tmp/samples.1
    """
    lines = sh(uml, script).splitlines()
    assert lines[1:] == [str(15 * 4), str(1 + (len(CELLS) + len(FLOORS)) * 200)]


def test_writes_to_run_during_a_run(uml: targets.Target) -> None:
    script = f"""
    insmod dsbench.ko n=500 tries=300
    for i in 1 2 3; do env echo 1 > {RUN} && echo STARTED; done
    cat /proc/dsbench; dmesg
    """
    text = sh(uml, script)
    assert "STARTED" not in text
    assert "run: a run is in progress" in text
    assert {row.tries for row in rows(text)} == {300}


def test_run_takes_no_other_word(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK}; cat /proc/dsbench; env echo go > {RUN} && echo STARTED; env echo 0123456789012345678 > {RUN} && echo STARTED; dmesg")
    assert "STARTED" not in text
    assert "run=go: must be 1 or start" in text


def test_stop_ends_a_run_and_keeps_what_was_done(uml: targets.Target) -> None:
    text = sh(uml, f"{LONG}; until grep -q 'running [1-9][0-9]' {RUN}; do :; done; echo stop > {RUN}; cat /proc/dsbench")
    assert "state=interrupted" in text
    found = rows(text)
    assert found
    assert all(0 < row.tries < 100000 for row in found)


def test_stop_right_after_the_start(uml: targets.Target) -> None:
    text = sh(uml, f"{LONG} autorun=0; for i in 1 2 3; do echo 1 > {RUN}; echo stop > {RUN}; cat /proc/dsbench; done")
    assert len(re.findall("state=interrupted", text)) >= 1


def test_a_reader_that_gives_up(uml: targets.Target) -> None:
    script = f"""
    {LONG}; timeout 0.3 cat /proc/dsbench; echo status $?
    dd if=/proc/dsbench iflag=nonblock 2>&1 | grep -o 'Resource temporarily unavailable'
    until grep -q 'running [1-9][0-9][0-9]' {RUN}; do :; done
    echo stop > {RUN}; cat /proc/dsbench | grep -c '^xarray '
    """
    assert sh(uml, script).splitlines() == ["status 124", "Resource temporarily unavailable", "4"]


# Who may do what


def test_only_root_writes(uml: targets.Target) -> None:
    script = f"""
    {QUICK}; cat /proc/dsbench > /dev/null
    nobody() {{ setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }}
    nobody sh -c 'cat /proc/dsbench' | grep -c '^list '
    nobody sh -c 'echo 1 > {RUN}' 2>&1 || echo refused
    nobody sh -c 'echo 9 > {PARAMETERS}/n' 2>&1 || echo refused
    nobody sh -c 'echo 9 > /proc/dsbench' 2>&1 || echo refused
    cat {PARAMETERS}/n
    """
    lines = sh(uml, script).splitlines()
    assert lines[0] == "4"
    assert lines.count("refused") == 3
    assert lines[-1] == "50"


def test_no_kernel_pointer_is_shown(uml: targets.Target) -> None:
    text = sh(uml, f"{QUICK}; cat /proc/dsbench /sys/kernel/debug/dsbench/*")
    # UML's kernel lives at 0x60000000, its modules and slabs above; no other number is printed in hexadecimal.
    assert not re.search(r"\b(0x)?[0-9a-f]*[a-f][0-9a-f]{7,}\b", re.sub(r"^# (revision|kernel|compiler|machine|cpu_model).*$", "", text, flags=re.M))


# A container that lies


@pytest.fixture(scope="module")
def broken(uml: targets.Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module built against ours, as a user's own container would be."""
    return broken_modules(uml, tmp_path_factory.mktemp("broken")) / "dsbench_broken.ko"


def test_a_wrong_answer_fails_the_run_loudly(uml: targets.Target, broken: Path) -> None:
    script = f"{QUICK} autorun=0; insmod dsbench_list.ko; insmod dsbench_broken.ko; echo 1 > {RUN}; cat /proc/dsbench; dmesg"
    text = sh(uml, script, files=[broken])
    assert "state=failed" in text
    assert "broken gave a wrong answer in find at n=50" in " ".join(header(text, "warning"))
    found: list[Row] = rows(text)
    assert {row.container for row in found} == set(CONTAINERS), "a liar's numbers are not shown"
    assert re.search(r"dsbench: run 1: broken gave a wrong answer", text)


def test_a_container_that_loses_an_element_fails_before_anything_is_erased(uml: targets.Target, broken: Path) -> None:
    lossy = broken.with_name("dsbench_lossy.ko")
    text = sh(uml, f"{QUICK} autorun=0 ops=erase; insmod dsbench_lossy.ko; echo 1 > {RUN}; cat /proc/dsbench", files=[lossy])
    assert "lossy gave a wrong answer in erase at n=50" in " ".join(header(text, "warning"))
    assert "lossy" not in {row.container for row in rows(text)}
