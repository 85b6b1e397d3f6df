//! How long things take in a world.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// World time that each kind of work takes, before jitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// A task's time in the queue.
    #[serde(with = "super::seconds")]
    pub queue: Duration,
    /// Powering on, until the VM counts as on.
    #[serde(with = "super::seconds")]
    pub power_on: Duration,
    /// Powering off hard.
    #[serde(with = "super::seconds")]
    pub power_off: Duration,
    /// A hardware reset.
    #[serde(with = "super::seconds")]
    pub reset: Duration,
    /// Saving memory.
    #[serde(with = "super::seconds")]
    pub suspend: Duration,
    /// From power on until the guest's agent answers.
    #[serde(with = "super::seconds")]
    pub boot: Duration,
    /// From power on until a VM counts as up whose guest has no agent that would tell.
    #[serde(with = "super::seconds")]
    pub silent_boot: Duration,
    /// From a request to shut down until a platform that waits for the guest takes it as refused.
    #[serde(with = "super::seconds")]
    pub refusal: Duration,
    /// How long a platform that looks at its hosts now and then may not see that a guest has begun to reboot.
    #[serde(with = "super::seconds")]
    pub monitoring: Duration,
    /// From a soft request until the guest is down.
    #[serde(with = "super::seconds")]
    pub shutdown: Duration,
    /// Each of these is longer or shorter by at most this fraction.
    pub jitter: f64,
    /// How long a finished task can still be looked up.
    #[serde(with = "super::seconds")]
    pub task_memory: Duration,
}

impl Default for Timing {
    /// A healthy estate: tasks of a second or two, guests that need some seconds to stop and to start.
    fn default() -> Self {
        Self {
            queue: Duration::from_millis(20),
            power_on: Duration::from_millis(1500),
            power_off: Duration::from_millis(800),
            reset: Duration::from_millis(600),
            suspend: Duration::from_secs(3),
            boot: Duration::from_secs(8),
            silent_boot: Duration::from_mins(1),
            refusal: Duration::from_secs(150),
            monitoring: Duration::from_secs(3),
            shutdown: Duration::from_secs(4),
            jitter: 0.2,
            task_memory: Duration::from_mins(10),
        }
    }
}

impl Timing {
    /// Everything is over within milliseconds: for tests and benchmarks that do not look at time.
    #[must_use]
    pub fn fast() -> Self {
        Self {
            queue: Duration::from_millis(1),
            power_on: Duration::from_millis(5),
            power_off: Duration::from_millis(5),
            reset: Duration::from_millis(5),
            suspend: Duration::from_millis(5),
            boot: Duration::from_millis(40),
            silent_boot: Duration::from_millis(60),
            refusal: Duration::from_millis(60),
            monitoring: Duration::from_millis(15),
            shutdown: Duration::from_millis(20),
            ..Self::default()
        }
    }
}
