"""Every code of a reading finding: what it means and what to do. The reference page is made from this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ringfence.model.findings import Severity

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


@dataclass(frozen=True, slots=True)
class Code:
    """A stable code, how bad it is, what it is about in a few words, and the usual remedy.

    ``leaves_out``: whether the whole object or a part of it is left out of the answers, which makes the exit status 2.
    """

    code: str
    severity: Severity
    title: str
    remedy: str
    leaves_out: Literal["", "part", "object"] = ""


_TABLE: Final = (
    # Bytes and documents.
    Code("RF001", ERROR, "a file cannot be read", "make the file readable, or leave it out", "object"),
    Code("RF002", ERROR, "not text", "give YAML or JSON as UTF-8 or UTF-16", "object"),
    Code("RF003", ERROR, "not YAML", "mend the document", "object"),
    Code("RF004", ERROR, "not JSON", "mend the file, or take the dump again", "object"),
    Code("RF005", ERROR, "a key stands twice in one mapping", "keep one of the two", "object"),
    Code("RF006", ERROR, "nested too deeply", "no Kubernetes object nests like this; mend it", "object"),
    Code("RF007", ERROR, "aliases expand to too much", "write the values out", "object"),
    Code("RF008", WARNING, "half of a surrogate pair in JSON, read as U+FFFD", "write the whole character"),
    Code("RF009", ERROR, "a YAML document that is too large", "give it as JSON: kubectl get … -o json", "object"),
    # Objects.
    Code("RF010", ERROR, "an object without kind or apiVersion", "add both", "object"),
    Code("RF011", WARNING, "a document that is no Kubernetes object", "leave the file out if that is meant"),
    Code(
        "RF012", ERROR, "two different objects of one kind, namespace and name", "remove one, or --exclude it", "object"
    ),
    Code("RF013", WARNING, "the same object twice", "remove one, or --exclude it"),
    Code("RF014", ERROR, "a name that the API server refuses", "name it as a DNS subdomain", "object"),
    Code("RF015", WARNING, "a namespace on a cluster-scoped object", "remove metadata.namespace"),
    Code("RF016", ERROR, "a value of the wrong type", "give a value of the type that is named", "object"),
    Code("RF017", ERROR, "a label that the API server refuses", "write the label as the API asks", "object"),
    Code("RF018", WARNING, "an API version that is no longer served", "write the version that is served"),
    Code("RF019", ERROR, "a kind that seems to make pods and is not read", "add the pods that it makes", "object"),
    Code("RF020", ERROR, "a container port that cannot be used", "give containerPort a number from 1 to 65535", "part"),
    Code("RF021", ERROR, "an address that is none", "give an IPv4 or IPv6 address", "part"),
    Code("RF022", ERROR, "a port of a Service that cannot be used", "give the number or the name of a port", "object"),
    Code(
        "RF023",
        WARNING,
        "Endpoints that alone say where a Service leads",
        "add its EndpointSlices",
        "part",
    ),
    Code("RF024", ERROR, "a kind that the API server does not have", "mend kind or apiVersion", "object"),
    Code("RF025", ERROR, "the failure of a server instead of objects", "take the dump again", "object"),
    Code("RF027", ERROR, "objects that a server would not give", "'ringfence rbac' prints the rights needed", "object"),
    Code("RF026", ERROR, "an EndpointSlice's port that cannot be used", "give port a number from 1 to 65535", "part"),
    Code("RF028", ERROR, "a snapshot of another version", "take it anew with ringfence snapshot", "object"),
    Code(
        "RF029", NOTE, "a snapshot, which has no settings of containers", "read the cluster or its manifests for that"
    ),
    # Directories.
    Code("RF045", WARNING, "a Helm chart in a directory, which is not rendered", "render it first with helm template"),
    Code("RF046", ERROR, "templates that were named, or that lie in no chart", "render them first", "object"),
    Code("RF047", WARNING, "a kustomization in a directory, which is not built", "read what kustomize build prints"),
    Code("RF048", WARNING, "a link to a directory, which is not followed", "name it as a path"),
    Code("RF049", NOTE, "a pattern of --exclude that matches nothing", "mend the pattern, or remove it"),
    Code("RF056", NOTE, "a kind whose pods are taken as its template describes them", "add the pods to be exact"),
    Code("RF057", WARNING, "objects inside an object of another kind", "give them as files of their own too", "part"),
    # Policies.
    Code("RF030", ERROR, "an unknown field in a policy", "remove it or mend its name", "part"),
    Code("RF031", ERROR, "a value that the API does not know", "use one of the supported values", "object"),
    Code("RF032", ERROR, "a required field is missing", "add it", "object"),
    Code("RF033", ERROR, "fields that exclude each other", "keep one of them", "object"),
    Code(
        "RF034", ERROR, "a port that the API server refuses", "use a number from 1 to 65535 or a port's name", "object"
    ),
    Code("RF035", ERROR, "an ipBlock that the API server refuses", "write a CIDR such as 10.9.8.0/24", "object"),
    Code("RF036", ERROR, "a CIDR that servers from v1.36 on refuse; read as its masked network", "write that network"),
    Code("RF037", ERROR, "a selector that the API server refuses", "write the selector as the API asks", "object"),
    Code("RF038", ERROR, "NetworkPolicy of extensions/v1beta1 is not served", "use networking.k8s.io/v1", "object"),
    Code("RF039", WARNING, "a policy of a kind that is not modelled", "read answers with that note with care", "part"),
    Code("RF040", WARNING, "null as a label's value selects the empty value", "write the value, or remove the key"),
    Code("RF041", WARNING, "null as a list item is the empty object", "write {} if that is meant"),
    Code(
        "RF043",
        WARNING,
        "a stored CIDR that servers from v1.36 on would refuse; read as its masked network",
        "write that network",
    ),
    Code("RF042", WARNING, "an IPv6 CIDR that is not in canonical form", "write it in canonical form"),
    Code("RF044", WARNING, "a port's name that no pod in question has", "write a name that they have, or the number"),
    # Ways in from outside.
    Code(
        "RF050", WARNING, "a way in to a Service that is not in the input", "add the Service, or mend its name", "part"
    ),
    Code("RF051", WARNING, "a way in to a port that its Service does not have", "name a port that the Service has"),
    Code("RF052", WARNING, "a way in to a Service without a pod behind it", "add its pods, or mend its selector"),
    Code("RF053", ERROR, "a way in to another namespace that does not allow it", "add a ReferenceGrant there", "part"),
    Code("RF054", WARNING, "a backend of a way in that cannot be followed", "look at it by hand", "part"),
    Code("RF055", WARNING, "a route that no Gateway takes", "name its Gateway under spec.parentRefs"),
    # Intents.
    Code("RF060", ERROR, "an arrow or an end that cannot be read", "write it as ns/a -> ns/b:8080", "object"),
    Code("RF061", ERROR, "an unknown field in an Intents document", "remove it or mend its name", "object"),
    Code("RF062", ERROR, "an arrow in the wrong list", "allow holds -> arrows, and deny -x arrows", "object"),
    Code("RF063", WARNING, "a short name that no arrow uses", "remove it, or use it"),
    Code("RF064", WARNING, "the same thing said twice in an Intents document", "remove one of the two"),
    Code("RF065", ERROR, "a value that an Intents document does not know", "use one of the known values", "object"),
)

CODES: Final = {code.code: code for code in _TABLE}
"""Each code by name."""
