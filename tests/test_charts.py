from html.parser import HTMLParser

import pytest

from tasks.report import charts
from tasks.report.charts import Axis, Cell, Dot, Names, Place
from tasks.report.charts.lines import SHADE
from tasks.report.charts.svg import namespaced
from tasks.schema.notation import PLAIN
from tests.support.sample_report import HOSTILE, LAYERS, SHARES, m

SHARE = Axis("Share of texts", percent=True, domain=(0, 1))
EFFECT = Axis("Effect", rule=0)


def subset_of(x):
    return "all texts" if x.about.subset is None else x.about.subset.words()


BY_LAYER = charts.by_layer(
    [
        *(m("agreement_with_final", 0.5 + 0.05 * i, 0.03, layer=i) for i in range(LAYERS)),
        *(
            m("agreement_with_final", 0.4 + 0.05 * i, None, layer=i, subset="errors")
            for i in range(LAYERS)
        ),
    ],
    subset_of,
)
CURVE = charts.by_share([m("answer_unchanged", s, 0.0, share=s) for s in SHARES], subset_of)
RATES = [Dot(g, "rate", m("selection_rate", 0.4, 0.05, group=g)) for g in ("a", "b")]
FIELDS = [Dot(f, s, m("field_share", 0.3, 0.1, field=f)) for f in "xy" for s in ("all", "errors")]
BARE = [Dot("a", "b", m("sufficiency_gain", 0.1, None))]
CELLS = [Cell(i, j, 0.4 * i - 0.4, f"{i}") for i in range(3) for j in range(2)]
ROWS, COLUMNS = Names(("a", HOSTILE, "b")), Names(("1", "2"), "Layer")
DOSES = charts.by_alpha(
    [
        m("steered_rate", 0.4 + 0.1 * a, 0.05, alpha=a, group=group)
        for group in ("a", HOSTILE)
        for a in (-1.0, 0.0, 1.0)
    ],
    lambda x: x.about.group,
)


def places(*found):
    return [
        Place(name, kind, m("remedied_gap", gap, 0.02), m("remedied_accuracy", accuracy, 0.02))
        for name, kind, gap, accuracy in found
    ]


TRIED = places(
    ("untouched", "untouched", 0.3, 0.8),
    ("erase at layer 0", "erase at one layer", 0.05, 0.95),
    ("erase at every layer", "erase together", 0.1, 0.9),
    ("steer by -2 at layer 3", "steer", 0.03, 0.4),
)


def over_layers(key, series=BY_LAYER, y=SHARE):
    return charts.lines(series, charts.layer_axis(series), y, key=key)


def over_doses(key, safe=(-1.0, 0.0)):
    return charts.lines(DOSES, charts.alpha_axis(DOSES), SHARE, key=key, shaded=safe)


def dotted(key, points=RATES, x=SHARE, label="Rates"):
    return charts.dots(points, x, key=key, label=label)


def mapped(key, domain=(-1.0, 1.0)):
    return charts.heat_map(CELLS, ROWS, COLUMNS, key=key, label="P", domain=domain)


def scattered(key, ringed="erase at layer 0", beside="front", tried=TRIED):
    gap, accuracy = Axis("Gap"), Axis("Accuracy", percent=True)
    return charts.scatter(
        tried, gap, accuracy, key=key, label="Levers", ringed=ringed, beside=beside
    )


DRAWN = [
    pytest.param(over_layers, id="lines over layers"),
    pytest.param(lambda key: over_layers(key, y=EFFECT), id="lines from 0"),
    pytest.param(lambda key: charts.lines(CURVE, SHARE, SHARE, key=key), id="lines over shares"),
    pytest.param(over_doses, id="lines over doses"),
    pytest.param(dotted, id="dots"),
    pytest.param(lambda key: dotted(key, FIELDS, EFFECT), id="dots of two series"),
    pytest.param(lambda key: dotted(key, BARE, Axis("Ratio", rule=1)), id="dots with a rule"),
    pytest.param(mapped, id="heat map around 0"),
    pytest.param(lambda key: mapped(key, (0.0, 1.0)), id="heat map of shares"),
    pytest.param(scattered, id="scatter with its front"),
    pytest.param(lambda key: scattered(key, None, "intervals"), id="scatter with intervals"),
]


class Drawing(HTMLParser):
    def __init__(self, svg: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(svg)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("draw", DRAWN)
def test_a_chart_is_named_scales_runs_nothing_and_repeats_to_the_byte(draw):
    svg = draw("k")
    tag, attributes = Drawing(svg).found[0]
    assert tag == "svg"
    assert attributes["role"] == "img"
    assert attributes["aria-labelledby"] == "k-title k-desc"
    assert attributes["viewbox"]
    assert "<title id=" in svg
    assert "http" not in svg
    assert "<script" not in svg
    assert "<img" not in svg
    assert draw("k") == svg


@pytest.mark.parametrize("draw", DRAWN)
def test_ids_of_two_charts_never_collide(draw):
    ids = [
        attributes["id"]
        for key in ("first", "second")
        for _, attributes in Drawing(draw(key)).found
        if "id" in attributes
    ]
    assert len(ids) == len(set(ids))


def test_names_from_the_data_cannot_become_markup():
    rates = [Dot(HOSTILE, HOSTILE, m("selection_rate", 0.4, 0.05))]
    drawing = Drawing(dotted("k", rates, label=HOSTILE))
    tags = {tag for tag, _ in drawing.found}
    assert not tags & {"script", "img", "a", "style", "details"}
    assert not [name for _, a in drawing.found for name in a if name.startswith("on")]


def test_series_differ_by_more_than_colour():
    svg = over_layers("k")
    assert "stroke-dasharray" in svg
    assert "errors" in Drawing(svg).text


def test_a_share_is_labelled_as_tables_write_it():
    assert "60 %" in Drawing(dotted("k")).text
    assert "60%" not in Drawing(dotted("k")).text


def test_where_there_is_nothing_to_draw_there_is_no_chart():
    nothing = charts.by_layer([m("accuracy", 0.9)], subset_of)
    assert over_layers("k", nothing) == ""
    assert dotted("k", []) == ""
    assert scattered("k", tried=[]) == ""
    assert charts.heat_map([], ROWS, COLUMNS, key="k", label="P", domain=(0.0, 1.0)) == ""


def test_a_range_is_shaded_where_there_is_one():
    assert SHADE in over_doses("k")
    assert SHADE not in over_doses("k", safe=(0.0, 0.0))
    assert SHADE not in over_doses("k", safe=None)


def test_the_chosen_lever_alone_is_ringed():
    assert len(scattered("k")) > len(scattered("k", ringed=None))
    assert scattered("k", ringed="no such lever") == scattered("k", ringed=None)


def test_the_front_is_the_line_that_nothing_beats():
    """.03 is the smallest gap, .05 has the highest accuracy; the two others are beaten."""
    names = [place.name for place in charts.front_of(TRIED)]
    assert names == ["steer by -2 at layer 3", "erase at layer 0"]


def test_ids_do_not_depend_on_how_many_charts_were_drawn_before():
    first, later = (f'<g id="gradient_{i}" fill="url(#gradient_{i})"/>' for i in (0, 7))
    assert namespaced(first, "k") == namespaced(later, "k")


def test_references_within_a_chart_follow_its_ids():
    inside = '<g id="clip0"><text>id="clip0" url(#clip0)</text></g><path clip-path="url(#clip0)"/>'
    assert namespaced(inside, "k") == (
        '<g id="k-clip0"><text>id="clip0" url(#clip0)</text></g><path clip-path="url(#k-clip0)"/>'
    )


def token_map(tokens, value=0.5, layers=12):
    cells = [Cell(i, j, value) for i in range(layers) for j in range(len(tokens))]
    names = Names([str(layer) for layer in range(layers)])
    return charts.heat_map(cells, names, Names(tokens), key="k", label="P", domain=(-1.0, 1.0))


def test_a_map_says_where_its_numbers_stand():
    cells = [Cell(0, 0, 0.5)]
    one, word = Names(["0"]), Names(["word"])
    svg = charts.heat_map(
        cells, one, word, key="k", label="P", domain=(0.0, 1.0), numbers="evidence.json"
    )
    assert "P; the numbers stand in evidence.json." in svg


def test_a_map_of_twelve_layers_and_sixty_words_writes_every_word_and_stays_small():
    tokens = ["the"] * 30 + [f"word{i}" for i in range(30)]
    svg = token_map(tokens)
    text = Drawing(svg).text
    assert text.count("the") >= 30
    assert all(f"word{i}" in text for i in range(30))
    assert svg.count("h14v14h-14Z") == 12 * 60
    assert len(svg) < 35_000


def test_cells_of_one_colour_are_one_outline():
    fills = [a["fill"] for tag, a in Drawing(token_map(["a"] * 20)).found if tag == "path"
             and a.get("stroke") == "#ffffff"]  # fmt: skip
    assert len(fills) == 1


def test_a_value_beyond_the_scale_has_the_last_colour():
    assert token_map(["a"] * 20, value=7.0) == token_map(["a"] * 20, value=1.0)


def test_a_word_cannot_become_markup_or_code():
    hostile = [HOSTILE, "</script>", '"]; throw 1; ["', "\\", "\u2028", "{{7*7}}"]
    drawing = Drawing(token_map(hostile * 4))
    tags = {tag for tag, _ in drawing.found}
    assert not tags & {"script", "img", "a", "style", "details"}
    assert '"]; throw 1; ["' in drawing.text


def test_a_small_map_carries_its_numbers_as_they_are_written():
    values = [("site", i, v, PLAIN.number(v, "recovered_share"))
              for i, v in enumerate((-1e-7, -0.25, 1.0))]  # fmt: skip
    cells, rows, columns = charts.layer_cells(values)
    text = Drawing(
        charts.heat_map(cells, rows, columns, key="k", label="P", domain=(-1.0, 1.0))
    ).text
    for written in ("0.000", "−0.250", "1.000", "site", "Layer (0 = embedding)"):
        assert written in text
    assert "−0.00" not in text
