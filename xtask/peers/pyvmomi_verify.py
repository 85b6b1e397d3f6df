"""Reads every VM of a vCenter with pyvmomi and prints them as JSON: what a client of another make sees.

Usage: pyvmomi_verify.py URL USERNAME PASSWORD

One object per VM: id, name, power_state (in chaosmonkey's words), host, cluster (null on a standalone host), datacenter.
"""

import json
import sys
from urllib.parse import urlsplit

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

POWER_STATES = {"poweredOn": "powered_on", "poweredOff": "powered_off", "suspended": "suspended"}


def connect(url, username, password):
    """Logs in over the scheme that the URL names; certificates are not checked, since only simulators are read."""
    parts = urlsplit(url)
    return SmartConnect(
        protocol=parts.scheme,
        host=parts.hostname,
        port=parts.port or (443 if parts.scheme == "https" else 80),
        user=username,
        pwd=password,
        disableSslCertValidation=True,
    )


def read(content, kind, *paths):
    """The named properties of every object of one kind below the root folder, by object id."""
    collector = vmodl.query.PropertyCollector
    view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    walk = collector.TraversalSpec(name="view", path="view", skip=False, type=vim.view.ContainerView)
    spec = collector.FilterSpec(
        objectSet=[collector.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
        propSet=[collector.PropertySpec(type=kind, pathSet=list(paths))],
    )
    found = {}
    page = content.propertyCollector.RetrievePropertiesEx([spec], collector.RetrieveOptions())
    while page is not None:
        for item in page.objects:
            found[item.obj._moId] = {prop.name: prop.val for prop in item.propSet}
        if not page.token:
            break
        page = content.propertyCollector.ContinueRetrievePropertiesEx(page.token)
    view.Destroy()
    return found


def inventory(content):
    """Every VM with its place, as dictionaries ordered by id."""
    hosts = read(content, vim.HostSystem, "name", "parent")
    clusters = read(content, vim.ClusterComputeResource, "name")
    folders = read(content, vim.Folder, "parent")
    datacenters = read(content, vim.Datacenter, "name")
    result = []
    for moid, vm in read(content, vim.VirtualMachine, "name", "parent", "runtime.powerState", "runtime.host").items():
        host = hosts[vm["runtime.host"]._moId]
        cluster = clusters.get(host["parent"]._moId)
        above = vm["parent"]._moId
        while above in folders:
            above = folders[above]["parent"]._moId
        result.append(
            {
                "id": moid,
                "name": vm["name"],
                "power_state": POWER_STATES[vm["runtime.powerState"]],
                "host": host["name"],
                "cluster": cluster["name"] if cluster else None,
                "datacenter": datacenters[above]["name"],
            }
        )
    return sorted(result, key=lambda vm: vm["id"])


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    service = connect(*sys.argv[1:])
    try:
        json.dump(inventory(service.RetrieveContent()), sys.stdout)
    finally:
        Disconnect(service)


if __name__ == "__main__":
    main()
