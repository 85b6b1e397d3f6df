//! The control door: the world, its clock, faults and the record over HTTP and JSON, for other processes.

use http::request::Parts;
use http::{Method, StatusCode};
use hyper::Response;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::front::{Front, with_type};
use crate::wire::{Body, WireFault, full};
use crate::world::{Failure, HostState, LogEntry, Operation, Task, TaskOwner, Vm, VmPatch, VmSpec, WorldError};

const HELP: &str = "\
chaos-sim control door; bodies are JSON, times are seconds

GET    /sim/world                 what there is, in numbers
GET    /sim/vms                   all VMs
POST   /sim/vms                   add a VM: {\"name\": ..., \"folder\": ..., \"power\": ...}
GET    /sim/vms/VM                one VM; VM is a name, a path, id:NUMBER or an engine's id, percent-encoded
PATCH  /sim/vms/VM                change it: {\"power\": \"off\", \"guest\": {\"on_shutdown\": \"hangs\"}, ...}
                                  {\"condition\": \"paused\", \"disks\": \"locked\", \"hold\": \"snapshot\", \"hold_for\": 5}
DELETE /sim/vms/VM                remove it
PATCH  /sim/hosts/HOST            {\"state\": \"up\" | \"disconnected\" | \"crashed\" | \"maintenance\"}
GET    /sim/tasks                 tasks that are remembered
POST   /sim/tasks/fail            {\"vm\": ..., \"operation\": \"power_off\", \"failure\": \"out_of_resources\"}
GET    /sim/clock                 moment, speed, pause
POST   /sim/clock                 {\"speed\": 20} {\"paused\": true} {\"step\": 60} {\"next\": true}
GET    /sim/log                   what happened
POST   /sim/engine/restart        {\"down\": 60, \"deploying\": 30}
GET    /sim/faults                faults that have not struck yet
POST   /sim/faults                {\"method\": ..., \"object\": ..., \"skip\": 0, \"count\": 1, \"action\": {\"type\": \"reset_after\"}}
DELETE /sim/faults                take them back
GET    /sim/sessions              open sessions
DELETE /sim/sessions[/WHO]        end them all, or those of a user or key
GET    /sim/calls                 every call that came in
DELETE /sim/calls                 forget them
";

/// An answer that is not what was asked for.
struct Problem(StatusCode, String);

impl From<WorldError> for Problem {
    fn from(error: WorldError) -> Self {
        let status = match error {
            WorldError::NoSuchVm { .. } | WorldError::NoSuchHost { .. } => StatusCode::NOT_FOUND,
            WorldError::NameTaken { .. } | WorldError::Ambiguous { .. } => StatusCode::CONFLICT,
            WorldError::NoDatacenter { .. } | WorldError::NoHost { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.to_string())
    }
}

/// How to turn the clock.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClockChange {
    speed: Option<f64>,
    paused: Option<bool>,
    #[serde(with = "crate::world::seconds::option")]
    step: Option<std::time::Duration>,
    next: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostChange {
    state: HostState,
}

/// How long an engine is away.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Restart {
    #[serde(with = "crate::world::seconds")]
    down: std::time::Duration,
    #[serde(with = "crate::world::seconds")]
    deploying: std::time::Duration,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskFailure {
    vm: Option<String>,
    operation: Option<Operation>,
    failure: Failure,
    #[serde(default)]
    skip: u32,
    #[serde(default)]
    count: u32,
}

/// Answers a request to the control door.
pub(crate) fn answer(front: &Front, parts: &Parts, body: &[u8]) -> Response<Body> {
    let steps: Vec<String> = parts
        .uri
        .path()
        .trim_start_matches("/sim")
        .split('/')
        .filter(|step| !step.is_empty())
        .map(percent_decoded)
        .collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    if steps.is_empty() {
        return with_type(StatusCode::OK, "text/plain; charset=utf-8", full(HELP));
    }
    let (status, value) = match route(front, &parts.method, &steps, body) {
        Ok(value) => (StatusCode::OK, value),
        Err(Problem(status, message)) => (status, json!({ "error": message })),
    };
    with_type(status, "application/json", full(format!("{value}\n")))
}

fn route(front: &Front, method: &Method, steps: &[&str], body: &[u8]) -> Result<Value, Problem> {
    let world = &front.world;
    // An engine's id is as good as a name.
    let by_uuid = match steps {
        ["vms", vm] => front.engine.as_ref().and_then(|engine| engine.vm_of(vm)).map(|id| format!("id:{}", id.0)),
        _ => None,
    };
    let named = by_uuid.as_deref().map(|id| ["vms", id]);
    match (method.as_str(), named.as_ref().map_or(steps, |steps| steps.as_slice())) {
        ("GET", ["world"]) => Ok(world_summary(front)),
        ("GET", ["vms"]) => Ok(world.vms().iter().map(|vm| vm_value(front, vm)).collect()),
        ("POST", ["vms"]) => Ok(vm_value(front, &world.add(&read::<VmSpec>(body)?)?)),
        ("GET", ["vms", vm]) => Ok(vm_value(front, &world.vm(vm)?)),
        ("PATCH", ["vms", vm]) => Ok(vm_value(front, &world.change(vm, &read::<VmPatch>(body)?)?)),
        ("DELETE", ["vms", vm]) => world.remove(vm).map(|()| json!({})).map_err(Problem::from),
        ("PATCH", ["hosts", host]) => {
            world.set_host(host, read::<HostChange>(body)?.state)?;
            Ok(json!({}))
        }
        ("GET", ["tasks"]) => Ok(world.tasks().iter().map(task_value).collect()),
        ("POST", ["tasks", "fail"]) => {
            let TaskFailure { vm, operation, failure, skip, count } = read(body)?;
            world.fail_tasks(vm.as_deref(), operation, failure, skip, count)?;
            Ok(json!({}))
        }
        ("GET", ["log"]) => Ok(world.log().iter().map(log_value).collect()),
        ("POST", ["engine", "restart"]) => {
            let Restart { down, deploying } = read(body)?;
            let engine = front.engine.as_ref();
            let engine =
                engine.ok_or_else(|| Problem(StatusCode::NOT_FOUND, "there is no engine to restart".into()))?;
            engine.restart(down, deploying);
            Ok(json!({}))
        }
        ("GET", ["clock"]) => Ok(clock_value(front)),
        ("POST", ["clock"]) => {
            turn_clock(front, &read(body)?);
            Ok(clock_value(front))
        }
        ("GET", ["faults"]) => value(&front.faults.all()),
        ("POST", ["faults"]) => {
            front.faults.add(read::<WireFault>(body)?);
            Ok(json!({}))
        }
        ("DELETE", ["faults"]) => {
            front.faults.clear();
            Ok(json!({}))
        }
        ("GET", ["sessions"]) => value(&front.session_infos()),
        ("DELETE", ["sessions"]) => Ok(json!({ "ended": front.kill_sessions(None) })),
        ("DELETE", ["sessions", who]) => Ok(json!({ "ended": front.kill_sessions(Some(who)) })),
        ("GET", ["calls"]) => value(&front.record.all()),
        ("DELETE", ["calls"]) => {
            front.record.clear();
            Ok(json!({}))
        }
        _ => Err(Problem(StatusCode::NOT_FOUND, "no such thing; GET /sim/ lists what there is".into())),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem(StatusCode::BAD_REQUEST, error.to_string()))
}

fn value<T: Serialize>(of: &T) -> Result<Value, Problem> {
    serde_json::to_value(of).map_err(|error| Problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn turn_clock(front: &Front, change: &ClockChange) {
    let clock = front.world.clock();
    if let Some(speed) = change.speed {
        clock.set_speed(speed);
    }
    match change.paused {
        Some(true) => clock.pause(),
        Some(false) => clock.resume(),
        None => {}
    }
    if let Some(step) = change.step {
        front.world.step(step);
    }
    if change.next {
        let _distance = front.world.step_to_next_event();
    }
}

fn clock_value(front: &Front) -> Value {
    let clock = front.world.clock();
    json!({
        "now": clock.now(),
        "elapsed": clock.elapsed().as_secs_f64(),
        "speed": clock.speed(),
        "paused": clock.is_paused(),
    })
}

fn world_summary(front: &Front) -> Value {
    front.world.with(|state| {
        let inventory = &state.inventory;
        json!({
            "seed": state.seed,
            "datacenters": inventory.datacenters.values().map(|it| it.name.as_str()).collect::<Vec<_>>(),
            "clusters": inventory.clusters.len(),
            "hosts": inventory.hosts.values().map(|it| json!({ "name": it.name, "state": it.state })).collect::<Vec<_>>(),
            "vms": inventory.vms.len(),
            "tasks": state.tasks.len(),
        })
    })
}

fn vm_value(front: &Front, vm: &Vm) -> Value {
    front.world.with(|state| {
        json!({
            "id": vm.id,
            "uuid": front.engine.as_ref().map(|engine| engine.vm_id(vm.id)),
            "name": vm.name,
            "path": state.inventory.path(vm),
            "host": state.inventory.hosts.get(&vm.host).map(|host| host.name.as_str()),
            "power": vm.power,
            "phase": vm.phase,
            "guest": vm.guest,
            "reach": vm.reach,
            "condition": vm.condition,
            "disks": vm.disks,
            "hold": vm.hold,
            "has_next_run": vm.has_next_run,
            "hears_button": vm.hears_button,
            "stop_reason": vm.stop_reason,
            "role": vm.role,
            "has_config": vm.has_config,
            "cpus": vm.cpus,
            "sockets": vm.sockets,
            "threads": vm.threads,
            "memory_mb": vm.memory_mb,
            "guest_os": vm.guest_os,
            "boot_time": vm.boot_time,
            "clean_power_off": vm.clean_power_off,
            "question": vm.question,
            "operations": vm.operations,
            "tools_answer": vm.tools_answer(),
        })
    })
}

fn task_value(task: &Task) -> Value {
    let owner = match task.id.owner {
        TaskOwner::Vm(vm) => json!({ "vm": vm }),
        TaskOwner::Datacenter(datacenter) => json!({ "datacenter": datacenter }),
    };
    json!({
        "owner": owner,
        "number": task.id.number,
        "operation": task.operation,
        "state": format!("{:?}", task.state),
        "user": task.user,
        "queued": task.queued.as_secs_f64(),
        "finished": task.finished.map(|finished| finished.as_secs_f64()),
    })
}

fn log_value(entry: &LogEntry) -> Value {
    json!({
        "number": entry.number,
        "at": entry.at.as_secs_f64(),
        "vm": entry.vm.as_ref().map(|(id, name)| json!({ "id": id, "name": name })),
        "what": format!("{:?}", entry.what),
    })
}

/// Text with `%XX` decoded; what is no valid escape stays as it is.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let escape = (byte == b'%').then(|| text.get(position + 1..position + 3)).flatten();
        if let Some(decoded) = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(decoded);
            position += 3;
        } else {
            out.push(byte);
            position += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::percent_decoded;

    #[test]
    fn percent_escapes_are_decoded_and_everything_else_stays() {
        assert_eq!(percent_decoded("a%2Fb%20c%"), "a/b c%");
        assert_eq!(percent_decoded("%zz%e6%97%a5"), "%zz日");
    }
}
