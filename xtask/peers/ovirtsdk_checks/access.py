"""Logging in and out, dead sessions, TLS, and what an answer looks like on the wire."""

import gzip
import json

import ovirtsdk4 as sdk
from ovirtsdk4.types import VmStatus

from .support import (
    API,
    ARGUMENTS,
    CONTEXT,
    PATH,
    ROOT,
    add,
    check,
    connect,
    control,
    expect,
    find,
    named,
    raw,
    statuses_until,
    vms_of,
)


@check
def a_wrong_password_and_an_unknown_profile_are_refused():
    error = expect(sdk.AuthError, connect(password=ARGUMENTS["password"] + "-not").authenticate, None)
    assert "access_denied" in str(error) and "Cannot authenticate user" in str(error), error
    error = expect(sdk.AuthError, connect(username="somebody@nowhere").authenticate, None)
    assert "access_denied" in str(error), error


@check
def a_session_that_ended_is_opened_again():
    add("resumed")
    with connect() as connection:
        service = find(connection, "resumed")
        old = connection.authenticate()
        control("DELETE", "sessions")
        assert service.get().name == named("resumed")
        assert connection.authenticate() != old
        control("DELETE", "sessions")
        service.stop()
        statuses_until(service, VmStatus.DOWN)


@check
def a_token_without_a_password_cannot_be_renewed():
    connection = connect()
    token = connection.authenticate()
    with connect(username=None, password=None, token=token) as borrowed:
        assert borrowed.test(raise_exception=True)
        control("DELETE", "sessions")
        error = expect(sdk.AuthError, vms_of(borrowed).list, None)
        assert "access_denied" in str(error), error
    connection.close()


@check
def logout_ends_the_token():
    connection = connect()
    token = connection.authenticate()
    status, headers, _ = raw("GET", API, Authorization="Bearer " + token)
    assert status == 200 and headers.get_content_type() == "application/xml"
    connection.close()
    status, headers, body = raw("GET", API, Authorization="Bearer " + token)
    assert (status, headers.get_content_type()) == (401, "text/html"), status
    assert headers["WWW-Authenticate"] == 'Basic realm="RESTAPI"'
    assert b"invalid_grant: The provided authorization grant for the auth code has expired." in body, body


@check
def a_connection_can_be_closed_without_logout():
    connection = connect()
    token = connection.authenticate()
    connection.close(logout=False)
    with connect(token=token) as other:
        assert other.test(raise_exception=True) and other.authenticate() == token


@check
def a_wrong_path_is_a_page_and_no_fault():
    connection = connect(url=ROOT + "/api")
    error = expect(sdk.Error, connection.system_service().get, None)
    assert "text/html" in str(error) and "The typical one is '%s'" % PATH in str(error), error
    connection.close()


@check
def an_authority_that_nobody_knows_is_refused():
    if CONTEXT is None:
        return
    connection = connect(ca_file=None)
    error = expect(sdk.Error, connection.authenticate, None)
    assert "certificate" in str(error).lower(), error
    with connect(ca_file=None, insecure=True) as connection:
        assert connection.test(raise_exception=True)


@check
def answers_are_compressed_and_carry_the_correlation_id():
    with connect() as connection:
        bearer = "Bearer " + connection.authenticate()
        status, headers, body = raw(
            "GET", API + "/vms", Authorization=bearer, Accept_Encoding="gzip", Correlation_Id="a check: 1"
        )
        assert status == 200 and headers["Content-Encoding"] == "gzip" and headers["Correlation-Id"] == "acheck1"
        text = gzip.decompress(body).decode()
        assert text.startswith('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<vms>'), text[:80]
        assert len(body) * 4 < len(text)


@check
def json_has_numbers_as_text_and_lists_by_the_name_of_one():
    add("json", cpus=2)
    with connect() as connection:
        bearer = "Bearer " + connection.authenticate()

        def read(path):
            status, headers, body = raw("GET", API + path, Authorization=bearer, Accept="application/json")
            assert (status, headers.get_content_type()) == (200, "application/json"), status
            return json.loads(body)

        assert read("")["product_info"]["version"]["major"] == "4"
        vm = read("/vms?search=name%3D" + named("json"))["vm"][0]
        typed = find(connection, "json").get()
        assert (vm["id"], vm["status"], vm["memory"]) == (typed.id, typed.status.value, typed.memory)
        assert vm["cpu"]["topology"]["cores"] == str(typed.cpu.topology.cores)
        assert vm["start_time"] == round(typed.start_time.timestamp() * 1000)
        assert read("/vms?search=name%3D" + named("nobody")) == {}


@check
def health_needs_no_login():
    status, _, body = raw("GET", ROOT + "/ovirt-engine/services/health")
    assert (status, body.strip()) == (200, b"DB Up!Welcome to Health Status!"), body
