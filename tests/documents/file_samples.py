"""Small files of every type the tests read, built byte by byte."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml"


def pdf(*pages: Iterable[str] | bytes, extra: bytes = b"", trailer: bytes = b"") -> bytes:
    """A PDF with one page per argument: lines of Latin-1 text, or a content stream as it is.

    Pages are very tall, so that many lines fit.
    """
    count = len(pages)
    first = 4  # catalogue, page tree, font; then a page and its content for each page
    kids = b" ".join(b"%d 0 R" % (first + 2 * index) for index in range(count))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % extra,
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for index, page in enumerate(pages):
        content = page if isinstance(page, bytes) else _content(page)
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 -9000 612 792]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>>>>>" % (first + 2 * index + 1),
            b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream"
            % (len(packed := zlib.compress(content, 9)), packed),
        ]
    return pdf_of_objects(objects, trailer)


def pdf_of_objects(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of objects numbered from 1; the first is the catalogue."""
    file = io.BytesIO()
    file.write(b"%PDF-1.7\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(file.tell())
        file.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    table = file.tell()
    file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    file.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    file.write(b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(objects) + 1, trailer))
    file.write(b"startxref\n%d\n%%%%EOF\n" % table)
    return file.getvalue()


def _content(lines: Iterable[str]) -> bytes:
    shown = b"".join(b"(%s) Tj 0 -14 Td\n" % line.encode("cp1252") for line in lines)
    return b"BT /F1 12 Tf 72 700 Td\n" + shown + b"ET"


def encrypted_pdf() -> bytes:
    """A PDF whose key fits no password that is tried."""
    key = b"<%s>" % (b"41" * 32)
    return pdf(
        ["secret"],
        trailer=b"/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/O %s/U %s/P -4>>" % (key, key),
    )


def pdf_form(value: str) -> bytes:
    """A PDF with one text field that somebody filled in."""
    appearance = b"/Tx BMC BT /F1 12 Tf 2 4 Td (%s) Tj ET EMC" % value.encode("cp1252")
    return pdf_of_objects(
        [
            b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>",
            b"<</Type/Pages/Kids[4 0 R]/Count 1>>",
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 5 0 R/Annots[6 0 R]"
            b"/Resources<</Font<</F1 3 0 R>>>>>>",
            b"<</Length 44>>stream\nBT /F1 12 Tf 72 700 Td (Case number:) Tj ET  \nendstream",
            b"<</Type/Annot/Subtype/Widget/FT/Tx/T(number)/V(x)/F 4/Rect[150 690 350 710]"
            b"/P 4 0 R/AP<</N 7 0 R>>>>",
            b"<</Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F1 3 0 R>>>>"
            b"/Length %d>>stream\n%s\nendstream" % (len(appearance), appearance),
        ]
    )


def docx(body: str, parts: Mapping[str, str] | None = None, prolog: str = "") -> bytes:
    """A Word file with this markup in its body, and in further parts by kind ("footnotes")."""
    overrides = {"document.main": "/word/document.xml"}
    overrides |= {kind: f"/word/{kind}.xml" for kind in parts or {}}
    types = "".join(
        f'<Override PartName="{name}" ContentType="{_MAIN}.{kind}+xml"/>'
        for kind, name in overrides.items()
    )
    entries = {
        "[Content_Types].xml": "<Types xmlns="
        f'"http://schemas.openxmlformats.org/package/2006/content-types">{types}</Types>',
        "word/document.xml": f'{prolog}<w:document xmlns:w="{_WORD}" xmlns:mc='
        '"http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<w:body>{body}</w:body></w:document>",
    }
    entries |= {
        f"word/{kind}.xml": f'<w:{kind} xmlns:w="{_WORD}">{markup}</w:{kind}>'
        for kind, markup in (parts or {}).items()
    }
    return archive(entries)


def paragraph(text: str) -> str:
    """WordprocessingML of one paragraph."""
    return f'<w:p><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def archive(entries: Mapping[str, str | bytes]) -> bytes:
    """A zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in entries.items():
            target.writestr(name, content)
    return file.getvalue()


def compressed_repeat(unit: bytes, mebibytes: int) -> bytes:
    """A zlib stream of a repeated unit, made without holding what it unpacks to."""
    compressor = zlib.compressobj(9)
    block = unit * (1024 * 1024 // len(unit))
    packed = b"".join(compressor.compress(block) for _ in range(mebibytes))
    return packed + compressor.flush()
