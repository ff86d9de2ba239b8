"""The provider's callbacks: request parameters by GET or POST; only a body that is `OK` counts as taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit


def push(
    url: str, callbacks: Sequence[Mapping[str, str]], *, method: str = "GET", connections: int = 1, timeout_s: float = 5
) -> list[bool]:
    """Make these callbacks, in order on each connection; for each, whether it was answered `OK`."""
    if method not in {"GET", "POST"}:
        raise ValueError("callbacks are made by GET or POST")
    shares = [callbacks[start::connections] for start in range(connections)]
    with ThreadPoolExecutor(connections) as pool:
        answers = list(pool.map(lambda share: _push(url, share, method, timeout_s), shares))
    took = [False] * len(callbacks)
    for start, share in enumerate(answers):
        took[start::connections] = share
    return took


def _push(url: str, callbacks: Sequence[Mapping[str, str]], method: str, timeout_s: float) -> list[bool]:
    place = urlsplit(url)
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    took = []
    with closing(kind(place.hostname or "", place.port, timeout=timeout_s)) as line:
        for fields in callbacks:
            try:
                took.append(_say(line, place.path or "/", place.query, urlencode(fields), method))
            except (OSError, HTTPException):
                line.close()
                took.append(False)
    return took


def _say(line: HTTPConnection, path: str, query: str, fields: str, method: str) -> bool:
    if method == "GET":
        line.request("GET", f"{path}?{'&'.join(filter(None, (query, fields)))}")
    else:
        target = f"{path}?{query}" if query else path
        line.request("POST", target, fields, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = line.getresponse()
    said = answer.read()
    return answer.status == 200 and said.strip() == b"OK"
