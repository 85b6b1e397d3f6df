"""What is left behind for another client to look at: a world that stands still, with a VM in each status."""

from ovirtsdk4.types import VmStatus

from .support import RUN, add, change, check, connect, control, find, named, vms_of

# How a VM gets there past all rules: its power, and what is changed on it.
PLACED = {
    VmStatus.DOWN: ("off", {}),
    VmStatus.IMAGE_LOCKED: ("off", {"disks": "locked"}),
    VmStatus.MIGRATING: ("on", {"condition": "migrating"}),
    VmStatus.NOT_RESPONDING: ("on", {"condition": "unresponsive"}),
    VmStatus.PAUSED: ("on", {"condition": "paused"}),
    VmStatus.POWERING_DOWN: ("on", {"phase": "shutting_down"}),
    VmStatus.POWERING_UP: ("on", {"phase": "booting"}),
    VmStatus.REBOOT_IN_PROGRESS: ("on", {"phase": "restarting"}),
    VmStatus.SUSPENDED: ("suspended", {}),
    VmStatus.UNASSIGNED: ("on", {"condition": "unclear"}),
    VmStatus.UNKNOWN: ("on", {"reach": "disconnected"}),
    VmStatus.UP: ("on", {}),
    None: ("off", {"disks": "broken"}),
}
# What only a task on its way leads to: the power before, and the task.
ON_THE_WAY = {
    VmStatus.RESTORING_STATE: ("suspended", "start"),
    VmStatus.SAVING_STATE: ("on", "suspend"),
    VmStatus.WAIT_FOR_LAUNCH: ("off", "start"),
}


def name_of(status):
    return "each-" + (status.value if status else "absent")


@check
def a_vm_can_be_in_each_status_that_the_sdk_knows():
    assert set(PLACED) | set(ON_THE_WAY) == set(VmStatus) | {None}
    with connect() as connection:
        for status, (power, _) in {**PLACED, **ON_THE_WAY}.items():
            add(name_of(status), power=power)
        services = {status: find(connection, name_of(status)) for status in ON_THE_WAY}
        control("POST", "clock", {"paused": True})
        for status, (_, what) in PLACED.items():
            if what:
                change(name_of(status), **what)
        # The longest way first, so that the others are not past their status when it has come to its own.
        for status in (VmStatus.SAVING_STATE, VmStatus.RESTORING_STATE, VmStatus.WAIT_FOR_LAUNCH):
            getattr(services[status], ON_THE_WAY[status][1])()
            for _ in range(1000):
                if services[status].get().status == status:
                    break
                control("POST", "clock", {"step": 0.01})
        found = {vm.name: vm.status for vm in vms_of(connection).list(search="name=each-*-" + RUN)}
        assert found == {named(name_of(status)): status for status in {**PLACED, **ON_THE_WAY}}, found
