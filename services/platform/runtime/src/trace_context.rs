//! W3C trace context carried through the envelopes, so that one trace spans scheduler to notifier.

use mantissa_contracts::ids;
use std::cell::RefCell;
use std::future::Future;
use tracing::{Instrument as _, Span, info_span};
use uuid::Uuid;

tokio::task_local! {
    static CURRENT: RefCell<Option<String>>;
}

/// Runs a future with this trace context current, and its id in what is logged meanwhile.
pub async fn within<F: Future>(traceparent: Option<String>, future: F) -> F::Output {
    let span = log_span(traceparent.as_deref());
    CURRENT.scope(RefCell::new(traceparent), future).instrument(span).await
}

/// Puts a trace's id on what is logged within it.
pub fn log_span(traceparent: Option<&str>) -> Span {
    traceparent.map_or_else(Span::none, |context| info_span!("trace", trace.id = trace_id(context)))
}

/// The traceparent to put on messages made now.
pub fn current() -> Option<String> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// A new trace, derived from what it is about: a replay joins the trace of the first try.
pub fn begin(about: &[&str]) -> String {
    let trace = ids::derive("trace", about);
    format!("00-{}-{}-01", trace.simple(), span_of(trace))
}

/// The child of a traceparent for one step; `None` when it is malformed.
pub fn child(traceparent: &str, step: &str) -> Option<String> {
    let (trace, parent, flags) = ids_of(traceparent)?;
    let span = span_of(ids::derive("span", &[trace, parent, step]));
    Some(format!("00-{trace}-{span}-{flags:02x}"))
}

/// The parts of a traceparent: trace id, span id, flags; `None` when it is malformed.
pub fn ids_of(traceparent: &str) -> Option<(&str, &str, u8)> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    if version != "00" || !is_hex(trace, 32) || !is_hex(span, 16) || !is_hex(flags, 2) || parts.next().is_some() {
        return None;
    }
    Some((trace, span, u8::from_str_radix(flags, 16).ok()?))
}

/// The trace id within a traceparent.
pub fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap_or("")
}

fn span_of(uuid: Uuid) -> String {
    let text = uuid.simple().to_string();
    // All zeros is not a valid span id; a version digit makes the middle of a UUID non-zero.
    text.get(8..24).unwrap_or("0000000000000001").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn child_keeps_the_trace_and_changes_the_span() {
        let parent = begin(&["a"]);
        let child = child(&parent, "dedup").unwrap();
        assert_eq!(trace_id(&parent), trace_id(&child));
        assert_ne!(parent, child);
    }

    #[test]
    fn malformed_parent_has_no_child() {
        for text in ["", "00-1-2-01", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"] {
            assert_eq!(child(text, "x"), None, "{text}");
        }
    }

    #[tokio::test]
    async fn context_is_current_only_inside() {
        assert_eq!(current(), None);
        let inside = within(Some("t".to_owned()), async { current() }).await;
        assert_eq!((inside.as_deref(), current()), (Some("t"), None));
    }
}
