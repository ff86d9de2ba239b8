"""E-mail as bytes: headers and parts written directly, as the standard library's parser reads them back.

`email.message.EmailMessage` builds the same message in several times the time; a consortium sends thousands an hour.
RFC 5322 (headers), RFC 2047 (accents in headers), RFC 2045 and 2046 (parts).
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from functools import lru_cache

_PART = 'Content-Type: text/{}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_ENCODED_WORD_BYTES = 45
_FIRST_WORD_BYTES = 39
_PLAIN_SUBJECT_LENGTH = 66
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(" {2,}")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NOT_CLEAN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def one_line(text: str) -> str:
    """Data as one line of encodable characters: controls and line ends become a space, lone surrogates `�`."""
    if not text.isprintable():
        text = _LONE_SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", text))
    return text.strip()


@lru_cache(maxsize=64)  # a run's e-mails have a few subjects
def text_header(text: str) -> str:
    """The value of a free-text header such as Subject, folded, in ASCII."""
    text = _BLANKS.sub(" ", one_line(text))
    if text.isascii() and len(text) <= _PLAIN_SUBJECT_LENGTH and "=?" not in text:
        return text
    return _encoded_words(text)


def address_header(name: str, address: str) -> str:
    """The value of From, To or Reply-To: a name, as a reader sees it, and an ASCII address."""
    name = " ".join(one_line(name).split())
    if not name:
        return address
    if not name.isascii() or len(name) > _PLAIN_SUBJECT_LENGTH or "=?" in name:
        return f"{_encoded_words(name)}\r\n <{address}>"
    if not _ATOMS.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name}\r\n <{address}>"


def clean_text(text: str) -> str:
    """A part's text as it may leave: lines end in a line feed, no other control character, no lone surrogate."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _NOT_CLEAN.search(text) is None:
        return text
    return _LONE_SURROGATES.sub("\ufffd", _NOT_TEXT.sub("", text))


def alternative(headers: str, *, boundary: str, text: str, html: str) -> bytes:
    """A whole message: `headers` (complete lines), then the same content as plain text and as HTML, in UTF-8.

    Both are clean text (see `clean_text`).

    The parts are quoted-printable: seven-bit, readable in a log, and safe through any relay. `boundary` holds `=_`,
    which no quoted-printable line can.
    """
    start = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'
    return b"".join(
        (
            f"{headers}{start}--{boundary}\r\n{_PART.format('plain')}".encode("ascii"),
            _quoted_printable(text),
            f"\r\n--{boundary}\r\n{_PART.format('html')}".encode("ascii"),
            _quoted_printable(html),
            f"\r\n--{boundary}--\r\n".encode("ascii"),
        )
    )


def _quoted_printable(text: str) -> bytes:
    data = text.replace("\n", "\r\n").encode("utf-8")
    return binascii.b2a_qp(data, quotetabs=False, istext=True)


def _encoded_words(text: str) -> str:
    """RFC 2047: words of at most 75 characters, each whole in UTF-8, one a line of at most 76.

    A word ends at a space where it can: some readers, the standard library among them, show a blank between two.
    """
    words: list[str] = []
    chunk, size, room = "", 0, _FIRST_WORD_BYTES
    for character in text:
        width = len(character.encode())
        if size + width > room:
            cut = chunk.rfind(" ") + 1 or len(chunk)
            words.append(chunk[:cut])
            chunk, room = chunk[cut:], _ENCODED_WORD_BYTES
            size = len(chunk.encode())
        chunk += character
        size += width
    words.append(chunk)
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word.encode()).decode('ascii')}?=" for word in words)
