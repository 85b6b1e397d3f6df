"""Power actions: the statuses on the way, what the engine refuses, what its log says."""

import ovirtsdk4 as sdk
from ovirtsdk4.types import VmStatus

from .support import (
    add,
    check,
    codes_since,
    connect,
    control,
    expect,
    find,
    is_in_order,
    last_event,
    named,
    statuses_until,
    until,
)


@check
def start_goes_through_launch_and_boot():
    add("start", power="off")
    with connect() as connection:
        service, mark = find(connection, "start"), last_event(connection)
        assert service.get().host is None
        service.start()
        seen = statuses_until(service, VmStatus.UP)
        assert is_in_order(seen, VmStatus.WAIT_FOR_LAUNCH, VmStatus.POWERING_UP, VmStatus.UP), seen
        assert VmStatus.POWERING_UP in seen, seen
        vm = service.get()
        assert vm.host and vm.start_time > vm.creation_time and vm.run_once is False, vm.name
        assert set(codes_since(connection, mark, vm.id)) & {32, 153}


@check
def shutdown_is_seen_to_be_on_its_way():
    add("soft")
    with connect() as connection:
        service, mark = find(connection, "soft"), last_event(connection)
        service.shutdown(reason="for a check")
        seen = statuses_until(service, VmStatus.DOWN)
        assert seen == [VmStatus.POWERING_DOWN, VmStatus.DOWN], seen
        vm = service.get()
        assert vm.host is None and vm.start_time is None and vm.stop_time.utcoffset() is not None
        assert vm.stop_reason == "for a check"
        assert codes_since(connection, mark, vm.id) == [73, 61]


@check
def a_guest_that_does_not_want_to_shut_down_is_up_again():
    add("stubborn", guest={"on_shutdown": "ignores"})
    with connect() as connection:
        service, mark = find(connection, "stubborn"), last_event(connection)
        service.shutdown()
        seen = statuses_until(service, VmStatus.UP)
        assert seen == [VmStatus.POWERING_DOWN, VmStatus.UP], seen
        assert codes_since(connection, mark, service.get().id) == [73, 147]


@check
def a_second_shutdown_pulls_the_plug():
    add("twice", guest={"on_shutdown": "hangs"})
    with connect() as connection:
        service, mark = find(connection, "twice"), last_event(connection)
        service.shutdown()
        assert service.get().status == VmStatus.POWERING_DOWN
        until(lambda: is_accepted(service.shutdown))
        statuses_until(service, VmStatus.DOWN)
        codes = codes_since(connection, mark, service.get().id)
        assert codes[0] == 73 and 76 in codes, codes


def is_accepted(action):
    """False while another command on the same VM is being carried out, which an engine says so."""
    try:
        action()
    except sdk.Error as error:
        assert error.code == 409 and "Related operation is currently in progress" in error.fault.detail, error
        return False
    return True


@check
def stop_can_be_repeated():
    add("hard")
    with connect() as connection:
        service, mark = find(connection, "hard"), last_event(connection)
        service.stop(reason="hard check")
        seen = statuses_until(service, VmStatus.DOWN)
        assert is_in_order(seen, VmStatus.UP, VmStatus.POWERING_DOWN, VmStatus.DOWN), seen
        assert service.get().stop_reason == "hard check"
        service.stop()
        service.shutdown()
        codes = codes_since(connection, mark, service.get().id)
        assert codes[:2] in ([33, 61], [61, 33]) and set(codes[2:]) == {254}, codes


@check
def reboot_is_seen_before_the_vm_is_up_again():
    add("warm")
    with connect() as connection:
        service, mark = find(connection, "warm"), last_event(connection)
        before = service.get().start_time
        service.reboot()
        seen = statuses_until(service, VmStatus.UP)
        assert is_in_order(seen, VmStatus.REBOOT_IN_PROGRESS, VmStatus.POWERING_UP, VmStatus.UP), seen
        assert seen[0] == VmStatus.REBOOT_IN_PROGRESS, seen
        assert service.get().start_time == before, "the process of the VM is still the same"
        assert 157 in codes_since(connection, mark, service.get().id)


@check
def reset_needs_no_guest():
    add("cold", guest={"on_shutdown": "hangs", "on_reboot": "hangs", "tools": "not_installed"})
    with connect() as connection:
        service, mark = find(connection, "cold"), last_event(connection)
        service.reset()
        statuses_until(service, VmStatus.UP)
        assert 221 in codes_since(connection, mark, service.get().id)


@check
def suspend_saves_the_state_and_start_restores_it():
    add("sleeper", memory_mb=4096)
    with connect() as connection:
        service, mark = find(connection, "sleeper"), last_event(connection)
        service.suspend()
        seen = statuses_until(service, VmStatus.SUSPENDED)
        assert is_in_order(seen, VmStatus.UP, VmStatus.SAVING_STATE, VmStatus.SUSPENDED), seen
        assert VmStatus.SAVING_STATE in seen, seen
        assert service.get().host is None
        codes = codes_since(connection, mark, service.get().id)
        assert [code for code in codes if code in (501, 503)] == [501, 503], codes
        service.start()
        seen = statuses_until(service, VmStatus.UP)
        order = (VmStatus.SUSPENDED, VmStatus.WAIT_FOR_LAUNCH, VmStatus.RESTORING_STATE, VmStatus.UP)
        assert is_in_order(seen, *order) and VmStatus.RESTORING_STATE in seen, seen


@check
def an_action_that_the_status_does_not_allow_is_a_conflict():
    add("busy-up")
    add("idle", power="off")
    add("asleep", power="suspended")
    with connect() as connection:
        up, down, asleep = (find(connection, name) for name in ("busy-up", "idle", "asleep"))
        for action, detail in (
            (up.start, "[Cannot run VM because the VM is in Up status.]"),
            (down.reboot, "[Cannot restart VM because the VM is in Down status.]"),
            (down.reset, "[Cannot reset VM because the VM is in Down status.]"),
            (down.suspend, "[Cannot hibernate VM. VM is not up.]"),
            (asleep.reboot, "[Cannot restart VM because the VM is in Suspended status.]"),
        ):
            error = expect(sdk.Error, action, 409, detail)
            assert error.fault.reason == "Operation Failed", error
        assert [service.get().status for service in (up, down, asleep)] == [
            VmStatus.UP,
            VmStatus.DOWN,
            VmStatus.SUSPENDED,
        ]


@check
def a_start_that_fails_on_the_host_ends_down():
    add("unlucky", power="off")
    control("POST", "tasks/fail", {"vm": named("unlucky"), "failure": "out_of_resources"})
    with connect() as connection:
        service, mark = find(connection, "unlucky"), last_event(connection)
        vm = service.get().id
        service.start()
        until(lambda: set(codes_since(connection, mark, vm)) & {54, 119})
        statuses_until(service, VmStatus.DOWN)
        events = connection.system_service().events_service().list(from_=mark, search="severity=error")
        assert vm in [event.vm.id for event in events if event.vm], "a failed start is an error in the log"


@check
def several_requests_can_be_under_way():
    for number in range(8):
        add("many-%d" % number, power="off")
    with connect(connections=4) as connection:
        services = [find(connection, "many-%d" % number) for number in range(8)]
        for future in [service.start(wait=False) for service in services]:
            future.wait()
        for service in services:
            statuses_until(service, VmStatus.UP)
