//! The store as processes that are killed, disks that fail and files that rot meet it.

mod damage;
mod faults;
mod halt;
mod leases;
mod liveness;
mod media;
mod runs;
mod support;
