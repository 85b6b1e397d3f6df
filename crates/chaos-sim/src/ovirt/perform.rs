//! An action from its request to its answer.

use std::time::Duration;

use super::Engine;
use super::access::Caller;
use super::action::{Options, misused};
use super::answer::{document, refused};
use super::element::Element;
use super::fault::{Fault, Refused};
use super::ids::is_uuid;
use super::job::Job;
use super::power::{self, Actor};
use super::request::{Format, Request};
use super::route::Action;
use super::scene::href;
use crate::accounts::Role;
use crate::wire::Reply;
use crate::world::{TaskId, TaskState};

impl Engine {
    /// Carries out the action that a request asks for.
    pub(super) async fn perform(
        &self,
        request: &Request,
        caller: &Caller,
        correlation: &str,
        (id, action): (&str, Action),
        format: Format,
    ) -> Reply {
        let Ok(options) = Options::read(request) else { return refused(&misused(request, action).into(), format) };
        if !is_uuid(id) {
            return refused(&Refused::Absent, format);
        }
        if let Some(sleep) = options.sleep {
            self.pass(sleep).await;
        }
        let actor = Actor { user: caller.user.clone(), correlation: correlation.to_owned() };
        let found = self.scene(caller, request, |scene| scene.vm_of(id).map(|vm| (vm.id, vm.name.clone())));
        let accepted = match found {
            // What cannot be seen cannot be told from what must not be touched.
            None if caller.is_filtered => Err(Fault::forbidden()),
            None => Err(power::not_found(action)),
            Some(_) if caller.role == Role::ReadOnly => Err(Fault::forbidden()),
            Some((vm, name)) => self.world.with(|state| {
                let accepted = self.act(state, vm, action, &options, &actor)?;
                Ok((vm, name, accepted, state.now))
            }),
        };
        let (vm, name, accepted, now) = match accepted {
            Ok(accepted) => accepted,
            Err(fault) => {
                let reply = document(fault.status, &options.refused(&fault), format);
                return reply.refused(fault.detail);
            }
        };
        let job = Job {
            id: self.ids.make("engine job", request.number),
            description: format!("{} VM {name}", described(action)),
            correlation: actor.correlation,
            user: actor.user,
            begun: now,
            task: accepted.task,
            lasts: accepted.lasts,
        };
        let job_id = job.id.clone();
        self.jobs().add(job);
        self.until_begun(accepted.task).await;
        if accepted.lasts {
            let tasks = self.ids.make("engine task", request.number);
            return document(202, &running(id, action, &tasks, &options, Some(&job_id)), format);
        }
        let element = self.scene(caller, request, |scene| {
            let job = Element::reference("job", href("jobs", &job_id), job_id.clone());
            let vm = scene.state.inventory.vms.get(&vm).map(|vm| scene.bare_vm(vm));
            options.answer([job, Element::text("status", "complete")].into_iter().chain(vm))
        });
        document(200, &element, format)
    }

    /// Returns when a command has been handed to the host: until then other commands on the VM are refused. A world that
    /// stands still keeps nobody waiting.
    async fn until_begun(&self, task: Option<TaskId>) {
        let Some(id) = task else { return };
        let mut changes = self.world.changes();
        loop {
            changes.mark_unchanged();
            let waits = self.world.with(|state| state.tasks.get(&id).is_some_and(|it| it.state == TaskState::Queued));
            if !waits {
                return;
            }
            tokio::select! {
                told = changes.changed() => if told.is_err() { return },
                () = self.world.clock().until_paused() => return,
            }
        }
    }

    /// Lets world time pass, unless the world stands still.
    async fn pass(&self, time: Duration) {
        tokio::select! {
            () = self.world.clock().sleep(time) => {}
            () = self.world.clock().until_paused() => {}
        }
    }
}

/// An action that has tasks which are not over.
pub(super) fn running(vm: &str, action: Action, tasks: &str, options: &Options, job: Option<&str>) -> Element {
    let at = format!("{}/{}", href("vms", vm), action.word());
    let job = job.map(|job| Element::reference("job", href("jobs", job), job.to_owned()));
    let members = [
        Element::link("parent", href("vms", vm)),
        Element::link("replay", at.clone()),
        Element::flag("async", true),
        Element::text("status", "in_progress"),
    ];
    let element = options.answer(members.into_iter().chain(job));
    Element { href: Some(format!("{at}/{tasks}")), id: Some(tasks.to_owned()), ..element }
}

fn described(action: Action) -> &'static str {
    match action {
        Action::Start => "Launching",
        Action::Stop => "Powering Off",
        Action::Shutdown => "Shutting Down",
        Action::Reboot => "Rebooting",
        Action::Reset => "Resetting",
        Action::Suspend => "Suspending",
    }
}
