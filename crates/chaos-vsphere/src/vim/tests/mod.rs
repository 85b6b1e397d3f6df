//! What we send, as snapshots, and what we understand, from documents in the forms that servers are known to use.

mod envelopes;
mod faults;
mod hostile;
mod properties;

use chaos_xml::{Limits, Tree, XmlStream};

use crate::soap::node::VIM;

/// Puts a response element into an envelope as vCenter writes it.
fn envelope(body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<soapenv:Body>
{body}
</soapenv:Body>
</soapenv:Envelope>"#
    )
}

fn tree(body: &str) -> Tree {
    XmlStream::read_all(envelope(body).as_bytes(), Limits::SMALL, &VIM).unwrap()
}
