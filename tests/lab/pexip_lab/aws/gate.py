"""The gate of the account: every request is signed by a user's access key, and that user's policies must allow it.

A request asks one question for each resource that it is about (AWS: Service Authorization Reference), and all of them
must be allowed. EC2's resources are those whose ids stand among the parameters, with their tags of this moment, and
for a few actions those to be made; its Describe actions are about none. Root and roles sign nothing here.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE
from moto.iam.models import User, iam_backends

from .backend import LabEC2Backend
from .policies import Document, Question, Verdict, judge

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<access_key>[^/,]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]+)"
)
_EC2_ID = re.compile(r"([a-z]+)-[0-9a-f]{8,17}")
_TAG_KEY = re.compile(r"((?P<specification>TagSpecification\.\d+\.)?Tags?\.(?:member\.)?\d+)\.Key")
# what an action makes, as types of resources
_MADE = {
    "ec2:RunInstances": ("instance", "network-interface", "volume"),
    "ec2:CreateSecurityGroup": ("security-group",),
    "ec2:AllocateAddress": ("elastic-ip",),
}
# these are about the group, though they name a user as well
_ABOUT_GROUPS = ("AddUserToGroup", "RemoveUserFromGroup")
# without a name these are about the user who asks
_ABOUT_ONESELF = {f"{verb}AccessKey" for verb in ("Create", "Delete", "Update")} | {"GetUser", "ListAccessKeys"}
# what else is asked when something is tagged as it is made
_TAGGING = {"iam:CreateUser": "iam:TagUser", "iam:CreatePolicy": "iam:TagPolicy"}


class Refused(Exception):
    """An answer of AWS instead of what was asked for."""

    def __init__(self, status: HTTPStatus, code: str, message: str):
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Request:
    """A request in AWS' query protocol.

    :param service: as it is signed for, empty when it is not signed
    :param action: such as ``RunInstances``
    """

    access_key: str
    region: str
    service: str
    action: str
    parameters: Mapping[str, str]
    is_signed_with: Callable[[str], bool]

    @classmethod
    def read(cls, environ: Mapping[str, Any], body: bytes) -> "Request":
        query = environ.get("QUERY_STRING", "")
        parameters = dict(parse_qsl(query) + parse_qsl(body.decode("latin-1")))
        signed = _AUTHORIZATION.match(environ.get("HTTP_AUTHORIZATION", ""))
        scope = signed.groupdict() if signed else {}
        return cls(
            *(scope.get(name, "") for name in ("access_key", "region", "service")),
            parameters.get("Action", ""),
            parameters,
            lambda secret: signed is not None and _signature(environ, body, signed, secret) == signed["signature"],
        )

    def tags_for(self, kind: str) -> dict[str, str]:
        """The tags that it gives to what is of this kind; those of a specification are for one kind alone."""
        found = (match for name in self.parameters if (match := _TAG_KEY.fullmatch(name)))
        return {
            self.parameters[match[0]]: self.parameters.get(f"{match[1]}.Value", "")
            for match in found
            if not match["specification"] or self.parameters.get(f"{match['specification']}ResourceType") == kind
        }


class Gate:
    """Lets a request through or refuses it.

    :param seen: told of each question that a user asks, with the access key
    """

    def __init__(self, ec2: LabEC2Backend, seen: Callable[[str, Question], object]):
        self._ec2 = ec2
        self._iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
        self._seen = seen

    def check(self, request: Request) -> None:
        """:raises Refused: the request is not to be carried out"""
        user = self._user(request)
        documents = _documents(user, self._iam.get_groups_for_user(user.name))
        for question in self._questions(user, request):
            self._seen(request.access_key, question)
            # nobody can be kept from asking who he is
            if question.action != "sts:GetCallerIdentity":
                _demand(judge(documents, question), user, question)

    def _user(self, request: Request) -> User:
        if not request.access_key:
            raise Refused(HTTPStatus.FORBIDDEN, "MissingAuthenticationToken", "Request is missing Authentication Token")
        user = self._iam.get_user_from_access_key_id(request.access_key)
        key = user.get_access_key_by_id(request.access_key) if user else None
        known = key is not None and key.status == "Active"
        if request.service == "ec2" and not (known and request.is_signed_with(key.secret_access_key)):
            message = "AWS was not able to validate the provided access credentials"
            raise Refused(HTTPStatus.UNAUTHORIZED, "AuthFailure", message)
        if not known:
            message = "The security token included in the request is invalid."
            raise Refused(HTTPStatus.FORBIDDEN, "InvalidClientTokenId", message)
        if not request.is_signed_with(key.secret_access_key):
            message = (
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                "Access Key and signing method. Consult the service documentation for details."
            )
            raise Refused(HTTPStatus.FORBIDDEN, "SignatureDoesNotMatch", message)
        return user

    def _questions(self, user: User, request: Request) -> Iterator[Question]:
        action = f"{request.service}:{request.action}"
        shared = {
            "aws:username": user.name,
            "aws:principalarn": user.arn,
            "aws:principalaccount": DEFAULT_ACCOUNT_ID,
            "aws:requestedregion": "us-east-1" if request.service == "iam" else request.region,
            "aws:securetransport": "false",
            "ec2:region": request.region,
            **({"iam:policyarn": request.parameters["PolicyArn"]} if "PolicyArn" in request.parameters else {}),
        }
        about = self._iam_resources(user, request) if request.service == "iam" else self._ec2_resources(request)
        for resource, tags in about.items() or [("*", {})]:
            given = request.tags_for(kind_of(resource))
            of_resource = {
                f"{prefix}:ResourceTag/{key}".lower(): (value,)
                for prefix in ("aws", request.service)
                for key, value in tags.items()
            }
            context = _context(shared, given)
            yield Question(action, resource, context | of_resource)
            if given and kind_of(resource) in _MADE.get(action, ()):
                context["ec2:createaction"] = (request.action,)
                yield Question("ec2:CreateTags", resource, context)
            elif given and action in _TAGGING:
                yield Question(_TAGGING[action], resource, context)

    def _ec2_resources(self, request: Request) -> dict[str, dict[str, str]]:
        """The resources of a request by ARN, with their tags; none for an action that is about no one of them."""
        if request.service != "ec2" or request.action.startswith("Describe"):
            return {}
        found: dict[str, dict[str, str]] = {}
        with self._ec2.lock:
            for value in request.parameters.values():
                match = _EC2_ID.fullmatch(value)
                if match and match[1] in EC2_PREFIX_TO_RESOURCE:
                    arn = _ec2_arn(request.region, EC2_PREFIX_TO_RESOURCE[match[1]], value)
                    found[arn] = dict(self._ec2.tags.get(value, {}))
        if "KeyName" in request.parameters and request.action == "RunInstances":
            found[_ec2_arn(request.region, "key-pair", request.parameters["KeyName"])] = {}
        made = _MADE.get(f"ec2:{request.action}", ())
        return found | {_ec2_arn(request.region, kind, "*"): {} for kind in made}

    def _iam_resources(self, user: User, request: Request) -> dict[str, dict[str, str]]:
        given = request.parameters
        owner = self._iam.get_user_from_access_key_id(given.get("AccessKeyId"))
        name = given.get("UserName") or (owner.name if owner else None)
        if not name and request.action in _ABOUT_ONESELF:
            name = user.name
        if name and request.action not in _ABOUT_GROUPS:
            found = self._iam.users.get(name)
            arn = found.arn if found else _iam_arn("user", given.get("Path"), name)
            return {arn: {tag["Key"]: tag["Value"] for tag in self._iam.tagger.list_tags_for_resource(arn)["Tags"]}}
        for kind in ("Group", "Role"):
            if f"{kind}Name" in given:
                return {_iam_arn(kind.lower(), given.get("Path"), given[f"{kind}Name"]): {}}
        if "PolicyArn" in given:
            return {given["PolicyArn"]: {}}
        return {_iam_arn("policy", given.get("Path"), given["PolicyName"]): {}} if "PolicyName" in given else {}


def kind_of(resource: str) -> str:
    """The type of a resource, such as ``instance`` or ``user``; ``*`` for none."""
    return resource.split(":", 5)[-1].split("/", 1)[0]


def answer(service: str, refused: Refused) -> bytes:
    """The body of a refusal: EC2 has its own form, the other services share one."""
    error = f"<Code>{refused.code}</Code><Message>{escape(str(refused))}</Message>"
    if service == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>lab</RequestID></Response>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>lab</RequestId></ErrorResponse>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _context(shared: Mapping[str, str], given: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The condition keys of a question about a resource that is given these tags."""
    values = {**shared, **{f"aws:requesttag/{key}": value for key, value in given.items()}}
    context = {key.lower(): (value,) for key, value in values.items()}
    return context | ({"aws:tagkeys": tuple(given)} if given else {})


def _demand(verdict: Verdict, user: User, question: Question) -> None:
    if verdict is Verdict.ALLOWED:
        return
    reason = (
        "with an explicit deny in an identity-based policy"
        if verdict is Verdict.DENIED
        else f"because no identity-based policy allows the {question.action} action"
    )
    on = "" if question.resource == "*" else f" on resource: {question.resource}"
    message = f"User: {user.arn} is not authorized to perform: {question.action}{on} {reason}"
    if question.action.startswith("ec2:"):
        message = f"You are not authorized to perform this operation. {message}"
        raise Refused(HTTPStatus.FORBIDDEN, "UnauthorizedOperation", message)
    raise Refused(HTTPStatus.FORBIDDEN, "AccessDenied", message)


def _documents(user: User, groups: list[Any]) -> list[Document]:
    """The policies that count for a user: inline and attached ones, its own and its groups'."""
    texts: list[str] = []
    for holder in (user, *groups):
        texts += holder.policies.values()
        for policy in holder.managed_policies.values():
            texts += [version.document for version in policy.versions if version.is_default]
    return [json.loads(text) for text in texts]


def _signature(environ: Mapping[str, Any], body: bytes, signed: re.Match[str], secret: str) -> str:
    """What the signature of a request is when it was made with this secret (AWS: Signature Version 4)."""
    names = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
    headers = {
        name: environ.get(names.get(name, f"HTTP_{name.upper().replace('-', '_')}"), "")
        for name in signed["headers"].split(";")
    }
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    url = f"http://{environ.get('HTTP_HOST', '')}{environ.get('PATH_INFO', '/')}{query}"
    request = AWSRequest(method=environ["REQUEST_METHOD"], url=url, data=body, headers=headers)
    request.context["timestamp"] = environ.get("HTTP_X_AMZ_DATE", "")
    signer = SigV4Auth(Credentials(signed["access_key"], secret), signed["service"], signed["region"])
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)


def _ec2_arn(region: str, kind: str, identity: str) -> str:
    # images belong to no one account
    return f"arn:aws:ec2:{region}:{'' if kind == 'image' else DEFAULT_ACCOUNT_ID}:{kind}/{identity}"


def _iam_arn(kind: str, path: str | None, name: str) -> str:
    return f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:{kind}{path or '/'}{name}"
