"""The figure of the scaling: every head twice, on one scale, with keys beside the points."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pyarrow as pa
import pytest

from tests.builders import hand_made_heads as made
from tests.builders.hand_made import figure
from tests.builders.layout import faults
from tests.builders.pages import texts

pytestmark = pytest.mark.slow

SVG = "{http://www.w3.org/2000/svg}"
TABLES = {
    "small": made.heads(),
    "one head": made.heads(1, 1),
    "one layer": made.heads(1, 12),
    "large": made.heads(24, 16),
    "many layers": made.heads(96, 2),
    "one behaviour": made.heads(behaviours=["other"]),
    "unknown behaviour": made.heads(behaviours=["<b>"]),
    "flat": made.heads(12, 12, tall=0.0),
    "tall": made.heads(12, 12, tall=50.0),
}


def clusters(heads: pa.Table) -> str:
    return figure("clusters", {"heads": heads})


@pytest.mark.parametrize("name", TABLES)
def test_all_texts_are_readable(name: str) -> None:
    assert faults(lambda: clusters(TABLES[name])) == []


@pytest.mark.parametrize("name", TABLES)
def test_nothing_points_out_of_the_svg(name: str) -> None:
    svg = clusters(TABLES[name])
    assert "<image" not in svg
    assert "url(" not in svg


def places(svg: str) -> list[list[tuple[float, float]]]:
    """The places of the marks of each of the two planes, sorted."""
    root = ET.fromstring(svg)
    axes = [group for group in root.iter(f"{SVG}g") if "axes_" in (group.get("id") or "")]
    return [
        sorted(
            (round(float(use.get("x", "")), 3), round(float(use.get("y", "")), 3))
            for group in plane
            if "matplotlib.axis" not in (group.get("id") or "")
            for use in group.iter(f"{SVG}use")
        )
        for plane in axes[-2:]
    ]


def test_every_head_stands_at_its_place_in_both_planes() -> None:
    table = made.heads(4, 7)
    left, right = (np.array(each) for each in places(clusters(table)))
    assert len(left) == len(right) == len(table)
    assert np.allclose(right - left, (right - left)[0], atol=0.01)
    assert len(np.unique(left, axis=0)) == len(table)


@pytest.mark.parametrize("tall", [0.1, 1.0, 3.0])
def test_both_dimensions_have_one_scale(tall: float) -> None:
    table = made.heads(4, 7, tall=tall)
    left = np.array(places(clusters(table))[0])
    known = np.array([table["x"].to_numpy(), table["y"].to_numpy()]).T
    drawn, true = np.ptp(left, axis=0), np.ptp(known, axis=0)
    assert drawn[1] / drawn[0] == pytest.approx(true[1] / true[0], rel=1e-3)


def test_the_keys_name_what_is_there_with_counts() -> None:
    shown = texts(clusters(made.heads(1, 4, behaviours=["other", "broad", "broad"])))
    assert {"broad (2)", "other (2)", "layer", "dimension 1 (nats)"} <= set(shown)
    assert not any("token" in text for text in shown)
    assert shown.index("broad (2)") < shown.index("other (2)")


def test_alt_text_counts_the_behaviours() -> None:
    svg = clusters(made.heads(2, 7))
    alt = ET.fromstring(svg).get("aria-label") or ""
    assert alt.startswith("14 heads")
    assert 'next token 2, previous token 2, [CLS] 2, [SEP] 2, "." or "," 2' in alt
