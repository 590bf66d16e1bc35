"""The shape of an Intents document: it is read against these types, and its JSON Schema is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from ringfence.model.intents import GROUP, KIND, VERSION

API_VERSION: Final = f"{GROUP}/{VERSION}"
Text = Annotated[str, Meta(min_length=1)]
HelperName = Literal["kube-apiserver", "prometheus", "webhooks", "kubelet-probes", "cloud-metadata"]
DnsName = Literal["tight", "namespace", "node-local", "openshift", "none"]
_Names = Annotated[
    dict[str, Text],
    Meta(description="Short names for ends, to be used in arrows: {db: database/postgres}."),
]
_Allow = Annotated[
    list[Text],
    Meta(
        description="Arrows such as 'shop/web -> shop/api:8080': what shall be possible. The port is what is dialled."
    ),
]
_Deny = Annotated[
    list[Text],
    Meta(description="Arrows such as 'shop/web -x database/postgres:5432': what never may be possible."),
]
_Ends = Text | Annotated[list[Text], Meta(min_length=1)]


class MetadataShape(msgspec.Struct, forbid_unknown_fields=True):
    """Who this document is."""

    name: Annotated[str, Meta(min_length=1, description="The name of this document.")]
    namespace: Annotated[Text, Meta(description="Where names without a namespace are looked for.")] | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class HelperShape(msgspec.Struct, forbid_unknown_fields=True, rename="kebab", omit_defaults=True):
    """A helper with the ends it is about."""

    kube_apiserver: Annotated[_Ends, Meta(description="The pods that call the API server.")] = ""
    prometheus: Annotated[_Ends, Meta(description="Who scrapes metrics.")] = ""
    webhooks: Annotated[_Ends, Meta(description="The pods that serve admission webhooks.")] = ""
    kubelet_probes: Annotated[_Ends, Meta(description="The pods that are probed by their node.")] = ""
    cloud_metadata: Annotated[_Ends, Meta(description="The pods that must not read cloud metadata.")] = ""


_Companions = Annotated[
    list[HelperName | HelperShape],
    Meta(description="What clusters need beside the application: by name, or {name: end} for one or several ends."),
]


class SpecShape(msgspec.Struct, forbid_unknown_fields=True):
    """What is wanted."""

    protect: Annotated[
        list[Text],
        Meta(min_length=1, description="Namespaces in which nothing is possible but what an arrow allows."),
    ]
    names: _Names | None = None
    dns: Annotated[DnsName, Meta(description="How pods of protected namespaces reach the DNS.")] = "tight"
    allow: _Allow | None = None
    deny: _Deny | None = None
    companions: _Companions | None = None


class IntentsShape(msgspec.Struct, forbid_unknown_fields=True):
    """Who may talk to whom."""

    apiVersion: Literal["ringfence.dev/v1alpha1"]  # noqa: N815 (the API's spelling)
    kind: Literal["Intents"]
    metadata: MetadataShape
    spec: SpecShape


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an Intents document."""
    assert KIND == "Intents"
    _, components = msgspec.json.schema_components([IntentsShape], ref_template="#/$defs/{name}")
    top = components.pop("IntentsShape")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Intents, {API_VERSION}",
        **{key: value for key, value in top.items() if key != "title"},
        "$defs": components,
    }
