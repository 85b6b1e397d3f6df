//! `follow`: which links are to be answered with what they lead to.
//!
//! Source: oVirt REST API guide, "Following links".

use std::collections::BTreeMap;

/// The links to follow from an object, and from what they lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Follow(BTreeMap<String, Follow>);

impl Follow {
    /// Reads `cluster.data_center,tags`: commas between links, dots between steps. Case and underscores do not count.
    pub(super) fn parse(text: &str) -> Self {
        let mut root = Self::default();
        for path in text.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            let mut at = &mut root;
            for step in path.split('.') {
                at = at.0.entry(plain(step)).or_default();
            }
        }
        root
    }

    /// What to follow behind a link; none if the link itself is not to be followed.
    pub(super) fn link(&self, name: &str) -> Option<&Self> {
        if self.0.is_empty() { None } else { self.0.get(&plain(name)) }
    }

    /// The links that are to be followed from here.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Without what does not count.
pub(super) fn plain(name: &str) -> String {
    name.trim().replace('_', "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_share_their_beginnings_and_underscores_do_not_count() {
        let follow = Follow::parse("host, Cluster.data_center,disk_attachments.disk,cluster.networks");
        assert_eq!(follow.names().collect::<Vec<_>>(), ["cluster", "diskattachments", "host"]);
        let cluster = follow.link("cluster").unwrap();
        assert!(cluster.link("datacenter").is_some() && cluster.link("data_center").is_some());
        assert!(follow.link("diskattachments").unwrap().link("disk").is_some() && follow.link("tags").is_none());
        assert_eq!(Follow::parse(" ,"), Follow::default());
    }
}
