"""What the name of a setting tells: that its value is a host, a port, a secret, or something else that looks alike."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_JOINED: Final = re.compile(
    r"^(pg|db|sql|mysql|redis|mongo|amqp|rabbitmq|kafka|smtp|http|proxy)"
    r"(host|hostaddr|hostname|hosts|port|url|uri|addr|server|servers|user|password|passwd|pass)$"
)
"""Two words that are often written as one: ``PGHOST``."""
_PLAIN: Final = re.compile(r"[a-z]+")
_HOSTS: Final = frozenset(
    _PLAIN.findall(
        "host hosts hostname hostnames addr addrs address addresses service services svc url urls uri uris endpoint "
        "endpoints server servers broker brokers upstream upstreams dsn target targets peer peers seed seeds backend "
        "backends contactpoints connectionstring proxy jdbcurl"
    )
)
_SECRET: Final = frozenset(
    _PLAIN.findall(
        "password passwd passphrase pass pwd secret secrets token tokens key keys apikey credential credentials cert "
        "certificate salt cookie jwt license signature"
    )
)
_SURE: Final = frozenset({"password", "passwd", "secret", "passphrase"})
_PASSING: Final = frozenset({"proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached"})
"""What stands before ``_pass`` in a web server's file, where it is no password."""
_OTHER: Final = frozenset(
    _PLAIN.findall(
        "driver type engine kind dialect connection database db dbname schema user username name role mode namespace "
        "label group image tag version topic queue bucket prefix suffix protocol scheme provider store adapter "
        "class path"
    )
)
_OWN: Final = frozenset(
    _PLAIN.findall(
        "listen bind public external advertised advertise redirect callback origin origins cors base root issuer "
        "audience self homepage docs site canonical"
    )
)


def words(name: str) -> list[str]:
    """The words of *name* in small letters, whatever joins them: ``DB_HOST``, ``db.host``, ``dbHost``."""
    return [part for word in _WORD.findall(name) for part in _JOINED.sub(r"\1 \2", word.lower()).split()]


def is_secret(name: str) -> bool:
    """Whether the value is one that nobody else should see: a password, a token."""
    found = words(name)
    if not found or (found[-1] == "pass" and found[0] in _PASSING):
        return False
    return found[-1] in _SECRET or (found[-1] not in _HOSTS and bool(_SURE & set(found)))


def is_host(name: str) -> bool:
    """Whether the value should be a host, as in ``DB_HOST``, ``cart.addr``, ``BOOTSTRAP_SERVERS``."""
    found = [word for word in words(name) if not word.isdigit()]
    return bool(found) and found[-1] in _HOSTS


def is_something_else(name: str) -> bool:
    """Whether the value is a word that may look like a host and is none: a driver, a database, a user."""
    found = words(name)
    return bool(found) and found[-1] in _OTHER


def is_image(name: str) -> bool:
    """Whether the value is the name of an image, whose tag looks like a port."""
    found = words(name)
    return bool({"image", "images"} & set(found)) and found[-1] not in _HOSTS


def is_own(name: str) -> bool:
    """Whether the value tends to be the program's own address: where it listens, or how others see it."""
    return bool(_OWN & set(words(name)))


def stem(name: str) -> tuple[str, ...]:
    """What settings of one connection share: ``DB_HOST`` and ``DB_PORT`` both have ``db``."""
    found = words(name)
    while found and (found[-1] in _HOSTS or found[-1] == "port"):
        found.pop()
    return tuple(found)


def is_port(name: str) -> bool:
    """Whether the value is a port."""
    found = words(name)
    return bool(found) and found[-1] == "port"
