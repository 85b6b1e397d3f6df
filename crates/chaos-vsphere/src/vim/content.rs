//! `ServiceContent`: where a server's singletons are. vCenter and ESXi name them differently, so no id is ever assumed.

use super::request::Answer;
use super::types::{MoRef, ReadError};
use crate::soap::node::VimNode;

/// The singletons and the self-description of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceContent {
    pub(crate) root_folder: MoRef,
    pub(crate) property_collector: MoRef,
    pub(crate) session_manager: MoRef,
    /// Tells what an account may do.
    pub(crate) authorization_manager: Option<MoRef>,
    /// Absent on very small servers: then there are no list views.
    pub(crate) view_manager: Option<MoRef>,
    pub(crate) search_index: Option<MoRef>,
    pub(crate) about: About,
}

/// `AboutInfo`: who the server says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// `VirtualCenter` or `HostAgent`.
    pub(crate) api_type: String,
    pub(crate) api_version: String,
    pub(crate) full_name: String,
    /// Unique for each vCenter; ESXi has none.
    pub(crate) instance_uuid: Option<String>,
}

impl ServiceContent {
    pub(super) fn read(answer: &Answer<'_>) -> Result<Self, ReadError> {
        let content = answer.required()?;
        let find = |name: &str| content.child(name).and_then(MoRef::read);
        let about = content.child("about");
        let text = |name: &str| about.and_then(|about| about.child_value(name)).unwrap_or_default().trim().to_owned();
        let full_name = text("fullName");
        Ok(Self {
            root_folder: find("rootFolder").ok_or_else(|| answer.lacks("rootFolder"))?,
            property_collector: find("propertyCollector").ok_or_else(|| answer.lacks("propertyCollector"))?,
            session_manager: find("sessionManager").ok_or_else(|| answer.lacks("sessionManager"))?,
            authorization_manager: find("authorizationManager"),
            view_manager: find("viewManager"),
            search_index: find("searchIndex"),
            about: About {
                api_type: text("apiType"),
                api_version: text("apiVersion"),
                full_name: if full_name.is_empty() { text("name") } else { full_name },
                instance_uuid: Some(text("instanceUuid")).filter(|uuid| !uuid.is_empty()),
            },
        })
    }
}
