"""What one extraction may cost."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """Upper bounds for one file; the defaults fit a worker beside a web server.

    Going over ``max_pages`` or ``max_text_bytes`` truncates the text and adds a warning; going over
    any other bound fails the extraction.

    The parent process holds at most the reply of the child (``2 * max_text_bytes``, because JSON
    may double a byte) and the decoded pages (Python stores up to four bytes per character).
    """

    wall_seconds: float = 60.0
    """Time from start to last page, start-up of the process included."""
    cpu_seconds: int = 30
    """Processor time of the child (RLIMIT_CPU)."""
    memory_bytes: int = 512 * MEBIBYTE
    """Address space of the child (RLIMIT_AS). Interpreter and PDFium alone need 32 MiB."""
    max_input_bytes: int = 512 * MEBIBYTE
    """Size of the file itself."""
    max_unpacked_bytes: int = 256 * MEBIBYTE
    """Sum of the sizes of everything packed in a zip-based file (DOCX)."""
    max_archive_entries: int = 10_000
    """Number of files packed in a zip-based file."""
    max_text_bytes: int = 50_000_000
    """UTF-8 bytes of the extracted text, all pages together."""
    max_pages: int = 20_000
    """Pages kept, real ones or those made by ``paginate``."""
    page_characters: int = 3_000
    """Longest page, in characters, for formats that have no pages of their own."""
