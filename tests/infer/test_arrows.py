"""From what a program is told to arrows: whom a name means, on which port, and how sure that is."""

from __future__ import annotations

from typing import Any

import pytest

from infer.drafts import MOUNTED, SHOP, arrows, config, draft, guesses, program, told


@pytest.mark.parametrize(
    ("env", "found"),
    [
        ({"API_URL": "http://api:8080/v1"}, ["shop/api:8080 high"]),
        ({"ANYTHING": "http://api:8080/v1"}, ["shop/api:8080 high"]),
        ({"DATABASE_URL": "postgres://u:p@db/x"}, ["shop/db:5432 high"]),
        ({"DATABASE_URL": "postgres://u:p@db.other/x"}, ["other/db:5432 high"]),
        ({"DATABASE_URL": "postgres://u:p@db.other.svc/x"}, ["other/db:5432 high"]),
        ({"DATABASE_URL": "postgres://u:p@db.other.svc.cluster.local./x"}, ["other/db:5432 high"]),
        ({"JDBC": "jdbc:mysql://mysql/x"}, ["shop/mysql:3306 high"]),
        ({"DSN": "u:p@tcp(mysql:3306)/x"}, ["shop/mysql:3306 high"]),
        ({"DSN": "host=db port=5432 user=u"}, ["shop/db:5432 high"]),
        ({"DB_HOST": "db"}, ["shop/db:5432 high"]),
        ({"DB_HOST": "db", "DB_PORT": "5432"}, ["shop/db:5432 high"]),
        ({"DB_PORT": "5432", "DB_HOST": "db.other"}, ["other/db:5432 high"]),
        ({"PGHOST": "db", "PGPORT": "5432"}, ["shop/db:5432 high"]),
        ({"API_ADDR": "api:8080"}, ["shop/api:8080 high"]),
        ({"API_SERVICE": "api"}, ["shop/api:8080 high"]),
        ({"SERVERS": "api:8080,db:5432"}, ["shop/api:8080 high", "shop/db:5432 high"]),
        ({"MANY_ADDR": "many:9000"}, ["shop/many:9000 high"]),
        ({"MANY_URL": "http://many"}, ["shop/many:80 high"]),
        ({"MANY_URL": "grpc://many"}, ["shop/many:9000 high"]),
        ({"STATSD_ADDR": "many:8125"}, ["shop/many:8125/UDP high"]),
        ({"STATSD_URL": "udp://many:8125"}, ["shop/many:8125/UDP high"]),
        ({"MANY_HOST": "many"}, ["shop/many:80 medium", "shop/many:8125/UDP medium", "shop/many:9000 medium"]),
        ({"API": "redis.shop.svc:6379"}, ["shop/redis:6379 high"]),
        ({"REDIS": "redis-0.redis:6379"}, ["shop/redis:6379 high"]),
        ({"REDIS": "redis-2.redis.shop.svc.cluster.local:6379"}, ["shop/redis:6379 high"]),
        ({"REDIS": "redis:6380"}, ["shop/redis:6380 high"]),
        ({"H": "db", "DB_URL": "postgres://u:p@$(H):5432/x"}, ["shop/db:5432 high"]),
        ({"API_URL": "http://$(API_SERVICE_HOST):$(API_SERVICE_PORT)"}, ["shop/api:8080 high"]),
        ({"EXTERNAL_API_URL": "https://api.openai.com/v1"}, []),
        ({"API_URL": "https://api.openai.com/v1"}, ["https://api.openai.com medium"]),
        ({"API_URL": "https://api.openai.com:8443"}, ["https://api.openai.com:8443 medium"]),
        ({"API_URL": "grpc://api.openai.com:8443"}, ["api.openai.com:8443 medium"]),
        ({"SMTP_HOST": "smtp.mail.test-shop.io", "SMTP_PORT": "587"}, ["smtp.mail.test-shop.io:587 medium"]),
        ({"DB_URL": "postgres://u:p@203.0.113.7/x"}, ["203.0.113.7:5432 medium"]),
        ({"DB_URL": "postgres://u:p@[2001:db8::1]/x"}, ["[2001:db8::1]:5432 medium"]),
    ],
)  # fmt: skip
def test_a_variable_that_names_somebody(env: dict[str, Any], found: list[str]) -> None:
    assert arrows(told(env)) == found


@pytest.mark.parametrize(
    ("env", "found"),
    [
        ({"SESSIONS": "redis"}, ["shop/redis:6379 low"]),
        ({"SMTP_HOST": "smtp.mail.test-shop.io"}, ["smtp.mail.test-shop.io low"]),
        ({"PUBLIC_URL": "https://shop.test-shop.io"}, ["https://shop.test-shop.io low"]),
        ({"MONGO_URL": "mongodb+srv://u:p@c.mongodb.net/x"}, ["c.mongodb.net:27017 low"]),
    ],
)
def test_a_guess_is_low_and_no_arrow(env: dict[str, Any], found: list[str]) -> None:
    made = told(env)
    assert arrows(made) == []
    assert guesses(made) == found


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (["--db=db:5432"], ["shop/db:5432 high"]),
        (["--db-host=db"], ["shop/db:5432 high"]),
        (["--db-host", "db"], ["shop/db:5432 high"]),
        (["--db-host", "db", "--db-port", "5432"], ["shop/db:5432 high"]),
        (["-apiAddr", "api:8080"], ["shop/api:8080 high"]),
        (["http://api:8080"], ["shop/api:8080 high"]),
        (["-c", "until nc -z db 5432; do sleep 1; done\nexec web --api http://api:8080  # db:1"],
         ["shop/api:8080 high", "shop/db:5432 medium"]),
        (["-c", "# http://api:8080 is not used\nexec web"], []),
        (["--dsn", "password=p user=u host=db port=5432"], ["shop/db:5432 high"]),
        (["-c", "PASSWORD=p web --api http://api:8080"], ["shop/api:8080 high"]),
        (["--db=$(WHERE):5432"], ["shop/db:5432 high"]),
        (["-c", "web --db ${WHERE}:5432"], ["shop/db:5432 high"]),
    ],
)  # fmt: skip
def test_an_argument_that_names_somebody(args: list[str], found: list[str]) -> None:
    made = draft(SHOP, program({"WHERE": "db"}, args=args))
    assert arrows(made) == found
    assert arrows(draft(SHOP, program({"WHERE": "db"}, command=args))) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("db:\n  host: db\n  port: 5432\n", ["shop/db:5432 high"]),
        ("spring.datasource.url=jdbc:postgresql://db:5432/x\n", ["shop/db:5432 high"]),
        ("spring.redis.host=redis\nspring.redis.port=6379\n", ["shop/redis:6379 high"]),
        ('{"api": {"url": "http://api:8080"}}', ["shop/api:8080 high"]),
        ("server {\n  location / {\n    proxy_pass http://api:8080;\n  }\n}\n", ["shop/api:8080 high"]),
        ("upstream api {\n  server api:8080 max_fails=3;\n}\n", ["shop/api:8080 high"]),
        ("targets: ['api:8080', 'db:5432']\n", ["shop/api:8080 high", "shop/db:5432 high"]),
        ("host: db\n", ["shop/db:5432 medium"]),
        ("brokers:\n  - api:8080\n  - 'db:5432'\n", ["shop/api:8080 high", "shop/db:5432 high"]),
        ("url: ${API_URL:http://api:8080}\n", ["shop/api:8080 high"]),
        ("# url: http://api:8080\n; db:5432\n// api:8080\n", []),
        ("level: debug # see http://api:8080\n", []),
        ("name: db\n", []),
        ('<beans xmlns="http://www.springframework.org/schema/beans">\n', []),
        ("see https://docs.shop-site.io/x\n", []),
        ("endpoint: https://api.openai.com\n", ["https://api.openai.com medium"]),
    ],
)
def test_a_line_of_a_mounted_file(text: str, found: list[str]) -> None:
    assert arrows(draft(SHOP, config({"app.conf": text}), program(**MOUNTED))) == found


def test_values_come_from_config_maps_too() -> None:
    settings = config({"API_URL": "http://api:8080", "db": "db:5432"})
    by_key = {"DB_ADDR": {"configMapKeyRef": {"name": "settings", "key": "db"}}}
    assert arrows(draft(SHOP, settings, program(by_key))) == ["shop/db:5432 high"]
    whole = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
    assert arrows(draft(SHOP, settings, program(container=whole))) == ["shop/api:8080 high", "shop/db:5432 high"]
    again = {"envFrom": [{"prefix": "X_", "configMapRef": {"name": "settings"}}],
             "env": [{"name": "X_API_URL", "value": "none"}]}  # fmt: skip
    assert arrows(draft(SHOP, settings, program(container=again))) == ["shop/db:5432 high"]


def test_a_volume_that_no_container_mounts_is_less_sure() -> None:
    volume = {"volumes": [{"name": "settings", "configMap": {"name": "settings"}}]}
    made = draft(SHOP, config({"a": "api:8080"}), program(spec=volume))
    assert arrows(made) == ["shop/api:8080 medium"]
    projected = {"volumes": [{"name": "s", "projected": {"sources": [{"configMap": {"name": "settings"}}]}}]}
    assert arrows(draft(SHOP, config({"a": "api:8080"}), program(spec=projected))) == ["shop/api:8080 medium"]
    chosen = {"volumes": [{"name": "s", "configMap": {"name": "settings", "items": [{"key": "b", "path": "b"}]}}]}
    assert arrows(draft(SHOP, config({"a": "api:8080", "b": "db:5432"}), program(spec=chosen))) == [
        "shop/db:5432 medium"
    ]


def test_init_containers_and_other_kinds_are_read() -> None:
    init = {"initContainers": [{"name": "wait", "env": [{"name": "DB_HOST", "value": "db"}]}]}
    assert arrows(draft(SHOP, program(spec=init))) == ["shop/db:5432 high"]
    job = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: shop}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, env: [{name: DB_HOST, value: db}]}]}}}}}
"""
    assert arrows(draft(SHOP, job), src="shop/report") == ["shop/db:5432 high"]
    rollout = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: next, namespace: shop}
spec: {template: {metadata: {labels: {app: next}}, spec: {containers: [{name: c, args: ["--db=db:5432"]}]}}}
"""
    assert arrows(draft(SHOP, rollout), src="shop/next") == ["shop/db:5432 high"]


def test_live_pods_of_an_owner_that_is_not_there_say_it_once() -> None:
    pod = """
apiVersion: v1
kind: Pod
metadata:
  {name: web-NUMBER, namespace: shop, labels: {app: web}, ownerReferences: [{kind: StatefulSet, name: web}]}
spec: {containers: [{name: c, env: [{name: DB_HOST, value: db}]}]}
"""
    made = draft(SHOP, pod.replace("NUMBER", "0"), pod.replace("NUMBER", "1"))
    assert arrows(made) == ["shop/db:5432 high"]
    assert len(next(one for one in made.arrows if str(one.arrow.src) == "shop/web").evidence) == 1


def test_several_places_make_one_arrow_and_the_surest_is_first() -> None:
    made = told({"STATE": "db", "DB_HOST": "db", "DB_URL": "postgres://db"})
    (one,) = [one for one in made.arrows if str(one.arrow.src) == "shop/web"]
    assert (str(one.confidence), one.reason) == ("high", "")
    assert [place.name for place in one.evidence] == ["DB_HOST", "STATE", "DB_URL"]


def test_another_name_for_a_host_outside() -> None:
    alias = """
apiVersion: v1
kind: Service
metadata: {name: pay, namespace: shop}
spec: {type: ExternalName, externalName: pay.bank.io}
"""
    assert arrows(draft(SHOP, alias, program({"PAY_URL": "https://pay"}))) == ["https://pay.bank.io medium"]
    inside = alias.replace("pay.bank.io", "db.other.svc.cluster.local")
    assert arrows(draft(SHOP, inside, program({"DB_URL": "postgres://pay"}))) == ["other/db:5432 high"]


def test_a_name_with_two_readings_is_written_with_its_kind() -> None:
    service = """
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {selector: {app: front}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: shop}
spec: {template: {metadata: {labels: {app: front}}, spec: {containers: [{name: c}]}}}
"""
    assert arrows(draft(SHOP, service, program({"FRONT_URL": "http://front"}))) == ["shop/svc/front:80 high"]


def test_peers_of_one_stateful_set_are_an_arrow_to_itself() -> None:
    redis = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: redis, namespace: shop}
spec:
  replicas: 3
  serviceName: redis
  template:
    metadata: {labels: {app: redis}}
    spec: {containers: [{name: c, env: [{name: PEERS, value: "redis-0.redis:6379,redis-1.redis:6379"}]}]}
"""
    before, _, _ = SHOP.rpartition("---")
    assert arrows(draft(before, redis), src="shop/redis") == ["shop/redis:6379 medium"]


def test_a_program_on_the_nodes_network_has_no_sure_arrow() -> None:
    made = draft(SHOP, program({"DB_HOST": "db"}, spec={"hostNetwork": True}))
    assert (arrows(made), guesses(made)) == ([], ["shop/db:5432 low"])


@pytest.mark.parametrize(
    ("env", "name", "why"),
    [
        ({"CACHE_HOST": "memcached"}, "shop/memcached", "no such Service in the input"),
        ({"CACHE_URL": "http://memcached:80"}, "shop/memcached", "no such Service in the input"),
        ({"CACHE": "cache.nowhere.svc:80"}, "nowhere/cache", "the input has nothing of namespace nowhere"),
        ({"CACHE": "cache.other:80"}, "other/cache", "no such Service in the input"),
        ({"API_ADDR": "api-server:8080"}, "shop/api-server", "Deployment shop/api-server has no Service of its name"),
        ({"API_ADDR": "api:81"}, "shop/api", "Service shop/api has no port 81 (it has: 8080)"),
        ({"API_URL": "http://api"}, "shop/api", "Service shop/api has no port 80 (it has: 8080)"),
    ],
)
def test_what_is_called_and_does_not_exist(env: dict[str, Any], name: str, why: str) -> None:
    made = told(env)
    assert arrows(made) == []
    (one,) = made.missing
    assert (one.owner, one.name) == ("shop/web[Deployment]", name)
    assert why in one.why


def test_a_workload_without_a_service_is_a_guess() -> None:
    made = told({"API_ADDR": "api-server:8080"})
    assert guesses(made) == ["shop/api-server:8080 low"]
    own = draft(SHOP.replace("{name: web,", "{name: other,"), program({"SELF_ADDR": "web:8080"}))
    assert (arrows(own), guesses(own), own.missing) == ([], [], ())


def test_what_listens_and_nobody_calls() -> None:
    made = told({"API_URL": "http://api:8080"})
    assert [one.workload for one in made.uncalled] == [
        "other/store[Deployment]", "shop/redis[StatefulSet]", "shop/store[Deployment]", "shop/web[Deployment]",
    ]  # fmt: skip
    assert made.uncalled[2].ports == ("svc/db:5432", "svc/mysql:3306")
