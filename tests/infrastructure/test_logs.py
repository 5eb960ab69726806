"""Nothing that nobody may read gets into a log, in either format."""

import json
import logging

import pytest

from lexiflow.logs import JsonFormatter, LineFormatter

FORMATTERS = (LineFormatter("%(levelname)s %(message)s"), JsonFormatter())


def record(
    message: str, *, failure: BaseException | None = None, **fields: object
) -> logging.LogRecord:
    info = (type(failure), failure, failure.__traceback__) if failure else None
    made = logging.LogRecord("lexiflow", logging.WARNING, __file__, 1, message, (), info)
    made.request_id = "r-1"
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize(
    "message",
    [
        "Authorization: Bearer s3cr3t-value.abc",
        "{'Authorization': 'Bearer s3cr3t-value'}",
        "cannot connect to postgresql://app:s3cr3t-value@db/lexiflow",
        "redis://:s3cr3t-value@cache:6379/0 is away",
        "host=db password=s3cr3t-value dbname=x",
        '{"password": "s3cr3t-value"}',
        "{'new_password': 's3cr3t-value'}",
        "api_key=s3cr3t-value&x=1",
        "duplicate key\nDETAIL:  Key (email)=(s3cr3t-value) already exists.",
        'check\nDETAIL:  Failing row contains (1, Dear\n\nHINTS, "a", s3cr3t-value).\nHINT: none',
        "authorization: bearer s3cr3t-value.abc",
        "null value\nDETAIL:  Failing row contains (1, s3cr3t-value,\n s3cr3t-value).\n\nTraceback",
    ],
)
def test_secrets_are_hidden(formatter: logging.Formatter, message: str) -> None:
    written = formatter.format(record(message))
    assert "s3cr3t-value" not in written
    assert "[hidden]" in written


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_tracebacks_and_extra_fields_hide_theirs(formatter: logging.Formatter) -> None:
    try:
        raise ValueError("password=s3cr3t-value")
    except ValueError as error:
        made = record("failed", failure=error, address="redis://:s3cr3t-value@cache")
    written = formatter.format(made)
    assert "s3cr3t-value" not in written
    assert "ValueError" in written


def test_json_is_one_object_in_one_line_with_what_machines_ask_for() -> None:
    written = JsonFormatter().format(
        record('two\nlines "quoted"', request=object(), status_code=500)
    )
    assert "\n" not in written
    told = json.loads(written)
    assert told.pop("time")
    assert told == {
        "level": "WARNING",
        "logger": "lexiflow",
        "message": 'two\nlines "quoted"',
        "request_id": "r-1",
        "status_code": 500,
    }


def test_an_api_key_is_hidden_wherever_it_stands() -> None:
    assert LineFormatter("%(message)s").format(record("lxf_abc_DEF123 is unknown")) == (
        "[hidden] is unknown"
    )


def test_harmless_words_stay() -> None:
    text = "The token of a case has 3 parts; see https://lexiflow.example/api/v1/docs/"
    assert LineFormatter("%(message)s").format(record(text)) == text
