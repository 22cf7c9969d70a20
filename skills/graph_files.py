"""Skill graphs in files: YAML and JSON, the same records in both, errors that say where and what was expected.

Not for: whether a graph works in a scene (skills.validation).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from skills.skill_graph import SkillGraph

LARGEST_BYTES = 1_000_000
"""A graph of thousands of steps fits; what is larger is not a graph."""

EXPECTED = "expected a mapping with 'steps', each with an id and one of: do, if, repeat, graph"
_FIRST_KEYS = ("id", "do", "if", "then", "else", "repeat", "until", "at_most", "graph")


class GraphFileError(ValueError):
    """A file that is not a skill graph; the message says where and what was expected."""


def load_graph(path: Path) -> SkillGraph:
    """Reads a graph from a .yaml, .yml or .json file. Raises GraphFileError."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise GraphFileError(f"{path}: larger than {LARGEST_BYTES:,} bytes, so not a skill graph")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GraphFileError(f"{path}: cannot be read: {error}") from error
    try:
        return parse_graph(text)
    except GraphFileError as error:
        raise GraphFileError(f"{path}: {error}") from error


def save_graph(graph: SkillGraph, path: Path) -> None:
    """Writes a graph as JSON where the name ends in .json, else as YAML. Raises OSError."""
    path.write_text(graph_json(graph) if path.suffix == ".json" else graph_yaml(graph), "utf-8")


def parse_graph(text: str) -> SkillGraph:
    """Reads a graph from YAML or JSON text (JSON is YAML). Raises GraphFileError."""
    data = _read(text)
    if not isinstance(data, dict) or "steps" not in data:
        raise GraphFileError(f"not a skill graph; {EXPECTED}")
    try:
        return SkillGraph.model_validate(data)
    except ValidationError as error:
        raise GraphFileError("not a skill graph: " + "; ".join(_in_words(e) for e in error.errors()[:3])) from error
    except RecursionError as error:
        raise GraphFileError("not a skill graph: nested too deep") from error


def _read(text: str) -> Any:
    """JSON first: what json writes about rare characters, YAML reads differently."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise GraphFileError("not a skill graph: nested too deep") from error
    except json.JSONDecodeError:
        pass
    try:
        return yaml.load(text, _PlainLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise GraphFileError(f"neither YAML nor JSON: {str(error) or 'nested too deep'}") from error


def graph_record(graph: SkillGraph) -> dict[str, Any]:
    """The graph as plain data, what is empty or default left out."""
    tidy = _tidy(graph.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    assert isinstance(tidy, dict)
    return {"steps": [], **tidy} if "steps" not in tidy else tidy


def graph_json(graph: SkillGraph) -> str:
    return json.dumps(graph_record(graph), indent=2) + "\n"


def graph_yaml(graph: SkillGraph) -> str:
    return yaml.dump(graph_record(graph), Dumper=_FlowDumper, sort_keys=False, width=110)


def _tidy(value: Any) -> Any:
    """Keys in the order a person would write them: what a step is, then what it does, then what it comes after."""
    if isinstance(value, dict):
        keys = [k for k in _FIRST_KEYS if k in value] + [k for k in value if k not in _FIRST_KEYS]
        return {key: _tidy(value[key]) for key in keys}
    return [_tidy(item) for item in value] if isinstance(value, list) else value


def _in_words(error: Any) -> str:
    """`steps[2].do: not a skill call: …`; the names of step kinds that pydantic puts into paths are left out."""
    where = ""
    parts = list(error["loc"])
    for index, part in enumerate(parts):
        if isinstance(part, int):
            where += f"[{part}]"
        elif index == 0 or not isinstance(parts[index - 1], int):
            where += f".{part}" if where else part
    message = _EXPECTED_INSTEAD.get(error["type"], error["msg"].removeprefix("Value error, "))
    return f"{where}: {message}"


_EXPECTED_INSTEAD = {
    "tuple_type": "expected a list",
    "string_type": "expected a text",
    "model_type": "expected a graph: a mapping with 'steps'",
    "extra_forbidden": "there is no such key here; a step has id, after, and one of do, if/then/else, "
    "repeat/until/at_most, graph",
    "missing": "is missing",
}


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML without aliases: a graph needs none, and a few lines of them can unfold into gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed in a skill graph")
        return super().compose_node(parent, index)


class _FlowDumper(yaml.SafeDumper):
    """Writes `after` lists on one line."""


def _short_lists(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.Node:
    plain = all(isinstance(item, str) for item in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=plain)


_FlowDumper.add_representer(list, _short_lists)
