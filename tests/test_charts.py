from html.parser import HTMLParser

import pytest

from tasks.report import charts, heat, svg
from tests.support.sample_report import HOSTILE, LAYERS, SHARES, m

BY_LAYER = {
    "one": [m("agreement_with_final", 0.5 + 0.05 * i, 0.03, layer=i) for i in range(LAYERS)],
    "two": [m("agreement_with_final", 0.4 + 0.05 * i, None, layer=i) for i in range(LAYERS)],
}
RATES = [m("selection_rate", 0.4, 0.05, attribute="origin", group=g) for g in ("a", "b")]
CURVE = {"all texts": [m("answer_unchanged", s, 0.0, share=s) for s in SHARES]}
FIELDS = [m("field_share", 0.3, 0.1, field=f, subset=s) for f in "xy" for s in (None, "errors")]
GAINS = [m("sufficiency_gain", 0.1, 0.2, share=s) for s in (None, 0.1)]

AGREE = [m("rank_agreement", 0.4, 0.1, by="shapley", against="lime")]
FORMED = [m("formed_at", 0.3, 0.1, layer=i, subset=s) for i in range(3) for s in ("all", HOSTILE)]
SITES = [
    m("recovered_share", 0.4 * i - 0.4, 0.1, layer=i, part=part, position="head")
    for part in ("residual", "mlp")
    for i in range(3)
]

DRAWN = [
    pytest.param(charts.group_rates, RATES, id="group_rates"),
    pytest.param(charts.field_shares, FIELDS, id="field_shares"),
    pytest.param(charts.attribution_quality, GAINS, id="attribution_quality"),
    pytest.param(charts.agreement_by_layer, BY_LAYER, id="agreement_by_layer"),
    pytest.param(charts.swap_effect_by_layer, BY_LAYER, id="swap_effect_by_layer"),
    pytest.param(charts.probes_by_layer, BY_LAYER, id="probes_by_layer"),
    pytest.param(charts.gaps_by_layer, BY_LAYER, id="gaps_by_layer"),
    pytest.param(charts.erasure_effect_by_layer, BY_LAYER, id="erasure_effect_by_layer"),
    pytest.param(charts.divergence_by_layer, BY_LAYER, id="divergence_by_layer"),
    pytest.param(charts.recovered_share_by_layer, BY_LAYER, id="recovered_share_by_layer"),
    pytest.param(charts.truncation_curve, CURVE, id="truncation_curve"),
    pytest.param(heat.agreement_matrix, AGREE, id="agreement_matrix"),
    pytest.param(heat.formation_map, FORMED, id="formation_map"),
    pytest.param(heat.recovered_map, SITES, id="recovered_map"),
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


@pytest.mark.parametrize(("draw", "numbers"), DRAWN)
def test_a_chart_is_named_scales_and_repeats_to_the_byte(draw, numbers):
    svg = draw(numbers, key="k")
    tag, attributes = Drawing(svg).found[0]
    assert tag == "svg"
    assert attributes["role"] == "img"
    assert attributes["aria-labelledby"] == "k-title k-desc"
    assert attributes["viewbox"]
    assert "<title id=" in svg
    assert "http" not in svg
    assert draw(numbers, key="k") == svg


@pytest.mark.parametrize(("draw", "numbers"), DRAWN)
def test_ids_of_two_charts_never_collide(draw, numbers):
    ids = [
        attributes["id"]
        for key in ("first", "second")
        for _, attributes in Drawing(draw(numbers, key=key)).found
        if "id" in attributes
    ]
    assert len(ids) == len(set(ids))


def test_names_from_the_data_cannot_become_markup():
    rates = [m("selection_rate", 0.4, 0.05, attribute=HOSTILE, group=HOSTILE)]
    drawing = Drawing(charts.group_rates(rates, key="k"))
    tags = {tag for tag, _ in drawing.found}
    assert not tags & {"script", "img", "a", "style", "details"}
    assert not [name for _, a in drawing.found for name in a if name.startswith("on")]


def test_series_differ_by_more_than_colour():
    svg = charts.agreement_by_layer(BY_LAYER, key="k")
    assert "stroke-dasharray" in svg
    assert "one" in Drawing(svg).text


def test_ids_do_not_depend_on_how_many_charts_were_drawn_before():
    first, later = (f'<g id="gradient_{i}" fill="url(#gradient_{i})"/>' for i in (0, 7))
    assert svg.namespaced(first, "k") == svg.namespaced(later, "k")


def test_references_within_a_chart_follow_its_ids():
    inside = '<g id="clip0"><text>id="clip0" url(#clip0)</text></g><path clip-path="url(#clip0)"/>'
    assert svg.namespaced(inside, "k") == (
        '<g id="k-clip0"><text>id="clip0" url(#clip0)</text></g><path clip-path="url(#k-clip0)"/>'
    )


def token_map(tokens, value=0.5, layers=12):
    cells = [heat.Cell(i, j, value) for i in range(layers) for j in range(len(tokens))]
    names = [str(layer) for layer in range(layers)]
    return heat.heat_map(cells, names, tokens, key="k", label="P", domain=(-1.0, 1.0))


def test_a_map_says_where_its_numbers_stand():
    cells = [heat.Cell(0, 0, 0.5)]
    svg = heat.heat_map(
        cells, ["0"], ["word"], key="k", label="P", domain=(0.0, 1.0), numbers="evidence.json"
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


def test_a_small_map_carries_its_numbers_without_a_negative_nought():
    sites = [m("recovered_share", v, 0.1, layer=i) for i, v in enumerate((-0.001, -0.25, 1.0))]
    text = Drawing(heat.recovered_map(sites, key="k")).text
    assert "0.00" in text
    assert "−0.25" in text
    assert "−0.00" not in text
