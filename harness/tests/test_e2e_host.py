# SPDX-License-Identifier: GPL-2.0
"""The host target, for real: a UML guest plays the host, builds for its own kernel, loads, sweeps and unloads.

A compiler in UML takes ten times as long as outside. So the guest finds a build folder, made by the code of the host
target for the same kernel, and one changed source; the guest builds that, and the core, which states its sources. The
build from scratch is a matrix.
"""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path

import pytest
from dsharness import paths, targets
from dsharness.kernel import build
from dsharness.kernel.kernels import Kernel
from dsharness.kernel.trees import WORKTREE, Tree
from guests import CELLS, rows

pytestmark = pytest.mark.xdist_group("host")

SCRIPT = Path(__file__).parent / "host.sh"
REVISION = "unknown"
"""How the harness calls a project outside git's repositories, as the guest's is."""


@pytest.fixture(scope="module", params=["changed", pytest.param("scratch", marks=pytest.mark.matrix)])
def steps(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The output of each step of the script, errors included."""
    uml = targets.get("uml")
    project = copied(tmp_path_factory.mktemp("host") / "project")
    if request.param == "changed":
        kernel = Kernel(uml.kernel.release, uml.kernel.version, uml.kernel.arch, uml.kernel.kdir.resolve(), image=None, source=None)
        build.modules(kernel, tree=Tree(WORKTREE, REVISION, project, project / "build"))
    argv = ["sh", "-c", 'exec "$@" 2>&1', "sh", "sh", SCRIPT.name, str(project), str(uml.kernel.kdir)]
    result = uml.run(argv, files=[SCRIPT, packed(project)], timeout=900)
    text = result.stdout.decode(errors="replace")
    assert result.status == 0, text
    parts = (step.partition("\n") for step in text.split("@ ")[1:])
    return {name: output for name, _, output in parts}


def copied(project: Path) -> Path:
    """A copy of what the host target needs of the project."""
    shutil.copytree(paths.HARNESS, project / "harness", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    for part in ("include", "modules"):
        shutil.copytree(paths.ROOT / part, project / part)
    shutil.copy2(paths.ROOT / "Makefile", project)
    return project


def packed(project: Path) -> Path:
    """The project in one file: the guest may not see the folder of the project."""
    archive = project.with_suffix(".tar")
    with tarfile.open(archive, "w") as tar:
        tar.add(project, ".")
    return archive


def test_make_load_prints_a_row_per_cell(steps: dict[str, str]) -> None:
    found = rows(steps["load"])
    assert sorted((row.container, row.op) for row in found) == CELLS
    assert {(row.n, row.tries) for row in found} == {(100, 5)}


def test_make_load_builds_the_changed_modules(steps: dict[str, str], request: pytest.FixtureRequest) -> None:
    built = {Path(line).name for line in steps["built"].splitlines()}
    changed = {"dsbench.ko", "dsbench_list.ko"}
    if request.node.callspec.params["steps"] == "changed":
        assert built == changed
    else:
        assert built > changed


def test_make_load_does_not_load_twice(steps: dict[str, str]) -> None:
    assert "loaded already: make unload removes them" in steps["load again"]
    assert "refused" in steps["load again"]


def test_make_unload_removes_all(steps: dict[str, str]) -> None:
    assert "dsbench" not in steps["unload"].partition("Module ")[2]


def test_insmod_works_as_typed_after_modules_install(steps: dict[str, str]) -> None:
    found = rows(steps["install"])
    assert len(found) == len(CELLS)
    assert {(row.n, row.tries) for row in found} == {(200, 4)}


def test_sweep_on_the_host(steps: dict[str, str]) -> None:
    assert "results: results/host-" in steps["sweep"]


def test_a_sweep_leaves_the_user_s_modules(steps: dict[str, str]) -> None:
    said = steps["theirs"].splitlines()
    assert "dsbench: dsbench loaded already: make unload removes them" in said
    assert said[-2:] == ["refused", "1"]


def test_a_second_harness_is_kept_out(steps: dict[str, str]) -> None:
    refused = re.findall(r"^refused, (\d+)$", steps["second"], re.MULTILINE)
    assert len(refused) == 2 and refused[0] == refused[1]
    assert steps["second"].count(f"dsbench: target host: another dsbench, process {refused[0]}, uses the running kernel: ") == 2
    assert steps["second"].splitlines()[-1] == "ended"


def test_exec_on_the_host(steps: dict[str, str]) -> None:
    assert "dsbench_list.ko" in steps["exec"]
    assert "status 7" in steps["exec"]


def test_a_machine_without_python_is_one_sentence(steps: dict[str, str]) -> None:
    assert steps["python"].splitlines() == [
        "dsbench: missing package: python3 (install it, or unset NO_INSTALL)",
        "status 1",
        "dsbench: /usr/bin/python3 is missing, and there is no apt-get here: install Python 3",
        "status 1",
    ]
