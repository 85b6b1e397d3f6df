//! The bookkeeping of one list view: what is on it, what is known of each object, and who wants to hear of it. No IO.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chaos_core::Error;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::vim::{ChangeKind, MoRef, ObjectUpdate, PropertyChange, TaskState, VmState};

/// What a list view can hold: an object whose state is built up from property changes.
pub(crate) trait Watched: Clone + Default + Send + 'static {
    /// The managed object type.
    const KIND: &'static str;
    /// The property paths that the filter reports.
    const PATHS: &'static [&'static str];
    /// Whether an object stays on the list when nobody follows it any more. One that may be followed again should: not every
    /// server tells about an object that comes back.
    const STAYS: bool;

    /// Takes one change over.
    fn change(&mut self, change: &PropertyChange);
}

impl Watched for VmState {
    const KIND: &'static str = "VirtualMachine";
    const PATHS: &'static [&'static str] = Self::PATHS;
    const STAYS: bool = true;

    fn change(&mut self, change: &PropertyChange) {
        self.apply(change);
    }
}

impl Watched for TaskState {
    const KIND: &'static str = "Task";
    const PATHS: &'static [&'static str] = Self::PATHS;
    const STAYS: bool = false;

    fn change(&mut self, change: &PropertyChange) {
        self.apply(change);
    }
}

/// What a follower hears.
#[derive(Debug, Clone)]
pub(crate) enum News<S> {
    /// The object is like this now.
    State(S),
    /// The object does not exist, or no longer.
    Gone,
    /// Nothing more will be heard, for this reason.
    Failed(Arc<Error>),
}

/// One list view as it should be and as far as the server has been told.
#[derive(Debug)]
pub(crate) struct Roll<S> {
    entries: HashMap<MoRef, Entry<S>>,
    next_follower: u64,
}

#[derive(Debug)]
struct Entry<S> {
    listed: Listed,
    known: Known<S>,
    followers: Vec<Follower<S>>,
}

#[derive(Debug)]
struct Follower<S> {
    id: u64,
    news: UnboundedSender<News<S>>,
}

/// Whether the server has the object on its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    No,
    /// A change of the list that adds it is under way.
    Asked,
    Yes,
}

#[derive(Debug)]
enum Known<S> {
    /// The server has not said anything yet.
    Nothing,
    State(S),
    Gone,
}

/// A change of the list view that is due.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ListChange {
    pub(crate) add: Vec<MoRef>,
    pub(crate) remove: Vec<MoRef>,
}

impl<S: Watched> Roll<S> {
    pub(crate) fn new() -> Self {
        Self { entries: HashMap::new(), next_follower: 0 }
    }

    /// Begins to follow an object, which is put on the list if it is not there. The id is for [`Roll::unfollow`]; the flag says
    /// whether the object is new on the list.
    pub(crate) fn follow(&mut self, object: &MoRef) -> (u64, UnboundedReceiver<News<S>>, bool) {
        let (news, heard) = unbounded_channel();
        let id = self.next_follower;
        self.next_follower += 1;
        let entry = self.entries.entry(object.clone()).or_insert_with(|| Entry {
            listed: Listed::No,
            known: Known::Nothing,
            followers: Vec::new(),
        });
        // One that was gone may be back: the server is asked again.
        if matches!(entry.known, Known::Gone) && entry.followers.is_empty() {
            entry.known = Known::Nothing;
            entry.listed = Listed::No;
        }
        entry.followers.push(Follower { id, news });
        (id, heard, entry.listed == Listed::No)
    }

    /// Ends what [`Roll::follow`] began. If the object does not stay, it leaves the list with the next addition.
    pub(crate) fn unfollow(&mut self, object: &MoRef, id: u64) {
        if let Some(entry) = self.entries.get_mut(object) {
            entry.followers.retain(|follower| follower.id != id);
        }
    }

    /// Whether anybody follows anything.
    pub(crate) fn is_followed(&self) -> bool {
        self.entries.values().any(|entry| !entry.followers.is_empty())
    }

    /// Whether anybody follows something that is on the list already.
    pub(crate) fn is_followed_on_list(&self) -> bool {
        self.entries.values().any(|entry| entry.listed != Listed::No && !entry.followers.is_empty())
    }

    /// What is known of an object; `None` if the server has not said anything yet.
    pub(crate) fn known(&self, object: &MoRef) -> Option<News<S>> {
        match &self.entries.get(object)?.known {
            Known::Nothing => None,
            Known::State(state) => Some(News::State(state.clone())),
            Known::Gone => Some(News::Gone),
        }
    }

    /// Whether objects wait for being put on the list.
    pub(crate) fn has_additions(&self) -> bool {
        self.entries.values().any(|entry| entry.listed == Listed::No && !entry.followers.is_empty())
    }

    /// The change that brings the server's list up to date; what nobody follows any more leaves it, if it may. Each
    /// change has to be followed by [`Roll::changed`], [`Roll::ask_again`] or [`Roll::relist`].
    pub(crate) fn take_change(&mut self) -> Option<ListChange> {
        if !self.has_additions() {
            return None;
        }
        let mut change = ListChange::default();
        self.entries.retain(|object, entry| {
            if !entry.followers.is_empty() {
                if entry.listed == Listed::No {
                    entry.listed = Listed::Asked;
                    change.add.push(object.clone());
                }
                return true;
            }
            let leaves = !S::STAYS;
            if leaves && entry.listed != Listed::No {
                change.remove.push(object.clone());
            }
            !leaves
        });
        change.add.sort();
        change.remove.sort();
        Some(change)
    }

    /// The server has taken a change over, except for objects that it could not resolve: those are gone.
    pub(crate) fn changed(&mut self, added: &[MoRef], unresolved: &[MoRef]) {
        for object in added {
            if let Some(entry) = self.entries.get_mut(object) {
                entry.listed = Listed::Yes;
                if unresolved.contains(object) {
                    entry.tell(Known::Gone);
                }
            }
        }
    }

    /// The server's list is empty, or it is not known what it holds: everything that is followed has to be put on it, and what
    /// was known is not known to be so any more.
    pub(crate) fn relist(&mut self) {
        self.entries.retain(|_, entry| {
            entry.listed = Listed::No;
            entry.known = Known::Nothing;
            !entry.followers.is_empty()
        });
    }

    /// A change that was taken may have been lost on its way: it is due again. Adding an object twice does no harm.
    pub(crate) fn ask_again(&mut self) {
        for entry in self.entries.values_mut().filter(|entry| entry.listed == Listed::Asked) {
            entry.listed = Listed::No;
        }
    }

    /// Takes over what a poll reported of one object.
    pub(crate) fn apply(&mut self, update: &ObjectUpdate) {
        let Some(entry) = self.entries.get_mut(&update.object) else { return };
        let mut state = match (&update.kind, &entry.known) {
            (ChangeKind::Leave, _) => {
                entry.tell(Known::Gone);
                return;
            }
            (ChangeKind::Modify, Known::State(state)) => state.clone(),
            (ChangeKind::Enter | ChangeKind::Modify, _) => S::default(),
        };
        // A property that changes twice in one update was in between what it was first: a short dip is news too.
        let mut seen = HashSet::new();
        for change in &update.changes {
            if !seen.insert(change.path.as_str()) {
                entry.tell(Known::State(state.clone()));
                seen = HashSet::from([change.path.as_str()]);
            }
            state.change(change);
        }
        entry.tell(Known::State(state));
    }

    /// Tells every follower that nothing more will be heard.
    pub(crate) fn fail(&mut self, error: &Arc<Error>) {
        for entry in self.entries.values_mut() {
            for follower in entry.followers.drain(..) {
                let _ = follower.news.send(News::Failed(Arc::clone(error)));
            }
        }
    }
}

impl<S: Clone> Entry<S> {
    fn tell(&mut self, known: Known<S>) {
        let news = match &known {
            Known::Nothing => return,
            Known::State(state) => News::State(state.clone()),
            Known::Gone => News::Gone,
        };
        self.known = known;
        for follower in &self.followers {
            // A follower that hears no more is about to leave.
            let _ = follower.news.send(news.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vim::{PropertyChange, PropertyValue};

    fn vm(id: &str) -> MoRef {
        MoRef::vm(id)
    }

    fn update(kind: ChangeKind, id: &str, changes: &[(&str, &str)]) -> ObjectUpdate {
        ObjectUpdate {
            filter: MoRef::new("PropertyFilter", "f"),
            kind,
            object: vm(id),
            changes: changes
                .iter()
                .map(|(path, value)| PropertyChange {
                    path: (*path).to_owned(),
                    value: Some(PropertyValue::Scalar((*value).to_owned())),
                })
                .collect(),
            missing: Vec::new(),
        }
    }

    fn heard(news: &mut UnboundedReceiver<News<VmState>>) -> Vec<String> {
        let mut words = Vec::new();
        while let Ok(item) = news.try_recv() {
            words.push(match item {
                News::State(state) => state.tools_running_status.unwrap_or_default(),
                News::Gone => "gone".to_owned(),
                News::Failed(error) => error.to_string(),
            });
        }
        words
    }

    #[test]
    fn all_that_was_asked_for_since_the_last_change_goes_into_one() {
        let mut roll = Roll::<VmState>::new();
        let _followers = [roll.follow(&vm("vm-2")), roll.follow(&vm("vm-1")), roll.follow(&vm("vm-1"))];
        let change = roll.take_change().unwrap();
        assert_eq!(change, ListChange { add: vec![vm("vm-1"), vm("vm-2")], remove: vec![] });
        assert_eq!(roll.take_change(), None);
        roll.ask_again();
        assert_eq!(roll.take_change(), Some(change), "a change that was lost is due again");
    }

    #[test]
    fn finished_tasks_leave_the_list_with_the_next_addition() {
        let task = |id: &str| MoRef::new("Task", id);
        let mut roll = Roll::<TaskState>::new();
        let (id, _news, _) = roll.follow(&task("task-1"));
        let added = roll.take_change().unwrap().add;
        roll.changed(&added, &[]);
        roll.unfollow(&task("task-1"), id);
        assert_eq!(roll.take_change(), None, "a removal alone is not worth a request");
        let _second = roll.follow(&task("task-2"));
        assert_eq!(roll.take_change(), Some(ListChange { add: vec![task("task-2")], remove: vec![task("task-1")] }));
    }

    #[test]
    fn a_vm_stays_on_the_list_for_the_next_who_follows_it() {
        let mut roll = Roll::<VmState>::new();
        let (id, _news, _) = roll.follow(&vm("vm-1"));
        let added = roll.take_change().unwrap().add;
        roll.changed(&added, &[]);
        roll.apply(&update(ChangeKind::Enter, "vm-1", &[("runtime.powerState", "poweredOn")]));
        roll.unfollow(&vm("vm-1"), id);
        let _again = roll.follow(&vm("vm-1"));
        assert_eq!(roll.take_change(), None);
        assert!(matches!(roll.known(&vm("vm-1")), Some(News::State(_))));
    }

    #[test]
    fn what_the_server_cannot_resolve_is_gone_and_may_be_asked_for_again() {
        let mut roll = Roll::<VmState>::new();
        let (id, mut news, _) = roll.follow(&vm("vm-1"));
        let added = roll.take_change().unwrap().add;
        roll.changed(&added, &added);
        assert_eq!(heard(&mut news), ["gone"]);
        roll.unfollow(&vm("vm-1"), id);
        let _again = roll.follow(&vm("vm-1"));
        assert!(roll.known(&vm("vm-1")).is_none());
        assert!(roll.has_additions());
    }

    #[test]
    fn a_dip_within_one_update_is_heard() {
        let mut roll = Roll::<VmState>::new();
        let (_, mut news, _) = roll.follow(&vm("vm-1"));
        let tools = "guest.toolsRunningStatus";
        roll.apply(&update(ChangeKind::Enter, "vm-1", &[(tools, "guestToolsRunning")]));
        roll.apply(&update(
            ChangeKind::Modify,
            "vm-1",
            &[(tools, "guestToolsNotRunning"), ("runtime.powerState", "poweredOn"), (tools, "guestToolsRunning")],
        ));
        assert_eq!(heard(&mut news), ["guestToolsRunning", "guestToolsNotRunning", "guestToolsRunning"]);
    }

    #[test]
    fn a_destroyed_vm_is_gone_and_a_new_session_knows_nothing() {
        let mut roll = Roll::<VmState>::new();
        let (_, mut news, _) = roll.follow(&vm("vm-1"));
        roll.apply(&update(ChangeKind::Enter, "vm-1", &[]));
        roll.apply(&update(ChangeKind::Leave, "vm-1", &[]));
        assert_eq!(heard(&mut news), ["", "gone"]);
        roll.relist();
        assert!(roll.known(&vm("vm-1")).is_none());
        assert!(roll.has_additions(), "what is followed is put on the new list");
    }
}
