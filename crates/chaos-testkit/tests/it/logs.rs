//! The capture sees every level, and fields of spans as well as of events.

use chaos_testkit::CapturedLogs;

#[test]
fn fields_of_events_and_spans_are_captured_at_the_most_verbose_level() {
    let logs = CapturedLogs::start();
    {
        let span = tracing::trace_span!("call", header = "in-a-span");
        let _entered = span.enter();
        tracing::trace!(body = "in-an-event", "sent");
    }
    let text = logs.text();
    assert!(text.contains("in-a-span") && text.contains("in-an-event") && text.contains("sent"), "{text}");
}

#[test]
fn a_span_without_events_is_captured() {
    let logs = CapturedLogs::start();
    drop(tracing::debug_span!("login", password = "canary"));
    assert!(logs.text().contains("canary"));
}
