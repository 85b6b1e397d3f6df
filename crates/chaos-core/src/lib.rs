//! The vocabulary of VM chaos: VMs, power states, faults, undo, the platform trait, selection and errors.
