"""How DeepLabCut makes animals of linked peaks, written to be read: the oracle of an import."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

__all__ = ["Animal", "Link", "Peak", "assemble", "best_pairs", "likeliest"]

MIN_LINKS = 2
MAX_OVERLAP = 0.8


@dataclass(frozen=True)
class Peak:
    """A candidate for a body part of some animal."""

    number: int
    bodypart: int
    place: tuple[float, float]
    """x, y, input px."""
    likelihood: float
    cell: tuple[int, int]
    """Row, column."""


@dataclass(frozen=True)
class Link:
    """Two peaks that an affinity field joins."""

    start: Peak
    end: Peak
    affinity: float

    def other(self, number: int) -> int:
        """The number of the peak at the other end."""
        return self.end.number if number == self.start.number else self.start.number


@dataclass(eq=False)
class Animal:
    """Peaks of different body parts, and the links between them."""

    peaks: dict[int, Peak] = field(default_factory=dict)
    """By body part."""
    links: list[Link] = field(default_factory=list)

    @property
    def numbers(self) -> set[int]:
        """Of its peaks."""
        return {peak.number for peak in self.peaks.values()}

    @property
    def affinity(self) -> float:
        """Sum over its links."""
        return sum(link.affinity for link in self.links)

    def take(self, link: Link) -> bool:
        """Add a link and its peaks; whether that was possible and added a peak."""
        both = (link.start, link.end)
        inside = [self.peaks.get(peak.bodypart) == peak for peak in both]
        if not all(inside) and all(peak.bodypart in self.peaks for peak in both):
            return False
        for peak in both:
            self.peaks.setdefault(peak.bodypart, peak)
        self.links.append(link)
        return not all(inside)

    def overlap(self, other: Animal) -> float:
        """Share of the peaks that lie in what both bounding boxes cover, of the animal with less of it."""
        mine, theirs = (np.array([p.place for p in a.peaks.values()]) for a in (self, other))
        low = np.maximum(mine.min(0), theirs.min(0))
        high = np.minimum(mine.max(0), theirs.max(0))
        if (high < low).any():
            return 0.0
        return float(min(((ps >= low) & (ps <= high)).all(1).mean() for ps in (mine, theirs)))


def likeliest(peaks: list[Peak], most: int, min_likelihood: float) -> list[Peak]:
    """The likeliest peaks, first the best."""
    best = sorted(peaks, key=lambda peak: -peak.likelihood)[:most]
    return [peak for peak in best if peak.likelihood >= min_likelihood]


def best_pairs(
    starts: list[Peak], ends: list[Peak], pairs: npt.NDArray[Any], min_affinity: float
) -> list[Link]:
    """Links of one limb: the pairing with the largest sum of affinities (starts, ends)."""
    if not starts or not ends:
        return []
    chosen = linear_sum_assignment(pairs, maximize=True)
    links = [Link(starts[i], ends[j], pairs[i, j]) for i, j in zip(*chosen, strict=True)]
    return [link for link in links if link.affinity >= min_affinity]


def assemble(peaks: list[Peak], links: list[Link], *, individuals: int, bodyparts: int) -> list[list[Peak]]:
    """Animals, strongest first, each as its peaks."""
    if individuals == 1:
        parts = range(bodyparts)
        of_part = [[peak for peak in peaks if peak.bodypart == part] for part in parts]
        best = [max(some, key=lambda peak: peak.likelihood) for some in of_part if some]
        return [best] if best else []
    builder = _Builder(links, individuals, bodyparts)
    animals = [animal for animal in builder.build() if len(animal.links) >= MIN_LINKS]
    animals = _without_overlap(animals)
    if len(animals) > individuals:
        animals = sorted(animals, key=lambda animal: -len(animal.peaks))[:individuals]
    return [list(animal.peaks.values()) for animal in animals]


def _without_overlap(animals: list[Animal]) -> list[Animal]:
    """By falling affinity, without those that lie over a stronger one."""
    left, kept = list(animals), []
    while left:
        best = max(left, key=lambda animal: animal.affinity)
        left.remove(best)
        kept.append(best)
        left = [animal for animal in left if best.overlap(animal) < MAX_OVERLAP]
    return kept


class _Builder:
    """Whole animals first, then growth from the strongest link on, then fusion of too many."""

    def __init__(self, links: list[Link], individuals: int, bodyparts: int) -> None:
        self.links, self.individuals, self.bodyparts = links, individuals, bodyparts
        self.around: dict[int, dict[int, Link]] = {}
        for link in links:
            for number in (link.start.number, link.end.number):
                self.around.setdefault(number, {})[link.other(number)] = link
        self.assembled: set[int] = set()

    def build(self) -> list[Animal]:
        """All animals, too many of them perhaps."""
        animals = [self._whole(group) for group in self._groups() if len(group) == self.bodyparts]
        if len(animals) == self.individuals:
            return animals
        for link in sorted(self.links, key=lambda link: -link.affinity):
            if not self.assembled & {link.start.number, link.end.number}:
                animals.append(self._grown(link))
        if len(animals) > self.individuals:
            self._fuse(animals)
        for animal in animals:
            if len(animal.peaks) != self.bodyparts:
                self._grow(animal)
                self.assembled |= animal.numbers
        return animals

    def _groups(self) -> list[set[int]]:
        """Sets of peaks that links connect."""
        groups, seen = [], set()
        for number in self.around:
            if number in seen:
                continue
            group, open_ends = set(), [number]
            while open_ends:
                end = open_ends.pop()
                if end not in group:
                    group.add(end)
                    open_ends += self.around[end]
            seen |= group
            groups.append(group)
        return groups

    def _whole(self, group: set[int]) -> Animal:
        animal = Animal()
        for link in self.links:
            if link.start.number in group and animal.take(link):
                self._forget([link])
        self.assembled |= animal.numbers
        return animal

    def _grown(self, link: Link) -> Animal:
        animal = Animal()
        animal.take(link)
        self._grow(animal)
        self._forget(animal.links)
        self.assembled |= animal.numbers
        return animal

    def _forget(self, links: Iterable[Link]) -> None:
        for link in links:
            self.around[link.start.number].pop(link.end.number)
            self.around[link.end.number].pop(link.start.number)

    def _grow(self, animal: Animal) -> None:
        """Add the strongest link to a peak outside, again and again."""
        heap: list[tuple[float, int, Link]] = []
        visited: set[tuple[int, int]] = set()

        def offer(number: int) -> None:
            for other, link in self.around[number].items():
                key = (link.start.number, link.end.number)
                if other not in animal.numbers and key not in visited:
                    heapq.heappush(heap, (-link.affinity, len(visited), link))
                    visited.add(key)

        for number in sorted(animal.numbers):
            offer(number)
        while heap and len(animal.peaks) < self.bodyparts:
            link = heapq.heappop(heap)[2]
            inside = link.start.number if link.start.number in animal.numbers else link.end.number
            new = link.other(inside)
            if inside in animal.numbers and new not in self.assembled:
                animal.take(link)
                offer(new)

    def _fuse(self, animals: list[Animal]) -> None:
        """Join unfinished animals that an unused link connects and that share no body part."""
        owner = {
            n: animal for animal in animals if len(animal.peaks) != self.bodyparts for n in animal.numbers
        }
        used = {id(link) for animal in animals for link in animal.links}
        for link in self.links:
            first, second = owner.get(link.start.number), owner.get(link.end.number)
            if (
                id(link) in used
                or first is None
                or second is None
                or first.peaks.keys() & second.peaks.keys()
            ):
                continue
            for each in second.links:
                first.take(each)
            animals.remove(second)
            owner.update(dict.fromkeys(second.numbers, first))
