//! The parser's entry points for fuzzers and benches: each reads a document as it would come from a server.

use std::time::Duration;

use chaos_xml::{Limits, Node, XmlError, XmlStream};

use crate::inventory::Inventory;
use crate::session::Collect;
use crate::soap::node::{VIM, VimNode};
use crate::vim::{self, Answer, MoRef, ObjectContent, Page, PropertyValue};

/// A page of an inventory, in chunks whose size the first byte decides.
pub fn retrieve_result(document: &[u8]) {
    let size = document.first().map_or(1, |byte| usize::from(*byte) + 1);
    std::hint::black_box(page(document.chunks(size), &mut |object| {
        for (path, value) in object.properties() {
            std::hint::black_box((path, PropertyValue::read(value)));
        }
    }));
}

/// How many VMs a page of an inventory holds, after it was read in chunks as they come off a connection, and joined.
/// For benches.
#[must_use]
pub fn inventory(document: &[u8]) -> Option<usize> {
    page(document.chunks(16 * 1024), &mut |_| {})
}

fn page<'a>(chunks: impl Iterator<Item = &'a [u8]>, look: &mut dyn FnMut(ObjectContent<'_>)) -> Option<usize> {
    let mut stream = XmlStream::new(Limits::STREAMED, &VIM, Some(vim::OBJECTS));
    let mut inventory = Inventory::default();
    let mut each = |node: Node<'_>| {
        let object = ObjectContent::new(node);
        look(object);
        inventory.object(object);
        Ok::<(), XmlError>(())
    };
    for chunk in chunks {
        stream.push(chunk, &mut each).ok()?;
    }
    let answer = Answer::find(stream.finish().ok()?).ok()?.ok()?;
    std::hint::black_box(Page::read(&answer));
    Some(inventory.join(&MoRef::new("Folder", "group-d1")).0.len())
}

/// The answer to a long poll.
pub fn update_set(document: &[u8]) {
    let request = vim::wait_for_updates(&MoRef::new("PropertyCollector", "pc"), "", Duration::ZERO, 0);
    if let Ok(tree) = XmlStream::read_all(document, Limits::SMALL, &VIM)
        && let Ok(Ok(answer)) = Answer::find(&tree)
        && let Ok(Some(set)) = request.read(&answer)
    {
        let (mut vm, mut task) = (vim::VmState::default(), vim::TaskState::default());
        for change in set.objects.iter().flat_map(|object| &object.changes) {
            vm.apply(change);
            task.apply(change);
        }
        std::hint::black_box((vm, task));
    }
}

/// A refused call.
pub fn fault(document: &[u8]) {
    if let Ok(tree) = XmlStream::read_all(document, Limits::SMALL, &VIM)
        && let Ok(Err(fault)) = Answer::find(&tree)
    {
        std::hint::black_box(fault.to_string());
    }
}

/// Any small document.
pub fn small_tree(document: &[u8]) {
    fn visit(node: Node<'_>) -> usize {
        let here =
            [node.name(), node.text(), node.xsi_type().unwrap_or_default(), node.reference_type().unwrap_or_default()];
        here.iter().map(|text| text.len()).sum::<usize>() + node.children().map(visit).sum::<usize>()
    }
    if let Ok(tree) = XmlStream::read_all(document, Limits::SMALL, &VIM) {
        std::hint::black_box(tree.root().map(visit));
    }
}
