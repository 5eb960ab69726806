"""Text that came as text: the same pages as a text file would give, without a process of its own.

Safe in the caller's process: nothing is parsed, only cleaned and cut.
"""

from documents.extraction.cleaning import clean_pieces
from documents.extraction.language import SAMPLE_CHARACTERS, guess_language
from documents.extraction.pagination import paginate_pieces
from documents.extraction.result import ExtractedText


def extracted_from(text: str) -> ExtractedText:
    """`text` as clean pages."""
    pages = list(paginate_pieces(clean_pieces([text])))
    return ExtractedText(
        pages=pages,
        page_count=len(pages),
        words=sum(len(page.split()) for page in pages),
        language=guess_language(
            "".join(pages[: SAMPLE_CHARACTERS // 1000 + 1])[:SAMPLE_CHARACTERS]
        ),
        warnings=(),
    )
