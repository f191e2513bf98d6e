"""Pictures of levers: named, repeatable, and no place for what stands in the data."""

import pytest

from tasks.report import dose
from tasks.report.dose import Point
from tests.support.sample_report import HOSTILE, m

ALPHAS = (-1.0, 0.0, 1.0)
RATES = {
    group: [m("steered_rate", 0.4 + 0.1 * a, 0.05, alpha=a, group=group) for a in ALPHAS]
    for group in ("a", HOSTILE)
}


def points(*places):
    return [
        Point(name, kind, m("remedied_gap", gap, 0.02), m("remedied_accuracy", accuracy, 0.02))
        for name, kind, gap, accuracy in places
    ]


TRIED = points(
    ("untouched", "untouched", 0.3, 0.8),
    ("erase at layer 0", "erase at one layer", 0.05, 0.95),
    ("erase at every layer", "erase together", 0.1, 0.9),
    ("steer by -2 at layer 3", "steer", 0.03, 0.4),
)


def response(key, safe=(-1.0, 0.0)):
    return dose.dose_response(RATES, key=key, label="Selection rate", safe=safe, percent=True)


DRAWN = [
    pytest.param(response, id="dose_response"),
    pytest.param(lambda key: dose.levers_tried(TRIED, "erase at layer 0", key=key), id="tried"),
    pytest.param(lambda key: dose.levers_confirmed(TRIED, None, key=key), id="confirmed"),
]


@pytest.mark.parametrize("draw", DRAWN)
def test_a_picture_is_named_repeats_to_the_byte_and_runs_nothing(draw):
    svg = draw("k")
    assert svg.startswith('<svg class="chart" role="img" aria-labelledby="k-title k-desc"')
    assert draw("k") == svg
    assert "<script" not in svg
    assert "<img" not in svg


def test_the_safe_range_is_shaded_where_there_is_one():
    assert dose.SHADE in response("k")
    assert dose.SHADE not in response("k", safe=(0.0, 0.0))
    assert dose.SHADE not in response("k", safe=None)


def test_the_chosen_lever_alone_is_ringed():
    ringed = dose.levers_tried(TRIED, "erase at layer 0", key="k")
    assert len(ringed) > len(dose.levers_tried(TRIED, None, key="k"))


def test_the_front_is_the_line_that_nothing_beats():
    """.03 is the smallest gap, .05 has the highest accuracy; the two others are beaten."""
    names = [p.name for p in dose.front_of(TRIED)]
    assert names == ["steer by -2 at layer 3", "erase at layer 0"]
