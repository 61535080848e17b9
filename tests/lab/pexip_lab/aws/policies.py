"""Identity-based policies, judged as IAM does: an explicit Deny wins, and what no statement allows is denied.

Statements are read with their Action or NotAction, Resource or NotResource, and Condition. An operator that is not in
`OPERATORS` never matches. Permissions boundaries, session and resource policies are not simulated.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

Document = Mapping[str, Any]


class Verdict(Enum):
    """What policies say to a question."""

    ALLOWED = "allowed"
    UNMENTIONED = "no statement allows it"
    DENIED = "a statement denies it"


@dataclass(frozen=True)
class Question:
    """One action on one resource.

    :param action: such as ``ec2:StartInstances``
    :param resource: an ARN, or ``*`` for an action on no resource
    :param context: the condition keys of the request in lower case, each with its values
    """

    action: str
    resource: str = "*"
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def judge(documents: Iterable[Document], question: Question) -> Verdict:
    """What the policies of an identity say together."""
    statements = [statement for document in documents for statement in _listed(document["Statement"])]
    effects = {statement["Effect"].lower() for statement in statements if _applies(statement, question)}
    if "deny" in effects:
        return Verdict.DENIED
    return Verdict.ALLOWED if "allow" in effects else Verdict.UNMENTIONED


def _applies(statement: Mapping[str, Any], question: Question) -> bool:
    return (
        _names(statement, "Action", lambda pattern: like(pattern.lower(), question.action.lower()))
        and _names(statement, "Resource", lambda pattern: like(_filled(pattern, question), question.resource))
        and all(
            _holds(operator, key, _listed(wanted), question)
            for operator, tests in statement.get("Condition", {}).items()
            for key, wanted in tests.items()
        )
    )


def _names(statement: Mapping[str, Any], element: str, matches: Callable[[str], bool]) -> bool:
    """Whether an element takes something in, or its Not form leaves it out."""
    if element in statement:
        return any(matches(pattern) for pattern in _listed(statement[element]))
    return not any(matches(pattern) for pattern in _listed(statement[f"Not{element}"]))


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in text)
    return re.compile("".join(parts), re.DOTALL)


def like(pattern: str, value: str) -> bool:
    """IAM's wildcards: ``*`` is any text, ``?`` one character."""
    return _pattern(pattern).fullmatch(value) is not None


# what is compared, in the wanted value's and the request's order, and whether the operator is a negated one
OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (str.__eq__, False),
    "StringNotEquals": (str.__eq__, True),
    "StringEqualsIgnoreCase": (lambda wanted, value: wanted.lower() == value.lower(), False),
    "StringNotEqualsIgnoreCase": (lambda wanted, value: wanted.lower() == value.lower(), True),
    "StringLike": (like, False),
    "StringNotLike": (like, True),
    "ArnEquals": (like, False),
    "ArnNotEquals": (like, True),
    "ArnLike": (like, False),
    "ArnNotLike": (like, True),
    "Bool": (lambda wanted, value: wanted.lower() == value.lower(), False),
}
QUANTIFIERS = ("", "ForAnyValue", "ForAllValues")


def _holds(operator: str, key: str, wanted: list[Any], question: Question) -> bool:
    """One line of a condition: any of the wanted values will do."""
    quantifier, _colon, rest = operator.rpartition(":")
    name = rest.removesuffix("IfExists")
    texts = [_filled(_text(value), question) for value in wanted]
    values = question.context.get(key.lower())
    if name == "Null":
        return str(values is None).lower() in (text.lower() for text in texts)
    if name not in OPERATORS or quantifier not in QUANTIFIERS:
        return False
    matches, negated = OPERATORS[name]
    if values is None:
        # a negated test of a key that the request does not have holds, except of "any of its values"
        return name != rest or quantifier == "ForAllValues" or (negated and not quantifier)
    verdicts = [any(matches(text, value) for text in texts) != negated for value in values]
    return all(verdicts) if quantifier == "ForAllValues" else any(verdicts)


def _filled(text: str, question: Question) -> str:
    """Policy variables replaced, such as ``${aws:username}``; one that the request does not have matches nothing."""

    def value(found: re.Match[str]) -> str:
        return ",".join(question.context.get(found[1].lower(), (found[0],)))

    return re.sub(r"\$\{([^}]+)\}", value, text)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> list[Any]:
    """IAM takes one value for a list of one."""
    return list(value) if isinstance(value, list) else [value]
