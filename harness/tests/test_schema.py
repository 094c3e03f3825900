# SPDX-License-Identifier: GPL-2.0
"""The JSON schemas: they hold for what is written and what is committed, name every field, and find what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_results import make

from dsharness import paths
from dsharness.compare import comparison
from dsharness.compare.comparison import Sweep
from dsharness.gate import baseline
from dsharness.results import results
from dsharness.results.results import Results
from dsharness.tunnel import record

pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")

from schemas import complaints, schema  # noqa: E402

Document = dict[str, Any]
COMMITTED = sorted(
    file for file in (paths.REFERENCE).glob("*.json") if not file.name.startswith(baseline.PREFIX)
)
"""A baseline of the gate is no result file, and is read with checks of its own."""
EVALUATIONS = [file for file in COMMITTED if file.name.startswith("tunnel-")]
"""Latency and throughput, by dsbench tunnel."""
REFERENCES = [file for file in COMMITTED if file not in EVALUATIONS]
"""The sweeps."""

SWEEPS: dict[str, Results] = {
    "containers": make(),
    "datapath": make(sizes=[500], devices=["veth", "udptun"], absent_devices={"fou": "this kernel has no fou"}, payloads=[64]),
    "bursts": make(sizes=[500], devices=["veth", "udptun"], payloads=[64, 1400], bursts=[1, 64]),
    "peers": make(sizes=[500], devices=["veth", "udptun"], payloads=[1400], bursts=[1], peers=[1, 100]),
    "instructions": make(unit="instructions", target="qemu", accel="icount", clock_khz=1_000_000),
    "shared": make(sizes=[500], threads=[1, 2]),
    "one try": make(tries=1),
    "incomplete": make(complete=False, warnings=["the machine was busy: repeat it when idle"]),
    "curve": make(sizes=[100, 200, 500, 1000, 2000, 5000, 10_000], curve={"sizes": [100]}),
}


def written(sweep: Results, folder: Path) -> Path:
    path = folder / "sweep.json"
    results.write(sweep, path)
    return path


@pytest.mark.parametrize("name", SWEEPS)
def test_what_is_written_is_valid(name: str, tmp_path: Path) -> None:
    assert complaints(written(SWEEPS[name], tmp_path)) == []


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.name)
def test_what_is_committed_is_valid(path: Path) -> None:
    assert complaints(path) == []


@pytest.mark.parametrize("path", EVALUATIONS, ids=lambda path: path.name)
def test_a_committed_evaluation_is_valid(path: Path) -> None:
    assert complaints(path, "evaluation") == []
    assert complaints(path) != []


def test_there_are_committed_files() -> None:
    assert {"uml.json", "qemu-icount.json", "tunnel-rust.json"} <= {path.name for path in COMMITTED}


def test_a_comparison_is_valid(tmp_path: Path) -> None:
    low = make(seed=2, date="later", sizes=[500, 1000])
    low.cells[0].counts = type(low.cells[0].counts)("q", [0] * 20)
    found = comparison.compare(Sweep(Path("a"), make(sizes=[500], order="sequential")), Sweep(Path("b"), low), across=["options"])
    path = tmp_path / "compare.json"
    results.write_document(comparison.document([found]), path)
    assert complaints(path, "comparison") == []
    assert complaints(path) != []


@pytest.mark.parametrize("path", [*REFERENCES, None], ids=lambda path: path.name if path else "made")
def test_every_field_is_named(path: Path | None, tmp_path: Path) -> None:
    document = json.loads((path or written(SWEEPS["curve"], tmp_path)).read_text(encoding="utf-8"))
    parts = schema("results")["$defs"]
    assert document["context"].keys() - parts["context"]["properties"].keys() == set()
    assert {field for row in document["benchmarks"] for field in row} - parts["row"]["properties"].keys() == set()


@pytest.mark.parametrize("kind", ["shared", "bursts"])
def test_every_field_of_further_cells_is_named(kind: str, tmp_path: Path) -> None:
    rows = json.loads(written(SWEEPS[kind], tmp_path).read_text())["benchmarks"]
    assert {field for row in rows for field in row} - schema("results")["$defs"]["row"]["properties"].keys() == set()


def test_more_fields_are_allowed_and_ignored(tmp_path: Path) -> None:
    path = written(make(), tmp_path)
    content = json.loads(path.read_text())
    content["later"] = content["context"]["later"] = {"a": 1}
    content["benchmarks"].append({**content["benchmarks"][-1], "name": "later", "aggregate_name": "cv", "later": [1]})
    path.write_text(json.dumps(content))
    assert complaints(path) == []
    assert results.read(path).cells == make().cells


def test_the_version_is_one_and_the_same() -> None:
    assert schema("results")["$defs"]["context"]["properties"]["schema_version"]["const"] == results.SCHEMA_VERSION
    assert schema("evaluation")["properties"]["context"]["properties"]["schema_version"]["const"] == record.SCHEMA_VERSION
    assert schema("comparison")["properties"]["schema_version"]["const"] == comparison.SCHEMA_VERSION
    assert make().context["schema_version"] == results.SCHEMA_VERSION


def median(content: Document) -> Document:
    return next(row for row in content["benchmarks"] if row.get("aggregate_name") == "median")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda c: c.pop("context"), "'context' is a required property"),
        (lambda c: c["context"].update(schema_version=3), "context/schema_version"),
        (lambda c: c["context"].update(unit="ms"), "context/unit"),
        (lambda c: c["context"].pop("kernel"), "'kernel' is a required property"),
        (lambda c: c["benchmarks"][0].update(count=1.5), "benchmarks/0/count"),
        (lambda c: c["benchmarks"][0].update(disturbed=False), "benchmarks/0/disturbed"),
        (lambda c: c["benchmarks"][0].pop("tsc_per_element"), "benchmarks/0"),
        (lambda c: c["benchmarks"][0].update(instructions_per_element=1), "benchmarks/0"),
        (lambda c: c["benchmarks"][0].update(median_low=1), "benchmarks/0"),
        (lambda c: median(c).pop("outliers_mild"), "'outliers_mild' is a dependency of 'median_low'"),
        (lambda c: median(c).update(aggregate_name="middle"), "aggregate_name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(change: Callable[[Document], Any], where: str, tmp_path: Path) -> None:
    path = written(make(sizes=[500]), tmp_path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    assert any(where in complaint for complaint in complaints(path))
