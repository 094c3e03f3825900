# SPDX-License-Identifier: GPL-2.0
"""Checks documents against the JSON schemas of the harness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from dsharness.results import results

FOLDER = Path(results.__file__).parent


def schema(name: str) -> dict[str, Any]:
    """The schema of this name. Fails if it is not a valid schema."""
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(content)
    return content


def complaints(path: Path, name: str = "results") -> list[str]:
    """The violations of the schema in a file, as path and message."""
    document = json.loads(path.read_text(encoding="utf-8"))
    found = jsonschema.Draft202012Validator(schema(name)).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]
