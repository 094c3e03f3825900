# SPDX-License-Identifier: GPL-2.0
"""Google Benchmark's own compare.py, as Debian packages it, reads our files."""

from __future__ import annotations

import json
import subprocess
from array import array
from pathlib import Path

import pytest
from made_results import make

from dsharness.results import floors, results
from dsharness.results.results import Results
from dsharness.results.samples import Cell

COMPARE = Path("/usr/share/benchmark/compare.py")


def sweep() -> Results:
    """Containers, devices, and a floor."""
    made = make(sizes=[500], devices=["veth", "udptun"])
    walk = Cell(floors.FLOOR, "walk", 500, 500, array("q", range(1000, 1020)), array("b", [0] * 20))
    made.cells.append(walk)
    made.context["cells"].append(walk.name)
    return made


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A sweep, and the same with hashtable/fill/500 twice as slow."""
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    results.write(sweep(), before)
    slower = sweep()
    assert slower.cells[0].name == "hashtable/fill/500"
    slower.cells[0].counts = array("q", (2 * value for value in slower.cells[0].counts))
    results.write(slower, after)
    return before, after


@pytest.mark.skipif(not COMPARE.exists(), reason="libbenchmark-tools is not installed")
def test_compare_reads_a_curve_with_its_complexities(tmp_path: Path) -> None:
    sizes = [100, 1000, 10_000, 100_000]
    path = tmp_path / "curve.json"
    results.write(make(sizes=sizes, tries=3, curve={"sizes": sizes}), path)
    assert '"list/find_BigO"' in path.read_text()
    done = subprocess.run(
        ["/usr/bin/python3", COMPARE, "benchmarks", path, path], check=True, capture_output=True, text=True
    )
    assert "list/find/100000" in done.stdout


@pytest.mark.skipif(not COMPARE.exists(), reason="libbenchmark-tools is not installed")
def test_compare_finds_the_change(pair: tuple[Path, Path], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    subprocess.run(
        ["/usr/bin/python3", COMPARE, "--dump_to_json", report, "benchmarks", *pair],
        check=True,
        capture_output=True,
    )
    found = {entry["name"]: entry for entry in json.loads(report.read_text())}
    for name, entry in found.items():
        changed = name.startswith("hashtable/fill/500") and not name.endswith("_cv")
        if name != "OVERALL_GEOMEAN":
            for measurement in entry["measurements"]:
                assert measurement["time"] == pytest.approx(1.0 if changed else 0.0, abs=1e-3)
    assert len(found["hashtable/fill/500"]["measurements"]) == 20
    assert found["hashtable/fill/500"]["utest"]["time_pvalue"] < 0.001
    assert found["list/fill/500"]["utest"]["time_pvalue"] == pytest.approx(1)
    assert found["udptun/path/1400"]["utest"]["time_pvalue"] == pytest.approx(1)
    assert found["floor/walk/500"]["utest"]["time_pvalue"] == pytest.approx(1)
    assert found["hashtable/fill/500_median"]["run_type"] == "aggregate"


def test_what_it_reads_has_the_fields_of_ours(pair: tuple[Path, Path]) -> None:
    for path in pair:
        rows = json.loads(path.read_text())["benchmarks"]
        medians = [row for row in rows if row.get("aggregate_name") == "median"]
        assert len(medians) == 16 + 24 + 1
        assert all({"median_low", "median_high", "outliers_mild", "outliers_severe"} <= row.keys() for row in medians)
