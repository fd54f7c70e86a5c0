"""Drawing tools: exact where exactness is asked for."""

import random

import numpy as np
import pytest

from mht.phantoms.canvas import Strokes, curve, ellipse, enlarge, expose, ramp, texture


def test_a_ramp_is_zero_outside_one_inside_and_half_on_the_edge() -> None:
    assert ramp(np.array([-1.0, -0.25, 0.0, 0.25, 1.0]), 1.0).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("turn", [(1.0, 0.0), (0.8, 0.6)])
def test_an_ellipse_has_its_area(turn: tuple[float, float]) -> None:
    inside = (ellipse(400, (0.5, 0.5), (0.3, 0.1), turn) > 0).mean()
    assert inside == pytest.approx(np.pi * 0.03, rel=0.02)


def test_a_turned_ellipse_points_along_its_axis() -> None:
    field = ellipse(200, (0.5, 0.5), (0.3, 0.1), (0.8, 0.6))
    along, across = field[130, 140], field[140, 70]
    assert along > 0 > across


@pytest.mark.parametrize("side", [64, 128, 200])
def test_enlarging_keeps_a_slope_and_its_mean(side: int) -> None:
    small = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    large = enlarge(small, side)
    assert large.shape == (side, side)
    assert large.mean() == pytest.approx(0.5, abs=0.01)
    assert (np.diff(large[side // 2]) >= -1e-6).all()


def test_grain_has_its_sigma_and_leaves_three_channels_alike() -> None:
    grey = expose(np.full((256, 256), 128, dtype=np.float32), 4.0, random.Random(0))
    assert grey.std() == pytest.approx(4.0, rel=0.1)
    colour = expose(np.full((3, 64, 64), 128, dtype=np.float32), 4.0, random.Random(0))
    assert colour.shape == (64, 64, 3)
    assert (colour[:, :, 0] == colour[:, :, 2]).all()


def test_texture_is_a_window_of_unit_noise() -> None:
    windows = np.stack([texture(128, 16, random.Random(number)) for number in range(12)])
    assert windows.std() == pytest.approx(1.0, rel=0.15)
    assert np.abs(np.diff(windows, axis=2)).mean() < 0.4


def test_strokes_lie_where_they_are_put() -> None:
    field = np.zeros((100, 100), dtype=np.float32)
    strokes = Strokes(100)
    strokes.line([(0.2, 0.5), (0.8, 0.5)], 0.04)
    strokes.dot((0.5, 0.9), 0.05)
    strokes.onto(field, 0.5)
    assert field[50, 50] == pytest.approx(0.5, abs=0.02)
    assert field[90, 50] == pytest.approx(0.5, abs=0.02)
    assert field[30].max() == 0.0
    assert field.sum() == pytest.approx(0.5 * (60 * 4 + np.pi * 25), rel=0.15)


def test_no_strokes_change_nothing() -> None:
    field = np.zeros((8, 8), dtype=np.float32)
    Strokes(8).onto(field)
    assert field.max() == 0.0


def test_a_curve_passes_through_its_points() -> None:
    points = [(0.0, 0.0), (0.5, 1.0), (1.0, 0.0)]
    drawn = curve(points, 4)
    assert all(any(abs(x - a) + abs(y - b) < 1e-9 for a, b in drawn) for x, y in points)
    assert len(drawn) == 9
