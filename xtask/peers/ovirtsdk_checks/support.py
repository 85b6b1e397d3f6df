"""What every check needs: the engine as the environment names it, VMs of our own, and waiting with a deadline."""

import json
import re
import ssl
import time
import urllib.error
import urllib.request

import ovirtsdk4 as sdk

from ovirtsdk_verify import PATH, environment

ARGUMENTS = environment()
API = ARGUMENTS["url"]
ROOT = API[: -len(PATH)]
CONTEXT = ssl.create_default_context(cafile=ARGUMENTS["ca_file"]) if ARGUMENTS["ca_file"] else None
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MIB = 2**20

# World seconds in a real second, and what a guest takes for each of its steps: long enough to be seen by polling.
SPEED = 20
STEP = 15

RUN = "%x" % time.time_ns()


def check(function):
    """Marks a function to be run, and to be counted as one check."""
    function.is_check = True
    return function


def raw(method, url, body=None, **headers):
    """A request past the SDK: status, headers and body, whatever they are."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, context=CONTEXT) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    status, _, answer = raw(method, ROOT + "/sim/" + path, data)
    assert status == 200, "control door: %s %s" % (status, answer)
    return json.loads(answer)


def connect(**more):
    return sdk.Connection(**{**ARGUMENTS, "timeout": 30, **more})


def named(name):
    """Every run has VMs of its own, so that several runs can share a simulator."""
    return "%s-%s" % (name, RUN)


def add(name, guest=None, **more):
    """A VM that is up, unless said otherwise."""
    guest = {"boot": STEP, "shutdown": STEP, **(guest or {})}
    control("POST", "vms", {"name": named(name), "folder": "ovirtsdk", "guest": guest, **more})


def change(name, **what):
    control("PATCH", "vms/" + named(name), what)


def vms_of(connection):
    return connection.system_service().vms_service()


def find(connection, name):
    """The service of one of our VMs."""
    found = vms_of(connection).list(search='name="%s"' % named(name))
    assert [vm.name for vm in found] == [named(name)], found
    return vms_of(connection).vm_service(found[0].id)


def names(vms):
    return [vm.name for vm in vms]


def expect(kind, function, code, detail=None):
    """The error of a call that must fail with exactly this type, HTTP status and fault."""
    try:
        function()
    except sdk.Error as error:
        assert (type(error), error.code) == (kind, code), "%s %s: %s" % (type(error).__name__, error.code, error)
        assert detail is None or (error.fault and error.fault.detail == detail), error
        return error
    raise AssertionError("no %s was raised" % kind.__name__)


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within %d s" % seconds
        time.sleep(0.02)


def statuses_until(service, goal):
    """Each status that the VM goes through from now on, up to the goal."""
    seen = []

    def look():
        status = service.get().status
        if seen[-1:] != [status]:
            seen.append(status)
        return status == goal

    until(look)
    return seen


def is_in_order(seen, *possible):
    """A poller may miss a status, but sees none out of order."""
    rest = iter(possible)
    return all(status in rest for status in seen)


def last_event(connection):
    newest = connection.system_service().events_service().list(max=1)
    return int(newest[0].id) if newest else 0


def codes_since(connection, mark, vm):
    """What the engine's log has on a VM since then, oldest first."""
    events = connection.system_service().events_service().list(from_=mark)
    return [event.code for event in reversed(events) if event.vm and event.vm.id == vm]
