"""Reading: typed values, searches, pages, links, places."""

import datetime
import urllib.parse
import uuid

import ovirtsdk4 as sdk
from ovirtsdk4.types import DataCenterStatus, HostStatus, VmStatus

from .support import (
    API,
    MIB,
    PATH,
    RUN,
    UUID,
    add,
    change,
    check,
    connect,
    control,
    expect,
    find,
    named,
    names,
    raw,
    vms_of,
)


@check
def the_api_tells_product_version_counts_and_time():
    with connect() as connection:
        assert connection.test(raise_exception=True)
        api = connection.system_service().get()
        version = api.product_info.version
        assert version.major == 4 and version.minor >= 3 and version.full_version.startswith("4."), version.__dict__
        assert api.product_info.name and api.product_info.vendor
        assert api.summary.vms.total == len(vms_of(connection).list()) > 0
        assert 0 < api.summary.hosts.active <= api.summary.hosts.total
        clock = datetime.datetime.fromisoformat(control("GET", "clock")["now"][:19] + "+00:00")
        assert api.time.utcoffset() is not None and abs((api.time - clock).total_seconds()) < 120, api.time


@check
def the_path_may_name_the_version():
    with connect(url=API + "/v4") as connection:
        assert connection.test(raise_exception=True)


@check
def every_vm_reads_into_typed_values():
    with connect() as connection:
        vms = vms_of(connection).list()
        ordinary = [vm["name"] for vm in control("GET", "vms") if vm["role"] == "ordinary"]
        assert set(ordinary) <= set(names(vms)), set(ordinary) - set(names(vms))
        assert len({vm.id for vm in vms}) == len(vms)
        for vm in vms:
            assert UUID.fullmatch(vm.id) and vm.href == "%s/vms/%s" % (PATH, vm.id), vm.href
            assert vm.status is None or isinstance(vm.status, VmStatus)
            assert vm.memory > 0 and vm.memory % MIB == 0
            assert min(vm.cpu.topology.sockets, vm.cpu.topology.cores, vm.cpu.topology.threads) >= 1
            assert UUID.fullmatch(vm.cluster.id) and vm.os.type and vm.type
            assert vm.creation_time.utcoffset() is not None
            assert vm.initialization is None or vm.initialization.configuration is None
            if vm.status in (VmStatus.DOWN, VmStatus.SUSPENDED):
                assert vm.host is None and vm.start_time is None, vm.name
            if vm.status == VmStatus.UP:
                assert UUID.fullmatch(vm.host.id) and vm.start_time.utcoffset() is not None, vm.name


@check
def sizes_are_those_of_the_world():
    add("sizes", cpus=6, memory_mb=3072)
    with connect() as connection:
        vm = find(connection, "sizes").get()
        topology = vm.cpu.topology
        assert topology.sockets * topology.cores * topology.threads == 6, topology.__dict__
        assert vm.memory == 3072 * MIB
        assert vm.memory_policy.guaranteed <= vm.memory <= vm.memory_policy.max


@check
def one_vm_is_the_same_by_id_as_in_the_list():
    add("alone")
    with connect() as connection:
        listed = vms_of(connection).list(search="name=" + named("alone"))[0]
        got = vms_of(connection).vm_service(listed.id).get()
        for field in ("id", "name", "status", "memory", "start_time", "creation_time", "href"):
            assert getattr(listed, field) == getattr(got, field), field
        assert (listed.host.id, listed.cluster.id) == (got.host.id, got.cluster.id)


@check
def a_search_matches_names_with_wildcards_only_where_they_stand():
    for name in ("find-1", "find-2", "Find-3"):
        add(name)
    with connect() as connection:
        search = vms_of(connection).list
        assert set(names(search(search="name=find-*-" + RUN))) == {named(it) for it in ("find-1", "find-2", "Find-3")}
        assert names(search(search="name=find-?-" + RUN)) == []
        assert names(search(search="name=find")) == [], "a pattern without wildcard matches whole names"
        assert names(search(search="name=FIND-1-" + RUN.upper())) == [named("find-1")], "case is ignored"
        assert names(search(search="name=find-*-" + RUN, case_sensitive=True)) == [named("find-1"), named("find-2")]
        assert names(search(search="name=%s or name=%s" % (named("find-2"), named("find-1")))) == [
            named("find-1"),
            named("find-2"),
        ]
        others = search(search="name=find-*-%s and name!=%s" % (RUN, named("find-1")))
        assert set(names(others)) == {named("find-2"), named("Find-3")}
        ids = {vm.id for vm in search(search="name=find-*-" + RUN)}
        assert {vm.id for vm in search(search=" or ".join("id=" + vm for vm in ids))} == ids


@check
def names_that_are_hard_to_search_for_are_listed_as_they_are():
    hard = ["my vm", "o'brien", "50% \\ _", 'say "a" & <b>;', "Grün-日本"]
    for name in hard:
        add(name)
    with connect() as connection:
        search = vms_of(connection).list
        assert {named(name) for name in hard} <= set(names(search()))
        assert names(search(search='name="%s"' % named("my vm"))) == [named("my vm")]
        assert names(search(search='name="%s"' % named("Grün-日本"))) == [named("Grün-日本")]
        assert names(search(search='name="%s"' % named("50% \\ _"))) == [named("50% \\ _")]
        assert names(search(search='name="5*_-%s"' % RUN)) == [named("50% \\ _")]
        own = ["name=" + named(name) for name in ("my vm", "o'brien")]
        for invalid in own + ["(status=up)", "name=", "sortby name page 1"]:
            assert search(search=invalid) == [], "an invalid search finds nothing: " + invalid


@check
def a_search_knows_statuses_by_the_names_of_the_engine():
    add("state-on", cpus=1)
    add("state-off", power="off", cpus=3)
    with connect() as connection:
        search = vms_of(connection).list
        ours = "name=state-*-%s and " % RUN
        assert names(search(search=ours + "status=up")) == [named("state-on")]
        assert names(search(search=ours + "status!=down")) == [named("state-on")]
        assert names(search(search=ours + "vcpus>2")) == [named("state-off")]
        change("state-on", phase="booting")
        assert find(connection, "state-on").get().status == VmStatus.POWERING_UP
        assert names(search(search=ours + "status=poweringup")) == [named("state-on")]
        for invalid in ("status=powering_up", "status=running"):
            assert search(search=invalid) == [], "not one of the engine's own names: " + invalid


@check
def order_pages_and_limits():
    for number in range(5):
        add("page-%d" % number)
    with connect() as connection:
        search = vms_of(connection).list
        ours = "name=page-*-" + RUN
        everything = [named("page-%d" % number) for number in range(5)]
        assert names(search(search=ours)) == everything, "by name"
        assert names(search(search=ours + " sortby name desc")) == everything[::-1]
        assert names(search(search=ours, max=2)) == everything[:2]
        assert names(search(search=ours + " sortby name asc page 2", max=2)) == everything[2:4]
        assert names(search(search=ours + " sortby name asc page 3", max=2)) == everything[4:]
        assert search(search=ours + " page 2") == [], "without a limit everything is on the first page"
        assert search(search=ours, max=0) == []
        bearer = "Bearer " + connection.authenticate()
        query = urllib.parse.urlencode({"search": ours, "detail": "-main+size"})
        status, _, body = raw("GET", API + "/vms?" + query, Authorization=bearer)
        assert status == 200 and b"<size>5</size>" in body and b"<vm" not in body.replace(b"<vms", b""), body
        error = expect(sdk.Error, lambda: search(max=-1), 400)
        assert "Illegal max count value for query : -1" in error.fault.detail, error.fault.detail


@check
def links_are_followed_by_the_engine():
    add("inner")
    add("inner-off", power="off")
    with connect() as connection:
        search = vms_of(connection).list
        hosts = {host.id: host.name for host in connection.system_service().hosts_service().list()}
        followed = search(search="name=" + named("inner"), follow="host,cluster.data_center,tags")[0]
        assert hosts[followed.host.id] == followed.host.name
        assert followed.cluster.name and followed.cluster.data_center.name in control("GET", "world")["datacenters"]
        assert list(followed.tags) == []
        everyone = search(search="name=inner*-" + RUN, follow="cluster")
        assert len(everyone) == 2 and all(vm.cluster.name for vm in everyone)
        # A VM that is down has no host: the engine stumbles over it, and answers with a page instead of a fault.
        error = expect(sdk.Error, lambda: search(search="name=inner*-" + RUN, follow="host"), None)
        assert "text/html" in str(error), error
        assert len(search(search="name=inner*-%s and status=up" % RUN, follow="host")) == 1


@check
def links_are_followed_by_the_client():
    add("outer")
    with connect() as connection:
        vm = find(connection, "outer").get()
        cluster = connection.follow_link(vm.cluster)
        assert cluster.id == vm.cluster.id and cluster.name
        assert connection.follow_link(vm.host).id == vm.host.id
        assert connection.follow_link(cluster.data_center).name in control("GET", "world")["datacenters"]
        assert list(connection.follow_link(vm.tags)) == []


@check
def hosts_clusters_and_data_centres_fit_together():
    with connect() as connection:
        system = connection.system_service()
        hosts, clusters = system.hosts_service().list(), system.clusters_service().list()
        datacenters = system.data_centers_service().list(follow="clusters")
        world = control("GET", "world")
        assert sorted(names(hosts)) == sorted(host["name"] for host in world["hosts"])
        assert sorted(names(datacenters)) == sorted(world["datacenters"])
        assert {cluster.data_center.id for cluster in clusters} == {datacenter.id for datacenter in datacenters}
        assert {host.cluster.id for host in hosts} <= {cluster.id for cluster in clusters}
        assert all(isinstance(host.status, HostStatus) and host.address and host.version.major == 4 for host in hosts)
        assert all(datacenter.status == DataCenterStatus.UP for datacenter in datacenters)
        for datacenter in datacenters:
            inside = {cluster.id for cluster in clusters if cluster.data_center.id == datacenter.id}
            assert {cluster.id for cluster in datacenter.clusters} == inside
        assert system.hosts_service().host_service(hosts[0].id).get().name == hosts[0].name
        assert system.clusters_service().cluster_service(clusters[0].id).get().name == clusters[0].name
        found = system.clusters_service().list(search='datacenter.name="%s"' % datacenters[0].name)
        assert {cluster.id for cluster in found} == {cluster.id for cluster in datacenters[0].clusters}
        assert names(system.hosts_service().list(search='name="%s"' % hosts[0].name)) == [hosts[0].name]
        on_host = vms_of(connection).list(search='hosts.name="%s"' % hosts[0].name)
        assert {vm.host.id for vm in on_host if vm.host} <= {hosts[0].id}


@check
def what_does_not_exist_is_not_found_and_cannot_be_acted_on():
    with connect() as connection:
        nobody = vms_of(connection).vm_service(str(uuid.uuid4()))
        expect(sdk.NotFoundError, nobody.get, 404)
        expect(sdk.NotFoundError, vms_of(connection).vm_service("web-01").get, 404)
        expect(sdk.Error, nobody.stop, 400, "[Cannot stop VM. VM is not found.]")
        expect(sdk.Error, nobody.start, 400, "[Cannot run VM. VM is not found.]")
        expect(sdk.NotFoundError, connection.system_service().hosts_service().host_service(str(uuid.uuid4())).get, 404)
