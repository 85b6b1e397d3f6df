"""What the engine keeps beside VMs: events, jobs, tags, snapshots."""

from ovirtsdk4.types import JobStatus, LogSeverity, SnapshotType, Tag, VmStatus

from .support import (
    RUN,
    add,
    check,
    codes_since,
    connect,
    find,
    last_event,
    named,
    names,
    statuses_until,
    until,
    vms_of,
)


@check
def events_are_read_from_where_the_reader_was():
    add("logged")
    with connect() as connection:
        events, service = connection.system_service().events_service(), find(connection, "logged")
        mark, vm = last_event(connection), service.get().id
        service.shutdown(headers={"Correlation-Id": "check-" + RUN})
        statuses_until(service, VmStatus.DOWN)
        until(lambda: 61 in codes_since(connection, mark, vm))
        found = events.list(from_=mark)
        ids = [int(event.id) for event in found]
        assert ids == sorted(ids, reverse=True) and min(ids) > mark, "newest first, and none that was read before"
        first, last = ([event for event in found if event.code == code and event.vm.id == vm][0] for code in (73, 61))
        assert first.correlation_id == "check-" + RUN and last.correlation_id != first.correlation_id
        assert last.severity == LogSeverity.NORMAL and last.description.startswith("VM %s is down" % named("logged"))
        assert last.time.utcoffset() is not None and last.time >= first.time
        searched = events.list(from_=mark, search="type=61 or type=119", max=100)
        assert searched and {event.code for event in searched} <= {61, 119}
        assert [event.id for event in events.list(from_=int(last.id), search="type=61")] == []
        mine = events.list(search="event_vm=%s and type=73" % named("logged"))
        assert [event.id for event in mine] == [first.id]
        assert events.event_service(last.id).get().description == last.description


@check
def the_job_of_a_command_is_found_by_its_correlation_id():
    add("job")
    with connect() as connection:
        find(connection, "job").stop(headers={"Correlation-Id": "job-" + RUN})
        jobs = connection.system_service().jobs_service()
        found = []
        until(lambda: found.extend(jobs.list(search="correlation_id=job-" + RUN)) or found)
        assert isinstance(found[0].status, JobStatus) and found[0].start_time.utcoffset() is not None
        until(lambda: jobs.job_service(found[0].id).get().status == JobStatus.FINISHED)


@check
def tags_mark_vms():
    add("tagged")
    with connect() as connection:
        tags, service = connection.system_service().tags_service(), find(connection, "tagged")
        tag = tags.add(Tag(name=named("chaos")))
        assert named("chaos") in names(tags.list())
        service.tags_service().add(Tag(name=named("chaos")))
        assert names(service.tags_service().list()) == [named("chaos")]
        assert names(vms_of(connection).list(search="tag=" + named("chaos"))) == [named("tagged")]
        assert vms_of(connection).list(search="tag=" + named("no-such")) == []
        service.tags_service().tag_service(tag.id).remove()
        assert vms_of(connection).list(search="tag=" + named("chaos")) == []
        tags.tag_service(tag.id).remove()


@check
def a_vm_has_an_active_snapshot_and_a_saved_configuration_on_demand():
    add("deep")
    with connect() as connection:
        service = find(connection, "deep")
        active = [it for it in service.snapshots_service().list() if it.snapshot_type == SnapshotType.ACTIVE]
        assert [it.description for it in active] == ["Active VM"]
        plain, everything = service.get(), service.get(all_content=True)
        assert plain.name == everything.name and plain.status == everything.status
        assert "<" in everything.initialization.configuration.data, "a whole document inside a text"
