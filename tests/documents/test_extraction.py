"""Text out of each format. Runs the extractors in this process: see test_extraction_sandbox."""

import io
from dataclasses import replace

import docx as python_docx
import pytest

from documents.extraction import registry
from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import sentences
from documents.extraction.pipeline import Extraction
from documents.extraction.result import ExtractedText
from tests.documents import file_samples as samples

LIMITS = ExtractionLimits()


def extract(content: bytes, media_type: str, limits: ExtractionLimits = LIMITS) -> ExtractedText:
    extraction = Extraction(media_type, limits)
    pages = list(extraction.pages(io.BytesIO(content)))
    return ExtractedText(
        pages=pages,
        page_count=extraction.page_count,
        words=extraction.words,
        language=extraction.language,
        warnings=sentences(extraction.notes),
    )


def text_of(content: bytes, media_type: str) -> str:
    return "".join(extract(content, media_type).pages)


# PDF


def test_each_page_of_a_pdf_is_one_page_and_an_empty_one_stays_in_its_place() -> None:
    result = extract(samples.pdf(["First page"], [], ["Third page"]), "application/pdf")
    assert result == ExtractedText(
        pages=["First page", "", "Third page"], page_count=3, words=4, language=None, warnings=()
    )


def test_a_long_pdf_page_stays_one_page() -> None:
    lines = [f"line {number} of a very long page" for number in range(400)]
    result = extract(samples.pdf(lines), "application/pdf")
    assert result.page_count == 1
    assert len(result.pages[0]) > 2 * LIMITS.page_characters


def test_a_scan_gives_empty_pages_and_no_error() -> None:
    result = extract(samples.pdf(b"0 0 612 792 re f"), "application/pdf")
    assert result.pages == [""]
    assert not result.has_text


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["this agree-", "ment ends"], "this agreement ends"),
        (["a non-", "exclusive licence"], "a non-exclusive licence"),
        (["the COVID-", "19 pandemic"], "the COVID-19 pandemic"),
        (["Sayn-", "Wittgenstein"], "Sayn-Wittgenstein"),
        (["client types", "and client-", "types"], "client types\nand client-types"),
        (["page - 7 -", "next line"], "page - 7 -\nnext line"),
    ],
)
def test_words_broken_at_line_ends_of_a_pdf_are_joined(lines: list[str], text: str) -> None:
    assert extract(samples.pdf(lines), "application/pdf").pages == [text]


def test_what_was_typed_into_a_pdf_form_is_text() -> None:
    text = text_of(samples.pdf_form("17-cv-02218"), "application/pdf")
    assert "Case number:" in text
    assert "17-cv-02218" in text


def test_a_pdf_with_a_password_is_encrypted() -> None:
    assert failure(samples.encrypted_pdf(), "application/pdf") == ErrorCode.ENCRYPTED


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"no pdf at all", samples.pdf(["x"])[:150]])
def test_a_broken_pdf_is_damaged(content: bytes) -> None:
    assert failure(content, "application/pdf") == ErrorCode.DAMAGED


def test_bytes_in_front_of_a_pdf_do_no_harm() -> None:
    assert text_of(b"%%EOF\r\n" + samples.pdf(["Judgment"]), "application/pdf") == "Judgment"


# Word


def test_a_document_of_python_docx_gives_paragraphs_tables_header_and_footer_in_order() -> None:
    document = python_docx.Document()
    document.add_paragraph("Before")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        [cell for row in table.rows for cell in row.cells], ["a", "b", "c", "d"], strict=True
    ):
        cell.text = text
    document.add_paragraph("After")
    document.sections[0].header.paragraphs[0].text = "Head"
    document.sections[0].footer.paragraphs[0].text = "Foot"
    file = io.BytesIO()
    document.save(file)
    assert text_of(file.getvalue(), samples.DOCX) == "Head\n\nBefore\na\tb\nc\td\nAfter\n\nFoot\n"


def test_footnotes_of_a_word_file_follow_its_body() -> None:
    content = samples.docx(
        samples.paragraph("Body"), {"footnotes": samples.paragraph("See Roe, 410 U.S. 113")}
    )
    assert text_of(content, samples.DOCX) == "Body\n\nSee Roe, 410 U.S. 113\n"


def test_deleted_and_moved_away_words_and_field_codes_are_no_text() -> None:
    body = (
        "<w:p><w:r><w:t>keep</w:t></w:r>"
        "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>"
        "<w:ins><w:r><w:tab/><w:t>new</w:t></w:r></w:ins>"
        "<w:r><w:instrText>PAGE</w:instrText></w:r></w:p>"
    )
    assert text_of(samples.docx(body), samples.DOCX) == "keep\tnew\n"


def test_a_text_box_that_is_stored_twice_is_read_once() -> None:
    box = f"<w:txbxContent>{samples.paragraph('boxed')}</w:txbxContent>"
    body = (
        "<w:p><w:r><mc:AlternateContent>"
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )
    assert text_of(samples.docx(body), samples.DOCX).split() == ["boxed"]


def test_entities_in_a_word_file_are_refused() -> None:
    for declaration in ('<!ENTITY x "lol">', '<!ENTITY x SYSTEM "file:///etc/passwd">'):
        content = samples.docx(samples.paragraph("&x;"), prolog=f"<!DOCTYPE d [{declaration}]>")
        assert failure(content, samples.DOCX) == ErrorCode.DAMAGED


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04 not a zip", ErrorCode.DAMAGED),
        (samples.archive({"a.txt": "a"}), ErrorCode.DAMAGED),
        (samples.docx("<w:p>"), ErrorCode.DAMAGED),
        (samples.docx(samples.paragraph("x"))[:-30], ErrorCode.DAMAGED),
    ],
)
def test_a_broken_word_file_is_damaged(content: bytes, code: ErrorCode) -> None:
    assert failure(content, samples.DOCX) == code


def test_a_broken_footnote_part_costs_the_footnotes_only() -> None:
    content = samples.docx(samples.paragraph("Body"), {"footnotes": "<w:p>"})
    result = extract(content, samples.DOCX)
    assert result.pages == ["Body\n"]
    assert result.warnings == ("Headers, footers or notes that could not be read: 1.",)


# Plain text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("naïve §".encode(), "naïve §"),
        ("naïve §".encode("utf-8-sig"), "naïve §"),
        ("naïve §".encode("utf-16"), "naïve §"),
        (b"\xfe\xff" + "naïve §".encode("utf-16-be"), "naïve §"),
        (b"one\r\ntwo\rthree\x0cfour\x00", "one\ntwo\nthree\nfour"),
        ("e\u0301\ufeff co\u00adop".encode(), "é coop"),
    ],
)
def test_text_is_decoded_and_cleaned(content: bytes, text: str) -> None:
    result = extract(content, "text/plain")
    assert ("".join(result.pages), result.warnings) == (text, ())


def test_windows_text_is_read_and_the_guess_is_told() -> None:
    result = extract("“caf § 5 €".encode("cp1252", "ignore") + b"\xe9", "text/plain")
    assert result.pages == ["“caf § 5 €é"]
    assert len(result.warnings) == 1
    assert "Windows-1252" in result.warnings[0]


def test_one_broken_byte_does_not_spoil_a_utf8_text() -> None:
    result = extract("déjà vu à Genève\n".encode() * 3 + b"\xff", "text/markdown")
    assert "".join(result.pages) == "déjà vu à Genève\n" * 3 + "\ufffd"
    assert result.warnings == ("Some bytes were no valid characters and were replaced.",)


# HTML


def test_html_is_what_a_reader_sees() -> None:
    markup = """<!doctype html><html><head><title>Order</title><style>p {}</style></head><body>
    <h1>In re  Smith</h1><p>It is <b>so</b>
    ordered.<br>Dated 2 May<script>alert("<p>no</p>")</script><table><tr><td>a</td><td>b</td></tr>
    <tr><td>c</td><td>d</td></tr></table><pre>x
      y</pre><!-- no --><ul><li>one<li>two</ul>&sect;&nbsp;7 &lt;</body></html>"""
    assert text_of(markup.encode(), "text/html") == (
        "Order\n\nIn re Smith\n\nIt is so ordered.\nDated 2 May\n\na\tb\nc\td\n\nx\n      y\n\n"
        "one\ntwo\n\n§\xa07 <"
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>Müller".encode(), "Müller"),
        ('<meta charset="iso-8859-1"><p>Müller § €'.encode("cp1252"), "Müller § €"),
        ('<meta charset="windows-1251"><p>Суд'.encode("cp1251"), "Суд"),
        ('<meta charset="zlib"><p>Müller'.encode("cp1252"), "Müller"),
        ("<p>Müller".encode("utf-16"), "Müller"),
    ],
)
def test_the_character_set_of_html_is_found(content: bytes, text: str) -> None:
    assert text_of(content, "text/html") == text


@pytest.mark.parametrize(("content", "text"), [(b"word", "word"), (b" \n", ""), (b"<!-- -->", "")])
def test_html_without_markup_or_text_is_no_error(content: bytes, text: str) -> None:
    assert text_of(content, "text/html") == text


def test_deeply_nested_html_keeps_its_text() -> None:
    assert text_of(b"<div><font>" * 100_000 + b"end", "text/html") == "end"


# RTF


def test_rtf_gives_text_and_its_footnotes() -> None:
    markup = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}\f0 Caf\'e9 \u8211? {\b bold}"
        rb'{\footnote See {\i Roe}.} end\par{\field{\*\fldinst{HYPERLINK "x"}}'
        rb"{\fldrslt link}}{\pict\pngblip " + b"0123456789abcdef" * 5_000 + rb"}\par}"
    )
    assert text_of(markup, "application/rtf") == "Café \u2013 bold end\nlink\n\nSee Roe.\n"


@pytest.mark.parametrize("content", [b"no rtf", rb"{\rtf1 \uc x}", rb"{\rtf1 \u99999999999 x}"])
def test_broken_rtf_is_damaged(content: bytes) -> None:
    assert failure(content, "application/rtf") == ErrorCode.DAMAGED


# E-mail


def test_a_message_gives_headers_plain_body_and_names_of_attachments() -> None:
    message = (
        "From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\nTo: a@example.com\r\n"
        "Subject: Settlement\r\n offer\r\nDate: Mon, 6 May 2024 10:00:00 +0000\r\n"
        "Bcc: hidden@example.com\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
        "--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nWe offer =A3 5 000.\r\n"
        "--b\r\nContent-Type: text/html\r\n\r\n<p>We offer more</p>\r\n--b--\r\n"
        "--a\r\nContent-Type: application/pdf; name=x.pdf\r\n"
        "Content-Disposition: attachment; filename=draft.pdf\r\n\r\nJVBERi0=\r\n--a--\r\n"
    )
    result = extract(message.encode(), "message/rfc822")
    assert "".join(result.pages) == (
        "From: Jürgen <j@example.com>\nTo: a@example.com\nDate: Mon, 6 May 2024 10:00:00 +0000\n"
        "Subject: Settlement offer\n\nWe offer £ 5 000.\n\nAttachment: draft.pdf\n"
    )
    assert result.warnings == ("Attachments whose names but not contents are in the text: 1.",)


def test_a_message_with_html_only_gives_its_text() -> None:
    message = b"Subject: x\nContent-Type: text/html; charset=utf-8\n\n<p>one<p>two"
    assert text_of(message, "message/rfc822") == "Subject: x\n\none\n\ntwo\n"


@pytest.mark.parametrize(
    "subject",
    [
        "Größe".encode(),
        "Größe".encode("cp1252"),
        b"=?utf-8?b?R3LDtsOfZQ==?=",
        b"=?iso-8859-1?q?Gr=F6?=\n =?utf-8?q?=C3=9Fe?=",
    ],
)
def test_a_subject_is_read_however_it_is_encoded(subject: bytes) -> None:
    assert text_of(b"Subject: " + subject + b"\n\n", "message/rfc822").strip() == "Subject: Größe"


def test_a_message_inside_a_message_is_read() -> None:
    message = b"Subject: outer\nContent-Type: message/rfc822\n\nSubject: inner\n\nhello\n"
    assert text_of(message, "message/rfc822").split() == [
        "Subject:", "outer", "Subject:", "inner", "hello",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        b"Subject: =?utf-8?b?////?=", b"From: <<>@[", b"Date: yesterday", b"To: a@\xff",
        b'Content-Type: multipart/mixed; boundary="', b"Content-Type: text/plain; charset=nope",
        b"Content-Disposition: attachment; filename*=utf-8''%ff%00",
        b"Content-Transfer-Encoding: base64",
    ],
)  # fmt: skip
def test_a_malformed_header_never_fails_a_message(header: bytes) -> None:
    text = text_of(b"Cc: bob@example.com\n" + header + b"\n\nbody text\n", "message/rfc822")
    assert "Cc: bob@example.com" in text


def test_messages_nested_too_deeply_are_left_out_and_endless_ones_are_damaged() -> None:
    wrapper = b"Subject: x\nContent-Type: message/rfc822\n\n"
    result = extract(wrapper * 20 + b"hi", "message/rfc822")
    assert result.warnings == ("Messages nested too deeply, left out: 1.",)
    assert failure(wrapper * 2_000 + b"hi", "message/rfc822") == ErrorCode.DAMAGED


# All of them


def test_every_supported_type_has_an_extractor_that_can_be_loaded() -> None:
    for media_type in registry.SUPPORTED_MEDIA_TYPES:
        assert callable(registry.load(media_type))


def test_an_unknown_type_is_unsupported() -> None:
    assert failure(b"x", "application/zip") == ErrorCode.UNSUPPORTED_TYPE


def test_too_much_text_is_cut_at_the_byte_and_reported() -> None:
    result = extract("éa ".encode() * 50, "text/plain", replace(LIMITS, max_text_bytes=9))
    assert result.pages == ["éa éa "]
    assert result.warnings == ("The text is longer than allowed; the rest was left out.",)


def test_too_many_pages_are_cut_and_a_pdf_still_says_how_many_it_has() -> None:
    few = replace(LIMITS, max_pages=2, page_characters=10)
    text = extract(b"one two three four five six", "text/plain", few)
    assert (text.pages, text.page_count) == (["one two ", "three four"], 2)
    pdf = extract(samples.pdf(["a"], ["b"], ["c"]), "application/pdf", few)
    assert (pdf.pages, pdf.page_count) == (["a", "b"], 3)
    for result in (text, pdf):
        assert result.warnings == (
            "The document has more pages than allowed; the rest was left out.",
        )


@pytest.mark.parametrize(
    ("sample", "language"),
    [
        (
            "The parties to this agreement shall not be in breach of any of the terms for which ",
            "en",
        ),
        ("Die Parteien dieses Vertrages sind nicht von der Haftung für das Werk und mit ", "de"),
        ("El contrato de la empresa en los términos que se pactan por las partes con una ", "es"),
        ("Les parties du contrat sont dans une situation qui est sur le point des au pas ", "fr"),
        ("1 2 3 4 5 6 7 8 9 10 ", None),
        ("lorem ipsum dolor sit amet consectetur ", None),
    ],
)
def test_the_language_is_named_when_stop_words_are_clear(sample: str, language: str) -> None:
    assert extract((sample * 10).encode(), "text/plain").language == language


def failure(content: bytes, media_type: str) -> ErrorCode:
    with pytest.raises(ExtractionError) as raised:
        extract(content, media_type)
    return raised.value.code
