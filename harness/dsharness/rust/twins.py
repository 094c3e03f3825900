# SPDX-License-Identifier: GPL-2.0
"""Which containers are compared with which, by their names.

  list            in C, by the kernel's gcc
  list_clang      the same source, by clang
  list_owned      in C, with the API that Rust demands: the container owns its elements, and erase is by key
  rust_list       in Rust; rust_list_... is another way to use it
"""

from __future__ import annotations

from collections.abc import Sequence

RUST, CLANG, OWNED = "rust_", "_clang", "_owned"


def is_rust(container: str) -> bool:
    """Return whether a container is written in Rust."""
    return container.startswith(RUST)


def bases(containers: Sequence[str]) -> list[str]:
    """Return the containers in C that have one in Rust."""
    return [name for name in containers if any(base_of(one, containers) == name for one in containers if is_rust(one))]


def base_of(rust: str, containers: Sequence[str]) -> str:
    """Return the container in C that one in Rust is compared with; "" if there is none.

    Its name begins with that container's, or with the end of that where there is no room: rust_tree_hand is an rbtree.
    """
    name = rust.removeprefix(RUST)
    in_c = [one for one in containers if not is_rust(one)]
    found = [one for one in in_c if f"{name}_".startswith(f"{one}_")] or [one for one in in_c if one.endswith(name.partition("_")[0])]
    return max(found, key=len, default="")


def family(base: str, containers: Sequence[str], in_c: Sequence[str]) -> list[str]:
    """Return a container in C, its twins, and those in Rust. `in_c` are the ordinary containers."""
    twins = [name for name in (f"{base}{CLANG}", f"{base}{OWNED}") if name in containers]
    return [base, *twins, *(one for one in containers if is_rust(one) and base_of(one, in_c) == base)]


def opponents(rust: str, containers: Sequence[str]) -> list[str]:
    """Return the containers in C that one in Rust is compared with: the ordinary one, and the one with the API of Rust."""
    base = base_of(rust, [one for one in containers if not one.endswith((CLANG, OWNED))])
    return [name for name in (base, f"{base}{OWNED}") if name in containers]
