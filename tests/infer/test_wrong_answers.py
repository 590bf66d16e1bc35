"""Answers that are known to be wrong, each by its name."""

from __future__ import annotations

from typing import Any

import pytest

from infer.drafts import MOUNTED, SHOP, arrows, config, draft, guesses, program, told
from ringfence.infer.nouns import Draft


def _nothing(found: Draft) -> None:
    assert arrows(found) == []
    assert guesses(found) == []
    assert found.missing == ()


@pytest.mark.parametrize(
    "value", ["api-gateway", "my-api", "apis", "the api is up", "dbname", "redis-cache.example.com"]
)
def test_a_service_name_inside_another_word(value: str) -> None:
    _nothing(told({"NOTE": value}))


def test_a_service_name_inside_another_word_of_a_list() -> None:
    _nothing(told({"FEATURES": "api-v2,db-migrations,redis-sessions"}))


def test_a_host_in_a_comment_of_the_manifest() -> None:
    text = program().replace('"image"', '\n# API_URL=http://api:8080\n"image"')
    _nothing(draft(SHOP, f"# http://api:8080\n{text}"))


def test_a_host_in_a_comment_of_a_file() -> None:
    _nothing(
        draft(
            SHOP, config({"f": "# http://api:8080\n  // api:8080\n; api:8080\na: 1 # api:8080\n"}), program(**MOUNTED)
        )
    )


def test_a_host_in_a_label_or_an_annotation() -> None:
    text = program(annotations={"upstream": "http://api:8080"}).replace('"app": "web"', '"app": "web", "calls": "api"')
    _nothing(draft(SHOP, text))


@pytest.mark.parametrize(
    "value",
    ["http://localhost:8080", "127.0.0.1:8080", "0.0.0.0:8080", "http://[::1]:80", "a.localhost:80", "127.0.0.53:53"],
)
def test_the_program_itself(value: str) -> None:
    _nothing(told({"API_URL": value}))


@pytest.mark.parametrize("env", [{"WEB_URL": "http://web"}, {"SERVICE_HOST": "web.shop.svc"}, {"ADVERTISED": "web:80"}])
def test_its_own_service(env: dict[str, Any]) -> None:
    _nothing(told(env))


@pytest.mark.parametrize(
    ("env", "container"),
    [
        ({}, {"image": "redis:6379"}),
        ({"SIDECAR_IMAGE": "redis:6379"}, {}),
        ({"SIDECAR_IMAGE": "redis"}, {}),
        ({"SIDECAR_IMAGE": "registry.shop-site.io/redis:7"}, {}),
    ],
)
def test_the_name_of_an_image(env: dict[str, Any], container: dict[str, Any]) -> None:
    _nothing(draft(SHOP, program(env, container=container)))


@pytest.mark.parametrize("value", ["1.2.3:80", "v1.2.3", "2.0", "1.2.3-redis:80", "v1.2.3:80"])
def test_a_version(value: str) -> None:
    _nothing(told({"API_VERSION": value, "RELEASE": value}))


@pytest.mark.parametrize(
    "value", ["ops@db", "ops@api.shop-site.io", "Ops <ops@api>", "mailto:ops@db", "ops@smtp.shop-site.io:25"]
)
def test_an_address_of_mail(value: str) -> None:
    _nothing(told({"CONTACT": value}))


@pytest.mark.parametrize(
    "env",
    [
        {"CACHE_DRIVER": "redis"}, {"DB_CONNECTION": "mysql"}, {"DB_TYPE": "mysql"}, {"DB_NAME": "api"},
        {"MYSQL_DATABASE": "db"}, {"MYSQL_USER": "api"}, {"SPRING_PROFILE_NAME": "mysql"}, {"OTEL_SERVICE_NAME": "api"},
    ],
)  # fmt: skip
def test_a_driver_a_database_or_a_user_that_is_called_as_a_service_is(env: dict[str, Any]) -> None:
    _nothing(told(env))


@pytest.mark.parametrize("name", ["DB_PASSWORD", "API_TOKEN", "ADMIN_SECRET", "SIGNING_KEY", "PGPASSWORD"])
def test_a_password_is_never_taken_for_a_host(name: str) -> None:
    _nothing(told({name: "api:8080"}))


@pytest.mark.parametrize("args", [["--password=admin:1234"], ["--password", "api:8080"], ["-c", "TOKEN=api:8080 web"]])
def test_a_password_in_arguments_is_never_taken_for_a_host(args: list[str]) -> None:
    _nothing(draft(SHOP, program(args=args)))


@pytest.mark.parametrize(
    "args", [["-c", "exec web # http://api:8080"], ["-c", "server api"], ["--note", "ask the server api"]]
)
def test_words_in_a_script_are_no_hosts(args: list[str]) -> None:
    _nothing(draft(SHOP, program(args=args)))


@pytest.mark.parametrize(
    "line", ["server api", "upstream api {", "the target is db", "user api;", "server_name api;", "host db"]
)
def test_words_in_a_file_are_no_hosts(line: str) -> None:
    _nothing(draft(SHOP, config({"f": line}), program(**MOUNTED)))


def test_a_group_of_receivers() -> None:
    _nothing(told({"CLUSTER_ADDR": "239.1.1.1:5000"}))


def test_a_pair_of_user_and_password_is_not_reported_as_missing() -> None:
    _nothing(told({"BASIC_AUTH": "admin:1234", "USERS": "admin:1234,bob:5678"}))


def test_a_path_or_a_file() -> None:
    _nothing(
        told({"FILE": "/etc/api:8080", "CONF": "db.conf:12", "SOCK": "unix:///run/db.sock", "D": "file:///api:80"})
    )


def test_hosts_of_examples_and_of_schemas() -> None:
    _nothing(
        told({"A_URL": "https://example.com", "B_URL": "http://www.w3.org/2001/XMLSchema", "C_URL": "http://x.test"})
    )


def test_a_name_of_the_own_namespace_is_not_looked_for_elsewhere() -> None:
    """A short name is of the own namespace, also when only another one has it."""
    other = program({"API_ADDR": "api:8080"}).replace('"namespace": "shop"', '"namespace": "other"')
    made = draft(SHOP, other)
    assert arrows(made, src="other/web") == []
    assert "api.shop" in made.missing[0].why


@pytest.mark.parametrize(
    "env",
    [
        {"K8S": "https://kubernetes.default.svc"},
        {"K8S": "https://kubernetes.default.svc.cluster.local:443"},
        {"K8S": "https://kubernetes.default"},
        {"K8S": "https://$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)"},
    ],
)
def test_the_api_server_is_a_companion_and_no_arrow(env: dict[str, Any]) -> None:
    made = told(env)
    _nothing(made)
    (one,) = made.companions
    assert (one.name, one.active) == ("kube-apiserver", True)


def test_the_metadata_of_the_cloud_is_told_and_not_opened() -> None:
    made = told({"META_URL": "http://169.254.169.254/latest"})
    _nothing(made)
    (one,) = made.companions
    assert (one.name, one.active) == ("cloud-metadata", False)


def test_the_port_of_the_service_and_not_of_the_pods() -> None:
    """What a client dials is written; that the pods listen on 8000 is for ``generate`` to find."""
    caller = program({"WEB_URL": "http://web"}).replace('"name": "web", "namespace"', '"name": "cron", "namespace"')
    caller = caller.replace('"app": "web"', '"app": "cron"')
    assert arrows(draft(SHOP, program(), caller), src="shop/cron") == ["shop/svc/web:80 high"]
