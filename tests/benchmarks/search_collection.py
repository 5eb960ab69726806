"""Real documents to measure a search on: contracts, their sections, and cases of the Supreme Court.

They are read where they lie, `LEXIFLOW_BENCH_DATA` (`../shared/data` beside the project if it is
not set), and are never copied into the project. Everything is in a fixed order.
"""

import csv
import os
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

DATA = Path(
    os.environ.get("LEXIFLOW_BENCH_DATA", Path(__file__).parents[3] / "shared" / "data")
).resolve()
_PAGE = 3_000
_SECTION = 3_600
_HEADING = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Text:
    """A document to be found. key: what a question names it by; facts: for making questions."""

    key: str
    title: str
    text: str
    facts: dict[str, str] = field(default_factory=dict)

    def pages(self) -> list[str]:
        """The text in pages of about 3,000 characters, cut between words."""
        return pieces(self.text, _PAGE)


def is_there() -> bool:
    return (DATA / "contracts" / "contracts.csv").is_file()


def pieces(text: str, length: int) -> list[str]:
    """`text` cut between words into pieces of at most `length` characters."""
    cuts = [0]
    while len(text) - cuts[-1] > length:
        blank = text.rfind(" ", cuts[-1] + length // 2, cuts[-1] + length)
        cuts.append(cuts[-1] + length if blank < 0 else blank)
    return [text[start:end] for start, end in pairwise([*cuts, len(text)])]


def contracts() -> list[Text]:
    """Whole contracts, with the facts that lawyers have noted about them."""
    with (DATA / "contracts" / "contracts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Text(
            key=row["txt_file"],
            title=row["title"],
            text=_read(DATA / "contracts" / "txt" / row["txt_file"]),
            facts=row,
        )
        for row in rows
    ]


def sections(of: list[Text]) -> list[Text]:
    """Each contract in parts that begin where a paragraph does: many documents, much alike."""
    made = []
    for contract in of:
        paragraphs, part = _HEADING.split(contract.text), ""
        parts = []
        for paragraph in paragraphs:
            if part and len(part) + len(paragraph) > _SECTION:
                parts.append(part)
                part = ""
            part += "\n\n" + paragraph
        parts.append(part)
        cut = [piece for part in parts for piece in pieces(part, 2 * _SECTION)]
        made += [
            Text(f"{contract.key}#{number}", f"{contract.title}, part {number}", piece)
            for number, piece in enumerate(cut, start=1)
            if len(piece.split()) >= 80
        ]
    return made


def rulings() -> list[Text]:
    """What is noted of each case, as a short document."""
    with (DATA / "cases" / "scotus_cases.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Text(
            key=f"case {number}",
            title=row["case_name"],
            text=(
                f"{row['case_name']}, {row['citation']}. No. {row['docket_number']}.\n"
                f"{row['petitioner']}, petitioner; {row['respondent']}, respondent.\n"
                f"On appeal from the {row['lower_court'] or 'court below'}. Argued"
                f" {row['argued_on']}; decided {row['decided_on']} by the {row['decided_by']}."
            ),
            facts=row,
        )
        for number, row in enumerate(rows)
    ]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").replace("\0", " ")
