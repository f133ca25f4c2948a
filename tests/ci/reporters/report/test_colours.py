"""Words and signs stand out from their ground, in light and in dark; a tool sees no text that is drawn."""

import re
from importlib.resources import files

import pytest

CSS = files("ci.reporters.report").joinpath("templates/report.css").read_text(encoding="utf-8")
SCHEMES = dict(zip(("light", "dark"), re.findall(r":root \{(.*?)\}", CSS, re.DOTALL), strict=True))
WORDS, SIGNS = 4.5, 3.0  # contrast that WCAG 2 AA asks for


def colour(scheme: str, name: str, ground: tuple[float, ...] = (1, 1, 1)) -> tuple[float, ...]:
    """A variable's colour, mixed with its ground where it is not opaque."""
    [digits] = re.findall(rf"--{name}: #([0-9a-f]+);", SCHEMES[scheme])
    red, green, blue, alpha = (int((digits + "ff")[place : place + 2], 16) / 255 for place in (0, 2, 4, 6))
    return tuple(alpha * own + (1 - alpha) * under for own, under in zip((red, green, blue), ground, strict=True))


def luminance(rgb: tuple[float, ...]) -> float:
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["text", "quiet", "link", "canary", "fail"])
def test_words_on_the_page(scheme: str, name: str) -> None:
    assert contrast(colour(scheme, name), colour(scheme, "ground")) >= WORDS


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["text", "quiet", "link"])
@pytest.mark.parametrize("ground", ["pass-ground", "fail-ground", "unsure-ground"])
def test_words_in_the_head_and_in_rows_that_failed(scheme: str, name: str, ground: str) -> None:
    assert contrast(colour(scheme, name), colour(scheme, ground)) >= WORDS


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_on_the_boxes_of_phases(scheme: str) -> None:
    overhead = colour(scheme, "overhead")
    for box in (overhead, colour(scheme, "evidence", overhead)):
        assert contrast(colour(scheme, "text"), box) >= WORDS


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["pass", "fail", "unsure", "canary", "stable", "objective"])
def test_signs_and_curves(scheme: str, name: str) -> None:
    assert contrast(colour(scheme, name), colour(scheme, "ground")) >= SIGNS
    assert contrast(colour(scheme, name), colour(scheme, "on-sign")) >= SIGNS
