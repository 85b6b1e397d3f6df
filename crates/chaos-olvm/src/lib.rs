//! Oracle Linux Virtualization Manager (oVirt) client for VM chaos, over the REST API v4.
