"""Which head finds what, in sentences: the numbers of the tables, and what their tests allow."""

from __future__ import annotations

import pyarrow.compute as pc

from attnray.metrics.gap import PronounGainRow
from attnray.metrics.syntax import BestRelationRow
from attnray.report.findings import Findings
from attnray.report.page import asked
from attnray.report.sections.finder.answers import answer, highest
from attnray.report.sections.finder.patterns import patterns
from attnray.report.wording import points
from tests.builders import hand_made


def findings(tables: hand_made.Tables | None = None) -> Findings:
    return asked(Findings.of(hand_made.FINDER | (tables or {}), hand_made.facts()))


def answered(name: str, tables: hand_made.Tables | None = None) -> list[str]:
    questions = findings(tables).questions
    (question,) = (each for each in questions if each.key == name)
    return answer(question, questions, {(3, 1): "next token"})


def best(name: str, **other: object) -> hand_made.Tables:
    rows = [{**row, **other} if row["relation"] == name else row for row in hand_made.RELATIONS]
    return {"syntax_best": hand_made.table(BestRelationRow, rows)}


def test_a_head_that_passes_the_test() -> None:
    said = answered("relation:obj")
    assert said[0] == (
        "Head 3-1 finds 73.3% of 1,211 cases (head → dependent), +38.2 points against the best "
        "fixed offset (−2)."
    )
    assert said[1] == (
        "The best head, picked on other documents than it is scored on, has +38.2 points (95% "
        "interval +35.0 to +41.4; p = 0.031 after Holm’s correction)."
    )


def test_the_heads_that_are_better_one_by_one_the_best_first() -> None:
    said = answered("relation:obj")[2]
    rows = hand_made.FINDER["syntax_gains"].filter(pc.field("relation") == "obj").to_pylist()
    better = [row for row in rows if row["p_holm"] is not None and row["p_holm"] < 0.05]
    better.sort(key=lambda row: -row["difference"])
    named = ", ".join(
        f"{row['layer']}-{row['head']} ({100 * row['difference']:+.1f})" for row in better[:6]
    )
    assert said == (
        "Significantly better, tested one by one, corrected for all heads: "
        f"{named}, and {len(better) - 6} more."
    )


def test_what_else_a_head_finds() -> None:
    said = answered("relation:obj")[3]
    assert said.startswith("Head 3-1 also finds ")
    assert said.endswith(" more. Its behaviour: next token.")
    assert "all (" not in said, "relations together have no test of their own"
    assert "obj (" not in said


def test_a_head_that_finds_nothing_else() -> None:
    one = hand_made.FINDER["syntax_gains"].filter(pc.field("relation") == "obj")
    none = hand_made.FINDER["coreference_gains"].slice(0, 0)
    said = answered("relation:obj", {"syntax_gains": one, "coreference_gains": none})
    assert said[3].startswith("Head 3-1 finds nothing else significantly better.")


def test_no_head_that_passes_the_test() -> None:
    said = answered("relation:obj", best("obj", p_holm=0.4))
    assert said[0] == (
        "No head does significantly better than the best fixed offset (−2) on 1,211 cases."
    )
    assert "p = 0.4 after Holm’s correction" in said[1]
    worse = answered("relation:obj", best("obj", difference=-0.1, p_holm=0.001))
    assert worse[0].startswith("Even the best head does worse than the best fixed offset (−2)")


def test_too_few_cases_are_said() -> None:
    (said,) = answered("relation:rare")
    assert said.startswith("Of 1 case nothing can be said: fewer than 5 documents")
    wide = best("obj", p_holm=0.4, difference_ci_low=-0.7, difference_ci_high=0.4)
    (said,) = answered("relation:obj", wide)
    assert said.startswith("Of 1,211 cases nothing can be said: the 95% interval is longer")


def test_no_correction_is_claimed_of_relations_together() -> None:
    said = answered("relation:all", best("all", p_holm=None))
    assert not any("Holm" in each or "corrected" in each for each in said)


def test_mentions_have_their_own_baseline() -> None:
    first = answered("mention_type:128:pronoun")[0]
    assert first == (
        "Head 2-1 finds 37.1% of 800 anaphors, +2.0 points against the best baseline (head match)."
    )


def test_pronouns_are_asked_for_by_gender() -> None:
    known = {"max_tokens": 96, "gender": "feminine", "total": 1234, "baseline": "nearest"}
    gains = [{**each, **known} for each in hand_made.every_gain(5)]
    tables = hand_made.some("gap_best", "gap_baselines")
    tables["gap_gains"] = hand_made.table(PronounGainRow, gains)
    (own,) = (row for row in gains if (row["layer"], row["head"]) == (4, 2))
    assert answered("gender:96:feminine", tables)[0] == (
        f"Head 4-2 finds {own['accuracy']:.1%} of 1,234 pronouns, "
        f"{points(own['difference'])} points against the best baseline."
    )


def test_the_heads_with_most_of_a_pattern() -> None:
    (entropy,) = (each for each in patterns(findings()) if each.key == "pattern:entropy")
    rows = [row for row in hand_made.FINDER["patterns"].to_pylist() if row["pattern"] == "entropy"]
    rows.sort(key=lambda row: -row["value"])
    top = [f"{row['layer']}-{row['head']}" for row in rows]
    said = highest(entropy)
    assert said[0].startswith(f"Head {top[0]} has most: {rows[0]['value']:.2f} nats, followed by ")
    assert f"by {top[1]} ({rows[1]['value']:.2f} nats), {top[2]}" in said[0]
    mean = sum(row["value"] for row in rows) / len(rows)
    assert said[1] == (f"The mean of 120 heads is {mean:.2f} nats. There is no baseline for this.")


def test_questions_are_in_the_order_of_the_page() -> None:
    keys = [each.key for each in findings().questions]
    assert keys[:4] == ["relation:all", "relation:all_but_punct", "relation:obj", "relation:punct"]
    assert keys[-3:] == [
        "mention_type:128:all",
        "mention_type:128:pronoun",
        "mention_type:128:proper",
    ]
