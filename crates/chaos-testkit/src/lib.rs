//! Conformance suite and test helpers for platforms.
