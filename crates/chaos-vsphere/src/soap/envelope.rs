//! Writes request bodies and envelopes. Elements stand in the order in which they are written, which must be the
//! WSDL's: real servers refuse any other.

use std::fmt::Display;

use chaos_xml::push_escaped;

use crate::vim::MoRef;

/// A piece of XML under construction.
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    /// Begins the body of a method call: `<Method xmlns="urn:vim25"><_this type="T">id</_this>`.
    pub(crate) fn method(name: &'static str, this: &MoRef) -> Self {
        let mut writer = Self { text: String::with_capacity(512) };
        writer.text.push('<');
        writer.text.push_str(name);
        writer.text.push_str(" xmlns=\"urn:vim25\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">");
        writer.reference("_this", this)
    }

    /// `<name>value</name>`
    pub(crate) fn text(mut self, name: &'static str, value: impl Display) -> Self {
        self.open(name);
        push_escaped(&mut self.text, &value.to_string());
        self.close(name);
        self
    }

    /// `<name type="T">id</name>`
    pub(crate) fn reference(mut self, name: &'static str, value: &MoRef) -> Self {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push_str(" type=\"");
        push_escaped(&mut self.text, &value.kind);
        self.text.push_str("\">");
        push_escaped(&mut self.text, &value.id);
        self.close(name);
        self
    }

    /// `<name>…</name>` around what `inner` writes.
    pub(crate) fn element(mut self, name: &'static str, inner: impl FnOnce(Self) -> Self) -> Self {
        self.open(name);
        let mut writer = inner(self);
        writer.close(name);
        writer
    }

    /// `<name xsi:type="T">…</name>` around what `inner` writes.
    pub(crate) fn typed(
        mut self,
        name: &'static str,
        xsi_type: &'static str,
        inner: impl FnOnce(Self) -> Self,
    ) -> Self {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push_str(" xsi:type=\"");
        self.text.push_str(xsi_type);
        self.text.push_str("\">");
        let mut writer = inner(self);
        writer.close(name);
        writer
    }

    /// What `write` adds for each of `items`.
    pub(crate) fn each<T>(self, items: impl IntoIterator<Item = T>, write: impl Fn(Self, T) -> Self) -> Self {
        items.into_iter().fold(self, write)
    }

    /// Ends the body of a method call.
    pub(crate) fn end(mut self, name: &'static str) -> String {
        self.close(name);
        self.text
    }

    fn open(&mut self, name: &'static str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
    }

    fn close(&mut self, name: &'static str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }
}

/// Wraps the body of a call into its envelope. `operation_id` appears in the server's own log beside everything that
/// the call does.
pub(crate) fn envelope(body: &str, operation_id: Option<&str>) -> String {
    let mut text = String::with_capacity(body.len() + 300);
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text.push_str("<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">");
    if let Some(id) = operation_id {
        text.push_str("<soapenv:Header><operationID xmlns=\"urn:vim25\">");
        push_escaped(&mut text, id);
        text.push_str("</operationID></soapenv:Header>");
    }
    text.push_str("<soapenv:Body>");
    text.push_str(body);
    text.push_str("</soapenv:Body></soapenv:Envelope>");
    text
}
