//! The properties that managed objects and data objects of vim25 have, whether or not the simulator fills them.
//!
//! Source: the vSphere Web Services API reference, one list for each type.

/// Properties that every `ManagedEntity` has.
const ENTITY: &str = "value availableField parent customValue overallStatus configStatus configIssue effectiveRole permission name disabledMethod recentTask declaredAlarmState triggeredAlarmState alarmActionsEnabled tag";

/// Names of a type's members; a member that is itself a known structure is written `name:Type`.
#[expect(clippy::too_many_lines, reason = "a table")]
fn members(kind: &str) -> Option<(&'static str, &'static str)> {
    let members = match kind {
        "VirtualMachine" => (
            ENTITY,
            "capability config:VirtualMachineConfigInfo layout layoutEx storage environmentBrowser resourcePool \
             parentVApp resourceConfig runtime:VirtualMachineRuntimeInfo guest:GuestInfo summary:VirtualMachineSummary \
             datastore network snapshot rootSnapshot guestHeartbeatStatus",
        ),
        "HostSystem" => (
            ENTITY,
            "runtime:HostRuntimeInfo summary:HostListSummary hardware capability licensableResource remediationState \
             precheckRemediationResult remediationResult complianceCheckState complianceCheckResult configManager \
             config vm datastore network datastoreBrowser systemResources answerFileValidationState \
             answerFileValidationResult",
        ),
        "Folder" => (ENTITY, "childType childEntity namespace"),
        "Datacenter" => (ENTITY, "vmFolder hostFolder datastoreFolder networkFolder datastore network configuration"),
        "ComputeResource" => (
            ENTITY,
            "resourcePool host datastore network summary:ComputeResourceSummary environmentBrowser configurationEx \
             lifecycleManaged configManagerEnabled",
        ),
        "ClusterComputeResource" => (
            ENTITY,
            "resourcePool host datastore network summary:ClusterComputeResourceSummary environmentBrowser \
             configurationEx lifecycleManaged configManagerEnabled configuration recommendation drsRecommendation \
             summaryEx:ClusterComputeResourceSummary hciConfig migrationHistory actionHistory drsFault",
        ),
        "ResourcePool" => (ENTITY, "summary runtime owner resourcePool vm config namespace childConfiguration"),
        "VirtualApp" => (
            ENTITY,
            "summary runtime owner resourcePool vm config namespace childConfiguration parentFolder datastore network \
             vAppConfig parentVApp childLink",
        ),
        "Task" => ("", "value availableField info:TaskInfo"),
        "SessionManager" => {
            ("", "sessionList currentSession:UserSession message messageLocaleList supportedLocaleList defaultLocale")
        }
        "ServiceInstance" => ("", "serverClock capability content:ServiceContent"),
        "ViewManager" => ("", "viewList"),
        "ContainerView" => ("", "view container type recursive"),
        "ListView" => ("", "view"),
        "PropertyCollector" => ("", "filter"),
        "PropertyFilter" => ("", "spec partialUpdates"),
        "TaskManager" => ("", "recentTask description maxCollector"),
        "VirtualMachineConfigInfo" => (
            "",
            "changeVersion modified name guestFullName version uuid createDate instanceUuid npivNodeWorldWideName \
             npivPortWorldWideName npivWorldWideNameType npivDesiredNodeWwns npivDesiredPortWwns npivTemporaryDisabled \
             npivOnNonRdmDisks locationId template guestId alternateGuestName annotation files:VirtualMachineFileInfo \
             tools flags consolePreferences defaultPowerOps rebootPowerOff hardware:VirtualHardware vcpuConfig \
             cpuAllocation memoryAllocation latencySensitivity memoryHotAddEnabled cpuHotAddEnabled \
             cpuHotRemoveEnabled hotPlugMemoryLimit hotPlugMemoryIncrementSize cpuAffinity memoryAffinity \
             networkShaper extraConfig cpuFeatureMask datastoreUrl swapPlacement bootOptions ftInfo repConfig \
             vAppConfig vAssertsEnabled changeTrackingEnabled firmware maxMksConnections guestAutoLockEnabled \
             managedBy:ManagedByInfo memoryReservationLockedToMax initialOverhead nestedHVEnabled vPMCEnabled \
             scheduledHardwareUpgradeInfo forkConfigInfo vFlashCacheReservation vmxConfigChecksum \
             messageBusTunnelEnabled vmStorageObjectId swapStorageObjectId keyId guestIntegrityInfo migrateEncryption \
             sgxInfo contentLibItemInfo ftEncryptionMode guestMonitoringModeInfo sevEnabled numaInfo \
             pmemFailoverEnabled vmxStatsCollectionEnabled vmOpNotificationToAppEnabled vmOpNotificationTimeout \
             deviceSwap pmem deviceGroups fixedPassthruHotPlugEnabled metroFtEnabled metroFtHostGroup",
        ),
        "VirtualHardware" => (
            "",
            "numCPU numCoresPerSocket autoCoresPerSocket memoryMB virtualICH7MPresent virtualSMCPresent device \
             motherboardLayout simultaneousThreads",
        ),
        "VirtualMachineSummary" => (
            "",
            "vm runtime:VirtualMachineRuntimeInfo guest:VirtualMachineGuestSummary config:VirtualMachineConfigSummary \
             storage quickStats:VirtualMachineQuickStats overallStatus customValue",
        ),
        "VirtualMachineConfigSummary" => (
            "",
            "name template vmPathName memorySizeMB cpuReservation memoryReservation numCpu numEthernetCards \
             numVirtualDisks uuid instanceUuid guestId guestFullName annotation product installBootRequired ftInfo \
             managedBy:ManagedByInfo tpmPresent numVmiopBackings hwVersion",
        ),
        "VirtualMachineGuestSummary" => (
            "",
            "guestId guestFullName toolsStatus toolsVersionStatus toolsVersionStatus2 toolsRunningStatus hostName \
             ipAddress hwVersion",
        ),
        "VirtualMachineQuickStats" => (
            "",
            "overallCpuUsage overallCpuDemand overallCpuReadiness guestMemoryUsage hostMemoryUsage \
             guestHeartbeatStatus distributedCpuEntitlement distributedMemoryEntitlement staticCpuEntitlement \
             staticMemoryEntitlement grantedMemory privateMemory sharedMemory swappedMemory balloonedMemory \
             consumedOverheadMemory ftLogBandwidth ftSecondaryLatency ftLatencyStatus compressedMemory uptimeSeconds \
             ssdSwappedMemory activeMemory memoryTierStats",
        ),
        "VirtualMachineRuntimeInfo" => (
            "",
            "device host connectionState powerState vmFailoverInProgress faultToleranceState dasVmProtection \
             toolsInstallerMounted suspendTime bootTime suspendInterval question:VirtualMachineQuestionInfo \
             memoryOverhead maxCpuUsage maxMemoryUsage numMksConnections recordReplayState cleanPowerOff \
             needSecondaryReason onlineStandby minRequiredEVCModeKey consolidationNeeded offlineFeatureRequirement \
             featureRequirement featureMask vFlashCacheAllocation paused snapshotInBackground quiescedForkParent \
             instantCloneFrozen cryptoState suspendedToMemory opNotificationTimeout iommuActive",
        ),
        "GuestInfo" => (
            "",
            "toolsStatus toolsVersionStatus toolsVersionStatus2 toolsRunningStatus toolsVersion toolsInstallType \
             guestId guestFamily guestFullName guestDetailedData hostName ipAddress net ipStack disk screen guestState \
             appHeartbeatStatus guestKernelCrashed appState guestOperationsReady interactiveGuestOperationsReady \
             guestStateChangeSupported generationInfo hwVersion customizationInfo",
        ),
        "VirtualMachineQuestionInfo" => ("", "id text choice:ChoiceOption message"),
        "ChoiceOption" => ("", "valueIsReadonly choiceInfo defaultIndex"),
        "TaskInfo" => (
            "",
            "key task description name descriptionId entity entityName locked state cancelled cancelable error result \
             progress progressDetails reason queueTime startTime completeTime eventChainId changeTag parentTaskKey \
             rootTaskKey activationId",
        ),
        "HostListSummary" => (
            "",
            "host hardware runtime:HostRuntimeInfo config:HostConfigSummary quickStats overallStatus rebootRequired \
             customValue managementServerIp maxEVCModeKey currentEVCModeKey currentEVCGraphicsModeKey gateway \
             tpmAttestation trustAuthorityAttestationInfos",
        ),
        "HostRuntimeInfo" => (
            "",
            "connectionState powerState standbyMode inMaintenanceMode inQuarantineMode bootTime healthSystemRuntime \
             dasHostState tpmPcrValues vsanRuntimeInfo networkRuntimeInfo vFlashResourceRuntimeInfo \
             hostMaxVirtualDiskCapacity cryptoState cryptoKeyId statelessNvdsMigrationReady partialMaintenanceMode \
             stateEncryption",
        ),
        "HostConfigSummary" => (
            "",
            "name port sslThumbprint product:AboutInfo vmotionEnabled faultToleranceEnabled featureVersion \
             agentVmDatastore agentVmNetwork",
        ),
        "ComputeResourceSummary" => (
            "",
            "totalCpu totalMemory numCpuCores numCpuThreads effectiveCpu effectiveMemory numHosts numEffectiveHosts \
             overallStatus",
        ),
        "ClusterComputeResourceSummary" => (
            "",
            "totalCpu totalMemory numCpuCores numCpuThreads effectiveCpu effectiveMemory numHosts numEffectiveHosts \
             overallStatus currentFailoverLevel admissionControlInfo numVmotions targetBalance currentBalance drsScore \
             numVmsPerDrsScoreBucket usageSummary currentEVCModeKey currentEVCGraphicsModeKey dasData \
             clusterMaintenanceModeStatus vcsHealthStatus vcsSlots",
        ),
        "ServiceContent" => (
            "",
            "rootFolder propertyCollector viewManager about:AboutInfo setting userDirectory sessionManager \
             authorizationManager serviceManager perfManager scheduledTaskManager alarmManager eventManager \
             taskManager extensionManager customizationSpecManager guestCustomizationManager customFieldsManager \
             accountManager diagnosticManager licenseManager searchIndex fileManager datastoreNamespaceManager \
             virtualDiskManager virtualizationManager snmpSystem vmProvisioningChecker vmCompatibilityChecker \
             ovfManager ipPoolManager dvSwitchManager hostProfileManager clusterProfileManager complianceManager \
             localizationManager storageResourceManager guestOperationsManager overheadMemoryManager \
             certificateManager ioFilterManager vStorageObjectManager hostSpecManager cryptoManager \
             healthUpdateManager failoverClusterConfigurator failoverClusterManager tenantManager siteInfoManager \
             storageQueryManager",
        ),
        "AboutInfo" => (
            "",
            "name fullName vendor version patchLevel build localeVersion localeBuild osType productLineId apiType \
             apiVersion instanceUuid licenseProductName licenseProductVersion",
        ),
        "UserSession" => (
            "",
            "key userName fullName loginTime lastActiveTime locale messageLocale extensionSession ipAddress userAgent \
             callCount",
        ),
        "VirtualMachineFileInfo" => {
            ("", "vmPathName snapshotDirectory suspendDirectory logDirectory ftMetadataDirectory")
        }
        "ManagedByInfo" => ("", "extensionKey type"),
        _ => return None,
    };
    Some(members)
}

/// The base types of a managed object type, nearest first.
fn bases(kind: &str) -> &'static [&'static str] {
    match kind {
        "VirtualMachine" | "HostSystem" | "Folder" | "Datacenter" | "ComputeResource" | "ResourcePool" => {
            &["ManagedEntity", "ExtensibleManagedObject"]
        }
        "ClusterComputeResource" => &["ComputeResource", "ManagedEntity", "ExtensibleManagedObject"],
        "VirtualApp" => &["ResourcePool", "ManagedEntity", "ExtensibleManagedObject"],
        "Task" => &["ExtensibleManagedObject"],
        "ContainerView" | "ListView" => &["ManagedObjectView", "View"],
        _ => &[],
    }
}

/// Whether an object of type `kind` is a `wanted`.
pub(super) fn is_a(kind: &str, wanted: &str) -> bool {
    kind == wanted || wanted == "ManagedObject" || bases(kind).contains(&wanted)
}

/// Whether the server knows a managed object type of that name.
pub(super) fn is_known(kind: &str) -> bool {
    members(kind).is_some()
        || matches!(kind, "ManagedObject" | "ManagedEntity" | "ExtensibleManagedObject" | "ManagedObjectView" | "View")
        || matches!(
            kind,
            "Datastore" | "Network" | "DistributedVirtualPortgroup" | "DistributedVirtualSwitch" | "StoragePod"
        )
}

/// The properties of a type itself, without those of its members.
pub(super) fn properties(kind: &str) -> Vec<&'static str> {
    members(kind)
        .map(|(base, own)| base.split_whitespace().chain(own.split_whitespace()).map(bare).collect())
        .unwrap_or_default()
}

/// Whether a path such as `config.hardware.numCPU` can be read on a type.
///
/// Below members whose structure is not listed here everything is let through: it will be unset.
pub(super) fn has_path(kind: &str, path: &str) -> bool {
    let mut kind = match kind {
        "ManagedEntity" => "Folder",
        "ManagedObject" | "ExtensibleManagedObject" => return true,
        other => other,
    };
    for step in path.split('.') {
        let Some((base, own)) = members(kind) else { return true };
        // A keyed member such as `extraConfig["key"]`.
        let step = step.split('[').next().unwrap_or(step);
        let found = base.split_whitespace().chain(own.split_whitespace()).find(|member| bare(member) == step);
        let Some(member) = found else { return false };
        kind = member.split_once(':').map_or("", |(_, kind)| kind);
    }
    true
}

fn bare(member: &'static str) -> &'static str {
    member.split_once(':').map_or(member, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_checked_down_to_the_last_known_structure() {
        assert!(has_path("VirtualMachine", "summary.config.memorySizeMB"));
        assert!(has_path("VirtualMachine", "config.extraConfig[\"a.b\"].value"));
        assert!(has_path("VirtualMachine", "parent"));
        assert!(!has_path("VirtualMachine", "sumary.config"));
        assert!(!has_path("VirtualMachine", "runtime.powerstate"));
    }

    #[test]
    fn a_cluster_is_a_compute_resource_and_an_entity() {
        assert!(is_a("ClusterComputeResource", "ComputeResource"));
        assert!(is_a("ClusterComputeResource", "ManagedEntity"));
        assert!(!is_a("ComputeResource", "ClusterComputeResource"));
    }
}
