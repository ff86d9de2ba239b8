"""An OpenID Connect provider on this machine: discovery, authorize, token, keys, userinfo and log-out, over HTTP.

In a test: `with OidcProvider(client_id=…, client_secret=…, redirect_uri=…) as provider:`, then `provider.person` is who
sits at the browser, `provider.fault` what is wrong with the next ID tokens, and `provider.ended` who was logged out.
Tokens are signed with RS256 by joserfc; the authorization code is good once, with its PKCE verifier (RFC 7636).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

LASTS_S = 600


class Fault(StrEnum):
    """What can be wrong with an answer."""

    SIGNATURE = "signature"
    SYMMETRIC = "symmetric"
    UNSIGNED = "unsigned"
    AUDIENCE = "audience"
    AUDIENCE_BUT_AZP = "audience_but_azp"
    ISSUER = "issuer"
    NONCE = "nonce"
    NO_NONCE = "no_nonce"
    EXPIRED = "expired"
    NO_ID_TOKEN = "no_id_token"
    OTHER_SUBJECT = "other_subject"
    DENIED = "denied"
    NO_ANSWER = "no_answer"


class OidcProvider:
    """The provider, with one client."""

    def __init__(self, *, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self.client_id, self.client_secret, self.redirect_uri = client_id, client_secret, redirect_uri
        self.person: dict[str, Any] = {}
        self.fault: Fault | None = None
        self.ended: list[str] = []
        self.key = RSAKey.generate_key(2048, parameters={"kid": "k1"})
        self._foreign = RSAKey.generate_key(2048, parameters={"kid": "k1"})
        self._codes: dict[str, dict[str, Any]] = {}
        self._tokens: dict[str, dict[str, Any]] = {}
        self._server = _Server(("127.0.0.1", 0), self)
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def metadata(self) -> dict[str, Any]:
        """What discovery publishes (OpenID Connect Discovery 1.0, 3)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to; the person there is logged in already."""
        if (asked.get("client_id"), asked.get("redirect_uri")) != (self.client_id, self.redirect_uri):
            raise ValueError("another client, or another place to go back to")
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            raise ValueError("no OpenID Connect")
        back = {"state": asked["state"]}
        if self.fault is Fault.DENIED:
            back |= {"error": "access_denied", "error_description": "not today"}
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = {"person": dict(self.person), **asked}
            back |= {"code": code}
        return f"{self.redirect_uri}?{urlencode(back)}"

    def token(self, asked: dict[str, str], authorization: str) -> dict[str, Any]:
        """An access token and an ID token for a code, once. Raises ValueError."""
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":", 1)
        if list(map(unquote, given)) != [self.client_id, self.client_secret]:
            raise ValueError("invalid_client")
        of = self._codes.pop(asked.get("code", ""), None)
        if of is None or asked.get("redirect_uri") != self.redirect_uri:
            raise ValueError("invalid_grant")
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != of["code_challenge"]:
            raise ValueError("invalid_grant")
        access = secrets.token_urlsafe(16)
        self._tokens[access] = of["person"]
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": LASTS_S}
        if self.fault is not Fault.NO_ID_TOKEN:
            answer["id_token"] = self._id_token(of)
        return answer

    def _id_token(self, of: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": of["person"]["sub"],
            "aud": self.client_id,
            "iat": now,
            "exp": now + LASTS_S,
            "nonce": of.get("nonce", ""),
        }
        header: dict[str, Any] = {"alg": "RS256", "kid": "k1"}
        key: Any = self.key
        match self.fault:
            case Fault.SIGNATURE:
                key = self._foreign
            case Fault.SYMMETRIC:  # with what everybody knows, the public key, as if it were a shared secret
                header["alg"] = "HS256"
                key = OctKey.import_key(json.dumps(self.key.as_dict(private=False)))
            case Fault.UNSIGNED:
                return ".".join((_packed({"alg": "none"}), _packed(claims), ""))
            case Fault.AUDIENCE:
                claims["aud"] = "another-application"
            case Fault.AUDIENCE_BUT_AZP:
                claims |= {"aud": "another-application", "azp": self.client_id}
            case Fault.ISSUER:
                claims["iss"] = "https://elsewhere.example"
            case Fault.NONCE:
                claims["nonce"] = "of-another-log-in"
            case Fault.NO_NONCE:
                del claims["nonce"]
            case Fault.EXPIRED:
                claims |= {"iat": now - 7200, "exp": now - 3600}
        return jwt.encode(header, claims, key)

    def userinfo(self, authorization: str) -> dict[str, Any]:
        """What is known of whom a token is about. Raises KeyError."""
        person = self._tokens[authorization.removeprefix("Bearer ")]
        return person | {"sub": "somebody-else"} if self.fault is Fault.OTHER_SUBJECT else person

    def end(self, asked: dict[str, str]) -> str:
        """End the session of whom the hint names; returns where to go."""
        self.ended.append(jwt.decode(asked["id_token_hint"], self.key).claims["sub"])
        return asked["post_logout_redirect_uri"]


def _packed(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], provider: OidcProvider) -> None:
        super().__init__(address, _Handler)
        self.provider = provider


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits for the acknowledgement of its own head

    def do_GET(self) -> None:
        provider, parts = self.server.provider, urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            match parts.path:
                case "/.well-known/openid-configuration":
                    self._json(provider.metadata())
                case "/keys":
                    self._json({"keys": [provider.key.as_dict(private=False)]})
                case "/authorize":
                    self._away(provider.authorize(asked))
                case "/userinfo":
                    self._json(provider.userinfo(self.headers.get("authorization", "")))
                case "/end":
                    self._away(provider.end(asked))
                case _:
                    self._json({"error": "not_found"}, 404)
        except (KeyError, ValueError) as error:
            self._json({"error": str(error)}, 400)

    def do_POST(self) -> None:
        provider = self.server.provider
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if provider.fault is Fault.NO_ANSWER:
            self.close_connection = True
            return
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        try:
            self._json(provider.token(asked, self.headers.get("authorization", "")))
        except (KeyError, ValueError) as error:
            self._json({"error": str(error)}, 400)

    def _json(self, body: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _away(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
