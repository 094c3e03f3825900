# SPDX-License-Identifier: GPL-2.0
"""include/uapi/udptun.yaml says what include/uapi/udptun.h says: names, values and types. The cases ynl_* of netns/ use it in a guest."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from dsharness import paths
from ynl import client_files

UAPI = paths.ROOT / "include/uapi"
HEADER = (UAPI / "udptun.h").read_text(encoding="utf-8")
SPEC: dict[str, Any] = yaml.safe_load((UAPI / "udptun.yaml").read_text(encoding="utf-8"))
ATTRIBUTES = "linkinfo-udptun-attrs"
TYPES = {"__u8": "u8", "__be16": "u16 big-endian", "__u16": "u16", "__be32": "u32 big-endian", "__u32": "u32", "struct in6_addr": "binary 16", "struct udptun_port_range": "binary 4", "flag": "flag"}
"""Types of the header's comments, as attributes of the specification are described by described()."""


def named(part: str, name: str) -> dict[str, Any]:
    """Return the one of this name in a part of the specification."""
    (found,) = (one for one in SPEC[part] if one["name"] == name)
    return dict(found)


def enumerators(name: str) -> list[str]:
    """Return the values of an enum of the header, without the last one, which only counts them."""
    body = re.search(rf"^enum {name} {{\n(.*?)^}};", HEADER, re.MULTILINE | re.DOTALL)
    assert body, name
    found = re.findall(r"^\t(\w+),?$", body[1], re.MULTILINE)
    assert found[-1].startswith("__") and not re.search("=", body[1])
    return found[:-1]


def described(attribute: dict[str, Any]) -> str:
    """Return type, byte order and length of an attribute."""
    length = attribute.get("checks", {}).get("exact-len", "")
    return " ".join(str(word) for word in (attribute["type"], attribute.get("byte-order", ""), length) if word != "")


def c_name(prefix: str, name: str) -> str:
    """Return the C name of something in the specification."""
    return f"{prefix}{name}".upper().replace("-", "_")


def test_it_has_each_attribute_of_the_header() -> None:
    """A new attribute belongs in both files: its type is the first word of its comment in udptun.h."""
    spec = named("attribute-sets", ATTRIBUTES)
    unspec, *attributes = enumerators("udptun_attr")
    assert unspec.endswith("_UNSPEC")
    assert [c_name(spec["name-prefix"], one["name"]) for one in spec["attributes"]] == attributes
    assert not any("value" in one for one in spec["attributes"]), "the first is 1, each next one more, as in C"
    comments = dict(re.findall(r"^ \* @(IFLA_UDPTUN_\w+): (__\w+|struct \w+|flag)\b", HEADER, re.MULTILINE))
    assert {c_name(spec["name-prefix"], one["name"]): described(one) for one in spec["attributes"]} == {
        name: TYPES[comments[name]] for name in attributes
    }


def test_it_has_each_value_of_df() -> None:
    assert [c_name("udptun-df-", entry) for entry in named("definitions", "udptun-df")["entries"]] == enumerators("udptun_df")


def test_it_has_each_counter() -> None:
    body = re.search(r"^struct udptun_xstats {\n(.*?)^};", HEADER, re.MULTILINE | re.DOTALL)
    assert body
    counters = [{"name": name.replace("_", "-"), "type": "u64"} for name in re.findall(r"__u64 (\w+);", body[1])]
    assert named("definitions", "udptun-xstats")["members"] == counters


def test_it_is_for_our_kinds() -> None:
    kinds = re.findall(r'^#define UDPTUN_(?:RUST_)?KIND\t+"(\w+)"$', HEADER, re.MULTILINE)
    assert len(kinds) == 2
    assert SPEC["sub-messages"][0]["formats"] == [{"value": kind, "attribute-set": ATTRIBUTES} for kind in kinds]


def test_what_rtnetlink_has_has_its_values() -> None:
    """The numbers of IFLA_* and RTM_* that the specification names, by Linux' own headers."""
    text = "".join(Path("/usr/include/linux", name).read_text(encoding="utf-8") for name in ("if_link.h", "rtnetlink.h"))
    for group in ("link-attrs", "linkinfo-attrs"):
        attributes = named("attribute-sets", group)
        for one in attributes["attributes"]:
            assert value_in_c(text, c_name(attributes["name-prefix"], one["name"])) == one["value"], one["name"]
    for operation in SPEC["operations"]["list"]:
        assert value_in_c(text, c_name("rtm-", operation["name"])) == operation["do"]["request"]["value"]


def value_in_c(text: str, name: str) -> int:
    """Return the value of an enumerator, by counting from the last one before it that has a value, or from its enum's beginning."""
    body = next(body for body in re.findall(r"^enum \w* ?{\n(.*?)^}", text, re.MULTILINE | re.DOTALL) if re.search(rf"^\t{name}\b", body, re.MULTILINE))
    value = -1
    for found, given in re.findall(r"^\t(\w+)(?:\s*=\s*(\d+))?,?", body, re.MULTILINE):
        value = int(given) if given else value + 1
        if found == name:
            return value
    raise AssertionError(name)


def test_it_is_valid_by_the_kernel_s_schema() -> None:
    schema = yaml.safe_load((client_files() / "netlink-raw.yaml").read_text(encoding="utf-8"))
    check = jsonschema.Draft7Validator(schema)
    check.validate(SPEC)
    assert json.dumps(SPEC)
    with pytest.raises(jsonschema.ValidationError):
        check.validate({**SPEC, "operation": 1})
