//! The part of the vim25 API that this client speaks: requests as pure functions, answers as tolerant typed values.
//!
//! # How to use it
//!
//! * A request is a value: `vim::power_off(&vm)` is a [`Request<MoRef>`](Request) that knows its method name, its body,
//!   whether it may be sent twice, and how to read its answer. `Session::call(cx, &request)` sends it and returns what
//!   it reads.
//! * Long poll: [`create_property_collector`] → [`create_list_view`] twice (VMs, tasks) → [`create_filter`] with
//!   [`list_view_filter`] for each → [`wait_for_updates`] with version `""`, then with the version of each
//!   [`UpdateSet`]. `None` is a time-out: ask again with the same version. [`modify_list_view`] changes what is
//!   watched.
//! * Changes are applied in order to a [`VmState`] or [`TaskState`] (`state.apply(&change)`), which also name the paths
//!   they need.
//! * What a refused call says is a [`Fault`](crate::soap::fault::Fault): the same type for a refusal at once and for
//!   `info.error` of a task.
//! * Session objects (collectors, filters, views) die with their session. Remember `Session::generation()` beside them
//!   and make them anew when it has moved.

mod content;
mod property;
mod request;
mod requests;
mod state;
#[cfg(test)]
mod tests;
mod types;
mod update;

pub(crate) use content::ServiceContent;
pub(crate) use property::{MissingProperty, OBJECTS, ObjectContent, Page};
pub(crate) use request::{Answer, Effect, NotSoap, Request};
pub(crate) use requests::*;
pub(crate) use state::{Question, TaskPhase, TaskState, VmState, power_state};
pub(crate) use types::{MoRef, ReadError, boolean, timestamp};
pub(crate) use update::{ChangeKind, ObjectUpdate, PropertyChange, PropertyValue, UpdateSet};
