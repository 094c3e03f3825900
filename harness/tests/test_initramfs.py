# SPDX-License-Identifier: GPL-2.0
"""The archives, as another cpio reads them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dsharness.errors import HarnessError
from dsharness.targets import initramfs


def unpack(archive: initramfs.Archive, folder: Path) -> None:
    """By busybox' cpio: without root it cannot make device nodes, so the archives of these tests have none."""
    subprocess.run(
        ["busybox", "cpio", "-idm"], cwd=folder, input=archive.packed(), check=True, stderr=subprocess.DEVNULL
    )


def test_files_folders_and_links_arrive(tmp_path: Path) -> None:
    archive = initramfs.Archive()
    archive.file("/a/b/c", b"\0\xff\r\n", executable=True)
    archive.file("/a/empty", b"")
    archive.symlink("/link", "a/b/c")
    archive.folder("/a/b")
    unpack(archive, tmp_path)
    assert (tmp_path / "a/b/c").read_bytes() == b"\0\xff\r\n"
    assert os.access(tmp_path / "a/b/c", os.X_OK)
    assert not os.access(tmp_path / "a/empty", os.X_OK)
    assert (tmp_path / "link").readlink() == Path("a/b/c")


def test_a_tree_arrives_with_its_links_resolved(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep/file").write_bytes(b"x" * 5000)
    (source / "link").symlink_to("deep/file")
    (source / "loop").symlink_to(".")
    archive = initramfs.Archive()
    archive.tree(source, "/lib/modules")
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out/lib/modules/link").read_bytes() == b"x" * 5000
    assert not (tmp_path / "out/lib/modules/loop").exists()


def test_archives_depend_on_their_content_alone() -> None:
    assert initramfs.base().packed() == initramfs.base().packed()
    assert len(initramfs.base().packed()) % 512 == 0


def test_programs_bring_their_libraries() -> None:
    names = [library.name for library in initramfs.libraries(Path("/bin/kmod"))]
    assert "libc.so.6" in names
    assert any(name.startswith("ld-linux") for name in names)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot be put into the guest: No such file"):
        initramfs.Archive().copy(tmp_path / "absent", "/absent")
