import re
from functools import partial
from html import unescape
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from tasks.checks.localisation.section import agreement_of, moved_beyond_control, who_forms_later
from tasks.checks.sections import section_of
from tasks.report.formats import about_words
from tasks.report.head import summary
from tasks.report.maps import LABEL, READ_BACK, printable
from tasks.report.page import environment
from tasks.report.page import render_report as render
from tasks.report.readings import pieces, tone
from tasks.schema import Evidence, Explanation, Explanations, LensMap, Report, Word
from tasks.schema.notation import PLAIN, Notation
from tests.support.sample_report import (
    HOSTILE,
    m,
    minimal_report,
    sample_comparison,
    sample_explanations,
    sample_report,
    sample_run,
)

NEEDS_NO_CLOSING = {"meta", "br", "hr", "img", "link", "input"}

render_report = partial(render, section_of=section_of)


class Page(HTMLParser):
    """What a browser would find: elements, attributes, ids, text."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.unclosed: list[str] = []
        self.text = ""
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [(name, found or "") for name, found in attrs]
        if tag not in NEEDS_NO_CLOSING:
            self.unclosed.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [(name, found or "") for name, found in attrs]

    def handle_endtag(self, tag):
        assert self.unclosed.pop() == tag

    def handle_data(self, data):
        self.text += f" {data}"

    def all(self, attribute: str) -> list[str]:
        return [found for name, found in self.attributes if name == attribute]


def rendered(report: Report, hostile: str = "") -> str:
    return render_report(
        report,
        sample_explanations(report, hostile),
        run=sample_run(),
        comparison=sample_comparison(report),
        planted={f"Listed districts {hostile}": f"District is found. {hostile}"},
    )


@pytest.fixture(scope="module")
def report() -> Report:
    return sample_report()


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return rendered(report)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def hostile_html() -> str:
    return rendered(sample_report(HOSTILE, words=3000), HOSTILE)


def test_the_top_says_what_failed_for_whom_and_since_when(page):
    top = page.text[: page.text.index("Gates A gate is")]
    assert "✕ FAIL" in top
    assert "4 of 7 gates failed, for origin: migrant." in top
    assert "Adverse impact ratio , origin: migrant against native : 0.577 (0.511 to 0.643" in top
    assert "passed on 2026-09-30" in top
    assert "Of these 4, in audit loan-approval finished 2026-09-30: 2 passed." in top
    assert "4 failed, 2 inconclusive, 1 passed" in top
    assert "n 1,200" in top
    assert "Attribution: writer (needs a subject whose embeddings can be replaced)" in top


def test_every_measurement_stands_with_its_interval_and_n(report, html):
    written = Notation.of(report)
    rows = {
        " ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split())
        for row in re.findall(r"<tr>.*?</tr>", html)
    }
    for evidence in report.evidence:
        for x in evidence.measurements:
            shown = f"{about_words(x)} {written.value(x)} {written.interval(x)} {x.n:,}"
            assert any(shown in row for row in rows), shown


def test_the_table_of_a_statute_escapes_its_categories_and_says_who_is_left_out(html):
    table = html[html.index("By race/ethnicity (origin)") :]
    row = "&lt;b&gt;other&lt;/b&gt;</th><td>10</td><td>3</td><td>30.0 %</td><td>excluded</td>"
    assert row in table
    assert "Assessed: 1,212; of unknown category: 2. Excluded from the ratios: 1 of 2" in table


def test_every_verdict_is_a_word_and_failed_gates_come_first(report, page):
    shown = re.findall(r"[✕?✓] (FAIL|INCONCLUSIVE|PASS)", page.text)[1:]
    assert shown == ["FAIL"] * 4 + ["INCONCLUSIVE"] * 2 + ["PASS"]
    assert "About 420 further texts would decide it at 80 % power." in page.text


def test_what_was_not_run_and_too_small_groups_are_shown_in_words(page):
    assert "Not run: needs a subject whose embeddings can be replaced" in page.text
    assert "too small (n = 12): not shown as a number" in page.text


@pytest.mark.parametrize("kind", range(8))
def test_a_group_too_small_is_named_whatever_the_check(report, kind):
    small = report.evidence[1].too_small
    evidence = report.evidence[kind].model_copy(update={"too_small": small, "measurements": ()})
    alone = report.model_copy(update={"evidence": (evidence,), "findings": (), "cases": ()})
    page = Page(render_report(alone, sample_explanations(alone), run=sample_run()))
    assert re.search(r"not stated[^.]* \(n = 12\)", page.text)


def test_cases_are_followed_through_all_sections(report, page):
    for case in report.cases:
        assert case.id in page.text
    assert {f"case-{i}" for i in range(1, 9)} <= set(page.all("id"))
    assert "#case-1" in page.all("href")


def test_every_link_stays_on_the_page_and_resolves(page):
    ids = set(page.all("id"))
    assert page.all("href")
    assert [link for link in page.all("href") if link.lstrip("#") not in ids] == []
    assert all(link.startswith("#") for link in page.all("href"))


def test_ids_are_unique_even_across_charts(page):
    ids = page.all("id")
    assert page.elements.count("svg") >= 8
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("fixture", ["html", "hostile_html"])
def test_the_page_runs_nothing_and_fetches_nothing(fixture, request):
    html = request.getfixturevalue(fixture)
    page = Page(html)
    names = {name for name, _ in page.attributes}
    assert not {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "link",
        "form",
        "base",
        "image",
    } & set(page.elements)
    assert not [name for name in names if name.startswith("on")]
    assert not {"src", "srcset", "xlink:href", "action"} & names
    style = html[html.index("<style>") : html.index("</style>")]
    assert "@import" not in style
    assert "url(" not in style
    assert all("url(" not in s for s in page.all("style"))
    assert "default-src 'none'" in page.all("content")[0]
    assert page.unclosed == []


def test_hostile_text_is_shown_and_never_evaluated(hostile_html):
    page = Page(hostile_html)
    assert page.text.count("<script>alert(1)</script> {{ 7 * 7 }}") > 20
    assert "&lt;script&gt;alert(1)" in hostile_html
    assert [link for link in page.all("href") if not link.startswith("#")] == []


def test_hostile_text_leaves_ids_unique_and_links_whole(hostile_html):
    page = Page(hostile_html)
    assert len(page.all("id")) == len(set(page.all("id")))
    assert {link[1:] for link in page.all("href")} <= set(page.all("id"))


def test_the_same_records_give_the_same_bytes(report, html):
    assert rendered(report) == html


def test_a_minimal_report_has_no_verdict_and_no_holes():
    page = Page(
        render_report(
            minimal_report(),
            Explanations(provider="template"),
            run=sample_run(),
            section_of=section_of,
        )
    )
    assert "NO VERDICT" in page.text
    assert "PASS" not in page.text
    assert "No earlier report was at hand" in page.text
    assert "80.0 % no interval n 40" in page.text
    assert "Not run: needs gradients" in page.text
    assert "None" not in page.text


@pytest.mark.parametrize("kind", range(9))
def test_a_report_of_one_check_renders_with_and_without_numbers(report, kind):
    evidence = report.evidence[kind]
    for some in (evidence, Evidence(check=evidence.check, subject=evidence.subject)):
        alone = report.model_copy(update={"evidence": (some,), "findings": (), "cases": ()})
        page = Page(render_report(alone, sample_explanations(alone), run=sample_run()))
        assert {link[1:] for link in page.all("href")} <= set(page.all("id"))


def test_a_finding_without_evidence_still_renders(report):
    lost = report.findings[1].model_copy(update={"deciding": None, "verdict": "inconclusive"})
    alone = report.model_copy(update={"evidence": (), "findings": (lost,), "cases": ()})
    page = Page(render_report(alone, sample_explanations(alone), run=sample_run()))
    assert "nothing measured" in page.text


def test_numbers_without_an_interval_render_in_every_section(report):
    bare = [
        e.model_copy(
            update={
                "measurements": tuple(
                    x.model_copy(update={"low": None, "high": None}) for x in e.measurements
                )
            }
        )
        for e in report.evidence
    ]
    without = report.model_copy(update={"evidence": tuple(bare), "findings": ()})
    html = render_report(without, sample_explanations(without), run=sample_run())
    assert "no interval" in html


def test_a_misspelt_name_in_a_template_is_an_error():
    with pytest.raises(UndefinedError):
        environment(PLAIN).from_string("{{ verdcit }}").render(verdict="fail")


def test_who_wrote_the_texts_is_said(report):
    page = Page(rendered(report))
    assert "No language model was used: 0 claims checked, 0 rejected." in page.text
    text = Explanation(
        about="f2",
        text="Migrants are approved less often.",
        written_by="model",
        claims_checked=5,
        claims_rejected=1,
        rejected=("0.9 stands nowhere in the evidence",),
    )
    asked = Explanations(provider="openai", texts=(text,))
    page = Page(render_report(report, asked, run=sample_run()))
    assert "5 claims checked, 1 rejected" in page.text
    assert "0.9 stands nowhere in the evidence" in page.text


def test_a_level_other_than_95_percent_is_written():
    other = m("accuracy", 0.9).model_copy(update={"level": 0.99})
    assert PLAIN.interval(other).endswith("(level 99 %)")


@pytest.mark.parametrize(
    ("amount", "name", "expected"),
    [
        pytest.param(0.57749, "accuracy", "57.7 %", id="share"),
        pytest.param(0.57749, "adverse_impact_ratio", "0.577", id="ratio"),
        pytest.param(3.4, "formation_layer", "3.40", id="layer"),
        pytest.param(-1e-7, "erasure_effect", "0.000", id="no negative nought"),
        pytest.param(-0.0001, "erasure_effect", "−0.0001", id="not rounded to 0"),
        pytest.param(-0.25, "erasure_effect", "−0.250", id="a true minus"),
    ],
)
def test_a_number_is_written_the_same_everywhere(amount, name, expected):
    assert PLAIN.number(amount, name) == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        pytest.param(1.0, "p5", id="the largest"),
        pytest.param(-1.0, "n5", id="the largest against"),
        pytest.param(0.05, "", id="too little to mark"),
        pytest.param(0.3, "p2", id="in between"),
    ],
)
def test_the_tone_follows_sign_and_size(amount, expected):
    assert tone(amount, 1.0) == expected


def test_the_pieces_of_a_text_are_the_whole_text():
    words = (Word(text="b", start=2, end=3, value=1.0), Word(text="c", start=4, end=5, value=-1.0))
    assert "".join(p.text for p in pieces(words, "a b c d")) == "a b c d"


def test_the_summary_of_undecided_gates_does_not_say_passed(report):
    undecided = tuple(f for f in report.findings if f.verdict != "fail")
    told = summary(report.model_copy(update={"findings": undecided}))
    assert told.startswith("No gate failed, but 2 of 3 gates could not be decided")


def test_a_baseline_that_is_decided_the_same_way_is_pointed_out(report):
    foregone = tuple(c.model_copy(update={"baseline_score": 2.4}) for c in report.evidence[2].cases)
    evidence = report.evidence[2].model_copy(update={"cases": foregone})
    page = Page(rendered(report.model_copy(update={"evidence": (*report.evidence[:2], evidence)})))
    assert "In 8 of the 8 cases shown the baseline" in page.text
    assert "the words explain only the difference of −0.090" in page.text


# --- localisation ---------------------------------------------------------------------------


def with_cases(report: Report, kind: type, **update) -> Report:
    """The report with the maps of one kind changed."""
    evidence = tuple(
        e.model_copy(
            update={
                "cases": tuple(
                    c.model_copy(update=update) if isinstance(c, kind) else c for c in e.cases
                )
            }
        )
        for e in report.evidence
    )
    return report.model_copy(update={"evidence": evidence, "findings": ()})


def test_lens_and_patching_of_a_case_are_maps_with_its_words(page):
    assert "Lens, layer by word: encoder" in page.text
    assert "Patching, layer by word: encoder" in page.text
    assert "case-1-lens-0-title" in page.all("id")
    assert "case-1-patching-0-title" in page.all("id")
    assert "Exchanging district 'Eastmoor' for 'Linden Hill' turns 'denied' into" in page.text
    assert "The head reads token 14 of 14, ' month'." in page.text


def test_the_likeliest_tokens_are_listed_up_to_the_one_the_head_reads(report):
    tokens = tuple(f"t{i}" for i in range(60))
    changed = with_cases(
        report,
        LensMap,
        tokens=tokens,
        head=40,
        probabilities=((0.5,) * 60,),
        tops=(tuple(f"next{i}" for i in range(60)),),
    )
    text = Page(rendered_alone(changed)).text
    assert f"for {READ_BACK} of 60 tokens, up to the one the head reads" in text
    assert "t40 next40" in text
    assert "next41" not in text
    assert f"next{40 - READ_BACK} " not in text


def test_a_classifier_has_no_likeliest_tokens(report):
    assert "Likeliest next token" not in rendered_alone(with_cases(report, LensMap, tops=()))


def rendered_alone(report: Report) -> str:
    return render_report(report, sample_explanations(report), run=sample_run())


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        pytest.param(" lives", "lives", id="a leading space"),
        pytest.param("\n", "␣", id="white space"),
        pytest.param("", "␣", id="nothing"),
        pytest.param("\u202egnorw", "·gnorw", id="a mark that turns the text"),
        pytest.param("w" * 80, "w" * (LABEL - 1) + "…", id="endless"),
        pytest.param("</script>", "</script>", id="markup is escaped elsewhere"),
    ],
)
def test_a_token_becomes_a_short_label(token, expected):
    assert printable(token) == expected


@pytest.mark.parametrize(
    ("value", "q", "expected"),
    [
        pytest.param(0.8, 0.01, "forms clearly (q at most 0.05) later than", id="later"),
        pytest.param(-0.8, 0.01, "forms clearly (q at most 0.05) earlier than", id="earlier"),
        pytest.param(0.8, 0.2, "In no set of texts does the decision form clearly", id="not clear"),
    ],
)
def test_a_delay_is_told_only_where_it_is_clear(value, q, expected):
    told = who_forms_later([m("formation_delay", value, 0.9, p=0.01, q=q, subset="errors")])
    assert told.startswith(("The decision", "In no set"))
    assert expected in told
    assert ("errors" in told) == (q <= 0.05)


@pytest.mark.parametrize(
    ("beyond", "expected"),
    [
        pytest.param(0.25, "At layer 2 a value of another group moves the reading", id="beyond"),
        pytest.param(0.02, "whatever the group", id="the interval holds 0"),
        pytest.param(None, "is not known", id="no control"),
    ],
)
def test_a_swap_is_held_against_another_value_of_the_same_group(beyond, expected):
    excess = [m("swap_excess", 0.0, 0.05, layer=0), m("swap_excess", beyond or 0, 0.05, layer=2)]
    assert expected in moved_beyond_control("district", [] if beyond is None else excess)


@pytest.mark.parametrize(
    ("lens", "patching", "expected"),
    [
        pytest.param(2.0, 2.0, "from which on it is carried, within the intervals", id="the same"),
        pytest.param(1.0, 3.0, "effect can be read before", id="read earlier"),
        pytest.param(3.0, 1.0, "effect can be read only after", id="read later"),
    ],
)
def test_lens_and_patching_agree_or_not(lens, patching, expected):
    found = agreement_of(m("lens_layer", lens, 0.0), m("patching_layer", patching, 0.0))
    assert expected in found


def test_localisation_says_what_it_does_not_prove(page):
    for said in (
        "does not show that the subject decides there",
        "so their shares do not add up",
        "recovers at most 0.020 (−0.010 to 0.050)",
        "Neither lens nor patching shows",
    ):
        assert said in page.text
