"""Cutting, cleaning and joining text: no files, no processes."""

import pickle
import random
import unicodedata

import pytest

from documents.extraction.cleaning import clean, clean_pieces
from documents.extraction.errors import SENTENCES, ErrorCode, ExtractionError
from documents.extraction.given_text import extracted_from
from documents.extraction.hyphenation import joined_pages
from documents.extraction.pagination import paginate, paginate_pieces
from documents.extraction.result import ExtractedText

ALPHABET = [
    "a",
    "bc",
    "é",
    "e\u0301",
    "\u0301",
    "😀",
    "法",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    ". ",
    "-",
]
ALPHABET += ["word ", "\r", "\r\n", "\x00", "\x0c", "\ud800", "\ud83d\ude00", "\u00ad", "\u2029"]
SEEDS = 300


def random_text(seed: int) -> str:
    chance = random.Random(seed)
    weights = [chance.random() ** 3 for _ in ALPHABET]
    return "".join(chance.choices(ALPHABET, weights, k=chance.choice([0, 1, 10, 100, 1000])))


def random_pieces(text: str, seed: int) -> list[str]:
    chance = random.Random(seed)
    cuts = sorted(chance.randrange(len(text) + 1) for _ in range(chance.choice([0, 1, 5, 50])))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


# Pages


@pytest.mark.parametrize("size", [2, 3, 10, 80, 3_000])
def test_pages_join_to_the_text_and_do_not_depend_on_how_it_came(size: int) -> None:
    for seed in range(SEEDS):
        text = random_text(seed)
        pages = paginate(text, size)
        assert "".join(pages) == text, seed
        assert all(0 < len(page) <= size for page in pages), seed
        assert all(len(page) >= size // 2 for page in pages[:-1]), seed
        assert list(paginate_pieces(random_pieces(text, seed), size)) == pages, seed


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("", []),
        ("short", ["short"]),
        ("exactly 20 characters", ["exactly 20 ", "characters"]),
        ("one two.\n\nthree four five", ["one two.\n\n", "three four five"]),
        ("one two. three\nfour five", ["one two. three\n", "four five"]),
        ("one two three. four five", ["one two three. ", "four five"]),
        ("one two three four five", ["one two three four ", "five"]),
        ("x" * 45, ["x" * 20, "x" * 20, "x" * 5]),
        ("x" * 19 + "e\u0301" + "y" * 9, ["x" * 19, "e\u0301" + "y" * 9]),
        ("x" * 20 + " y", ["x" * 20, " y"]),
    ],
)
def test_a_page_ends_at_the_best_boundary_of_its_second_half(text: str, pages: list[str]) -> None:
    assert paginate(text, 20) == pages


def test_a_page_of_one_character_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two"):
        paginate("text", 1)


# Cleaning


def test_clean_text_is_storable_whatever_came_and_however() -> None:
    for seed in range(SEEDS):
        text = random_text(seed)
        cleaned = clean(text)
        assert cleaned.encode().decode() == cleaned, seed
        assert unicodedata.is_normalized("NFC", cleaned), seed
        assert clean(cleaned) == cleaned, seed
        controls = {c for c in cleaned if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}}
        assert controls <= {"\n", "\t"}, seed
        assert "".join(clean_pieces(random_pieces(text, seed))) == cleaned, seed


def test_long_texts_are_cleaned_in_pieces_without_a_seam() -> None:
    text = "line of e\u0301 text\r\n" * 20_000
    for size in (1_000, 65_535, 65_536, 100_001):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        assert "".join(clean_pieces(pieces)) == "line of é text\n" * 20_000


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\r\nb\rc\x0bd\x0ce\u2028f\x85g", "a\nb\nc\nd\ne\nf\ng"),
        ("a\x00b\x07c\x7fd\x9fe\ufefff\ufffeg", "abcdefg"),
        ("tab\tstays", "tab\tstays"),
        ("\ud83d\ude00 \ud83d", "😀 \ufffd"),
        ("agree\u00adment", "agreement"),
        ("e\u0301", "é"),
        ("\u00a0§ 7 “quoted” ﬁ", "\u00a0§ 7 “quoted” ﬁ"),
    ],
)
def test_nothing_else_is_changed(raw: str, text: str) -> None:
    assert clean(raw) == text


# Broken words


def test_words_of_any_page_decide_how_a_broken_one_is_spelled() -> None:
    pages = ["good-\nwill and good-\nfaith", "broad-\nbased", "based on broad goodwill"]
    assert joined_pages(pages) == ["goodwill and good-faith", "broad-based", pages[2]]


def test_of_two_spellings_the_more_frequent_one_wins() -> None:
    pages = ["non-exclusive, nonexclusive, nonexclusive", "non-\nexclusive"]
    assert joined_pages(pages)[1] == "nonexclusive"
    assert joined_pages([*pages, "non-exclusive"])[1] == "non-exclusive"


@pytest.mark.parametrize(
    ("page", "joined"),
    [
        ("attorney-in-\nfact", "attorney-in-fact"),
        ("continuations-\nin-part", "continuations-in-part"),
        ("Rule 10A-\n3 applies", "Rule 10A-3 applies"),
        ("-----\nnext", "-----\nnext"),
        ("-7-\n16. Successors", "-7-\n16. Successors"),
        ("pass it through; pass-\nthrough", "pass it through; pass-through"),
        ("Vertrags-\nstrafe", "Vertragsstrafe"),
    ],
)
def test_a_hyphen_at_a_line_end_is_kept_or_dropped(page: str, joined: str) -> None:
    assert joined_pages([page]) == [joined]


# Results and errors


def test_only_white_space_is_no_text() -> None:
    def result(*pages: str) -> ExtractedText:
        return ExtractedText(list(pages), len(pages), 0, None, ())

    assert not result().has_text
    assert not result("", " \n").has_text
    assert result("", "x").has_text


def test_text_that_came_as_text_is_cleaned_and_counted() -> None:
    assert extracted_from("one\r\ntwo\x00") == ExtractedText(["one\ntwo"], 1, 2, None, ())


def test_every_error_has_a_sentence_and_survives_a_queue() -> None:
    assert set(SENTENCES) == set(ErrorCode)
    for code in ErrorCode:
        error = pickle.loads(pickle.dumps(ExtractionError(code)))
        assert (error.code, str(error)) == (code, SENTENCES[code])
