"""Bytes to text that is safe everywhere: a known encoding, no byte order mark, no NUL, no lone surrogate."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What no XML, JSON, or Arrow string may hold, or what would break Label Studio's page.
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_UNDECODED = re.compile("[\udc80-\udcff]")


class NotText(ValueError):
    """The bytes are no text in a known encoding; its text says why and what to do, as a clause."""


def encoding_of(start: bytes) -> str:
    """The encoding that the first four bytes tell: a byte order mark's, or UTF-8."""
    return next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")


def decode(data: bytes, encoding: str | None = None) -> str:
    """The text of `data`, as its byte order mark (or `encoding`, or else UTF-8) says; nothing is guessed.

    Raises NotText with the first bad byte and its offset, or for a binary file.
    """
    encoding = encoding or encoding_of(data)
    try:
        # A surrogate that some tool wrote as three bytes is let through here and replaced in `clean`.
        text = data.decode(encoding, "surrogatepass" if encoding.startswith("utf") else "strict")
    except UnicodeDecodeError as error:
        if _looks_binary(data[:4096].decode("latin-1")):
            raise NotText(
                "is a binary file, not text: give its text as .txt, .html, .csv or .jsonl"
            ) from None
        where = f"byte 0x{data[error.start]:02x} at offset {error.start} is not {_spoken(encoding)}"
        raise NotText(f"{where}: {HOW_TO_CONVERT}") from None
    if _looks_binary(text[:4096]):
        if text[1:4000:2].strip("\x00") == "" or text[0:4000:2].strip("\x00") == "":
            raise NotText("looks like UTF-16 without a byte order mark: " + HOW_TO_CONVERT)
        raise NotText("is a binary file, not text: give its text as .txt, .html, .csv or .jsonl")
    return text


HOW_TO_CONVERT = "convert it to UTF-8 first, for example `iconv -f WINDOWS-1252 -t UTF-8 old > new`"


def undecoded_byte(text: str) -> int | None:
    """The first byte that `surrogateescape` let through where the text was read in pieces, or None."""
    found = _UNDECODED.search(text)
    return ord(found.group()) - 0xDC00 if found else None


def clean(text: str) -> tuple[str, int]:
    """The text with each NUL and lone surrogate replaced by U+FFFD, and how many there were.

    One code point takes the place of one, so no offset moves.
    """
    return _UNSAFE.subn("\ufffd", text)


def _looks_binary(text: str) -> bool:
    """Control characters in more than a tenth of it; a stray NUL does not make a text binary."""
    return len(_CONTROL.findall(text)) * 10 > len(text)


def _spoken(encoding: str) -> str:
    return {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16"}.get(encoding, encoding)
