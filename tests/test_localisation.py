"""Where an exchanged field takes effect: planted in one block, found there, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

from tasks.checks.localisation.evidence import swap_effects
from tasks.checks.localisation.matched_pairs import (
    across,
    field_tokens,
    position_groups,
    within,
)
from tasks.checks.localisation.patching_evidence import Lens, recovered
from tasks.checks.localisation.payload import LensReadings, PatchedPairs, PatchedSite
from tasks.checks.localisation.rounds import LENS, patched_rows
from tasks.checks.preflight import prepare
from tasks.data.dataset import load_dataset
from tasks.definition import ClassifierSubject
from tasks.definition.checks.swap import Swap
from tasks.definition.subset import Subset
from tasks.measures.localisation.formation import formation_delay, permutation_p
from tasks.schema import LayerReading, LensMap, PatchingMap
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tasks.subjects.local.token_strings import token_strings
from tests.support.gathering import alone, asked
from tests.support.gathering import gathered as gather
from tests.support.planted import data_spec, plant
from tests.support.small import write_rows
from tests.support.tiny import build

SWAP = Swap(column="place", across="side")
LAYERS = 3


def write_audit(folder: Path, *, rows=64, subject=None, **check) -> Path:
    """A definition with one localisation check; the model is expected in `folder / model`."""
    write_rows(folder / "data.csv", rows)
    spec = {
        "name": "localised",
        "seed": 7,
        "subjects": {
            "decider": {"kind": "sequence-classification", "path": "model", **(subject or {})}
        },
        "data": {
            "path": "data.csv", "id": "id", "label": "label", "favourable": "yes",
            "groups": ["side"], "fields": ["place"],
        },
        "checks": [{"kind": "localisation", "swap": SWAP.model_dump(), **check}],
    }  # fmt: skip
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def gathered(definition, cases=(0, 1), **update):
    """The evidence of the localisation check, without Prefect."""
    plan = prepare(definition)
    check = next(c for c in plan.spec.checks if c.kind == "localisation")
    check = check.model_copy(update=update)
    return gather(plan, definition.parent / "store", cases, check)


@pytest.fixture(scope="module", params=[1, 2, 3])
def planted(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"block-{request.param}")
    definition = write_audit(folder)
    plant(folder, request.param)
    return request.param, gathered(definition)


def shares(evidence, part, position, name="recovered_share"):
    """Layer -> recovered share."""
    return {
        m.about.layer: m
        for m in evidence.named(name)
        if (m.about.part, m.about.position) == (part, position)
    }


def values(found):
    return [found[layer].value for layer in sorted(found)]


# --- planted in one block -----------------------------------------------------------------


def test_the_field_carries_the_effect_below_the_block_and_the_head_from_it_on(planted):
    block, evidence = planted
    field = [1.0 if layer < block else 0.0 for layer in range(LAYERS + 1)]
    head = [0.0 if layer < block else 1.0 for layer in range(LAYERS + 1)]
    assert values(shares(evidence, "residual", "field place")) == pytest.approx(field, abs=1e-4)
    assert values(shares(evidence, "residual", "head")) == pytest.approx(head, abs=1e-4)


def test_other_words_carry_nothing_and_everything_carries_all(planted):
    _, evidence = planted
    for position in ("before", "after"):
        assert values(shares(evidence, "residual", position)) == pytest.approx([0] * 4, abs=1e-4)
    assert values(shares(evidence, "residual", "everything")) == pytest.approx([1] * 4, abs=1e-4)


def test_attention_of_the_block_brings_the_effect_to_the_head_and_the_mlp_does_not(planted):
    block, evidence = planted
    attention = [1.0 if layer == block else 0.0 for layer in range(1, LAYERS + 1)]
    assert values(shares(evidence, "attention", "head")) == pytest.approx(attention, abs=1e-4)
    assert values(shares(evidence, "mlp", "head")) == pytest.approx([0] * 3, abs=1e-4)
    assert values(shares(evidence, "mlp", "field place")) == pytest.approx([0] * 3, abs=1e-4)


def test_lens_and_patching_place_it_in_the_block_and_agree(planted):
    block, evidence = planted
    (lens,), (patched,) = evidence.named("lens_layer"), evidence.named("patching_layer")
    for found in (lens, patched):
        assert (found.value, found.low, found.high) == (block, block, block)
        assert found.about.field == "place"
    assert any(note.startswith("Lens and patching agree:") for note in evidence.notes)
    effect = {m.about.layer: m.value for m in evidence.named("swap_effect")}
    below = [effect[layer] for layer in range(block)]
    assert below == pytest.approx([0] * block, abs=1e-4)
    assert min(effect[layer] for layer in range(block, LAYERS + 1)) > 0.3


def test_the_maps_show_the_field_below_the_block_and_the_head_above(planted):
    block, evidence = planted
    found = [c for c in evidence.cases if isinstance(c, PatchingMap)]
    assert [c.id for c in found] == ["r0", "r1"]
    for one in found:
        assert {one.original, one.exchanged} == {"north", "south"}
        assert one.decision != one.decision_exchanged
        assert (one.head, one.tokens[0]) == (0, "[CLS]")
        place = one.tokens.index(one.original)
        for layer, row in enumerate(one.recovered):
            carries = place if layer < block else 0
            expected = [float(i == carries) for i in range(len(one.tokens))]
            assert row == pytest.approx(expected, abs=1e-3)


def test_the_lens_map_ends_with_the_decision_where_the_head_reads(planted):
    _, evidence = planted
    readings = {c.id: c for c in evidence.cases if isinstance(c, LayerReading)}
    maps = [c for c in evidence.cases if isinstance(c, LensMap)]
    assert len(maps) == 2
    for one in maps:
        at_head = [row[0] for row in one.probabilities]
        assert at_head == pytest.approx(readings[one.id].probabilities, abs=1e-4)
        assert all(len(row) == len(one.tokens) for row in one.probabilities)


def test_the_same_audit_gives_the_same_evidence(planted, tmp_path):
    definition = write_audit(tmp_path)
    plant(tmp_path, planted[0])
    assert gathered(definition) == planted[1]


def test_every_share_states_its_pairs_and_its_method(planted):
    _, evidence = planted
    for m in evidence.named("recovered_share"):
        assert m.n == 48
        assert "percentile bootstrap" in m.method
        assert m.about.field == "place"


# --- nothing to find ----------------------------------------------------------------------


def test_where_the_field_never_reaches_the_head_there_is_nothing_to_localise(tmp_path):
    definition = write_audit(tmp_path)
    plant(tmp_path, None)
    evidence = gathered(definition)
    for name in ("recovered_share", "lens_layer", "patching_layer"):
        assert evidence.named(name) == ()
    assert "Nothing to localise: the exchange flips 0 of 64 decisions." in evidence.notes
    assert not [c for c in evidence.cases if isinstance(c, PatchingMap)]
    assert max(m.value for m in evidence.named("swap_effect")) < 1e-6


def test_seven_pairs_are_too_few_for_a_number(tmp_path):
    definition = write_audit(tmp_path, rows=7)
    plant(tmp_path, 1)
    notes = gathered(definition).notes
    told = "Nothing to localise: the exchange flips 7 of 7 decisions; at least 8 pairs are needed."
    assert told in notes


def test_a_value_of_other_length_is_left_out_and_counted(tmp_path):
    definition = write_audit(tmp_path)
    text = (tmp_path / "data.csv").read_text().splitlines()
    longer = [line.replace("north", "north south") if i in (3, 5) else line
              for i, line in enumerate(text)]  # fmt: skip
    (tmp_path / "data.csv").write_text("\n".join(longer) + "\n")
    plant(tmp_path, 2)
    notes = gathered(definition).notes
    assert any("are not patched: their texts differ in more than the tokens" in n for n in notes)


def test_a_head_that_reads_the_mean_has_no_position_of_its_own(tmp_path):
    definition = write_audit(tmp_path)
    folder = build(tmp_path / "model", "modernbert", seed=1)
    config = folder / "config.json"
    text = config.read_text().replace('"classifier_pooling": "cls"', '"classifier_pooling": "mean"')
    config.write_text(text)
    centred(tmp_path)
    evidence = gathered(definition)
    assert shares(evidence, "residual", "head") == {}
    assert values(shares(evidence, "residual", "everything")) == pytest.approx([1] * 4, abs=1e-4)
    assert "No position is the head's: the head reads all positions, not one." in evidence.notes
    assert evidence.named("patching_layer") == ()
    assert len(evidence.named("lens_layer")) == 1


def centred(folder):
    """Set the head's bias between the two places, so that exchanging them flips decisions."""
    subject = load_subject(refer("decider", ClassifierSubject(path="model"), folder))
    rows = load_dataset(data_spec(), folder, 7).rows
    other = across(rows, SWAP, seed=7)
    with torch.no_grad():
        apart = [
            subject.scores(subject.encode(texts)).diff(dim=-1)[:, 0]
            for texts in ([row.text for row in rows], [other[i].text for i in range(len(rows))])
        ]
    model = AutoModelForSequenceClassification.from_pretrained(folder / "model")
    middle = torch.cat(apart).median()
    weight = model.classifier.bias
    model.classifier.bias = torch.nn.Parameter(
        torch.tensor([float(middle), 0.0]) + (0 if weight is None else weight.data)
    )
    model.save_pretrained(folder / "model")


# --- pairs --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    write_rows(folder / "data.csv", 40)
    build(folder / "model", "bert")
    subject = load_subject(refer("decider", ClassifierSubject(path="model"), folder))
    return subject, load_dataset(data_spec(), folder, 7).rows


def test_within_a_group_the_value_is_another_one_of_the_same_group(known):
    _, rows = known
    found = within(rows, SWAP, seed=1)
    assert len(found) == len(rows)
    for position, one in found.items():
        assert one.original == rows[position].fields["place"] != one.exchanged
        assert one.text == rows[position].text.replace(one.original, one.exchanged)
        same = [r for r in rows if r.groups["side"] == rows[position].groups["side"]]
        assert one.exchanged in {r.fields["place"] for r in same}


def test_a_group_with_one_value_has_no_other(known):
    _, rows = known
    assert within([r for r in rows if r.fields["place"] == "north"], SWAP, seed=1) == {}


def test_the_field_is_found_among_the_tokens(known):
    subject, rows = known
    tokens = field_tokens(subject, rows[0], SWAP, [rows[0].text.replace("north", "south")])
    batch = subject.encode([rows[0].text])
    names = subject.tokenizer.convert_ids_to_tokens(batch.ids[0][tokens])
    assert names == ["north"]


@pytest.mark.parametrize("new", ["north south", ""], ids=["longer", "shorter"])
def test_a_pair_of_other_length_is_not_aligned(known, new):
    subject, rows = known
    assert field_tokens(subject, rows[0], SWAP, [rows[0].text.replace("north", new)]) is None


def test_a_pair_that_differs_elsewhere_is_not_aligned(known):
    subject, rows = known
    changed = rows[0].text.replace("applicant", "film").replace("north", "south")
    assert field_tokens(subject, rows[0], SWAP, [changed]) is None


def test_the_groups_cover_every_token_once(known):
    subject, rows = known
    batch = subject.encode([row.text for row in rows[:8]])
    fields = [
        field_tokens(subject, row, SWAP, [row.text.replace(row.fields["place"], "good")])
        for row in rows[:8]
    ]
    groups = position_groups(batch, fields, subject.head_position(batch), "place")
    assert groups.names == ("field place", "before", "after", "head", "everything")
    assert torch.equal(groups.masks[:4].sum(dim=0), batch.mask)
    assert torch.equal(groups.masks[4].long(), batch.mask)
    before = subject.tokenizer.convert_ids_to_tokens(batch.ids[0][groups.masks[1, 0]])
    assert before == ["the", "applicant", "lives", "in"]


# --- lens and patching, by hand -----------------------------------------------------------


def payload(head, rows, control=None):
    return PatchedPairs(
        rows=np.array(rows),
        effect=np.ones(len(rows)),
        change=np.tile(head, (len(rows), 1)),
        control=np.zeros((len(rows), 1)) if control is None else control,
        sites=tuple(
            PatchedSite(part="residual", layer=layer, position="head") for layer in range(len(head))
        ),
        control_sites=(PatchedSite(part="residual", layer=0, position="head"),),
        notes=("told once",),
    )


def read(lens, head, **changes):
    rows = list(range(10, 20))
    lens = Lens(rows, np.tile(np.array(lens)[:, None], (1, 10)), np.ones(10, dtype=np.int64))
    return recovered("place", lens, [payload(head, rows, **changes)], seed=0)


def test_where_lens_and_patching_differ_the_evidence_says_so():
    found = read([0.0, 0.7, 1.0], [0.0, 0.2, 1.0])
    layers = {m.name: m.value for m in found.measurements if "layer" in m.name}
    assert layers == {"lens_layer": 1.0, "patching_layer": 2.0}
    assert found.notes[0] == "told once"
    assert found.notes[1].startswith("Lens and patching disagree:")
    assert "at layer 1 (1 to 1) by the lens, at layer 2 (2 to 2) by patching" in found.notes[1]


def test_without_a_control_the_evidence_says_so():
    control = np.full((10, 1), np.nan)
    control[:7] = 0.0
    found = read([0.0, 1.0], [0.0, 1.0], control=control)
    assert not [m for m in found.measurements if m.name == "recovered_share_control"]
    assert found.notes[0].startswith("No control: in 7 of 10 pairs another value")


# --- when decisions form ------------------------------------------------------------------


def test_a_delay_is_the_difference_of_the_means():
    late, early = np.array([3] * 20 + [2] * 20), np.array([1] * 60 + [2] * 20)
    found = formation_delay(late, early, layers=4, seed=0)
    assert found.interval.value == pytest.approx(2.5 - 1.25)
    # standard errors .5 / sqrt(40) = .079 and .433 / sqrt(80) = .048 -> 1.96 * .0926 = .18
    assert found.interval.low == pytest.approx(1.25 - 0.18, abs=0.04)
    assert found.interval.high == pytest.approx(1.25 + 0.18, abs=0.04)
    assert found.p == pytest.approx(1 / 10_000)


def test_equal_texts_show_no_delay_and_leave_it_open():
    found = formation_delay(np.full(20, 2), np.full(90, 2), layers=3, seed=0)
    assert (found.interval.value, found.p) == (0.0, 1.0)
    assert found.interval.low < 0 < found.interval.high


def test_the_permutation_p_is_that_of_the_exact_test():
    """All 70 ways to draw 4 of 8: the split seen and its mirror image are the most extreme."""
    a, b = np.array([5, 6, 7, 8]), np.array([1, 2, 3, 4])
    assert permutation_p(a, b, seed=0) == pytest.approx(2 / 70, abs=0.005)


def test_the_permutation_p_is_uniform_where_nothing_is_planted():
    rng = np.random.default_rng(0)
    p = [permutation_p(rng.integers(0, 7, 30), rng.integers(0, 7, 50), seed=i) for i in range(200)]
    assert np.mean(np.array(p) < 0.05) < 0.1
    assert 0.4 < np.mean(p) < 0.6


def test_every_layer_of_every_subset_has_its_share(planted):
    _, evidence = planted
    for subset in {m.about.subset for m in evidence.named("formation_layer")}:
        found = [m for m in evidence.named("formed_at") if m.about.subset == subset]
        assert [m.about.layer for m in found] == list(range(LAYERS + 1))
        assert sum(m.value for m in found) == pytest.approx(1.0)
        (mean,) = [m for m in evidence.named("formation_layer") if m.about.subset == subset]
        assert sum(m.value * m.about.layer for m in found) == pytest.approx(mean.value)


def test_delays_are_corrected_together(planted):
    _, evidence = planted
    found = evidence.named("formation_delay")
    assert found
    assert {m.family for m in found} == {f"formation delay over {len(found)} subsets"}
    assert all(m.p <= m.q for m in found)


# --- writers ------------------------------------------------------------------------------


@pytest.mark.parametrize("choices", [(), ("good", "bad")], ids=["tokens", "choices"])
def test_a_writer_is_read_and_patched_at_its_last_token(tmp_path, choices):
    spec = {"kind": "causal-lm", "prompt": "{text} good or bad ?", "choices": list(choices)}
    labels = {} if choices else {"label": None}
    definition = write_audit(tmp_path, subject=spec, texts=40)
    content = yaml.safe_load(definition.read_text())
    content["data"] |= {"favourable": None, "label": None} | labels
    definition.write_text(yaml.safe_dump(content))
    build(tmp_path / "model", "llama", causal=True)
    evidence = gathered(definition)
    maps = [c for c in evidence.cases if isinstance(c, LensMap)]
    for one in maps:
        assert one.head == len(one.tokens) - 1
        assert len(one.tops) == (0 if choices else LAYERS + 1)
    if evidence.named("recovered_share"):
        ones = values(shares(evidence, "residual", "everything"))
        assert ones == pytest.approx([1] * 4, abs=1e-4)
        assert values(shares(evidence, "residual", "head"))[-1] == pytest.approx(1.0, abs=1e-4)


# --- the tuned lens -----------------------------------------------------------------------


def test_the_tuned_lens_is_measured_beside_the_plain_one_where_asked(tmp_path):
    definition = write_audit(tmp_path)
    plant(tmp_path, 2)
    evidence = gathered(definition, tuned=True)
    plain, tuned = evidence.named("lens_kl"), evidence.named("tuned_lens_kl")
    assert [m.about.layer for m in plain] == [m.about.layer for m in tuned] == [0, 1, 2]
    assert {m.n for m in (*plain, *tuned)} == {32}
    assert plain[2].value < 1e-6  # from block 2 on nothing changes any more


# --- the organism that ships --------------------------------------------------------------


@pytest.fixture(scope="module")
def organisms(tmp_path_factory):
    found = {}
    for name in ("loan-approval", "loan-approval-retrained"):
        plan = prepare(Path("audits") / f"{name}.yaml")
        check = next(c for c in plan.spec.checks if c.kind == "localisation")
        check = check.model_copy(update={"texts": 150, "pairs": 32})
        found[name] = gather(plan, tmp_path_factory.mktemp(name), (1, 2), check)
    return found


def test_in_the_clean_organism_there_is_nothing_to_localise(organisms):
    clean = organisms["loan-approval"]
    assert "Nothing to localise: the exchange flips 0 of 150 decisions." in clean.notes
    assert clean.named("recovered_share") == ()


def test_in_the_retrained_organism_the_district_carries_the_effect_and_the_head_takes_it(organisms):
    retrained = organisms["loan-approval-retrained"]
    field = shares(retrained, "residual", "field district")
    head = shares(retrained, "residual", "head")
    assert field[0].low > 0.99
    assert head[0].high < 0.01
    assert field[3].high < 0.01
    assert head[3].low > 0.99
    for position in ("before", "after"):
        for m in shares(retrained, "residual", position).values():
            assert abs(m.value) < 0.05
    for position in ("field district", "head"):
        control = shares(retrained, "residual", position, "recovered_share_control")
        assert all(abs(m.value) < 0.05 for m in control.values())


def test_the_head_of_the_retrained_organism_reads_the_district_twice(organisms):
    """The lens reads it after block 2, but block 3 reads it again from the district's own token."""
    retrained = organisms["loan-approval-retrained"]
    (lens,), (patched,) = retrained.named("lens_layer"), retrained.named("patching_layer")
    assert (lens.value, patched.value) == (2, 3)
    assert any(note.startswith("Lens and patching disagree:") for note in retrained.notes)
    assert shares(retrained, "attention", "head")[2].low > 0.2
    assert shares(retrained, "attention", "head")[3].low > 0.5


def test_errors_of_the_retrained_organism_form_later(organisms):
    found = organisms["loan-approval-retrained"].named("formation_delay")
    (errors,) = [m for m in found if m.about.subset == Subset(as_labelled=False)]
    assert errors.low > 0.5
    assert errors.q < 0.01


def test_pairs_are_drawn_from_those_that_flip(tmp_path):
    definition = write_audit(tmp_path)
    plant(tmp_path, 1)
    plan = prepare(definition)
    check = plan.spec.checks[0].model_copy(update={"pairs": 10})
    flips = np.tile([1, 0, 2, -1], 16)
    drawn = patched_rows(asked(plan, check), flips)
    assert len(drawn) == 10
    assert all(row % 4 == 0 for row in drawn)


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory):
    """What an exchange of the district moves at every layer, over 600 texts."""
    moved = {}
    for name in ("loan-approval", "loan-approval-retrained"):
        plan = prepare(Path("audits") / f"{name}.yaml")
        check = next(c for c in plan.spec.checks if c.kind == "localisation")
        one = asked(plan, check.model_copy(update={"texts": 600}))
        read = LensReadings.joined(alone(one, LENS, tmp_path_factory.mktemp(name)).of(LENS))
        moved[name] = swap_effects(check.swap, read.change, read.control, seed=1)
    return moved


def test_another_group_moves_the_retrained_reading_more_than_the_same_group_does(exchanges):
    """Districts differ within a group too, so only the excess is the groups."""
    moved = exchanges["loan-approval-retrained"]
    last = max(m.about.layer for m in moved)
    across, within, excess = (m for m in moved if m.about.layer == last)
    assert [across.name, within.name, excess.name] == [
        "swap_effect", "swap_effect_control", "swap_excess"
    ]  # fmt: skip
    assert excess.low > 0.05
    assert excess.n == within.n == 600
    assert excess.value == pytest.approx(across.value - within.value, abs=1e-9)
    assert excess.high - excess.low < (across.high - across.low) + (within.high - within.low)


def test_no_group_moves_the_clean_reading(exchanges):
    clean = [m for m in exchanges["loan-approval"] if m.name == "swap_excess"]
    assert all(abs(m.value) < 0.01 for m in clean)
    assert all(m.low <= 0.01 for m in clean)


def test_each_text_is_its_own_control():
    """Two texts: across moves .4 and .6, within .1 and .5: on average .2 more."""
    change, control = np.array([[0.4, -0.6, 0.9]]), np.array([[-0.1, 0.5, np.nan]])
    swap = Swap(column="place", across="side")
    found = swap_effects(swap, change, control, seed=1)
    assert [(m.name, m.n) for m in found] == [
        ("swap_effect", 3), ("swap_effect_control", 2), ("swap_excess", 2)
    ]  # fmt: skip
    assert [m.value for m in found] == pytest.approx([1.9 / 3, 0.3, 0.2])


@pytest.mark.parametrize(
    ("vocabulary", "text", "expected"),
    [
        pytest.param("bytes", "Café déjà", ["C", "a", "f", "é", " d", "é", "j", "à"], id="bytes"),
        pytest.param("pieces", "ab ac", [" a", "b", " a", "c"], id="sentence pieces"),
    ],
)
def test_tokens_read_as_a_reader_writes_them(vocabulary, text, expected):
    letters = "▁abc" if vocabulary == "pieces" else pre_tokenizers.ByteLevel.alphabet()
    known = {letter: i for i, letter in enumerate(sorted(letters))}
    merges = [("Ã", "©"), ("Ã", "ł"), ("Ġ", "d")] if vocabulary == "bytes" else [("▁", "a")]
    known |= {a + b: len(known) + i for i, (a, b) in enumerate(merges)}
    tokenizer = Tokenizer(models.BPE(known, merges))
    tokenizer.pre_tokenizer, tokenizer.decoder = (
        (pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel())
        if vocabulary == "bytes"
        else (pre_tokenizers.Metaspace(), decoders.Metaspace())
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    ids = torch.tensor(fast(text)["input_ids"])
    assert token_strings(fast, ids) == expected
