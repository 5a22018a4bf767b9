"""Says what a config allows at a path, read from its JSON schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastpose.config.types import ALLOWED

Node = dict[str, Any]
_BOUNDS = {
    "exclusiveMinimum": "greater than {}",
    "minimum": "at least {}",
    "exclusiveMaximum": "less than {}",
    "maximum": "at most {}",
}
_COUNTS = {
    "minItems": "at least {}",
    "minProperties": "at least {}",
    "maxItems": "at most {}",
    "maxProperties": "at most {}",
}
_MANY_KEYS = 12
_NOUNS = {
    "number": "a number",
    "integer": "a whole number",
    "string": "text",
    "boolean": "true, false",
    "null": "null",
}


def allowed_keys(schema: Node, location: Sequence[str | int]) -> list[str]:
    """Return the keys of the mapping at this location (pydantic's, with union tags)."""
    for node in _nodes_at(schema, location):
        if "properties" in node:
            return list(node["properties"])
    return []


def allowed_text(schema: Node, location: Sequence[str | int]) -> str:
    """Return in words what may stand at this location (pydantic's, with union tags)."""
    texts: list[str] = []
    for node in _nodes_at(schema, location):
        text = _describe(schema, node)
        if text not in texts:
            texts.append(text)
    return ", ".join(texts)


def _resolve(schema: Node, node: Node) -> Node:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _alternatives(schema: Node, node: Node) -> Iterator[Node]:
    node = _resolve(schema, node)
    members = node.get("anyOf", node.get("oneOf"))
    if members is None:
        yield node
        return
    for member in members:
        yield from _alternatives(schema, member)


def _nodes_at(schema: Node, location: Sequence[str | int]) -> list[Node]:
    nodes = list(_alternatives(schema, schema))
    for key in location:
        # A tag first, where there is a choice: "stream" is a driver and a key of another one, "states" both of one.
        children = [child for node in nodes for child in _children(schema, node, key)]
        tagged = _with_tag(nodes, key) if len(nodes) > 1 else []
        nodes = tagged or children or nodes
    return nodes


def _children(schema: Node, node: Node, key: str | int) -> Iterator[Node]:
    items = node.get("prefixItems")
    if key in node.get("properties", {}):
        yield from _alternatives(schema, node["properties"][key])
    elif isinstance(key, int) and items is not None and key < len(items):
        yield from _alternatives(schema, items[key])
    elif isinstance(key, int) and "items" in node:
        yield from _alternatives(schema, node["items"])
    else:
        values = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
        for value in values:
            if isinstance(value, dict):
                yield from _alternatives(schema, value)


def _with_tag(nodes: list[Node], tag: str | int) -> list[Node]:
    """Return the members of a union that carry this tag; none, where the key is no tag."""
    return [
        node
        for node in nodes
        if node.get("title") == tag
        or any(node.get("properties", {}).get(key, {}).get("const") == tag for key in ("driver", "type"))
    ]


def _describe(schema: Node, node: Node) -> str:
    if ALLOWED in node:
        return str(node[ALLOWED])
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return ", ".join(map(str, node["enum"]))
    if "prefixItems" in node:
        parts = [_describe(schema, _resolve(schema, item)) for item in node["prefixItems"]]
        return f"a list of {len(parts)}: [{'; '.join(parts)}]"
    counts = ", ".join(_limits(node, _COUNTS))
    return " ".join(
        filter(None, [_noun(schema, node), " and ".join(_limits(node, _BOUNDS)), counts and f"({counts})"])
    )


def _limits(node: Node, texts: dict[str, str]) -> list[str]:
    return [text.format(f"{node[bound]:.15g}") for bound, text in texts.items() if bound in node]


def _noun(schema: Node, node: Node) -> str:
    kind = node.get("type")
    if kind == "array":
        return f"a list of {_describe(schema, _resolve(schema, node.get('items', {})))}"
    if 0 < len(node.get("properties", {})) <= _MANY_KEYS:
        return f"a mapping with {', '.join(node['properties'])}"
    if kind == "object":
        return "a mapping of names to settings"
    if node.get("format") == "path":
        return "a path"
    return _NOUNS.get(str(kind), "a value")
