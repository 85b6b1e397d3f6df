//! VMware vSphere (vCenter and ESXi) client for VM chaos, over the vim25 SOAP API.
