//! Reads the XML of platform APIs chunk by chunk, within bounds.
