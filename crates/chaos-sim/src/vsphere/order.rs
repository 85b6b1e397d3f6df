//! Checks that the parts of a call come in the order of the service's description, as real servers demand.

use super::xml::Element;

/// The parts of a method's call after `_this`, in their order. Methods that are not listed take nothing but `_this`, or are
/// not known anyway.
fn parameters(method: &str) -> Option<&'static [&'static str]> {
    let parameters: &[&str] = match method {
        "Login" => &["userName", "password", "locale"],
        "SessionIsActive" => &["sessionID", "userName"],
        "TerminateSession" => &["sessionId"],
        "RetrieveProperties" => &["specSet"],
        "RetrievePropertiesEx" => &["specSet", "options"],
        "ContinueRetrievePropertiesEx" | "CancelRetrievePropertiesEx" => &["token"],
        "CreateFilter" => &["spec", "partialUpdates"],
        "WaitForUpdatesEx" => &["version", "options"],
        "WaitForUpdates" | "CheckForUpdates" => &["version"],
        "CreateContainerView" => &["container", "type", "recursive"],
        "CreateListView" | "ResetListView" => &["obj"],
        "ModifyListView" => &["add", "remove"],
        "FindByInventoryPath" => &["inventoryPath"],
        "FindByUuid" | "FindAllByUuid" => &["datacenter", "uuid", "vmSearch", "instanceUuid"],
        "FindByDnsName" | "FindAllByDnsName" => &["datacenter", "dnsName", "vmSearch"],
        "FindByIp" | "FindAllByIp" => &["datacenter", "ip", "vmSearch"],
        "FindChild" => &["entity", "name"],
        "PowerOnVM_Task" => &["host"],
        "PowerOnMultiVM_Task" => &["vm", "option"],
        "AnswerVM" => &["questionId", "answerChoice"],
        "HasPrivilegeOnEntities" => &["entity", "sessionId", "privId"],
        "QueryOptions" => &["name"],
        "RetrieveServiceContent"
        | "CurrentTime"
        | "Logout"
        | "CreatePropertyCollector"
        | "DestroyPropertyCollector"
        | "DestroyPropertyFilter"
        | "CancelWaitForUpdates"
        | "DestroyView"
        | "PowerOffVM_Task"
        | "ResetVM_Task"
        | "SuspendVM_Task"
        | "ShutdownGuest"
        | "RebootGuest"
        | "StandbyGuest"
        | "TerminateVM"
        | "CancelTask" => &[],
        _ => return None,
    };
    Some(parameters)
}

/// The members of the data objects that calls carry, by the name of the element that holds them.
fn members(element: &Element) -> Option<&'static [&'static str]> {
    match element.name.as_str() {
        "specSet" | "spec" => Some(&["propSet", "objectSet", "reportMissingObjectsInResults"]),
        "propSet" => Some(&["type", "all", "pathSet"]),
        "objectSet" => Some(&["obj", "skip", "selectSet"]),
        "selectSet" => Some(&["name", "type", "path", "skip", "selectSet"]),
        "options" => Some(&["maxObjects", "maxWaitSeconds", "maxObjectUpdates"]),
        _ => None,
    }
}

/// The name of the first element that is unknown or out of order.
pub(super) fn misplaced(call: &Element) -> Option<&str> {
    let parameters = parameters(&call.name)?;
    let (this, rest) = call.children.split_first()?;
    if this.name != "_this" {
        return Some(&this.name);
    }
    out_of_order(rest, parameters).or_else(|| rest.iter().find_map(misplaced_member))
}

fn misplaced_member(element: &Element) -> Option<&str> {
    let members = members(element)?;
    out_of_order(&element.children, members).or_else(|| element.children.iter().find_map(misplaced_member))
}

fn out_of_order<'a>(elements: &'a [Element], order: &[&str]) -> Option<&'a str> {
    let mut from = 0;
    for element in elements {
        match order.iter().skip(from).position(|name| *name == element.name) {
            Some(offset) => from += offset,
            None => return Some(&element.name),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(name: &str, children: Vec<Element>) -> Element {
        Element { name: name.to_owned(), children, ..Element::default() }
    }

    fn call(method: &str, parts: &[&str]) -> Element {
        element(method, parts.iter().map(|part| element(part, Vec::new())).collect())
    }

    #[test]
    fn parts_must_come_in_order_and_may_be_left_out_or_repeated() {
        assert_eq!(misplaced(&call("Login", &["_this", "userName", "password"])), None);
        assert_eq!(misplaced(&call("Login", &["_this", "password", "userName"])), Some("userName"));
        assert_eq!(misplaced(&call("Login", &["userName"])), Some("userName"));
        assert_eq!(misplaced(&call("ModifyListView", &["_this", "add", "add", "remove"])), None);
        assert_eq!(misplaced(&call("PowerOffVM_Task", &["_this", "force"])), Some("force"));
    }

    #[test]
    fn members_of_specifications_are_checked_too() {
        let spec = element("specSet", vec![element("objectSet", Vec::new()), element("propSet", Vec::new())]);
        let call = element("RetrievePropertiesEx", vec![element("_this", Vec::new()), spec]);
        assert_eq!(misplaced(&call), Some("propSet"));
    }
}
