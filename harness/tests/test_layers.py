# SPDX-License-Identifier: GPL-2.0
"""The layers of the code: no circle of files, neither of includes and calls in C nor of imports in Python."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from dsharness import paths

Graph = dict[str, dict[str, set[str]]]
"""From each file to those that it uses, with the names that it takes from them."""

LAYERED = ("modules/core", "modules/datapath", "modules/tunnel", "harness/tools/udptun", "harness/tools/udptunctl", "harness/tools/profile")
"""Folders where each .c and its .h are one layer: to include a header is to stand above its source file."""

_NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
_DEFINITION = re.compile(r"^(?!static\b|extern\b|typedef\b|#)[A-Za-z_][\w \t*]*?\b\*?(\w+)\s*(?:\([^;{}]*\)\s*\{|(?:\[[^\]]*\])?\s*(?:=|;))", re.MULTILINE)


def c_graph(folder: Path) -> Graph:
    """The files of a folder, each .c together with its .h, and what they include and use of each other."""
    texts: dict[str, str] = defaultdict(str)
    defined: dict[str, str] = {}
    graph: Graph = defaultdict(lambda: defaultdict(set))
    for path in sorted(folder.glob("*.[ch]")):
        source = path.read_text(encoding="utf-8")
        for included in _INCLUDE.findall(source):
            if Path(included).stem != path.stem and (folder / included).exists():
                graph[path.stem][Path(included).stem].add(f"#include {included}")
        code = _NOISE.sub(" ", source)
        texts[path.stem] += code
        if path.suffix == ".c":
            defined.update(dict.fromkeys(_DEFINITION.findall(_at_top(code)), path.stem))
    for user, text in texts.items():
        for name in set(re.findall(r"\b\w+\b", text)) & defined.keys():
            if defined[name] != user and not re.search(rf"\bstatic\b[^;{{}}()]*\b{name}\b", text):
                graph[user][defined[name]].add(name)
    return graph


def _at_top(code: str) -> str:
    """The code without what stands in braces, as far as they begin a body."""
    kept, depth = [], 0
    for character in code:
        depth -= character == "}"
        if not depth:
            kept.append(character)
        depth += character == "{"
    return "".join(kept)


def python_graph(package: Path) -> Graph:
    """The modules of a package and what they import of each other, inside functions, too."""
    graph: Graph = defaultdict(lambda: defaultdict(set))
    names = {_module(path, package): path for path in package.rglob("*.py")}
    for name, path in names.items():
        for imported in _imports(path, package):
            found = imported if imported in names else imported.rpartition(".")[0]
            if found in names and found not in (name, package.name):
                graph[name][found].add("import")
    return graph


def _module(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path, package: Path) -> Iterator[str]:
    folder = path.relative_to(package.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = [*folder[: len(folder) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def circle(graph: Graph) -> str:
    """One circle of files and the names that tie it, or "" where there is none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> str:
        if name in way:
            members = [*way[way.index(name) :], name]
            ties = (f"{a} -> {b} ({', '.join(sorted(graph[a][b])[:3])})" for a, b in zip(members, members[1:]))
            return "; ".join(ties)
        if name in done:
            return ""
        for used in sorted(graph.get(name, {})):
            if found := visit(used, [*way, name]):
                return found
        done.add(name)
        return ""

    return next((found for name in sorted(graph) if (found := visit(name, []))), "")


def only(graph: Graph, includes: bool) -> Graph:
    """The part of a C graph that consists of includes, or of uses of functions and variables."""
    kept = {user: {used: {n for n in names if n.startswith("#") == includes} for used, names in found.items()} for user, found in graph.items()}
    return {user: {used: names for used, names in found.items() if names} for user, found in kept.items()}


@pytest.mark.parametrize("folder", LAYERED)
def test_a_file_includes_headers_of_lower_layers_only(folder: str) -> None:
    graph = c_graph(paths.ROOT / folder)
    assert graph
    assert circle(graph) == ""


@pytest.mark.parametrize("folder", LAYERED)
def test_no_call_runs_back_up(folder: str) -> None:
    graph = only(c_graph(paths.ROOT / folder), includes=False)
    assert graph
    assert circle(graph) == ""


def test_harness_has_no_circle() -> None:
    graph = python_graph(paths.HARNESS / "dsharness")
    assert len(graph) > 50
    assert circle(graph) == ""


FORBIDDEN = {
    "statistics": ("targets", "kernel", "results", "sweep", "plot"),
    "targets": ("statistics", "results", "sweep", "plot"),
    "results": ("targets", "sweep", "plot", "compare"),
    "plot": ("targets", "kernel"),
    "kernel": ("targets", "statistics", "results", "sweep"),
}
"""What the modules of a package must not import: a target knows nothing of statistics, pictures are made of result files alone."""


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_what_lies_below(package: str) -> None:
    for module, used in python_graph(paths.HARNESS / "dsharness").items():
        if module.split(".")[1] == package:
            above = {name for name in used if name.split(".")[1] in FORBIDDEN[package]}
            assert not above, module


def test_the_core_s_runner_stands_above_what_it_runs() -> None:
    graph = c_graph(paths.ROOT / "modules/core")
    for upper, lower in (("main", "procfs"), ("procfs", "runner"), ("runner", "plan"), ("rounds", "try"), ("try", "slice"), ("slice", "clock")):
        assert lower in graph[upper], (upper, lower)


def test_a_circle_of_includes_is_found(tmp_path: Path) -> None:
    (tmp_path / "low.h").write_text("int low(void);\n", encoding="utf-8")
    (tmp_path / "low.c").write_text('#include "low.h"\nint low(void)\n{\n\treturn 0;\n}\n', encoding="utf-8")
    (tmp_path / "high.h").write_text('#include "low.h"\n', encoding="utf-8")
    assert circle(c_graph(tmp_path)) == ""
    (tmp_path / "low.h").write_text('#include "high.h"\nint low(void);\n', encoding="utf-8")
    assert "low -> high (#include high.h)" in circle(c_graph(tmp_path))


def test_a_call_that_runs_back_up_is_found(tmp_path: Path) -> None:
    (tmp_path / "low.c").write_text("extern int high(void);\nint low(void)\n{\n\treturn high();\n}\n", encoding="utf-8")
    (tmp_path / "high.c").write_text('#include "low.h"\nint high(void)\n{\n\treturn low(); /* high */\n}\n', encoding="utf-8")
    assert circle(c_graph(tmp_path)) == "high -> low (low); low -> high (high)"


def test_a_circle_of_late_imports_is_found(tmp_path: Path) -> None:
    package = tmp_path / "some"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.py").write_text("from . import b\n", encoding="utf-8")
    (package / "b.py").write_text("def f():\n    from .a import x\n", encoding="utf-8")
    assert circle(python_graph(package)) == "some.a -> some.b (import); some.b -> some.a (import)"
