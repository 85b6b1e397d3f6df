//! How every platform client speaks HTTP: TLS, limits, retry, redaction.
