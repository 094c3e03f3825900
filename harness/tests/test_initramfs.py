# SPDX-License-Identifier: GPL-2.0
"""The archives, as another cpio reads them."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from dsharness.errors import HarnessError
from dsharness.kernel import build
from dsharness.kernel.build import Build
from dsharness.kernel.kernels import Kernel
from dsharness.targets import guestnet, initramfs


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


def test_network_modules_stay_until_they_are_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo", "veth.ko"):
        (own / name).touch()
    monkeypatch.setattr(guestnet, "_own_modules", lambda image, release: own)
    monkeypatch.setattr(guestnet, "_needed", lambda own: [own / "veth.ko"])
    monkeypatch.setattr(build, "install", lambda built, root: None)
    built = Build(Kernel("6.12", (6, 12), "x86", tmp_path, own / "vmlinuz", None), tmp_path / "ko", tmp_path / "root")
    order: list[str] = []

    def second() -> None:
        with guestnet.module_root(built):
            order.append("second")

    with guestnet.module_root(built) as root:
        waiter = threading.Thread(target=second)
        waiter.start()
        waiter.join(0.3)
        order.append("first")
        assert (root / "lib/modules/6.12/veth.ko").exists()
    waiter.join()
    assert order == ["first", "second"]
