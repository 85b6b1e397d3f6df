"""Reads every VM of an engine with oVirt's SDK and prints them as JSON: what a client of another make sees.

Usage: ovirtsdk_verify.py, with OLVM_URL, OLVM_USERNAME, OLVM_PASSWORD and perhaps OLVM_CA_FILE in the environment.

One object per VM, with the names of chaosmonkey's fields: id, name, power_state, native_state, host (null unless it
runs), cluster, datacenter (null for a cluster that belongs to none), cpu_count, memory_mb.
"""

import json
import os
import sys

import ovirtsdk4 as sdk
from ovirtsdk4.types import VmStatus

PATH = "/ovirt-engine/api"

# Every other status is "unknown": nobody can say whether the VM runs.
POWER_STATES = {
    VmStatus.DOWN: "powered_off",
    VmStatus.IMAGE_LOCKED: "powered_off",
    VmStatus.MIGRATING: "powered_on",
    VmStatus.NOT_RESPONDING: "powered_on",
    VmStatus.PAUSED: "suspended",
    VmStatus.POWERING_DOWN: "powered_on",
    VmStatus.POWERING_UP: "powered_on",
    VmStatus.REBOOT_IN_PROGRESS: "powered_on",
    VmStatus.RESTORING_STATE: "powered_on",
    VmStatus.SAVING_STATE: "powered_on",
    VmStatus.SUSPENDED: "suspended",
    VmStatus.UP: "powered_on",
    VmStatus.WAIT_FOR_LAUNCH: "powered_on",
}


def environment():
    """The arguments of a connection that `chaosmonkey sim serve --platform olvm` prints."""
    url = os.environ["OLVM_URL"].rstrip("/")
    return {
        "url": url if url.endswith(PATH) else url + PATH,
        "username": os.environ["OLVM_USERNAME"],
        "password": os.environ["OLVM_PASSWORD"],
        "ca_file": os.environ.get("OLVM_CA_FILE"),
    }


def inventory(connection):
    """Every VM with its place, as dictionaries ordered by id."""
    system = connection.system_service()
    hosts = {host.id: host.name for host in system.hosts_service().list()}
    clusters = {cluster.id: cluster.name for cluster in system.clusters_service().list()}
    # Top down, since the way up from a cluster fails for one that is in no data centre.
    datacenters = {
        cluster.id: datacenter.name
        for datacenter in system.data_centers_service().list(follow="clusters")
        for cluster in datacenter.clusters
    }
    result = []
    for vm in system.vms_service().list():
        topology = vm.cpu.topology
        result.append(
            {
                "id": vm.id,
                "name": vm.name,
                "power_state": POWER_STATES.get(vm.status, "unknown"),
                "native_state": vm.status.value if vm.status else "absent",
                "host": hosts[vm.host.id] if vm.host else None,
                "cluster": clusters[vm.cluster.id],
                "datacenter": datacenters.get(vm.cluster.id),
                "cpu_count": topology.sockets * topology.cores * topology.threads,
                "memory_mb": vm.memory // 2**20,
            }
        )
    return sorted(result, key=lambda vm: vm["id"])


def main():
    with sdk.Connection(**environment()) as connection:
        json.dump(inventory(connection), sys.stdout)


if __name__ == "__main__":
    main()
