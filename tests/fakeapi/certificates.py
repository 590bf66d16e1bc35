"""Certificates of a throwaway authority, made here so that no program and no key in the repository is needed.

Only what a test needs: P-256 keys, ECDSA with SHA-256, version 3 certificates. Nothing here keeps a secret.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None


def _add(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % _P == 0:
        return None
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, _P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, _P)
    x = (slope * slope - a[0] - b[0]) % _P
    return x, (slope * (a[0] - x) - a[1]) % _P


def _times(number: int, point: Point) -> Point:
    found: Point = None
    while number:
        if number & 1:
            found = _add(found, point)
        point = _add(point, point)
        number >>= 1
    return found


# -- DER ------------------------------------------------------------------------------------------------------------


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def _integer(number: int) -> bytes:
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _oid(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    found = bytearray([first * 40 + second])
    for part in rest:
        seven = [part & 0x7F]
        while part := part >> 7:
            seven.append(part & 0x7F | 0x80)
        found += bytes(reversed(seven))
    return _der(6, bytes(found))


def _bits(data: bytes) -> bytes:
    return _der(3, b"\0", data)


def _name(common: str, organizations: Sequence[str] = ()) -> bytes:
    parts = [("2.5.4.10", one) for one in organizations] + [("2.5.4.3", common)]
    return _der(0x30, *(_der(0x31, _der(0x30, _oid(oid), _der(0x0C, text.encode()))) for oid, text in parts))


def _time(moment: datetime.datetime) -> bytes:
    return _der(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return _der(0x30, _oid(oid), *([_der(1, b"\xff")] if critical else []), _der(4, value))


_ECDSA: Final = _der(0x30, _oid("1.2.840.10045.4.3.2"))
_CURVE: Final = _oid("1.2.840.10045.3.1.7")


def _pem(what: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {what}-----\n{lines}\n-----END {what}-----\n"


# -- keys and certificates ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    secret: int
    public: bytes

    @classmethod
    def new(cls) -> Key:
        secret = secrets.randbelow(_N - 1) + 1
        point = _times(secret, _G)
        assert point is not None
        return cls(secret, b"\4" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big"))

    def pem(self) -> str:
        inner = _der(0x30, _integer(1), _der(4, self.secret.to_bytes(32, "big")), _der(0xA0, _CURVE),
                     _der(0xA1, _bits(self.public)))  # fmt: skip
        return _pem("EC PRIVATE KEY", inner)

    def info(self) -> bytes:
        return _der(0x30, _der(0x30, _oid("1.2.840.10045.2.1"), _CURVE), _bits(self.public))

    def identifier(self) -> bytes:
        return hashlib.sha1(self.public, usedforsecurity=False).digest()

    def sign(self, data: bytes) -> bytes:
        digest = int.from_bytes(hashlib.sha256(data).digest(), "big")
        while True:
            once = secrets.randbelow(_N - 1) + 1
            point = _times(once, _G)
            assert point is not None
            r = point[0] % _N
            s = pow(once, -1, _N) * (digest + r * self.secret) % _N
            if r and s:
                return _der(0x30, _integer(r), _integer(s))


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


class Authority:
    """Signs certificates for servers and clients."""

    def __init__(self, name: str = "throwaway authority") -> None:
        self.name = _name(name)
        self.key = Key.new()
        self.certificate = self._make(self.name, self.key, authority=True)

    def server(self, *names: str) -> Pair:
        alternatives = []
        for one in names:
            try:
                alternatives.append(_der(0x87, ipaddress.ip_address(one).packed))
            except ValueError:
                alternatives.append(_der(0x82, one.encode()))
        key = Key.new()
        made = self._make(_name("fake-apiserver"), key, [
            _extension("2.5.29.37", _der(0x30, _oid("1.3.6.1.5.5.7.3.1"))),
            _extension("2.5.29.17", _der(0x30, *alternatives)),
        ])  # fmt: skip
        return Pair(made, key.pem())

    def client(self, user: str, *groups: str, days: int = 1) -> Pair:
        key = Key.new()
        use = _extension("2.5.29.37", _der(0x30, _oid("1.3.6.1.5.5.7.3.2")))
        return Pair(self._make(_name(user, groups), key, [use], days=days), key.pem())

    def _make(
        self, subject: bytes, key: Key, extensions: Sequence[bytes] = (), *, authority: bool = False, days: int = 1
    ) -> str:
        now = datetime.datetime.now(datetime.UTC)
        always = [
            _extension("2.5.29.14", _der(4, key.identifier())),
            _extension("2.5.29.35", _der(0x30, _der(0x80, self.key.identifier()))),
            _extension("2.5.29.19", _der(0x30, *([_der(1, b"\xff")] if authority else [])), critical=True),
            _extension("2.5.29.15", _der(3, b"\1\6" if authority else b"\7\x80"), critical=True),
        ]
        body = _der(
            0x30, _der(0xA0, _integer(2)), _integer(secrets.randbits(64) | 1), _ECDSA, self.name,
            _der(0x30, _time(now - datetime.timedelta(days=2)), _time(now + datetime.timedelta(days=days))),
            subject, key.info(), _der(0xA3, _der(0x30, *always, *extensions)),
        )  # fmt: skip
        return _pem("CERTIFICATE", _der(0x30, body, _ECDSA, _bits(self.key.sign(body))))
