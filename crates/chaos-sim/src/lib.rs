//! Simulated virtualisation servers for rehearsals and tests: one world of VMs behind vendor front doors.
