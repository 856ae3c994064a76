"""The closing lines of a run and of a comparison, letter by letter."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from attnray.corpus.counts import CorpusRow
from attnray.metrics.syntax import BestRelationRow
from attnray.report.closing import closing_lines, closing_of_comparison
from attnray.report.listing import WIDTH
from tests.builders import hand_made
from tests.builders.hand_made import MODEL, UNKNOWN, some

RELATIONS = """\
best head of each relation, against the best offset, both held out:
relation  head  direction  accuracy     offset   gain  95% interval    cases
all       3-12  dep→head      42.0%  +1  35.1%  +38.2  +35.0 to +41.4  5,000  *
case       3-1  dep→head      73.3%  -2  35.1%  +40.0  +35.0 to +41.4    300  *
obj        3-1  dep→head      73.3%  -2  35.1%  +38.2  +35.0 to +41.4  1,211  *
nsubj      3-1  dep→head      73.3%  -2  35.1%  +60.0  +35.0 to +41.4  2,000
amod      10-1  head→dep       7.0%  -2  35.1%   -9.0  -20.0 to +2.0      40
a\ufffd[31mb    3-1  dep→head      50.0%  -2  35.1%  +38.2  too few to say      2
* better than the best offset (p < 0.05 after Holm's correction)
"""

FEW = """\
best head of each relation, against the best offset:
relation  head  direction  accuracy     offset  gain  95% interval    cases
all        3-1  dep→head      74.0%  -2  35.8%     –  too few to say      9
nothing    3-1  dep→head          –  -2      –     –  too few to say      0
too few documents or blocks of sentences to hold any out (5 are needed):
heads and baselines were picked on the cases that score them, some of it is luck
"""

COREFERENCE = """\
best head of each type of mention, against the best baseline, both held out:
mention  head  cut to      accuracy           baseline   gain  95% interval    anaphors
all       2-1  128 pieces     64.0%  head match  54.8%  +38.2  +35.0 to +41.4     1,145  *
pronoun   2-1  128 pieces     64.0%  head match  54.8%  +38.2  +35.0 to +41.4       800  *
proper    2-1  128 pieces     64.0%  head match  54.8%  +38.2  +35.0 to +41.4       345  *
all       2-1  512 pieces     64.0%  head match  54.8%  +38.2  +35.0 to +41.4     1,145  *
pronoun   2-1  512 pieces     64.0%  head match  54.8%  +38.2  +35.0 to +41.4       800  *
proper    2-1  512 pieces     64.0%  head match  54.8%  +38.2  +35.0 to +41.4       345  *
* better than the best baseline (p < 0.05 after Holm's correction)
"""

COMPARED = """\
made: best head less best offset, held out (* p < 0.05, Holm)
                                     all     obj     r0     r1     r2     r3
cases                             5,000   1,211    100     99     98     97
tiny <model>                      +38.2*   +1.0*     –      –      –      –
another model with a very long …  +38.2*   -2.0   +0.1   +0.1   +0.1   +0.1
3 more relations: tables/syntax_best.parquet
"""

ANAPHORS_AND_PROBES = """\
another, anaphors: best head less best baseline, held out (* p < 0.05, Holm)
              all 512  pronoun 512  proper 512  all 128  pronoun 128  proper 128
cases          1,145          800         345    1,145          800         345
tiny <model>   +38.2*       +38.2*      +38.2*   +38.2*       +38.2*      +38.2*

made, pronouns: best head less best baseline, held out (* p < 0.05, Holm)
                 all  feminine
cases         1,234     1,234
tiny <model>  +38.2*    +38.2*

made: UAS of probes
              right branching  attention and words
tiny <model>            31.0%                55.0%
"""


def of_relations(rows: list[hand_made.Row]) -> str:
    return closing_lines({"syntax_best": hand_made.table(BestRelationRow, rows)}, MODEL)


def test_relations_by_gain_then_those_that_may_be_chance_by_cases() -> None:
    chance: dict[str, Any] = {"p_holm": 0.2, "direction": "head_to_dependent"}
    lost = {"difference": -0.09, "difference_ci_low": -0.2, "difference_ci_high": 0.02}
    rows = [
        hand_made.relation("amod", 40, layer=10, heldout_accuracy=0.07, **chance, **lost),
        hand_made.relation("a\x1b[31mb", 2, p_value=None, p_holm=None, heldout_accuracy=0.5),
        hand_made.relation("punct", 800),
        hand_made.relation("nsubj", 2000, difference=0.6, p_holm=0.051),
        hand_made.relation("obj", 1211),
        hand_made.relation("case", 300, difference=0.4),
        hand_made.relation("all_but_punct", 4200),
        hand_made.RELATIONS[0] | {"heldout_accuracy": 0.42, "p_holm": None},
    ]
    assert of_relations(rows) == RELATIONS


def test_no_more_than_twelve_relations() -> None:
    rows = [hand_made.relation(f"r{n}", 100 - n, p_holm=0.5 + n / 100) for n in range(19)]
    _, _, *listed, tested, more, end = of_relations(rows).split("\n")
    assert [line.split()[0] for line in listed] == [f"r{n}" for n in range(12)]
    assert tested.startswith("none is better than the best offset (")
    assert (more, end) == ("7 more relations: tables/syntax_best.parquet", "")
    better = [row | {"p_holm": 0.01} for row in rows]
    assert "\n7 more relations (7 of them *): " in of_relations(better)


def test_nothing_is_claimed_where_nothing_is_held_out() -> None:
    nothing = hand_made.relation("nothing", 0, **UNKNOWN)
    nothing |= {"accuracy": None, "baseline_accuracy": None}
    assert of_relations([hand_made.relation("all", 9, **UNKNOWN), nothing]) == FEW


def test_coreference_by_type_of_mention_for_every_cut() -> None:
    tables = {
        "coreference_best": hand_made.coreference_best((512, 128)),
        "coreference_baselines": hand_made.coreference_baselines((512, 128)),
    }
    assert closing_lines(tables, MODEL) == COREFERENCE


def test_pronouns_by_gender() -> None:
    title, _, *genders, _, _ = closing_lines(some("gap_best", "gap_baselines"), MODEL).split("\n")
    assert "each gender of ambiguous pronouns" in title
    assert [line.split()[:3] for line in genders] == [
        ["all", "4-2", "96"],
        ["feminine", "4-2", "96"],
    ]


def test_probes_by_the_mean_of_their_seeds() -> None:
    assert closing_lines(some("probes"), MODEL).splitlines() == [
        "probe right branching      UAS  31.0%  21,000 words",
        "probe attention and words  UAS  55.0%  21,000 words",
    ]


def test_what_was_left_out_is_one_line() -> None:
    assert closing_lines(some("patterns", "corpus"), MODEL) == (
        "left out: examples with more pieces than the model accepts (3), "
        "mentions not wholly before the cut of their document (14,882 at 128 pieces)"
    )
    assert closing_lines(some("patterns"), MODEL) == ""
    past: hand_made.Row = {"kind": "document", "item": "words_past_cut", "roles": "coreference"}
    cut = [{**past, "count": 900 // tokens, "max_tokens": tokens} for tokens in (100, 300)]
    assert closing_lines({"corpus": hand_made.table(CorpusRow, cut)}, MODEL) == (
        "left out: words after the cut of their document (9 at 100 pieces, 3 at 300 pieces)"
    )


def of_model(table: pa.Table, model: str) -> pa.Table:
    return table.set_column(0, "model", pa.array([model] * len(table)))


def test_models_side_by_side_as_far_as_there_is_room() -> None:
    little = {"p_holm": 1.0, "difference": 0.001}
    rare = [hand_made.relation(f"r{n}", 100 - n, **little) for n in range(7)]
    whole = [hand_made.relation("all", 5000), hand_made.relation("all_but_punct", 4200)]
    found = {
        MODEL: [*whole, hand_made.relation("obj", 1211, difference=0.01)],
        "another model with a very long name": [
            *whole,
            *rare,
            hand_made.relation("obj", 1200, difference=-0.02),
        ],
    }
    tables = [of_model(hand_made.table(BestRelationRow, rows), m) for m, rows in found.items()]
    said = closing_of_comparison({"syntax_best": pa.concat_tables(tables)})
    assert said == COMPARED
    assert max(map(len, said.splitlines())) <= WIDTH


def test_models_that_hold_nothing_out_stand_by_what_they_reach() -> None:
    rows = [hand_made.relation("all", 9, **UNKNOWN), hand_made.relation("punct", 2, **UNKNOWN)]
    said = closing_of_comparison({"syntax_best": hand_made.table(BestRelationRow, rows)})
    title, *lines = said.splitlines()
    assert title.startswith("made: accuracy of the best head on all cases (too few documents")
    assert lines == ["                 all", "cases             9", "tiny <model>  74.0%"]


def test_what_is_compared_is_said_of_each_corpus() -> None:
    mentions = hand_made.coreference_best((512, 128))
    mentions = mentions.set_column(1, "corpus", pa.array(["another"] * len(mentions)))
    tables = {"coreference_best": mentions, **some("gap_best", "probes")}
    assert closing_of_comparison(tables) == ANAPHORS_AND_PROBES
