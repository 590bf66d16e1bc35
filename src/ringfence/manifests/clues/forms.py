"""Known forms in which a text names whom to connect to: URLs, JDBC, host:port, DSNs. No cluster is asked.

A mention's ``start`` and ``end`` span what may be shown of it; ``hidden`` are the spans in it that may not, as they
hold a user or a password. Paths and queries are never in it: those hold tokens.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.model.ends import SCHEME_PORTS

LABEL: Final = r"[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
HOST: Final = rf"{LABEL}(?:\.{LABEL})*"
_V6: Final = r"\[[0-9A-Fa-f:.]+\]"
_BEFORE: Final = r"(?:(?<=[\s\"'`=,;(\[{|<>])|(?<=\\n)|^)"
"""What may stand before a host that nothing else announces."""

PORTS: Final = {
    **SCHEME_PORTS,
    "mongodb+srv": 27017, "nats": 4222, "memcached": 11211, "sqlserver": 1433, "oracle": 1521, "mariadb": 3306,
    "mysqlx": 33060, "clickhouse": 9000, "cassandra": 9042, "cockroachdb": 26257, "neo4j": 7687, "bolt": 7687,
    "mqtt": 1883, "mqtts": 8883, "stomp": 61613, "kafka": 9092, "pulsar": 6650, "smtp": 25, "smtps": 465, "zk": 2181,
    "etcd": 2379, "consul": 8500, "vault": 8200, "elasticsearch": 9200, "statsd": 8125, "syslog": 514, "sftp": 22,
    "rtmp": 1935, "rtsp": 554, "h2c": 80,
    **dict.fromkeys(("grpc", "grpcs", "tcp", "udp", "tls", "ssl", "dns", "passthrough", "otlp", "thrift")),
}  # fmt: skip
"""The schemes of connections, and the port that each stands for, if any."""
_WEB: Final = frozenset({"http", "https", "ws", "wss"})
_UDP: Final = frozenset({"udp", "statsd", "syslog"})
_TLS_EXTRA: Final = re.compile(
    r"\+(?:srv|ssl|tls|unix|asyncpg|psycopg2?|pymysql|mysqldb|aiomysql|pg8000|cluster|sentinel)$"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One host that a text names, with the port and the scheme as far as they are said."""

    form: str
    host: str
    start: int
    end: int
    port: int | None = None
    scheme: str | None = None
    hidden: tuple[int, int] | None = None
    srv: bool = False

    @property
    def protocol(self) -> str:
        """TCP, but for a scheme that says otherwise."""
        return "UDP" if self.scheme in _UDP else "TCP"


def mentions(text: str) -> list[Mention]:
    """Every host that *text*, one line, names in a form that cannot be mistaken for a word."""
    found = [*_urls(text)]
    taken = list(_url_spans(text))
    for read in (_go_dsns, _settings, _oracle, _host_ports, _tools, _cluster_names):
        for one in read(text):
            if not any(one.start < end and start < one.end for start, end in taken):
                found.append(one)
                taken.append((one.start, one.end))
    return sorted(found, key=lambda one: (one.start, one.end))


def is_address(host: str) -> bool:
    """Whether *host* is an address and no name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_host(host: str) -> bool:
    """Whether *host* may be a name in the DNS, or is an address: numbers with dots alone are a version."""
    return is_address(host) or (bool(re.fullmatch(HOST, host)) and not host.rpartition(".")[2].isdigit())


def port_number(text: str | None) -> int | None:
    """*text* as a port, if it is one."""
    return int(text) if text and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536 else None


# -- URLs -----------------------------------------------------------------------------------------------------------

_URL: Final = re.compile(
    r"(?<![\w+.-])(?P<scheme>(?:[A-Za-z][A-Za-z0-9+.-]*:)*[A-Za-z][A-Za-z0-9+.-]*):(?:@)?//(?P<rest>[^\s\"'`<>\\]*)"
)
_ONE: Final = re.compile(rf"(?P<host>{HOST}|{_V6})\.?(?::(?P<port>\d{{1,5}}))?")


def _url_spans(text: str) -> Iterator[tuple[int, int]]:
    for match in _URL.finditer(text):
        yield match.span()


def _urls(text: str) -> Iterator[Mention]:
    for match in _URL.finditer(text):
        # Several URLs in one list: what follows a comma begins anew.
        base, rest = match.start("rest"), match["rest"]
        words = match["scheme"].lower().split(":")
        start = match.start()
        while True:
            following = re.search(r",((?:[A-Za-z][A-Za-z0-9+.-]*:)*[A-Za-z][A-Za-z0-9+.-]*)://", rest)
            own = rest[: following.start()] if following else rest
            yield from _authority(words, own, start, base)
            if following is None:
                break
            words, start = following[1].lower().split(":"), base + following.start(1)
            base, rest = base + following.end(), rest[following.end() :]


def _authority(words: list[str], rest: str, start: int, base: int) -> Iterator[Mention]:
    """The hosts of one URL, whose part behind ``//`` is *rest* and stands at *base*."""
    form, scheme, srv = _scheme(words)
    skipped = 1 if rest.startswith("/") and scheme in ("dns", "passthrough") else 0  # dns:///host:port
    if scheme in _WEB and _is_unclear(rest):
        return
    at = max(skipped, _behind_user(scheme, rest[skipped:]) + skipped)
    hosts = re.split(r"[/?#;]", rest[at:], maxsplit=1)[0]
    hidden = (base + skipped, base + at - 1) if at > skipped else None
    place = base + at
    for piece in hosts.split(","):
        one = _ONE.fullmatch(piece.rstrip(").!}]") if not piece.startswith("[") else piece)
        if one is not None and is_host(one["host"]):
            end = place + one.end()
            first = start if place == base + at else place
            yield Mention(form, one["host"].lower(), first, end, port_number(one["port"]) or PORTS.get(scheme), scheme,
                          hidden if first == start else None, srv)  # fmt: skip
        place += len(piece) + 1


def _is_unclear(rest: str) -> bool:
    """Whether a user is named and an ``@`` stands in the path too: either may end a password, so nothing is shown."""
    authority, _, path = rest.partition("?")[0].partition("/")
    return "@" in authority and re.search(r"[^/]@", path) is not None


def _behind_user(scheme: str, rest: str) -> int:
    """Where the host begins: behind a user and a password, in which ``/``, ``?``, ``#`` and ``@`` may stand unescaped.

    More is hidden than may have been a password, and never less; a path of the web may hold an ``@``.
    """
    authority = re.split(r"[/?#;]", rest, maxsplit=1)[0]
    path = rest.partition("?")[0]
    if scheme not in _WEB and "@" in path:
        return path.rfind("@") + 1
    if "@" in authority:
        return authority.rfind("@") + 1
    user, colon, port = authority.partition(":")
    odd = colon and (not port.isdigit() or ("." not in user and rest[rest.rfind("@") - 1] != "/"))
    return rest.rfind("@") + 1 if odd and "@" in rest else 0


def _scheme(words: list[str]) -> tuple[str, str, bool]:
    """The form, the scheme that tells the port, and whether the name is one of a service record."""
    form = "JDBC" if words[0] == "jdbc" else "URL"
    names = [word for word in words if word not in ("jdbc", "r2dbc", "thin", "loadbalance", "replication", "pool")]
    scheme = names[0] if names else words[-1]
    srv = scheme.endswith("+srv")
    return form, scheme if srv else _TLS_EXTRA.sub("", scheme), srv


# -- other forms ----------------------------------------------------------------------------------------------------

_GO: Final = re.compile(rf"\b(?P<net>tcp|udp)\((?P<host>{HOST}|{_V6})(?::(?P<port>\d{{1,5}}))?\)")
_ORACLE: Final = re.compile(rf"jdbc:oracle:\w+:(?:[^@\s]*)(?P<shown>@(?P<host>{HOST}):(?P<port>\d{{1,5}}))[:/]")
_SETTING: Final = re.compile(
    rf"(?:^|(?<=[\s;\"'?&=]))(?P<key>host|hostaddr|server|data source|datasource|addr|address|network address|endpoint)"
    rf"\s*=\s*['\"]?(?:(?:tcp|np|lpc):)?(?P<host>{HOST})\.?(?P<tail>[,:](?P<port>\d{{1,5}}))?(?=[\s;,'\"&\\]|$)",
    re.IGNORECASE,
)
_SETTING_PORT: Final = re.compile(r"(?:^|(?<=[\s;\"'?&]))port\s*=\s*['\"]?(\d{1,5})(?=[\s;,'\"&\\]|$)", re.IGNORECASE)
_HOST_PORT: Final = re.compile(
    rf"{_BEFORE}(?:(?P<user>[^\s\"'@/,;=]+)@)?(?P<shown>(?P<host>{HOST}|{_V6})\.?:(?P<port>\d{{1,5}}))(?![\w@-]|[.:]\w)"
)
_CLUSTER: Final = re.compile(rf"{_BEFORE}(?P<host>{HOST}\.svc(?:\.{LABEL})*)\.?(?![\w@:-])", re.IGNORECASE)
_PAIR: Final = re.compile(
    rf"(?:^|[\s;&|(])(?P<tool>nc|ncat|netcat|telnet|replicaof|slaveof)\s+(?:-\S+\s+(?:\d+\s+)?)*(?P<host>{HOST})\s+"
    rf"(?P<port>\d{{1,5}})(?=[\s;&|)]|$)"
)
_CLIENT: Final = re.compile(
    r"\b(?P<tool>psql|pg_isready|pg_dump|mysql|mysqladmin|mysqldump|mariadb|redis-cli|mongo|mongosh|clickhouse-client)\b"
    rf"(?P<between>[^;&|\n]*?)\s(?:-h\s*|--host[= ])['\"]?(?P<host>{HOST})['\"]?(?=[\s;&|)]|$)(?P<rest>[^;&|\n]*)"
)
_CLIENT_PORT: Final = re.compile(r"(?:^|\s)(?:-p\s*|-P\s*|--port[= ])(\d{1,5})(?=\s|$)")
_CLIENT_PORTS: Final = {"psql": 5432, "pg_isready": 5432, "pg_dump": 5432, "redis-cli": 6379, "mongo": 27017,
                        "mongosh": 27017, "clickhouse-client": 9000, "replicaof": 6379}  # fmt: skip


def _go_dsns(text: str) -> Iterator[Mention]:
    """``user:password@tcp(host:3306)/database``: what stands before it is not shown."""
    for match in _GO.finditer(text):
        port = port_number(match["port"]) or (3306 if match["net"] == "tcp" else None)
        if is_host(match["host"]):
            yield Mention("DSN", match["host"].lower(), *match.span(), port, "udp" if match["net"] == "udp" else None)


def _settings(text: str) -> Iterator[Mention]:
    """``host=db port=5432 user=…`` and ``Server=db,1433;Database=…``: the host is shown, and the port beside it."""
    for match in _SETTING.finditer(text):
        port = port_number(match["port"])
        beside = _SETTING_PORT.search(text)
        if port is None and beside is not None:
            port = port_number(beside[1])
        alone = port is None and re.fullmatch(r"\s*[\w ]+=\s*\S+\s*", text) is not None
        if is_host(match["host"]) and not alone:
            end = match.end("tail" if match["tail"] else "host")
            yield Mention("DSN", match["host"].lower(), match.start("key"), end, port)


def _oracle(text: str) -> Iterator[Mention]:
    for match in _ORACLE.finditer(text):
        yield Mention("JDBC", match["host"].lower(), *match.span("shown"), port_number(match["port"]), "oracle")


def _host_ports(text: str) -> Iterator[Mention]:
    """``host:port``; with a user before it only who is resolved later counts, as it may be an address of mail."""
    for match in _HOST_PORT.finditer(text):
        port = port_number(match["port"])
        if port is not None and is_host(match["host"]):
            form = "user@host:port" if match["user"] else "host:port"
            yield Mention(form, match["host"].lower(), *match.span("shown"), port)


def _tools(text: str) -> Iterator[Mention]:
    """What well-known clients are told in a script: ``nc -z db 5432``, ``psql -h db``, ``replicaof redis 6379``."""
    for match in _PAIR.finditer(text):
        if is_host(match["host"]):
            yield Mention("command", match["host"].lower(), match.start("tool"), match.end("port"),
                          port_number(match["port"]))  # fmt: skip
    for match in _CLIENT.finditer(text):
        said = _CLIENT_PORT.search(match["between"]) or _CLIENT_PORT.search(match["rest"])
        port = port_number(said[1]) if said else _CLIENT_PORTS.get(match["tool"], 3306)
        if is_host(match["host"]):
            yield Mention("command", match["host"].lower(), match.start("host"), match.end("host"), port)


def _cluster_names(text: str) -> Iterator[Mention]:
    """A name that only the cluster's own DNS has."""
    for match in _CLUSTER.finditer(text):
        yield Mention("name.svc", match["host"].lower(), *match.span("host"))
