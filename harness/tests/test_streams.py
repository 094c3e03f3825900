# SPDX-License-Identifier: GPL-2.0
"""Standard streams that are closed, full or without a reader, old locales, and no home folder: a command works, or says one sentence."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_results import make

from dsharness import paths, streams
from dsharness.errors import HarnessError, UsageError
from dsharness.results import results

DSBENCH = paths.HARNESS / "dsbench"
FULL = "dsbench: standard output cannot be written: No space left on device\n"
CLOSED = "dsbench: standard output is closed\n"
NOBODY = 4_294_000_000
"""A user number that no system gives away."""

LOCALES = {"pl_PL": "ISO-8859-2", "ru_RU": "KOI8-R"}


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two result files, one with letters beyond ASCII in its name."""
    folder = tmp_path_factory.mktemp("sweeps")
    files = folder / "zażółć.json", folder / "b.json"
    for number, file in enumerate(files):
        results.write(make(sizes=[500], tries=12, containers=["list"], seed=number + 1, date=f"day {number}"), file)
    return files


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with locales of old encodings, for LOCPATH."""
    folder = tmp_path_factory.mktemp("locales")
    for name, encoding in LOCALES.items():
        argv = ["localedef", "-i", name, "-f", encoding, str(folder / f"{name}.{encoding}")]
        subprocess.run(argv, check=False, capture_output=True)  # its status is 1 for a mere warning
        assert (folder / f"{name}.{encoding}" / "LC_CTYPE").is_file(), "the package locales has their sources"
    return folder


def shell(line: str, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell's command line; the words are its "$@", behind dsbench."""
    argv = ["sh", "-c", line, "sh", DSBENCH, *words]
    return subprocess.run(argv, env={**os.environ, **environment}, check=False, capture_output=True, stdin=subprocess.DEVNULL)


def comparing(sweeps: tuple[Path, Path], into: Path) -> list[str | Path]:
    return ["compare", *sweeps, "--json", into / "c.json", "--output", into / "plots"]


def is_whole(into: Path) -> bool:
    """True if a comparison left its file and its pictures."""
    return (into / "c.json").is_file() and sorted(path.name for path in (into / "plots").iterdir()) == ["compare.png", "compare.svg"]


@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        ('"$@" >&-', 1, CLOSED),
        ('"$@" >/dev/full', 1, FULL),
        ('"$@" 2>&-', 0, ""),
        ('"$@" 2>/dev/full', 0, ""),
        ('"$@" <&- >&- 2>&-', 1, ""),
        ('{ "$@"; echo "status $?" >&2; } | true', 0, "status 141\n"),
    ],
)
def test_a_comparison_ends_its_work_whatever_its_streams_are(
    sweeps: tuple[Path, Path], tmp_path: Path, line: str, status: int, sentence: str
) -> None:
    done = shell(line, *comparing(sweeps, tmp_path))
    assert done.returncode == status, done.stderr
    assert done.stderr.decode().endswith(sentence) and b"Traceback" not in done.stderr and b"Exception" not in done.stderr
    assert is_whole(tmp_path)


@pytest.mark.parametrize(
    ("line", "words", "status", "said"),
    [
        ('"$@" >&-', ["--help"], 1, CLOSED),
        ('"$@" >/dev/full', ["--version"], 1, FULL),
        ('"$@" >/dev/full', ["compare", "--help"], 1, FULL),
        ('"$@" >&-', ["fly"], 2, "dsbench: command 'fly' is unknown (dsbench --help lists all)\n"),
        ('"$@" 2>&-', ["fly"], 2, ""),
        ('"$@" <&- >&-', ["clean", "--unused"], 0, "nothing in "),
    ],
)
def test_a_sentence_and_a_status_for_every_stream(tmp_path: Path, line: str, words: list[str], status: int, said: str) -> None:
    done = shell(line, *words, DSBENCH_CACHE=str(tmp_path))
    assert (done.returncode, done.stdout) == (status, b"")
    assert done.stderr.decode().startswith(said) and done.stderr.count(b"\n") == bool(said)


def test_a_file_never_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv.pop(1)); from dsharness import streams; streams.prepare();"
        "print(*(os.fstat(number).st_rdev for number in (0, 1, 2)), *map(os.get_inheritable, (0, 1, 2)), file=open(sys.argv[1], 'w'))"
    )
    argv = ["sh", "-c", '"$@" <&- >&- 2>&-', "sh", "/usr/bin/python3", "-I", "-c", code, paths.HARNESS, tmp_path / "said"]
    assert subprocess.run(argv, check=False).returncode == 0
    null = os.stat(os.devnull).st_rdev
    assert (tmp_path / "said").read_text(encoding="utf-8").split() == [*[str(null)] * 3, *["True"] * 3]


def test_bytes_are_passed_on_or_the_reason_is_said(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    streams.pass_on(1, b"\xff\0one")
    assert capfdbinary.readouterr().out == b"\xff\0one"
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(HarnessError, match="^output cannot be written: No space left"):
        streams.pass_on(full.fileno(), b"one")
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        streams.pass_on(writer, b"one")
    os.close(writer)


def test_a_reader_that_is_slow_gets_all_of_a_stream_that_does_not_block() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    sent, got = bytes(range(256)) * 4096, bytearray()

    def read() -> None:
        while len(got) < 2 * len(sent) and (data := os.read(reader, 4096)):
            got.extend(data)

    thread = threading.Thread(target=read)
    thread.start()
    streams.pass_on(writer, sent)
    with streams._Raw(writer, "w", closefd=False) as raw, io.BufferedWriter(raw) as buffer:
        buffer.write(sent)
    os.close(writer)
    thread.join(60)
    os.close(reader)
    assert bytes(got) == 2 * sent


@pytest.mark.parametrize(("name", "sign"), [("pl_PL", "+- "), ("ru_RU", "+- "), ("C", "± "), ("xx_XX", "± ")])
def test_a_locale_changes_the_console_alone(sweeps: tuple[Path, Path], locales: Path, tmp_path: Path, name: str, sign: str) -> None:
    encoding = LOCALES.get(name, "utf-8")
    full_name = f"{name}.{encoding}" if name in LOCALES else name
    done = shell('"$@"', *comparing(sweeps, tmp_path), LOCPATH=str(locales), LC_ALL=full_name)
    assert done.returncode == 0, done.stderr
    assert is_whole(tmp_path)
    said = done.stdout.decode(encoding)
    assert sign in said
    rows = [line for line in said.splitlines() if line.startswith(("| list/", "│ list/"))]
    assert len(rows) == 4 and len({len(line) for line in said.splitlines() if line[:1] in ("|", "│", "┃")}) == 1
    assert json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["before"]["file"] == str(sweeps[0])
    assert "±" in (tmp_path / "plots/compare.svg").read_text(encoding="utf-8")


def test_a_name_that_is_no_text_is_shown_with_marks(tmp_path: Path) -> None:
    done = shell('"$@"', "plot", os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json"))
    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"dsbench: the result file {tmp_path}/?.json cannot be read")


def test_the_home_folder_is_that_of_the_password_database_without_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DSBENCH_CACHE", raising=False)
    monkeypatch.setenv("HOME", "/somewhere")
    assert paths.cache_path() == Path("/somewhere/.cache/dsbench")
    monkeypatch.setenv("DSBENCH_CACHE", "~/x")
    assert paths.cache_path() == Path("/somewhere/x")
    monkeypatch.delenv("DSBENCH_CACHE")
    for home in ("", None):
        if home is None:
            monkeypatch.delenv("HOME")
        else:
            monkeypatch.setenv("HOME", home)
        assert paths.cache_path() == Path(f"~{os.environ.get('USER') or 'root'}").expanduser() / ".cache/dsbench"


def test_a_user_without_a_home_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DSBENCH_CACHE", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: NOBODY)
    sentence = f"^HOME is not set, and user {NOBODY} has no home folder: set DSBENCH_CACHE to a folder for kernels$"
    with pytest.raises(HarnessError, match=sentence):
        paths.cache_path()
    monkeypatch.setenv("DSBENCH_CACHE", "~/x")
    with pytest.raises(HarnessError, match=sentence):
        paths.cache_path()
    monkeypatch.setenv("DSBENCH_CACHE", "/kernels")
    assert paths.cache_path() == Path("/kernels")


def test_a_folder_of_an_unknown_user_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBENCH_CACHE", "~nouser/x")
    with pytest.raises(UsageError, match="^DSBENCH_CACHE is '~nouser/x': there is no user 'nouser', name a folder$"):
        paths.cache_path()
    assert shell('"$@"', "--help").returncode == 0
    done = shell('"$@"', "doctor")
    assert done.returncode == 2 and done.stderr.decode() == "dsbench: DSBENCH_CACHE is '~nouser/x': there is no user 'nouser', name a folder\n"


def test_a_current_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    line = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'
    argv = ["sh", "-c", line, tmp_path / "gone", DSBENCH, "doctor"]
    done = subprocess.run(argv, check=False, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "dsbench: the current folder has been removed: change to another one"


def textual(source: str) -> Iterator[ast.Call]:
    """The calls that open a file, or read a program's output, as text and do not name the encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if "encoding" in given:
            continue
        if "text" in given or "universal_newlines" in given or name in ("read_text", "write_text", "NamedTemporaryFile", "TemporaryFile"):
            modes = [value.value for value in (*node.args, *given.values()) if isinstance(value, ast.Constant)]
            if name not in ("NamedTemporaryFile", "TemporaryFile") or not all("b" in str(mode) for mode in modes if mode):
                yield node
        elif name == "open" and not _is_binary(node):
            yield node


def _is_binary(node: ast.Call) -> bool:
    """True for an open() of bytes, and for those of other kinds: of a terminal, of a descriptor."""
    first = 0 if isinstance(node.func, ast.Attribute) else 1
    if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in ("os", "terminal", "pty", "tarfile", "lzma"):
        return True
    modes = [keyword.value for keyword in node.keywords if keyword.arg == "mode"] or node.args[first : first + 1]
    return bool(modes) and isinstance(modes[0], ast.Constant) and "b" in str(modes[0].value)


def test_every_text_names_its_encoding() -> None:
    files = sorted((paths.HARNESS / "dsharness").rglob("*.py"))
    found = [f"{file}:{node.lineno}: {ast.unparse(node)}" for file in files for node in textual(file.read_text(encoding="utf-8"))]
    assert len(files) > 100 and not found


def test_a_text_without_an_encoding_is_found() -> None:
    for source in ("run(a, text=True)", "p.read_text()", "open('x')", "p.open('w')", "p.open()"):
        assert list(textual(source)), source
    for source in ("open('x', 'rb')", "p.open('ab')", "os.open('x', 1)", "p.read_text(encoding='utf-8')", "TemporaryFile(dir=x)"):
        assert not list(textual(source)), source
