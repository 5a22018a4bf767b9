"""Draws a state machine as SVG: a box a state, its ways out as rows with an arrow each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from fastpose.config.states import StatesProtocol
from fastpose.state_text import facts_of, lines_of_state, ways_out

__all__ = ["draw_states"]

# px
ROW, HEADER, GAP, PAD, LANE, MARGIN = 20, 28, 30, 12, 16, 24
CHARACTER = 6.9  # mean width at 12 px
LEAST_WIDTH = 240
COLOURS = ("#2563a8", "#b4451f", "#2f7d4f", "#7a4a9e", "#8a6d1a", "#a3315f", "#1f7a85")
FONT = "font-family='DejaVu Sans, Verdana, Helvetica, Arial, sans-serif' font-size='12'"


@dataclass
class _Way:
    """One way out of a state: its words, its row, and where it leads to."""

    text: str
    y: float
    target: str


@dataclass
class _Box:
    name: str
    y: float
    lines: list[str]
    ways: list[_Way]
    height: float
    colour: str
    is_first: bool = False
    is_final: bool = False

    @property
    def door(self) -> float:
        """Height at which arrows arrive."""
        return self.y + HEADER / 2


@dataclass
class _Lane:
    """The common line of all arrows that arrive at a state from one side."""

    target: _Box
    ways: list[_Way] = field(default_factory=list)
    place: int = 0

    @property
    def span(self) -> tuple[float, float]:
        ys = [self.target.door, *(way.y for way in self.ways)]
        return min(ys), max(ys)


def draw_states(protocol: StatesProtocol, title: str = "") -> str:
    """Return the diagram of a state machine as an SVG document.

    Parameters
    ----------
    protocol : StatesProtocol
        Any protocol as `config.as_states` returns it.
    title : str
        Stands on top.
    """
    facts = list(facts_of(protocol))
    top = MARGIN + (ROW + 6 if title else 0) + ROW * len(facts) + (10 if facts or title else 0)
    boxes = _stack(protocol, top)
    texts = [way.text for box in boxes for way in box.ways] + [f"{box.name}  ends" for box in boxes]
    texts += [line for box in boxes for line in box.lines]
    width = max(LEAST_WIDTH, round(CHARACTER * max(map(len, texts))) + 2 * PAD)
    down, up = _lanes(boxes)
    left = MARGIN + LANE * (1 + max((lane.place for lane in up), default=-1) + 1)
    right = left + width
    whole = right + LANE * (2 + max((lane.place for lane in down), default=-1)) + MARGIN
    whole = max(whole, round(2 * MARGIN + CHARACTER * max(map(len, [title, *facts]), default=0)))
    height = boxes[-1].y + boxes[-1].height + MARGIN
    parts = [
        *_heading(title, facts),
        *(_arrows(lane, right, 1) for lane in down),
        *(_arrows(lane, left, -1) for lane in up),
        *(part for box in boxes for part in _draw_box(box, left, width)),
    ]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{whole:g}' height='{height:g}' "
        f"viewBox='0 0 {whole:g} {height:g}' {FONT}>\n"
        f"<title>{escape(title or 'states')}</title>\n<rect width='100%' height='100%' fill='white'/>\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


# --- places ---


def _stack(protocol: StatesProtocol, top: float) -> list[_Box]:
    """The boxes below each other, in the config's order, the initial state first."""
    boxes: list[_Box] = []
    y = top
    for name in dict.fromkeys([protocol.first, *protocol.all_states]):
        state = protocol.all_states[name]
        lines = list(lines_of_state(state))
        ways_y = y + HEADER + ROW * len(lines) + (6 if lines else 3)
        ways = [
            _Way(f"{text} → {target}", ways_y + ROW * (row + 0.5), target)
            for row, (text, target) in enumerate(way for each in state.next for way in ways_out(each))
        ]
        height = ways_y - y + ROW * len(ways) + (6 if ways or lines else 0)
        colour = COLOURS[len(boxes) % len(COLOURS)]
        boxes.append(_Box(name, y, lines, ways, height, colour, name == protocol.first, state.final))
        y += height + GAP
    return boxes


def _lanes(boxes: list[_Box]) -> tuple[list[_Lane], list[_Lane]]:
    """The lanes right of the boxes, for ways down, and left of them, for ways up and to the state itself."""
    by_name = {box.name: box for box in boxes}
    down: dict[str, _Lane] = {}
    up: dict[str, _Lane] = {}
    for box in boxes:
        for way in box.ways:
            side = down if by_name[way.target].y > box.y else up
            side.setdefault(way.target, _Lane(by_name[way.target])).ways.append(way)
    return _placed(list(down.values())), _placed(list(up.values()))


def _placed(lanes: list[_Lane]) -> list[_Lane]:
    """Give each lane the innermost place where it meets no other; short ones first."""
    taken: list[list[tuple[float, float]]] = []
    for lane in sorted(lanes, key=lambda lane: lane.span[1] - lane.span[0]):
        low, high = lane.span
        lane.place = next(
            (place for place, spans in enumerate(taken) if all(high < a or low > b for a, b in spans)),
            len(taken),
        )
        if lane.place == len(taken):
            taken.append([])
        taken[lane.place].append((low, high))
    return lanes


# --- strokes ---


def _heading(title: str, facts: list[str]) -> Iterator[str]:
    y = MARGIN + 10
    if title:
        yield f"<text x='{MARGIN}' y='{y}' font-size='15' font-weight='bold'>{escape(title)}</text>"
        y += ROW + 6
    for fact in facts:
        yield f"<text x='{MARGIN}' y='{y}' fill='#444'>{escape(fact)}</text>"
        y += ROW


def _arrows(lane: _Lane, edge: float, side: int) -> str:
    """All arrows of a lane: from the rows out to it, along it, and into the target's header."""
    colour = lane.target.colour
    x, door = edge + side * LANE * (lane.place + 1), lane.target.door
    tip = edge + side * 7
    strokes = [f"M{edge:g} {way.y:g}H{x:g}V{door:g}H{tip:g}" for way in lane.ways]
    dots = "".join(f"<circle cx='{edge:g}' cy='{way.y:g}' r='2.5'/>" for way in lane.ways)
    head = f"<path d='M{edge:g} {door:g}l{side * 9:g} -4.5v9z' stroke='none'/>"
    path = f"<path d='{' '.join(strokes)}' fill='none' stroke-linejoin='round'/>"
    return f"<g stroke='{colour}' fill='{colour}' stroke-width='1.4'>{path}{dots}{head}</g>"


def _draw_box(box: _Box, x: float, width: float) -> Iterator[str]:
    fill = "#e8eef6" if not box.is_final else "#eeeeee"
    thick = 2.2 if box.is_first else 1.2
    yield (
        f"<rect x='{x:g}' y='{box.y:g}' width='{width:g}' height='{box.height:g}' rx='7' fill='white' "
        f"stroke='#333' stroke-width='{thick}'/>"
    )
    yield (
        f"<path d='M{x:g} {box.y + HEADER:g}v{7 - HEADER}q0 -7 7 -7h{width - 14:g}q7 0 7 7v{HEADER - 7}z' "
        f"fill='{fill}' stroke='#333' stroke-width='{thick}'/>"
    )
    yield _text(x + PAD, box.y + HEADER / 2, box.name, "font-weight='bold'")
    mark = "start" if box.is_first else "end" if box.is_final else ""
    if mark:
        yield _text(x + width - PAD, box.y + HEADER / 2, mark, "fill='#555' text-anchor='end'")
    y = box.y + HEADER + 3 + ROW / 2
    for line in box.lines:
        yield _text(x + PAD, y, line, "fill='#2b2b2b'")
        y += ROW
    if box.lines and box.ways:
        rule = box.ways[0].y - ROW / 2 - 2
        yield f"<path d='M{x:g} {rule:g}h{width:g}' stroke='#bbb' fill='none'/>"
    for way in box.ways:
        yield _text(x + PAD, way.y, way.text, "font-style='italic'")


def _text(x: float, y: float, text: str, style: str) -> str:
    return f"<text x='{x:g}' y='{y:g}' dominant-baseline='central' {style}>{escape(text)}</text>"
