//! Settings and the platform factory: from one configuration to every platform.
