//! Chaos Toolkit compatible experiment engine with native VM actions and guaranteed undo records.
