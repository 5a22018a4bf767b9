"""Homographies between a frame's plane and the arena's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


def fit_homography(px: ArrayLike, mm: ArrayLike) -> Matrix:
    """Return the homography that brings places of the frame to places of the arena.

    Direct linear transform on normalised places, least squares: Hartley, "In defense of the eight-point
    algorithm", IEEE PAMI 19(6), 1997. Its last element is 1 and w is positive at the given places.

    Parameters
    ----------
    px, mm : array-like, (n, 2)
        At least four places each, no three of four on one line.

    Raises
    ------
    ValueError
        The places do not determine a homography.
    """
    source, target = (np.asarray(places, float) for places in (px, mm))
    to_source, to_target = _normalisation(source), _normalisation(target)
    rows = [
        row
        for a, b in zip(_mapped(to_source, source), _mapped(to_target, target), strict=True)
        for row in _equations(a, b)
    ]
    _, values, vectors = np.linalg.svd(np.array(rows))
    if len(values) < 8 or values[7] < 1e-9 * values[0]:
        raise ValueError("the places do not determine a plane; allowed: four or more, not on one line")
    matrix = np.linalg.inv(to_target) @ vectors[-1].reshape(3, 3) @ to_source
    matrix = matrix / matrix[2, 2]
    return tuple(tuple(map(float, row)) for row in matrix)  # type: ignore[return-value]


def map_places(matrix: Sequence[Sequence[float]], places: ArrayLike) -> NDArray[np.float64]:
    """Return places (n, 2) brought through a homography."""
    return _mapped(np.asarray(matrix, float), np.asarray(places, float))


def determinant(matrix: Matrix) -> float:
    """Return it; 0: the homography cannot be inverted."""
    return float(np.linalg.det(np.array(matrix)))


def inverse(matrix: Matrix) -> Matrix:
    """Return the homography of the other direction."""
    return tuple(tuple(map(float, row)) for row in np.linalg.inv(np.array(matrix)))  # type: ignore[return-value]


def _mapped(matrix: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    mapped = np.column_stack([places, np.ones(len(places))]) @ matrix.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def _normalisation(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what brings the places' mean to 0 and their mean distance from it to sqrt 2."""
    centre = places.mean(axis=0)
    size = np.linalg.norm(places - centre, axis=1).mean()
    if not size > 0:
        raise ValueError("the places are all one; allowed: four or more, not on one line")
    scale = np.sqrt(2) / size
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])


def _equations(a: NDArray[np.float64], b: NDArray[np.float64]) -> list[list[float]]:
    x, y = a
    u, v = b
    return [[x, y, 1, 0, 0, 0, -u * x, -u * y, -u], [0, 0, 0, x, y, 1, -v * x, -v * y, -v]]
