//! The store as processes that are killed and disks that fail meet it.
