"""Each known form of a connection string, and what only looks like one."""

from __future__ import annotations

import pytest

from ringfence.infer.expand import expand
from ringfence.infer.names import is_host, is_own, is_secret, stem
from ringfence.manifests.clues.forms import Mention, mentions


def _plain(text: str) -> list[tuple[str, int | None]]:
    return [(one.host, one.port) for one in mentions(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("http://api", [("api", 80)]),
        ("https://api.openai.com/v1/chat?key=1", [("api.openai.com", 443)]),
        ("HTTP://API:8080", [("api", 8080)]),
        ("grpc://api:9000", [("api", 9000)]),
        ("grpc://api", [("api", None)]),
        ("dns:///api:9000", [("api", 9000)]),
        ("redis://redis:6379/0", [("redis", 6379)]),
        ("redis://:secret@redis", [("redis", 6379)]),
        ("rediss://user:secret@redis:6380/0", [("redis", 6380)]),
        ("amqp://guest:guest@rabbitmq:5672/%2f", [("rabbitmq", 5672)]),
        ("amqps://rabbitmq", [("rabbitmq", 5671)]),
        ("mongodb://u:p@m1:27017,m2:27018/db?replicaSet=rs", [("m1", 27017), ("m2", 27018)]),
        ("mongodb+srv://u:p@cluster0.abc.mongodb.net/db", [("cluster0.abc.mongodb.net", 27017)]),
        ("postgres://u:p@db/x", [("db", 5432)]),
        ("postgresql://u:p@db:5433/x?sslmode=disable", [("db", 5433)]),
        ("postgresql+asyncpg://u:p@db/x", [("db", 5432)]),
        ("mysql://u:p@mysql/x", [("mysql", 3306)]),
        ("mysql+pymysql://u:p@mysql/x", [("mysql", 3306)]),
        ("kafka://broker", [("broker", 9092)]),
        ("nats://nats:4222", [("nats", 4222)]),
        ("jdbc:postgresql://db:5432/x?user=u", [("db", 5432)]),
        ("jdbc:mysql://mysql/x", [("mysql", 3306)]),
        ("jdbc:mysql:loadbalance://m1:3306,m2:3306/x", [("m1", 3306), ("m2", 3306)]),
        ("jdbc:sqlserver://mssql:1433;databaseName=x;user=u;password=p", [("mssql", 1433)]),
        ("jdbc:sqlserver://mssql;databaseName=x", [("mssql", 1433)]),
        ("jdbc:oracle:thin:@//ora:1521/svc", [("ora", 1521)]),
        ("jdbc:oracle:thin:u/p@ora:1521:sid", [("ora", 1521)]),
        ("jdbc:oracle:thin:@ora:1521:sid", [("ora", 1521)]),
        ("r2dbc:postgresql://db/x", [("db", 5432)]),
        ("http://es1:9200,http://es2:9200", [("es1", 9200), ("es2", 9200)]),
        ("PLAINTEXT://k1:9092,SSL://k2:9093", [("k1", 9092), ("k2", 9093)]),
        ("http://[2001:db8::1]:8080/x", [("[2001:db8::1]", 8080)]),
        ("api:8080", [("api", 8080)]),
        ("k1:9092,k2:9092, k3:9092", [("k1", 9092), ("k2", 9092), ("k3", 9092)]),
        ("['k1:9092', \"k2:9092\"]", [("k1", 9092), ("k2", 9092)]),
        ("10.0.0.7:5432", [("10.0.0.7", 5432)]),
        ("u:p@tcp(mysql:3306)/x?parseTime=true", [("mysql", 3306)]),
        ("u:p@w@tcp(mysql)/x", [("mysql", 3306)]),
        ("host=db port=5432 user=u password=p dbname=x", [("db", 5432)]),
        ("user=u password=p host=db.other", [("db.other", None)]),
        ("Server=db,1433;Database=x;User Id=u;Password=p", [("db", 1433)]),
        ("Server=tcp:db.database.windows.net,1433;Database=x", [("db.database.windows.net", 1433)]),
        ("Data Source=db;Initial Catalog=x", [("db", None)]),
        ("Host=db;Port=5432;Username=u;Password=p", [("db", 5432)]),
        ("redis:6379,password=p,ssl=False", [("redis", 6379)]),
        ("redis.shop.svc", [("redis.shop.svc", None)]),
        ("see redis.shop.svc.cluster.local for it", [("redis.shop.svc.cluster.local", None)]),
        ("redis-0.redis.shop.svc.cluster.local:6379", [("redis-0.redis.shop.svc.cluster.local", 6379)]),
        ("until nc -z db 5432; do sleep 1; done", [("db", 5432)]),
        ("nc -z -w 2 db 5432", [("db", 5432)]),
        ("psql -h db -U u", [("db", 5432)]),
        ("mysql --host=mysql -P 3307 -u root", [("mysql", 3307)]),
        ("replicaof redis-master 6379", [("redis-master", 6379)]),
        ("proxy_pass http://api:8080/;", [("api", 8080)]),
    ],
)
def test_a_form_that_is_known(text: str, found: list[tuple[str, int | None]]) -> None:
    assert _plain(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3:80", "v1.2.3:80", "10:30", "12:00:00", "8080:80", "1000:1000", "api", "key: value", "alice@example.com",
        "http://", "http://{{ host }}:80", "://x", "api:99999", "api:0", "api:8080x", "api:8080@x", "300.1.2.3:80",
        "a:b:8080", "/path:80", "file:///etc/passwd", "unix:///var/run/x.sock", "max-age:", "host=db",
    ],
)  # fmt: skip
def test_what_is_no_connection(text: str) -> None:
    assert mentions(text) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:hunter2@redis:6379/0", "redis://***@redis:6379"),
        ("postgres://bob:hunter2@db/x?password=hunter2", "postgres://***@db"),
        ("mongodb://bob:hunter2@m1,m2/db", "mongodb://***@m1 m2"),
        ("http://bob:hunter2/x@db:80/y", "http://***@db:80"),
        ("http://bob:hunter2#x@db:80/y", "http://***@db:80"),
        ("http://bob:1234/hunter2@db:80/y", "http://***@db:80"),
        ("http://bob:hunter@2/hunter2@db:80/y", ""),
        ("https://bob:hunter2@db/@scope/x", "https://***@db"),
        ("amqp://bob:hun@ter2@rabbit", "amqp://***@rabbit"),
        ("bob:hunter2@tcp(mysql:3306)/x", "tcp(mysql:3306)"),
        ("bob:hunter2@db:5432", "db:5432"),
        ("host=db user=bob password=hunter2 port=5432", "host=db"),
        ("Server=db,1433;User Id=bob;Password=hunter2", "Server=db,1433"),
        ("https://hooks.slack.test/services/T0/B0/hunter2", "https://hooks.slack.test"),
        ("jdbc:oracle:thin:bob/hunter2@ora:1521:sid", "@ora:1521"),
        ("jdbc:mysql://mysql:3306/x?user=bob&password=hunter2", "jdbc:mysql://mysql:3306"),
    ],
)
def test_no_user_and_no_password_is_in_what_is_shown(text: str, shown: str) -> None:
    made = " ".join(_shown(text, one) for one in mentions(text))
    assert made == shown
    assert "hunter" not in made
    assert "bob" not in made


def _shown(text: str, one: Mention) -> str:
    if one.hidden is None:
        return text[one.start : one.end]
    return f"{text[one.start : one.hidden[0]]}***{text[one.hidden[1] : one.end]}"


@pytest.mark.parametrize(
    ("written", "text", "span", "back"),
    [
        ("http://$(HOST):80", "http://api:80", (7, 10), (7, 14)),
        ("http://$(HOST):80", "http://api:80", (0, 13), (0, 17)),
        ("http://$(HOST):80", "http://api:80", (11, 13), (15, 17)),
        ("${HOST}:$PORT", "api:8080", (0, 8), (0, 13)),
        ("${NONE:-db}:5432", "db:5432", (0, 2), (0, 11)),
        ("${NONE:db}:5432", "db:5432", (3, 7), (11, 15)),
        ("$(NONE):5432", "$(NONE):5432", (0, 7), (0, 7)),
    ],
)
def test_a_span_of_the_expanded_text_leads_back(
    written: str, text: str, span: tuple[int, int], back: tuple[int, int]
) -> None:
    found = expand(written, {"HOST": "api", "PORT": "8080"})
    assert found.text == text
    assert found.back(*span) == back


@pytest.mark.parametrize(
    "name", ["DB_HOST", "db.host", "dbHost", "--redis-addr", "BOOTSTRAP_SERVERS", "PGHOST", "X_URL"]
)
def test_a_name_that_asks_for_a_host(name: str) -> None:
    assert is_host(name)


@pytest.mark.parametrize("name", ["DB_NAME", "HOSTNAME_PREFIX", "CACHE_DRIVER", "PORT", "LOG_LEVEL", ""])
def test_a_name_that_asks_for_no_host(name: str) -> None:
    assert not is_host(name)


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "API_KEY", "TOKEN", "password", "--secret", "dbPassword", "PGPASSWORD"]
)
def test_a_name_of_something_secret(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["TOKEN_URL", "SECRET_SERVICE_URL", "proxy_pass", "KEYCLOAK_URL", ""])
def test_a_name_of_nothing_secret(name: str) -> None:
    assert not is_secret(name)


def test_settings_of_one_connection_share_a_stem() -> None:
    assert stem("REDIS_CACHE_HOST") == stem("redis.cache.port") == ("redis", "cache")
    assert stem("PGHOST") == stem("PGPORT") == ("pg",)
    assert is_own("PUBLIC_URL")
    assert not is_own("API_URL")
