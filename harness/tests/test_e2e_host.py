# SPDX-License-Identifier: GPL-2.0
"""The host target, for real: a UML guest plays the host, builds for its own kernel, loads, sweeps and unloads."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from dsharness import paths, targets
from guests import CELLS, rows

SCRIPT = Path(__file__).parent / "host.sh"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each step of the script printed, errors included."""
    uml = targets.get("uml")
    argv = ["sh", "-c", 'exec "$@" 2>&1', "sh", "sh", SCRIPT.name, str(uml.kernel.kdir)]
    result = uml.run(argv, files=[SCRIPT, packed(tmp_path_factory.mktemp("host"))], timeout=900)
    text = result.stdout.decode(errors="replace")
    assert result.status == 0, text
    steps = (step.partition("\n") for step in text.split("@ ")[1:])
    return {name: output for name, _, output in steps}


def packed(folder: Path) -> Path:
    """What the host target needs of the project, in one file: the guest may not see the folder that it lies in."""
    archive = folder / "project.tar"
    with tarfile.open(archive, "w") as tar:
        for part in ("Makefile", "harness", "include", "modules"):
            tar.add(paths.ROOT / part, part)
    return archive


def test_make_load_prints_a_row_a_cell(said: dict[str, str]) -> None:
    found = rows(said["load"])
    assert sorted((row.container, row.op) for row in found) == CELLS
    assert {(row.n, row.tries) for row in found} == {(100, 5)}


def test_make_load_does_not_load_twice(said: dict[str, str]) -> None:
    assert "loaded already: make unload removes them" in said["load again"]
    assert "refused" in said["load again"]


def test_make_unload_removes_all(said: dict[str, str]) -> None:
    assert "dsbench" not in said["unload"].partition("Module ")[2]


def test_insmod_works_as_typed_after_modules_install(said: dict[str, str]) -> None:
    found = rows(said["install"])
    assert len(found) == len(CELLS)
    assert {(row.n, row.tries) for row in found} == {(200, 4)}


def test_sweep_on_the_host(said: dict[str, str]) -> None:
    assert "results: results/host-" in said["sweep"]


def test_exec_on_the_host(said: dict[str, str]) -> None:
    assert "dsbench_list.ko" in said["exec"]
    assert "status 7" in said["exec"]
