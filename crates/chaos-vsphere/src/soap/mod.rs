//! SOAP 1.1 as vim25 uses it: a bounded XML reader, the envelope writer, and faults.

pub(crate) mod envelope;
pub(crate) mod fault;
mod feed;
pub(crate) mod tree;
pub(crate) mod xml;
