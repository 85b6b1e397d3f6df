//! The configuration of a VM as a whole: an OVF document, which is a text in the answer.

use std::fmt::Write as _;

use crate::world::Vm;

/// About the size that the engine's documents have, in bytes.
const SIZE: usize = 16 * 1024;

/// The document.
pub(super) fn of(vm: &Vm, id: &str) -> String {
    let mut out = String::with_capacity(SIZE + 512);
    let name = escaped(&vm.name);
    let _ = write!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ovf:Envelope xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1/\" \
         xmlns:rasd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData\" \
         ovf:version=\"4.4.0.0\"><References/><Content ovf:id=\"out\" xsi:type=\"ovf:VirtualSystem_Type\">\
         <Name>{name}</Name><Description></Description><Comment/><VmType>1</VmType>\
         <Section ovf:id=\"{id}\" xsi:type=\"ovf:OperatingSystemSection_Type\"><Info>Guest Operating System</Info></Section>\
         <Section xsi:type=\"ovf:VirtualHardwareSection_Type\"><Info>{cpus} CPU, {memory} Memory</Info>\
         <Item><rasd:Caption>{cpus} virtual cpu</rasd:Caption><rasd:num_of_sockets>{sockets}</rasd:num_of_sockets>\
         <rasd:cpu_per_socket>{cores}</rasd:cpu_per_socket><rasd:threads_per_cpu>{threads}</rasd:threads_per_cpu></Item>",
        cpus = vm.cpus,
        memory = vm.memory_mb,
        sockets = vm.sockets,
        cores = vm.cores(),
        threads = vm.threads,
    );
    let mut number = 0;
    while out.len() < SIZE {
        number += 1;
        let _ = write!(
            out,
            "<Item><rasd:Caption>device {number}</rasd:Caption><rasd:InstanceId>{id}-{number}</rasd:InstanceId>\
             <rasd:ResourceType>0</rasd:ResourceType><Type>controller</Type><Device>pci</Device>\
             <rasd:Address>{{type=pci, slot=0x{number:02x}, bus=0x00, domain=0x0000}}</rasd:Address>\
             <BootOrder>0</BootOrder><IsPlugged>true</IsPlugged><IsReadOnly>false</IsReadOnly><Alias></Alias></Item>"
        );
    }
    out.push_str("</Section></Content></ovf:Envelope>");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
