"""Which font draws what, how texts break, and that nothing is dropped."""

from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.rendering.typefaces import (
    BOLD,
    REGULAR,
    REPLACEMENT,
    accelerator_in_use,
    clean,
    runs,
    shorten,
    width,
    wrap,
)

_ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=80).map(clean)


def test_the_c_accelerator_of_reportlab_is_in_use() -> None:
    assert accelerator_in_use()


def test_latin_greek_and_cyrillic_are_drawn_in_the_text_face() -> None:
    assert runs("Año Ωmega Дом €", BOLD) == [("NotoSans-Bold", "Año Ωmega Дом €")]


def test_chinese_japanese_and_korean_fall_back_character_by_character() -> None:
    assert runs("A 山かな한글 B", REGULAR) == [
        ("NotoSans", "A "),
        ("DroidSansFallback", "山かな한글"),
        ("NotoSans", " B"),
    ]


def test_a_character_that_no_font_has_is_drawn_as_a_replacement_glyph() -> None:
    assert runs("a😀ב", REGULAR) == [("NotoSans", f"a{REPLACEMENT}{REPLACEMENT}")]


def test_accents_are_composed_and_white_space_is_single() -> None:
    assert clean(" Jose\u0301 \n\t Núñez ") == "José Núñez"


def test_digits_are_all_as_wide_as_each_other() -> None:
    for weight in (REGULAR, BOLD):
        assert len({width(digit, weight, 10) for digit in "0123456789"}) == 1


def test_a_text_breaks_at_spaces_and_a_long_word_anywhere() -> None:
    assert wrap("green enamel kettle", REGULAR, 10, 70) == ["green enamel", "kettle"]
    parts = wrap("Kettle" * 30, REGULAR, 10, 70)
    assert "".join(parts) == "Kettle" * 30
    assert all(width(part, REGULAR, 10) <= 70 for part in parts)


def test_chinese_breaks_anywhere_but_not_before_a_full_stop() -> None:
    lines = wrap("春眠不覺曉。處處聞啼鳥。", REGULAR, 10, 52)
    assert "".join(lines) == "春眠不覺曉。處處聞啼鳥。"
    assert not any(line.startswith("。") for line in lines)


@given(_ANY_TEXT, st.floats(20, 400))
@settings(max_examples=150, deadline=None)
def test_wrapping_keeps_every_character_and_every_width(text: str, max_width: float) -> None:
    lines = wrap(text, REGULAR, 9, max_width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width(line, REGULAR, 9) <= max_width + 0.001 or len(clean(line)) <= 2 for line in lines)


@given(_ANY_TEXT)
@settings(max_examples=150, deadline=None)
def test_every_character_is_drawn_by_some_font(text: str) -> None:
    assert sum(len(part) for _, part in runs(text, BOLD)) == len(text)


def test_a_name_is_shortened_with_an_ellipsis() -> None:
    assert shorten("Larkfield Market Ltd", REGULAR, 10, 60) == "Larkfield…"
    assert shorten("Larkfield", REGULAR, 10, 60) == "Larkfield"
