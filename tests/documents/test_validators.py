"""File names from hostile clients."""

import random
import unicodedata

import pytest

from documents.validators import LONGEST_NAME_BYTES, sanitize_file_name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("contract.pdf", "contract.pdf"),
        ("Vertrag Müller & Söhne (final) №2.docx", "Vertrag Müller & Söhne (final) №2.docx"),
        ("/etc/passwd", "passwd"),
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("C:\\fakepath\\brief.pdf", "brief.pdf"),
        ("folder/", "folder"),
        ("a/../..", "a"),
        (".htaccess", "htaccess"),
        ("...", "unnamed"),
        ("", "unnamed"),
        (" . ", "unnamed"),
        ("\x00\x01", "unnamed"),
        ("name.pdf. . ", "name.pdf"),
        ("a\x00b\r\nc\td.pdf", "ab c d.pdf"),
        ('a"b<c>d|e?f*g:h.pdf', "a_b_c_d_e_f_g_h.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066a\u2069\u200e\u061c\ufeffb.pdf", "ab.pdf"),
        ("\u0645\u06cc\u200c\u062e.pdf", "\u0645\u06cc\u200c\u062e.pdf"),
        ("cafe\u0301.pdf", "café.pdf"),
        ("e\u202e\u0301.pdf", "é.pdf"),
        ("bad\ud800name\uffff.pdf", "badname.pdf"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("Lpt1.tar.gz", "_Lpt1.tar.gz"),
        ("console.txt", "console.txt"),
        ("a\u3000\u00a0b.pdf", "a b.pdf"),
    ],
)
def test_a_name_becomes_one_harmless_path_component(raw: str, name: str) -> None:
    assert sanitize_file_name(raw) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("é" * 300 + ".docx", "é" * 97 + ".docx"),
        ("x" * 300, "x" * 200),
        ("x." + "y" * 300, "x." + "y" * 198),
        ("con." + "y" * 300, "_con." + "y" * 195),
        ("x " * 150 + ".pdf", ("x " * 98).rstrip() + ".pdf"),
    ],
)
def test_a_long_name_keeps_its_extension(raw: str, name: str) -> None:
    assert sanitize_file_name(raw) == name


def test_any_name_at_all_is_made_safe_once_and_for_all() -> None:
    for seed in range(1_000):
        chance = random.Random(seed)
        pool = "abé./\\: \x00\n\u202e\u0301\ud800\U0001f600con.nul.pdf\u200d\uffff"
        pool += chr(chance.randrange(0x110000))
        raw = "".join(chance.choices(pool, k=chance.choice([1, 5, 30, 400])))
        name = sanitize_file_name(raw)
        assert 0 < len(name.encode()) <= LONGEST_NAME_BYTES, raw
        assert not set(name) & set('/\\:*?"<>|\0\n\r\u202e'), raw
        assert name.strip(". ") == name, raw
        assert unicodedata.is_normalized("NFC", name), raw
        assert sanitize_file_name(name) == name, raw
