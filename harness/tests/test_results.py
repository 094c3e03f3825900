# SPDX-License-Identifier: GPL-2.0
"""Result files: written and read without loss, of Google Benchmark's schema, refused when damaged."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import re
import subprocess
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_results import SHARING, make

from dsharness import paths
from dsharness.errors import HarnessError
from dsharness.results import results, table
from dsharness.statistics import inference

Document = dict[str, Any]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "uml-20260102T030405.json"
    results.write(make(), path)
    return path


def rows(path: Path, run_type: str) -> list[Document]:
    return [row for row in json.loads(path.read_text())["benchmarks"] if row["run_type"] == run_type]


def test_round_trip(written: Path) -> None:
    before, after = make(), results.read(written)
    assert after.context == before.context
    assert after.cells == before.cells
    assert (after.label, after.sizes) == ("uml", [500, 1000, 2000, 4000])


def test_a_row_a_try(written: Path) -> None:
    cell = make().cells[0]
    tries = [row for row in rows(written, "iteration") if row["name"] == "hashtable/fill/500"]
    assert [row["count"] for row in tries] == list(cell.counts)
    assert [row["repetition_index"] for row in tries] == list(range(20))
    for row in tries:
        assert row["tsc_per_element"] == pytest.approx(row["count"] / 500, abs=1e-4)
        # 2.5 GHz: a cycle is 0.4 ns
        assert row["real_time"] == row["cpu_time"] == pytest.approx(row["count"] / 500 * 0.4, abs=1e-4)
        assert (row["time_unit"], row["iterations"], row["threads"]) == ("ns", 500, 1)


def test_aggregates_are_google_benchmarks(written: Path) -> None:
    values = np.array(make().cells[0].counts) / 500
    aggregates = [row for row in rows(written, "aggregate") if row["run_name"] == "hashtable/fill/500"]
    found = {row["aggregate_name"]: row for row in aggregates}
    assert list(found) == ["mean", "median", "stddev", "cv", "min", "p10", "p90"]
    assert found["median"]["name"] == "hashtable/fill/500_median"
    assert found["median"]["tsc_per_element"] == pytest.approx(np.median(values), abs=1e-6)
    assert found["p90"]["real_time"] == pytest.approx(np.percentile(values, 90) * 0.4, abs=1e-6)
    assert found["stddev"]["tsc_per_element"] == pytest.approx(values.std(ddof=1), abs=1e-6)
    assert found["cv"]["real_time"] == pytest.approx(values.std(ddof=1) / values.mean(), abs=1e-6)
    assert {row["aggregate_unit"] for name, row in found.items() if name != "cv"} == {"time"}
    assert found["cv"]["aggregate_unit"] == "percentage"


def test_the_median_says_how_sure_it_is(written: Path) -> None:
    cell = make().cells[0]
    medians = [row for row in rows(written, "aggregate") if row["aggregate_name"] == "median"]
    others = [row for row in rows(written, "aggregate") if row["aggregate_name"] != "median"]
    assert not any("median_low" in row or "outliers_mild" in row for row in others)
    first = medians[0]
    interval = inference.median_interval(np.array(cell.counts) / 500)
    assert (first["median_low"], first["median_high"]) == pytest.approx((interval.low, interval.high), abs=1e-6)
    for row in medians:
        assert row["median_low"] <= row["tsc_per_element"] <= row["median_high"]
    classed = inference.outliers(cell.counts)
    assert (first["outliers_mild"], first["outliers_severe"]) == (classed.mild, classed.severe)
    assert sum(row["outliers_mild"] for row in medians) > 0
    with written.with_suffix(".csv").open() as file:
        line = next(csv.DictReader(file))
    assert float(line["p50_low"]) == pytest.approx(first["median_low"] * 500)
    assert float(line["p50_high"]) == pytest.approx(first["median_high"] * 500)
    assert (line["outliers_mild"], line["outliers_severe"]) == (str(classed.mild), str(classed.severe))


def test_the_terminal_says_how_sure_the_medians_are(capsys: pytest.CaptureFixture[str]) -> None:
    same = make(sizes=[500], tries=8)
    for cell in same.cells:
        cell.counts = array("q", [cell.counts[0]] * 8)
    same.cells[2].counts = array("q", [900, 1000, 1000, 1000, 1000, 1000, 1000, 1200])
    same.cells[3].counts = array("q", [900, 900, 900, 1000, 1000, 1100, 1100, 1100])
    table.show_medians(same)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "95 % intervals of the medians: ±0.00% typically, ±10.00% at worst (hashtable/erase/500); "
        "of 128 tries 0 are mild outliers, 2 severe ones"
    )


def test_instructions_are_named_so(tmp_path: Path) -> None:
    path = tmp_path / "qemu.json"
    results.write(make(unit="instructions", target="qemu", accel="icount", clock_khz=1_000_000), path)
    row = rows(path, "iteration")[0]
    assert "tsc_per_element" not in row
    assert row["instructions_per_element"] == pytest.approx(row["real_time"])
    assert results.read(path).label == "qemu-icount"


def medians(path: Path) -> dict[str, Document]:
    return {row["run_name"]: row for row in rows(path, "aggregate") if row["aggregate_name"] == "median"}


@pytest.mark.parametrize(("order", "moving"), [("shuffled", "random"), ("sequential", "walk")])
def test_the_distance_to_the_floor(tmp_path: Path, order: str, moving: str) -> None:
    path = tmp_path / "floors.json"
    results.write(make(sizes=[500, 4000], devices=["veth", "udptun"], floors=True, order=order), path)
    found = medians(path)
    metric = {name: row.get("tsc_per_element", row.get("tsc_per_packet")) for name, row in found.items()}
    for name, floor in {
        "list/fill/4000": f"floor/{moving}/4000", "list/find/4000": "floor/random/4000",
        "rbtree/for_each/500": "floor/walk/500", "xarray/erase/500": f"floor/{moving}/500",
        "udptun/path/1400": "veth/path/1400",
    }.items():  # fmt: skip
        assert found[name]["x_floor"] == pytest.approx(metric[name] / metric[floor], rel=1e-4)
    assert {name for name, row in found.items() if "x_floor" not in row} == {
        name for name in found if name.split("/")[0] in ("floor", "veth")
    }
    with path.with_suffix(".csv").open() as file:
        for row in csv.DictReader(file):
            name = f"{row['container']}/{row['op']}/{row['n']}"
            assert (float(row["x_floor"]) if row["x_floor"] else None) == pytest.approx(found[name].get("x_floor"), rel=1e-4)


def test_floors_are_no_containers(tmp_path: Path) -> None:
    path = tmp_path / "floors.json"
    results.write(make(floors=True), path)
    read = results.read(path)
    assert {cell.name for cell in read.part("element").cells} == {cell.name for cell in make().cells}
    assert (read.floors.containers, read.floors.ops) == (["floor"], ["empty", "walk", "random", "chase"])
    assert "floor" not in read.part("element").containers


def test_without_floors_there_is_no_distance(written: Path) -> None:
    assert all("x_floor" not in row for row in medians(written).values())


def test_below_resolution_there_is_no_distance() -> None:
    sweep = make(sizes=[500], floors=True)
    for cell in sweep.cells:
        if cell.name in ("floor/walk/500", "list/fill/500"):
            cell.counts = array("q", [0] * len(cell.counts))
    found = results.x_floors(sweep)
    assert set(found) == {f"{c}/{op}/500" for c in sweep.part("element").containers for op in ("fill", "find", "erase")} - {"list/fill/500"}


def test_what_the_core_found_below_resolution_is_no_figure() -> None:
    """The core knows the spread of its clock: a median above 0 may be below it."""
    sweep = make(sizes=[500], floors=True, below_resolution=["floor/walk/500", "list/fill/500"])
    found = results.x_floors(sweep)
    assert set(found) == {f"{c}/{op}/500" for c in sweep.part("element").containers for op in ("fill", "find", "erase")} - {"list/fill/500"}
    low = next(cell for cell in sweep.cells if cell.name == "list/fill/500")
    assert not sweep.is_resolved(low) and results.per_work(low).median > 0


def test_a_median_is_given_in_core_cycles_too(tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    results.write(make(sizes=[500], core_rate=[1200, 1400, 1300, 1300]), path)
    for name, row in medians(path).items():
        assert row["core_cycles"] == pytest.approx(row["tsc_per_element"] * 1.3, rel=1e-6), name
    with path.with_suffix(".csv").open(newline="") as file:
        assert all(float(row["core_cycles"]) == pytest.approx(float(row["per_element"]) * 1.3) for row in csv.DictReader(file))
    assert table.core_cycles(results.read(path)).startswith("a TSC cycle is 1.300 core cycles (1.200 to 1.400 during the sweep)")


def test_without_a_rate_there_are_no_core_cycles(written: Path) -> None:
    assert all("core_cycles" not in row for row in medians(written).values())
    assert table.core_cycles(results.read(written)) == ""


def test_files_of_version_1_are_read(written: Path) -> None:
    """They called TSC cycles cycles, and so the count of a try. Their core_rate was a sentence."""
    text = written.read_text().replace('"count":', '"cycles":').replace('"tsc_per_', '"cycles_per_')
    content = json.loads(text)
    content["context"].update(schema_version=1, unit="cycles", core_rate=["run 1 begin=1200 end=1200"])
    written.write_text(json.dumps(content))
    found = results.read(written)
    assert (found.cells, found.unit, found.unit_words) == (make().cells, "tsc", "TSC cycles")
    assert math.isnan(found.core_rate)


def test_packets_have_a_metric_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "tunnel.json"
    before = make(sizes=[500], devices=["veth", "udptun"], absent_devices={"bareudp": "this kernel has no bareudp"})
    results.write(before, path)
    after = results.read(path)
    assert (after.context, after.cells) == (before.context, before.cells)
    assert after.part("packet").containers == ["veth", "udptun"]
    assert after.part("packet").sizes == [64, 512, 1400, 64400]
    assert (after.part("element").sizes, len(after.part("element").cells)) == ([500], 16)
    for row in rows(path, "iteration"):
        packets = row["op"] in ("tx", "rx", "path")
        mine, other = ("tsc_per_packet", "tsc_per_element")[:: 1 if packets else -1]
        assert other not in row
        assert row[mine] == pytest.approx(row["count"] / row["iterations"], abs=1e-4)
        assert row["real_time"] == pytest.approx(row[mine] * 0.4, abs=1e-3)
    medians = {row["name"]: row for row in rows(path, "aggregate")}
    assert "tsc_per_packet" in medians["udptun/path/1400_median"]
    with path.with_suffix(".csv").open() as file:
        table = {(row["container"], row["op"], row["n"]): row for row in csv.DictReader(file)}
    packet, element = table["udptun", "path", "1400"], table["list", "fill", "500"]
    assert (packet["per_element"], packet["ns_per_element"], packet["elements"]) == ("", "", "32")
    assert float(packet["ns_per_packet"]) == pytest.approx(float(packet["per_packet"]) * 0.4)
    assert float(packet["per_packet"]) == pytest.approx(float(packet["p50"]) / 32)
    assert (element["per_packet"], element["ns_per_packet"]) == ("", "")
    assert float(element["per_element"]) > 0


def test_packets_in_bursts_have_rows_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "bursts.json"
    before = make(sizes=[500], devices=["veth", "udptun"], payloads=[1400, 64400], bursts=[1, 64])
    results.write(before, path)
    after = results.read(path)
    assert after.cells == before.cells
    assert (after.in_bursts.bursts, after.in_bursts.sizes) == ([1, 64], [1400]), "a GSO packet comes in no burst"
    assert {cell.name for cell in after.part("packet").cells} == {
        f"{device}/{op}/{n}" for device in ("veth", "udptun") for op in ("tx", "rx", "path") for n in (1400, 64400)
    }
    of_64 = [row for row in rows(path, "iteration") if row["name"] == "udptun/path/1400/burst:64"]
    assert {(row["burst"], row["iterations"], row["threads"]) for row in of_64} == {(64, 64, 1)}
    assert not any("burst" in row for row in rows(path, "iteration") if row["name"] == "udptun/path/1400")
    medians = {row["name"]: row for row in rows(path, "aggregate")}
    mine, floor = (medians[f"{device}/path/1400/burst:64_median"] for device in ("udptun", "veth"))
    assert mine["x_floor"] == pytest.approx(mine["tsc_per_packet"] / floor["tsc_per_packet"], rel=1e-5), "the link's in the same burst"
    with path.with_suffix(".csv").open() as file:
        bursts = [row["burst"] for row in csv.DictReader(file) if (row["container"], row["op"], row["n"]) == ("udptun", "path", "1400")]
    assert bursts == ["0", "1", "64"]


def test_a_row_whose_burst_is_not_that_of_its_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bursts.json"
    results.write(make(sizes=[500], devices=["veth"], payloads=[1400], bursts=[8]), path)
    path.write_text(path.read_text().replace('"burst":8', '"burst":9'))
    with pytest.raises(HarnessError, match="is named 'veth/tx/1400/burst:8' but is veth/tx/1400/burst:9"):
        results.read(path)


def test_bursts_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    sweep = make(sizes=[500], devices=["veth", "udptun"], payloads=[64, 1400], bursts=[1, 8, 64])
    table.show_medians(sweep)
    _, said = capsys.readouterr().out.split("1400 B in bursts")
    words = [" ".join(line.replace("┃", "│").split("│")).split() for line in said.splitlines()]
    assert "op device burst 1 burst 8 burst 64 × floor, 1 × floor, 64".split() in words
    costs = {cell.name: table.figure(results.per_work(cell).median) for cell in sweep.cells}
    (path,) = (line for line in words if line[:2] == ["path", "udptun"])
    assert path[2:5] == [costs[f"udptun/path/1400/burst:{burst}"] for burst in (1, 8, 64)]


def test_readers_who_share_a_container(tmp_path: Path) -> None:
    sweep = make(tries=4, threads=(1, 3), writes=1000, sharing=SHARING)
    path = tmp_path / "shared.json"
    results.write(sweep, path)
    assert results.read(path).cells == sweep.cells
    of_three = [row for row in rows(path, "iteration") if row["name"] == "rbtree/find/500/threads:3"]
    assert {row["threads"] for row in of_three} == {3}
    for row in of_three:
        seconds = row["elapsed"] / (sweep.context["clock_khz"] * 1000)
        assert row["items_per_second"] == pytest.approx(row["reads"] / seconds, rel=1e-6)
    assert not any(key in row for row in rows(path, "iteration") if row["name"] == "rbtree/find/500" for key in results.SHARING)


@pytest.mark.parametrize("writes", [1000, 5000, 0])
def test_the_terminal_names_locks_and_slow_writers(writes: int, capsys: pytest.CaptureFixture[str]) -> None:
    table.show_medians(make(sizes=[4000], tries=4, threads=(1, 2), writes=writes, sharing=SHARING))
    said = capsys.readouterr().out
    assert "2 readers" in said
    assert re.search(r"rbtree\s*│ read_lock\s*│ write_lock", said)
    assert ("did not reach 5,000 writes a second" in said) == (writes == 5000)


def test_the_table_beside_it(written: Path) -> None:
    with written.with_suffix(".csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == 64
    cell = next(cell for cell in make().cells if cell.name == "list/find/4000")
    row = next(row for row in table if (row["container"], row["op"], row["n"]) == ("list", "find", "4000"))
    assert (row["elements"], row["tries"], row["disturbed"]) == ("64", "20", str(sum(cell.disturbed)))
    assert float(row["p50"]) == np.median(cell.counts)
    assert float(row["per_element"]) == pytest.approx(np.median(cell.counts) / 64)
    assert float(row["ns_per_element"]) == pytest.approx(np.median(cell.counts) / 64 * 0.4)


def test_unknown_fields_and_rows_are_ignored(written: Path) -> None:
    content = json.loads(written.read_text())
    content["later"] = content["context"]["later"] = {"a": 1}
    for row in content["benchmarks"]:
        row["later"] = 1
    written.write_text(json.dumps(content))
    assert results.read(written).cells == make().cells


def test_values_below_resolution_stay_as_they_are(tmp_path: Path) -> None:
    sweep = make(sizes=[500], tries=3)
    sweep.cells[0].counts[:] = type(sweep.cells[0].counts)("q", [-4, 0, 4])
    path = tmp_path / "low.json"
    results.write(sweep, path)
    assert list(results.read(path).cells[0].counts) == [-4, 0, 4]


def edited(change: Callable[[Document], Any]) -> Callable[[str], str]:
    def damage(text: str) -> str:
        content = json.loads(text)
        change(content)
        return json.dumps(content)

    return damage


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda text: "", "it is empty"),
        (lambda text: " \n", "it is empty"),
        (lambda text: text[: len(text) // 2], "is not JSON"),
        (lambda text: "[" * 100_000, "nested too deeply"),
        (lambda text: "[]", "lacks `context` and `benchmarks`"),
        (lambda text: '{"context": {}, "benchmarks": []}', "its schema_version is None"),
        (lambda text: text.replace('"clock_khz": 2500000', '"clock_khz": NaN'), "it contains NaN"),
        (edited(lambda c: c["context"].update(schema_version=99)), "its schema_version is 99, this harness reads 1 and 2"),
        (edited(lambda c: c["context"].update(unit="ms")), "its unit is 'ms'"),
        (edited(lambda c: c["context"].update(clock_khz=0)), "its clock_khz is 0"),
        (edited(lambda c: c["context"].update(clock_khz=10**400)), "its clock_khz is 1000"),
        (edited(lambda c: c["context"].update(date=5)), "its date is 5"),
        (edited(lambda c: c["context"].update(load_avg="x")), "its load_avg is 'x'"),
        (edited(lambda c: c["context"].update(load_avg=["x"])), "its load_avg is ['x']"),
        (edited(lambda c: c["context"].update(absent_ops=5)), "its absent_ops is 5"),
        (lambda text: text.replace('"clock_khz": 2500000', '"clock_khz": ' + "9" * 5000), "it has a number that is too long"),
        (edited(lambda c: c["context"].update(cells=[])), "it has no cells"),
        (edited(lambda c: c["context"].pop("kernel")), "its context lacks 'kernel'"),
        (edited(lambda c: c["context"]["cells"].append("list/fill/9")), "1 of its 65 cells are missing, list/fill/9"),
        (edited(lambda c: c["benchmarks"].pop(3)), "has repetition 4 where 3 belongs"),
        (edited(lambda c: c["benchmarks"].pop(19)), "hashtable/fill/500 has 19 of its 20 tries"),
        (edited(lambda c: c["benchmarks"][0].update(count=1.5)), "count is 1.5 instead of a whole number"),
        (edited(lambda c: c["benchmarks"][0].update(count=None)), "count is None instead of a whole number"),
        (edited(lambda c: c["benchmarks"][0].update(iterations=0)), "over 0 elements"),
        (edited(lambda c: c["benchmarks"][0].update(name="list/fill/500")), "is named 'list/fill/500'"),
        (edited(lambda c: c["benchmarks"].insert(0, 7)), "benchmark row 0 is no object"),
        (edited(lambda c: c.update(benchmarks=[])), "64 of its 64 cells are missing"),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(
    written: Path, damage: Callable[[str], str], sentence: str
) -> None:
    written.write_text(damage(written.read_text()))
    with pytest.raises(HarnessError) as caught:
        results.read(written)
    assert sentence in str(caught.value)
    assert str(written) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot be read: No such file or directory"):
        results.read(tmp_path / "absent.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HarnessError, match="it is not a text file"):
        results.read(tmp_path / "binary.json")
    with pytest.raises(HarnessError, match="cannot be read: Is a directory"):
        results.read(tmp_path)


def test_writing_leaves_nothing_but_the_files(written: Path) -> None:
    results.write(make(seed=2), written)
    assert sorted(path.name for path in written.parent.iterdir()) == [
        "uml-20260102T030405.csv",
        "uml-20260102T030405.json",
    ]


def test_a_failed_write_keeps_the_old_file(written: Path) -> None:
    broken = make()
    broken.context["load"] = math.nan
    with pytest.raises(ValueError):
        results.write(broken, written)
    assert results.read(written).cells == make().cells
    assert len(list(written.parent.iterdir())) == 2


def test_latest_follows_the_newest(written: Path) -> None:
    results.point_latest(written)
    newer = written.with_name("uml-20260102T030406.json")
    results.write(make(seed=2), newer)
    results.point_latest(newer)
    latest = written.with_name("latest.json")
    assert os.readlink(latest) == newer.name
    assert results.read(latest).cells == make(seed=2).cells


def test_new_names_are_never_taken(tmp_path: Path) -> None:
    first = results.new_path("qemu", "icount", tmp_path)
    first.touch()
    second = results.new_path("qemu", "icount", tmp_path)
    assert first.name.startswith("qemu-icount-2")
    assert second != first


def test_two_of_one_moment_get_two_names_and_leave_nothing(tmp_path: Path) -> None:
    script = (
        "import datetime, sys\n"
        "from pathlib import Path\n"
        "from dsharness.results import results\n"
        "class Still(datetime.datetime):\n"
        "    now = classmethod(lambda cls, zone=None: cls(2026, 1, 2, 3, 4, 5))\n"
        "results.datetime.datetime = Still\n"
        "print(results.new_path('uml', None, Path(sys.argv[1])).name, flush=True)\n"
        "sys.stdin.read()\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    with contextlib.ExitStack() as stack:
        commands = [
            stack.enter_context(
                subprocess.Popen(argv, cwd=paths.HARNESS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(3)
        ]
        names = [command.stdout.readline().strip() for command in commands if command.stdout]
        assert sorted(names) == [f"uml-20260102T030405{more}.json" for more in ("-2", "-3", "")]
        assert all(file.name.startswith(".") for file in tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_room_is_checked_before_the_work(tmp_path: Path) -> None:
    results.check_room(tmp_path / "new" / "file.json", 100)
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(HarnessError, match="make room or lower --tries"):
        results.check_room(tmp_path / "file.json", 1 << 50)
    with pytest.raises(HarnessError, match="is a folder: name a file"):
        results.check_room(tmp_path, 1)
    (tmp_path / "file").touch()
    with pytest.raises(HarnessError, match="the results folder .*/file cannot be made"):
        results.check_room(tmp_path / "file" / "result.json", 1)


def test_an_unwritable_folder_is_found_before_the_work() -> None:
    with pytest.raises(HarnessError, match="the results folder /proc/.* cannot be"):
        results.check_room(Path("/proc/self/result.json"), 1)


def test_a_full_disk_is_found_before_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """/dev/full can't hold a folder, so the limit on file sizes plays the full disk."""
    import resource
    import signal

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(HarnessError, match="the results folder .* cannot be written: File too large"):
            results.check_room(tmp_path / "result.json", 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
