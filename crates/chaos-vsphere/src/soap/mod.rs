//! SOAP 1.1 as vim25 uses it: what is kept of a document, the envelope writer, and faults.

pub(crate) mod envelope;
pub(crate) mod fault;
pub(crate) mod node;
