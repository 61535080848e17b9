"""Every resource of the facts is served as the facts say."""

from __future__ import annotations

import pytest
from pexip_lab.api.testkit import CONFIGURATION, CREATABLE, ROOT, SERVED, raw_facts

pytest_plugins = ("pexip_lab.api.fixtures",)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SCHEMA_TYPES = {"related_list": "related"}


@pytest.mark.parametrize("family", ["configuration", "status", "history", "command"])
def test_index_names_every_resource(api, family):
    expected = {
        name.replace("__", "/") if family == "command" else name
        for name, facts in raw_facts(family).items()
        if facts["list_methods"] or facts["detail_methods"]
    }
    index = api.get(f"/api/admin/{family}/v1/")
    assert set(index) == expected
    for name, entry in index.items():
        assert entry == {
            "list_endpoint": f"/api/admin/{family}/v1/{name}/",
            "schema": f"/api/admin/{family}/v1/{name}/schema/",
        }


@pytest.mark.parametrize("family", ["configuration", "status", "history"])
def test_schemas_follow_the_facts(api, family):
    for name, facts in raw_facts(family).items():
        if not facts["list_methods"]:
            continue
        schema = api.get(f"/api/admin/{family}/v1/{name}/schema/?format=json")
        assert schema["allowed_list_http_methods"] == [m.lower() for m in facts["list_methods"]], name
        assert schema["allowed_detail_http_methods"] == [m.lower() for m in facts["detail_methods"]], name
        assert set(schema["fields"]) == set(facts["fields"]), name
        for field, known in facts["fields"].items():
            described = schema["fields"][field]
            where = f"{name}.{field}"
            assert described["type"] == SCHEMA_TYPES.get(known["type"], known["type"]), where
            assert described["readonly"] == known.get("readonly", False), where
            if known.get("nullable"):
                assert described["nullable"], where
            if "default" in known and not known.get("readonly"):
                assert described["default"] == known["default"], where
            if "choices" in known:
                assert described["valid_choices"] == known["choices"], where
            if known["type"].startswith("related"):
                assert described["related_type"] == ("to_many" if known["type"] == "related_list" else "to_one"), where
    assert api.get(f"{ROOT}dns_server/schema/")["default_limit"] == 20


@pytest.mark.parametrize("family", ["configuration", "status", "history", "command"])
def test_methods_that_the_facts_do_not_name_are_refused(api, family):
    for name, facts in raw_facts(family).items():
        path = f"/api/admin/{family}/v1/{name.replace('__', '/')}/"
        for uri, allowed in ((path, facts["list_methods"]), (f"{path}999/", facts["detail_methods"])):
            if not facts["list_methods"]:
                continue
            for method in set(METHODS) - set(allowed):
                answer = api(method, uri, {})
                assert answer.status_code == 405, (method, uri)
                assert set(answer.headers["Allow"].split(",")) - {""} == set(allowed)


@pytest.mark.parametrize("family", ["configuration", "status", "history"])
def test_lists_have_the_shape_of_the_framework(api, family):
    for name, facts in raw_facts(family).items():
        if "GET" not in facts["list_methods"]:
            continue
        answer = api.get(f"/api/admin/{family}/v1/{name}/")
        assert set(answer) == {"meta", "objects"}
        meta = answer["meta"]
        assert meta == {
            "limit": 20,
            "next": None,
            "offset": 0,
            "previous": None,
            "total_count": len(answer["objects"]),
        }


@pytest.mark.parametrize("name", CREATABLE)
def test_life_of_an_object(api, name):
    facts = CONFIGURATION[name]
    body = api.sample(name)
    answer = api.post(name, body)
    assert answer.status_code == 201, answer.text
    uri = answer.headers["Location"]
    assert uri.startswith(f"{ROOT}{name}/")

    found = api.get(uri)
    hidden = {n for n, f in facts["fields"].items() if f.get("readback") in ("absent", "carried", "create_only")}
    assert set(found) == set(facts["fields"]) - hidden
    assert found["resource_uri"] == uri
    for field, value in body.items():
        known = facts["fields"][field]
        if field in hidden or known.get("readback") in ("hashed", "blank") or known.get("format") == "file":
            continue
        assert found[field] == value or (known.get("nested") and found[field]["resource_uri"] == value), field
    for field, known in facts["fields"].items():
        plain = field not in body and field not in hidden and not known["type"].startswith("related")
        if "default" in known and plain and not known.get("readonly"):
            assert found[field] == known["default"], field
    assert found in api.objects(f"{name}/?limit=0")

    if "PATCH" in facts["detail_methods"]:
        changes = {"description": "changed"} if "description" in facts["fields"] else {}
        answer = api("PATCH", uri, changes)
        assert (answer.status_code, answer.text) == (202, "")
        again = api.get(uri)
        volatile = ("last_updated", "updated", "updated_at")
        assert again == found | changes | {n: again[n] for n in volatile if n in again}

    if "DELETE" in facts["detail_methods"]:
        answer = api("DELETE", uri)
        assert (answer.status_code, answer.text) == (204, "")
        assert api("GET", uri).status_code == 404
        assert api("DELETE", uri).status_code == 404


@pytest.mark.parametrize(
    "name", [name for name in CREATABLE if any(f.get("required") for f in CONFIGURATION[name]["fields"].values())]
)
def test_required_fields_are_required(api, name):
    body = api.sample(name)
    for field, known in CONFIGURATION[name]["fields"].items():
        if not known.get("required") or (name, field) == ("worker_vm", "password"):
            continue
        answer = api.post(name, {key: value for key, value in body.items() if key != field})
        assert answer.status_code == 400, field
        assert field in answer.text, answer.text


def _limits():
    for name in CREATABLE:
        for field, known in CONFIGURATION[name]["fields"].items():
            if known.get("readonly") or known.get("format") == "file" or field == "certificate":
                continue
            if known["type"] == "string":
                if "max_length" in known:
                    yield name, field, "x" * (known["max_length"] + 1)
                if "choices" in known:
                    yield name, field, "no-such-choice"
                if known.get("min_length", 0) > 1:
                    yield name, field, "x"
                if known.get("format") in ("ip_address", "email", "url"):
                    yield name, field, "not one of these"
            if known["type"] == "integer":
                yield name, field, "many"
                if "max" in known:
                    yield name, field, known["max"] + 1
                if "min" in known:
                    yield name, field, known["min"] - 1
            if known["type"] == "boolean":
                yield name, field, "perhaps"


def test_values_beyond_the_limits_are_refused(api):
    samples: dict[str, dict] = {}
    checked = 0
    api.platform.rate_limit.requests = 10000
    for name, field, value in _limits():
        if name not in samples:
            samples[name] = api.sample(name)
        answer = api.post(name, samples[name] | {field: value})
        assert answer.status_code == 400, (name, field, value)
        assert list(answer.json()[name]) == [field], (name, field, answer.text)
        checked += 1
    assert checked > 500


def test_singletons_are_always_there(api):
    for name in ("global", "authentication", "autobackup", "registration", "gms_gateway_token"):
        found = api.get(f"{name}/1/")
        facts = CONFIGURATION[name]["fields"]
        for field, known in facts.items():
            if "default" in known and not known.get("readback") and known["type"] != "related":
                expected = known["default"]
                assert found[field] == expected, (name, field)
        assert api("POST", f"{name}/", {}).status_code == 405
    assert api.get("global/1/")["default_webapp_alias"] == f"{ROOT}webapp_alias/3/"


def test_number_of_resources():
    assert len(CONFIGURATION) == 91
    assert len(SERVED) == 88
    assert len(raw_facts("status")) == 27
