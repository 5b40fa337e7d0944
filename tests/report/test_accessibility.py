"""What a screen reader, a keyboard and weak eyes find: checked in the browser's own accessibility tree."""

from __future__ import annotations

import itertools
import re
from importlib import resources

import numpy as np
import pytest

from segue.flips import Policy, decide
from tests.report import reports

CONTROLS = {"button", "link", "textbox", "searchbox", "combobox", "spinbutton", "checkbox", "slider"}

# Every visible text with the colours that it really has: backgrounds are looked for from the text outwards.
CONTRASTS = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const over = (top, below) => {
    const a = top[3] ?? 1;
    return [0, 1, 2].map((at) => top[at] * a + below[at] * (1 - a));
  };
  const page = channels(getComputedStyle(document.body).backgroundColor);
  const behind = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(channels(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), page);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement, style = getComputedStyle(node);
    if (!walker.currentNode.textContent.trim() || !node.checkVisibility({visibilityProperty: true})) continue;
    if (node.closest("[aria-disabled=true], script, style, title, option, .hidden")) continue;
    const color = channels(node.closest("svg") ? style.fill : style.color), back = behind(node);
    const [a, b] = [light(over(color, back)), light(back)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), walker.currentNode.textContent.trim().slice(0, 40)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def report():
    return reports.classifier(discover=True)


@pytest.fixture(scope="module")
def scores():
    return reports.graded()


def tree(opened):
    session = opened.page.context.new_cdp_session(opened.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    return [node for node in nodes if not node.get("ignored")]


def role(node):
    return node.get("role", {}).get("value")


def name(node):
    return node.get("name", {}).get("value", "")


@pytest.mark.parametrize("kind", ["report", "scores"])
def test_every_control_and_picture_has_a_name(open_report, request, kind):
    opened = open_report(request.getfixturevalue(kind))
    opened.page.get_by_text("More filters").click()
    nodes = tree(opened)
    controls = [node for node in nodes if role(node) in CONTROLS]
    assert len(controls) > 20
    assert [role(node) for node in controls if not name(node).strip()] == []
    assert [role(node) for node in nodes if role(node) in {"image", "img", "figure"} and not name(node).strip()] in (
        [],
        ["figure", "figure"],
    )


def test_the_headings_are_in_order(open_report, report):
    headings = [node for node in tree(open_report(report)) if role(node) == "heading"]
    levels = [next(one["value"]["value"] for one in node["properties"] if one["name"] == "level") for node in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_page_has_landmarks_a_title_and_a_language(open_report, report):
    opened = open_report(report)
    roles = {role(node) for node in tree(opened)}
    assert {"main", "banner", "contentinfo", "navigation", "search"} <= roles
    assert opened.page.title().startswith("tree-1 → forest-2: ")
    assert opened.page.locator("html").get_attribute("lang") == "en"


def test_tables_stay_tables_on_a_phone(open_report, report):
    # A table drawn as cards must not lose its rows and cells.
    nodes = tree(open_report(report, width=390))
    assert sum(role(node) == "table" for node in nodes) >= 4
    assert sum(role(node) in {"cell", "gridcell"} for node in nodes) > 100


def test_ids_are_unique_and_references_lead_somewhere(open_report, report):
    page = open_report(report).page
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(node => node.id)")
    assert len(ids) == len(set(ids))
    wanted = page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby],[aria-controls],label[for]')]"
        ".map(node => node.getAttribute('aria-labelledby') ?? node.getAttribute('aria-controls') ?? node.htmlFor)"
    )
    assert set(wanted) <= set(ids)
    anchors = page.evaluate("[...document.querySelectorAll('nav a, .skip')].map(node => node.hash.slice(1))")
    assert set(anchors) <= set(ids)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("kind", ["report", "scores"])
def test_every_text_stands_out_from_what_is_behind_it(open_report, request, kind, dark):
    report = request.getfixturevalue(kind)
    decision = decide(report, Policy(max_nfr=0.01))
    opened = open_report(report, dark=dark, decision=decision)
    opened.page.get_by_text("More filters").click()
    found = opened.page.evaluate(CONTRASTS)
    assert len(found) > 200
    assert [(round(ratio, 2), text) for ratio, text in found if ratio < 4.5] == []


def test_dark_is_dark(open_report, report):
    shades = [
        open_report(report, dark=dark).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for dark in (False, True)
    ]
    assert shades == ["rgb(255, 255, 255)", "rgb(22, 24, 27)"]


# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency",
# IEEE Trans. Vis. Comput. Graph. 15, 2009: full severity, for linear RGB.
VISION = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def palettes():
    css = (resources.files("segue.report") / "templates" / "report.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)[:2]
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in (light, dark)]


def linear(colour):
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    scaled = xyz / [0.9505, 1.0, 1.089]
    f = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [0, 1])
def test_broken_and_mended_differ_for_every_kind_of_colour_vision(vision, palette):
    colours = palettes()[palette]
    seen = [lab(np.array(VISION[vision]) @ linear(colours[kind])) for kind in ("broken", "mended", "wrong")]
    # A difference of 2.3 is just noticeable.
    assert np.linalg.norm(seen[0] - seen[1]) > 30
    assert np.linalg.norm(seen[0] - seen[2]) > 20
    assert np.linalg.norm(seen[1] - seen[2]) > 20


@pytest.mark.parametrize("palette", [0, 1])
def test_the_heat_map_darkens_evenly_for_eyes_without_colour(palette):
    colours = palettes()[palette]
    lightness = [lab(linear(colours[f"level{level}"]))[0] for level in range(1, 6)]
    steps = np.diff(lightness)
    assert (steps < -4).all() if palette == 0 else (steps > 4).all()
