//! Tests of the settings and of the platform factory.

mod calendar;
#[cfg(all(feature = "dora", feature = "vsphere"))]
mod dora;
mod dotenv;
mod hostile;
mod layers;
#[cfg(all(feature = "olvm", feature = "vsphere"))]
mod own;
#[cfg(feature = "vsphere")]
mod platforms;
#[cfg(all(feature = "rehearsal", feature = "vsphere"))]
mod rehearsal;
#[cfg(feature = "vsphere")]
mod secrets;
mod settings;
mod without;
