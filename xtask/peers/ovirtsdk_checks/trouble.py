"""What goes wrong around VMs: statuses that no action leads to, locks, lost hosts, an engine that restarts."""

import urllib.parse

import ovirtsdk4 as sdk
from ovirtsdk4.types import HostStatus, VmStatus

from .support import (
    API,
    add,
    change,
    check,
    codes_since,
    connect,
    control,
    expect,
    find,
    is_in_order,
    last_event,
    named,
    raw,
    statuses_until,
    until,
)


@check
def a_paused_vm_goes_on_when_it_is_started():
    add("paused")
    with connect() as connection:
        service = find(connection, "paused")
        change("paused", condition="paused_for_space")
        vm = service.get()
        assert (vm.status, vm.status_detail) == (VmStatus.PAUSED, "enospc") and vm.host, vm.status
        expect(sdk.Error, service.reboot, 409, "[Cannot restart VM because the VM is in Paused status.]")
        service.start()
        assert is_in_order(statuses_until(service, VmStatus.UP), VmStatus.PAUSED, VmStatus.POWERING_UP, VmStatus.UP)


@check
def a_vm_without_usable_disks_is_locked_or_has_no_status():
    add("locked", power="off")
    add("broken", power="off")
    with connect() as connection:
        locked, broken = find(connection, "locked"), find(connection, "broken")
        change("locked", disks="locked")
        change("broken", disks="broken")
        assert locked.get().status == VmStatus.IMAGE_LOCKED
        expect(sdk.Error, locked.start, 409, "[Cannot run VM: VM is locked. Please try again in a few minutes.]")
        expect(sdk.Error, locked.stop, 409, "[Cannot stop VM. VM is not running.]")
        vm = broken.get()
        assert vm.status is None and vm.host is None and vm.name == named("broken")


@check
def a_vm_that_cannot_be_seen_keeps_its_host():
    add("silent")
    add("unseen")
    with connect() as connection:
        silent, unseen = find(connection, "silent"), find(connection, "unseen")
        change("silent", condition="unresponsive")
        assert silent.get().status == VmStatus.NOT_RESPONDING
        expect(sdk.Error, silent.start, 409, "[Cannot run VM because the VM is in Not Responding status.]")
        silent.stop()
        statuses_until(silent, VmStatus.DOWN)
        host = unseen.get().host.id
        hosts = connection.system_service().hosts_service()
        name = hosts.host_service(host).get().name
        control("PATCH", "hosts/" + urllib.parse.quote(name), {"state": "disconnected"})
        try:
            assert hosts.host_service(host).get().status == HostStatus.NON_RESPONSIVE
            vm = unseen.get()
            assert vm.status == VmStatus.UNKNOWN and vm.host.id == host, vm.status
            expect(sdk.Error, unseen.stop, 409, "[Cannot stop VM. VM is not running.]")
        finally:
            control("PATCH", "hosts/" + urllib.parse.quote(name), {"state": "up"})
        assert unseen.get().status == VmStatus.UP


@check
def a_vm_that_something_else_is_done_to_has_to_be_left_alone():
    add("held")
    add("snapped", power="off")
    with connect() as connection:
        held, snapped = find(connection, "held"), find(connection, "snapped")
        change("held", hold="command")
        change("snapped", hold="snapshot")
        expect(
            sdk.Error,
            held.stop,
            409,
            "[Cannot stop VM. Related operation is currently in progress. Please try again later.]",
        )
        error = expect(sdk.Error, snapped.start, 409)
        assert "The VM is performing an operation on a Snapshot" in error.fault.detail, error
        change("held", hold="free")
        held.stop()
        statuses_until(held, VmStatus.DOWN)


@check
def a_reboot_into_a_changed_configuration_is_a_cold_one():
    add("changed", has_next_run=True)
    with connect() as connection:
        service, mark = find(connection, "changed"), last_event(connection)
        before = service.get()
        assert before.next_run_configuration_exists
        service.reboot()
        seen = statuses_until(service, VmStatus.DOWN)
        assert is_in_order(seen, VmStatus.UP, VmStatus.REBOOT_IN_PROGRESS, VmStatus.POWERING_DOWN, VmStatus.DOWN), seen
        statuses_until(service, VmStatus.UP)
        after = service.get()
        assert after.start_time > before.start_time and not after.next_run_configuration_exists
        assert 9611 in codes_since(connection, mark, after.id)


@check
def an_answer_of_the_proxy_before_the_engine_is_a_page():
    add("behind")
    with connect() as connection:
        service = find(connection, "behind")
        control("POST", "faults", {"method": "vm", "object": named("behind"), "action": {"type": "html", "code": 503}})
        error = expect(sdk.Error, service.get, None)
        assert "text/html" in str(error), error
        assert service.get().status == VmStatus.UP


@check
def an_engine_that_restarted_knows_no_token():
    add("restarted")
    with connect() as connection:
        service = find(connection, "restarted")
        old = connection.authenticate()
        control("POST", "engine/restart", {"down": 10, "deploying": 10})
        pages = []

        def is_back():
            status, headers, _ = raw("GET", API, Authorization="Bearer " + old)
            assert headers.get_content_type() == "text/html", headers
            if pages[-1:] != [status]:
                pages.append(status)
            return status == 401

        until(is_back)
        assert pages == [503, 404, 401], pages
        assert service.get().status == VmStatus.UP and connection.authenticate() != old
