//! Tests of the search language: every row of the table of what the engine takes, and properties.
