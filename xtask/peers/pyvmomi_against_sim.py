"""Drives chaos-sim with pyvmomi, a client that this project did not write.

Usage: pyvmomi_against_sim.py URL [USER] [PASSWORD]

URL is what `chaosmonkey sim serve` prints, of a simulator with the demo estate or any other. The script adds its own VMs
through the control door. It prints `ok NAME` or `not ok NAME: REASON` for each check and exits with 1 if one failed.
"""

import json
import ssl
import sys
import threading
import time
import urllib.parse
import urllib.request

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import SoapStubAdapter, vim, vmodl

BASE = sys.argv[1].rstrip("/")
USER = sys.argv[2] if len(sys.argv) > 2 else "chaos"
PASSWORD = sys.argv[3] if len(sys.argv) > 3 else "chaos"
URL = urllib.parse.urlsplit(BASE)
INSECURE = ssl._create_unverified_context()
PC = vmodl.query.PropertyCollector

RUN = "%x" % time.time_ns()

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + "/sim/" + path, data=data, method=method)
    with urllib.request.urlopen(request, context=INSECURE if URL.scheme == "https" else None) as answer:
        return json.loads(answer.read())


def connect(user=USER, password=PASSWORD):
    return SmartConnect(
        protocol=URL.scheme,
        host=URL.hostname,
        port=URL.port or (443 if URL.scheme == "https" else 80),
        user=user,
        pwd=password,
        sslContext=INSECURE if URL.scheme == "https" else None,
    )


def named(name):
    """Every run has VMs of its own, so that several runs can share a simulator."""
    return "%s-%s" % (name, RUN)


def add(name, **more):
    control("POST", "vms", dict(name=named(name), folder="pyvmomi", **more))


def find(si, name):
    datacenter = control("GET", "world")["datacenters"][0]
    path = "%s/vm/pyvmomi/%s" % (datacenter, named(name).replace("/", "%2f"))
    vm = si.content.searchIndex.FindByInventoryPath(path)
    assert vm, "nothing is at " + path
    return vm


def expect(fault, function):
    try:
        function()
    except fault as error:
        return error
    raise AssertionError("no %s was raised" % fault.__name__)


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within %d s" % seconds
        time.sleep(0.02)


@check
def session_and_service_content():
    si = connect()
    about = si.content.about
    assert about.apiType == "VirtualCenter" and about.instanceUuid, about
    session = si.content.sessionManager.currentSession
    assert session.userName == USER, session
    assert si.CurrentTime().year >= 2020
    assert si.content.sessionManager.SessionIsActive(session.key, USER)
    Disconnect(si)


@check
def every_property_of_every_vm_is_well_formed():
    si = connect()
    view = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.VirtualMachine], True)
    select = PC.TraversalSpec(name="view", type=vim.view.ContainerView, path="view", skip=False)
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=view, skip=True, selectSet=[select])],
        propSet=[PC.PropertySpec(type=vim.VirtualMachine, all=True)],
    )
    found = si.content.propertyCollector.RetrieveContents([spec])
    assert len(found) == len(view.view) == control("GET", "world")["vms"]
    for content in found:
        values = {prop.name: prop.val for prop in content.propSet}
        assert isinstance(values["runtime"], vim.vm.RuntimeInfo)
        assert isinstance(values["summary"], vim.vm.Summary)
        assert values["runtime"].powerState in ("poweredOn", "poweredOff", "suspended")
        assert values["runtime"].host
        assert values["summary"].config.name == values["name"]
        assert not content.missingSet
    Disconnect(si)


@check
def paged_traversal_without_a_view_finds_the_same_vms():
    si = connect()
    for number in range(120):
        add("page-%03d" % number)
    folder = PC.TraversalSpec(name="folder", type=vim.Folder, path="childEntity", skip=False)
    folder.selectSet = [PC.SelectionSpec(name=name) for name in ("folder", "vms", "hosts", "members", "vapp")]
    spec = PC.FilterSpec(
        objectSet=[
            PC.ObjectSpec(
                obj=si.content.rootFolder,
                skip=False,
                selectSet=[
                    folder,
                    PC.TraversalSpec(name="vms", type=vim.Datacenter, path="vmFolder", skip=False, selectSet=[PC.SelectionSpec(name="folder")]),
                    PC.TraversalSpec(name="hosts", type=vim.Datacenter, path="hostFolder", skip=False, selectSet=[PC.SelectionSpec(name="folder")]),
                    PC.TraversalSpec(name="members", type=vim.ComputeResource, path="host", skip=False),
                    PC.TraversalSpec(name="vapp", type=vim.VirtualApp, path="vm", skip=False),
                ],
            )
        ],
        propSet=[
            PC.PropertySpec(type=vim.VirtualMachine, pathSet=["name", "runtime.powerState", "summary.config"]),
            PC.PropertySpec(type=vim.HostSystem, pathSet=["name", "parent", "runtime.connectionState"]),
            PC.PropertySpec(type=vim.ComputeResource, pathSet=["name"]),
            PC.PropertySpec(type=vim.ManagedEntity, pathSet=["parent"]),
        ],
        reportMissingObjectsInResults=True,
    )
    pages, vms = 1, set()
    result = si.content.propertyCollector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=1000))
    while True:
        assert len(result.objects) <= 100, "more than 100 objects in a page"
        vms |= {content.obj._moId for content in result.objects if isinstance(content.obj, vim.VirtualMachine)}
        if result.token is None:
            break
        used = result.token
        result = si.content.propertyCollector.ContinueRetrievePropertiesEx(used)
        pages += 1
        expect(vmodl.fault.InvalidArgument, lambda: si.content.propertyCollector.ContinueRetrievePropertiesEx(used))
    assert pages > 1
    assert len(vms) == control("GET", "world")["vms"]
    Disconnect(si)


@check
def inventory_paths_and_uuids():
    si = connect()
    add("find/me")
    vm = find(si, "find/me")
    index = si.content.searchIndex
    steps, parent = [], vm
    while parent and not isinstance(parent, vim.Datacenter):
        steps.insert(0, parent.name)
        parent = parent.parent
    path = "/".join([parent.name] + steps)
    assert index.FindByInventoryPath(path) == vm, path
    assert index.FindByInventoryPath("/" + path.replace("%2f", "%2F") + "/") == vm
    assert index.FindByInventoryPath(path + "-not") is None
    assert index.FindByUuid(None, vm.config.instanceUuid, True, True) == vm
    assert index.FindAllByUuid(parent, vm.config.uuid, True, False) == [vm]
    assert index.FindByDnsName(None, vm.guest.hostName, True) == vm
    Disconnect(si)


@check
def each_power_operation_ends_in_its_state():
    si = connect()
    add("power")
    vm = find(si, "power")
    for operation, state in (
        (vm.SuspendVM_Task, "suspended"),
        (vm.PowerOnVM_Task, "poweredOn"),
        (vm.ResetVM_Task, "poweredOn"),
        (vm.PowerOffVM_Task, "poweredOff"),
        (vm.PowerOnVM_Task, "poweredOn"),
    ):
        task = operation()
        WaitForTask(task, si=si)
        assert task.info.state == "success" and task.info.entity == vm and task.info.entityName == named("power"), task.info
        assert vm.runtime.powerState == state, (operation, vm.runtime.powerState)
    vm.TerminateVM()
    assert vm.runtime.powerState == "poweredOff"
    assert vm.runtime.bootTime is None
    Disconnect(si)


@check
def guest_operations_go_through_their_phases():
    si = connect()
    add("soft", guest={"boot": 0.3, "shutdown": 0.3})
    vm = find(si, "soft")
    assert vm.guest.guestStateChangeSupported and vm.guest.toolsRunningStatus == "guestToolsRunning"
    boot = vm.runtime.bootTime
    vm.RebootGuest()
    assert vm.guest.guestState == "resetting" and not vm.guest.guestStateChangeSupported
    until(lambda: vm.guest.toolsRunningStatus == "guestToolsRunning")
    assert vm.runtime.bootTime == boot, "a soft reboot does not move bootTime"
    vm.ShutdownGuest()
    until(lambda: vm.runtime.powerState == "poweredOff")
    assert vm.runtime.cleanPowerOff
    WaitForTask(vm.PowerOnVM_Task(), si=si)
    until(lambda: vm.guest.guestStateChangeSupported)
    vm.StandbyGuest()
    until(lambda: vm.runtime.powerState == "suspended")
    Disconnect(si)


@check
def several_vms_are_powered_on_by_one_call():
    si = connect()
    for name in ("multi-1", "multi-2"):
        add(name, power="off")
    vms = [find(si, name) for name in ("multi-1", "multi-2")]
    datacenter = vms[0].parent
    while not isinstance(datacenter, vim.Datacenter):
        datacenter = datacenter.parent
    task = datacenter.PowerOnMultiVM_Task(vms)
    WaitForTask(task, si=si)
    attempted = task.info.result.attempted
    assert [attempt.vm for attempt in attempted] == vms, task.info
    for attempt in attempted:
        WaitForTask(attempt.task, si=si)
    assert [vm.runtime.powerState for vm in vms] == ["poweredOn"] * 2
    Disconnect(si)


@check
def a_question_holds_up_power_on_until_it_is_answered():
    si = connect()
    question = {"text": "moved or copied?", "choices": [["0", "copied"], ["1", "cancel"]]}
    add("asks", power="off", question_at_power_on=question)
    vm = find(si, "asks")
    task = vm.PowerOnVM_Task()
    until(lambda: vm.runtime.question)
    asked = vm.runtime.question
    assert asked.choice.choiceInfo[0].key == "0" and task.info.state == "running" and task.info.progress == 95
    vm.AnswerVM(asked.id, "0")
    WaitForTask(task, si=si)
    assert vm.runtime.powerState == "poweredOn"
    Disconnect(si)


@check
def updates_arrive_while_a_wait_is_pending():
    si = connect()
    add("watched")
    vm = find(si, "watched")
    collector = si.content.propertyCollector.CreatePropertyCollector()
    view = si.content.viewManager.CreateListView([])
    select = PC.TraversalSpec(name="view", type=vim.view.ListView, path="view", skip=False)
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=view, skip=True, selectSet=[select])],
        propSet=[
            PC.PropertySpec(type=vim.VirtualMachine, pathSet=["runtime.powerState"]),
            PC.PropertySpec(type=vim.Task, pathSet=["info.state"]),
        ],
    )
    collector.CreateFilter(spec, False)
    options = PC.WaitOptions(maxWaitSeconds=20)
    assert collector.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0)) is None

    other = connect()
    same = find(other, "watched")
    changer = threading.Timer(0.3, lambda: view.ModifyListView([vm], []))
    changer.start()
    entered = collector.WaitForUpdatesEx("", options)
    changer.join()
    assert entered.filterSet[0].objectSet[0].kind == "enter"
    changer = threading.Timer(0.3, same.PowerOffVM_Task)
    changer.start()
    changed = collector.WaitForUpdatesEx(entered.version, options)
    changer.join()
    update = changed.filterSet[0].objectSet[0]
    assert (update.kind, update.changeSet[0].val) == ("modify", "poweredOff"), changed
    replayed = collector.WaitForUpdatesEx(entered.version, options)
    assert replayed.filterSet[0].objectSet[0].changeSet[0].val == "poweredOff", "a complete version can be replayed"
    expect(vmodl.query.InvalidCollectorVersion, lambda: collector.WaitForUpdatesEx("99999", options))
    canceller = threading.Timer(0.3, collector.CancelWaitForUpdates)
    canceller.start()
    expect(vmodl.fault.RequestCanceled, lambda: collector.WaitForUpdatesEx(replayed.version, options))
    canceller.join()
    view.ModifyListView([], [vm])
    left = collector.CheckForUpdates(replayed.version)
    assert left.filterSet[0].objectSet[0].kind == "leave", left
    collector.DestroyPropertyCollector()
    view.DestroyView()
    Disconnect(other)
    Disconnect(si)


@check
def a_wrong_password_is_refused():
    expect(vim.fault.InvalidLogin, lambda: connect(password=PASSWORD + "-not"))


@check
def powering_on_a_running_vm_is_an_invalid_power_state():
    si = connect()
    add("running")
    vm = find(si, "running")
    error = expect(vim.fault.InvalidPowerState, lambda: WaitForTask(vm.PowerOnVM_Task(), si=si))
    assert error.existingState == "poweredOn", error
    Disconnect(si)


@check
def a_guest_without_tools_cannot_be_shut_down():
    si = connect()
    add("without tools", guest={"tools": "not_installed"})
    vm = find(si, "without tools")
    assert "ShutdownGuest" in vm.disabledMethod
    expect(vim.fault.ToolsUnavailable, vm.ShutdownGuest)
    Disconnect(si)


@check
def a_second_operation_on_a_busy_vm_is_task_in_progress():
    si = connect()
    add("busy")
    vm = find(si, "busy")
    task = vm.SuspendVM_Task()
    error = expect(vim.fault.TaskInProgress, vm.PowerOffVM_Task)
    assert error.task == task, error
    WaitForTask(task, si=si)
    Disconnect(si)


@check
def a_failure_inside_a_task_is_raised_by_its_wait():
    si = connect()
    add("unlucky")
    control("POST", "tasks/fail", {"vm": named("unlucky"), "failure": "out_of_resources"})
    vm = find(si, "unlucky")
    expect(vim.fault.InsufficientResourcesFault, lambda: WaitForTask(vm.PowerOffVM_Task(), si=si))
    assert vm.runtime.powerState == "poweredOn"
    Disconnect(si)


@check
def an_unknown_vm_is_not_found():
    si = connect()
    vm = vim.VirtualMachine("vm-999999999", si._stub)
    expect(vmodl.fault.ManagedObjectNotFound, lambda: vm.PowerOffVM_Task())
    Disconnect(si)


@check
def an_unknown_property_is_invalid():
    si = connect()
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=si.content.rootFolder, skip=False)],
        propSet=[PC.PropertySpec(type=vim.Folder, pathSet=["nmae"])],
    )
    expect(vmodl.query.InvalidProperty, lambda: si.content.propertyCollector.RetrieveContents([spec]))
    Disconnect(si)


@check
def a_dead_session_is_not_authenticated():
    si = connect()
    vm = find(si, "power")
    control("DELETE", "sessions")
    expect(vim.fault.NotAuthenticated, si.CurrentTime)
    expect(vim.fault.NotAuthenticated, vm.PowerOffVM_Task)
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=vm, skip=False)],
        propSet=[PC.PropertySpec(type=vim.VirtualMachine, pathSet=["name", "config"])],
    )
    found = si.content.propertyCollector.RetrievePropertiesEx([spec], PC.RetrieveOptions())
    assert not found.objects[0].propSet
    assert [missing.path for missing in found.objects[0].missingSet] == ["name", "config"]
    assert isinstance(found.objects[0].missingSet[0].fault, vim.fault.NotAuthenticated)


def main():
    control("POST", "clock", {"speed": 4})
    failed = 0
    for function in CHECKS:
        try:
            function()
            print("ok", function.__name__, flush=True)
        except Exception as error:  # every failure is a line, and the next check still runs
            failed += 1
            reason = " ".join(("%s: %s" % (type(error).__name__, error)).split())
            print("not ok %s: %s" % (function.__name__, reason[:500]), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
