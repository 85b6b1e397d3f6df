//! The lines that go to the Python process and come from it: JSON, one request or answer in each.

use chaos_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The number under which a new process says that it is there.
pub(super) const READY: u64 = 0;

/// The longest line that is read. The process keeps its answers well below, so that only a broken one gets here.
const LONGEST: u64 = 32 << 20;

/// The answer to a request.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Returned(Value),
    /// The function raised an exception.
    Failed {
        message: String,
        lines: Vec<String>,
    },
    /// The function could not be called.
    Broken(String),
    /// The function asked Python to end.
    Exit(i32),
    /// The call was interrupted.
    Interrupted,
}

/// What a line from the process says.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Answer(u64, Answer),
    /// Something in the process wants the run to end, with this exit code.
    Leave(i32),
}

/// Where and with what a function is called.
#[derive(Debug)]
pub(super) struct Called<'a> {
    pub(super) module: &'a str,
    pub(super) func: &'a str,
    pub(super) arguments: &'a Map<String, Value>,
    pub(super) unnamed: &'a [Value],
    pub(super) configuration: &'a Map<String, Value>,
    pub(super) secrets: Option<&'a Map<String, Value>>,
}

impl Called<'_> {
    /// The request to call it.
    pub(super) fn call(&self, id: u64, background: bool) -> String {
        let Self { module, func, arguments, unnamed, configuration, secrets } = self;
        json!({
            "id": id, "do": "call", "background": background, "module": module, "func": func,
            "arguments": arguments, "unnamed": unnamed, "configuration": configuration, "secrets": secrets,
        })
        .to_string()
    }

    /// The request to say what would be wrong with a call. The values of its arguments do not matter.
    pub(super) fn check(&self, id: u64) -> String {
        let names: Vec<&String> = self.arguments.keys().collect();
        json!({
            "id": id, "do": "check", "background": false, "module": self.module, "func": self.func,
            "arguments": names, "secrets": self.secrets.is_some(),
        })
        .to_string()
    }
}

/// Which function of a control is called, and with what.
#[derive(Debug)]
pub(super) struct Hooked<'a> {
    pub(super) module: &'a str,
    pub(super) func: &'a str,
    /// `configure`, `apply` or `cleanup`.
    pub(super) style: &'a str,
    pub(super) arguments: &'a Value,
    pub(super) given: &'a Given,
}

/// What a control sees, and may change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    /// Where in the experiment the context is; none if it is not there.
    pub(crate) at: Option<String>,
    /// The context, where it is not in the experiment.
    pub(crate) context: Value,
    pub(crate) state: Value,
    pub(crate) experiment: Value,
    pub(crate) configuration: Value,
    pub(crate) secrets: Value,
    pub(crate) settings: Value,
}

impl Hooked<'_> {
    /// The request to call it.
    pub(super) fn call(&self, id: u64, background: bool) -> String {
        let Self { module, func, style, arguments, given } = self;
        let Given { at, context, state, experiment, configuration, secrets, settings } = given;
        json!({
            "id": id, "do": "hook", "background": background, "module": module, "func": func, "style": style,
            "arguments": arguments, "at": at, "context": context, "state": state, "experiment": experiment,
            "configuration": configuration, "secrets": secrets, "settings": settings,
        })
        .to_string()
    }
}

/// The request to say what is wrong with a control. A lenient one is never refused.
pub(super) fn check_control(id: u64, module: &str, control: &Value, lenient: bool) -> String {
    json!({"id": id, "do": "check_control", "background": false, "module": module, "control": control, "lenient": lenient})
        .to_string()
}

/// The request to interrupt another one.
pub(super) fn cancel(id: u64) -> String {
    json!({"id": id, "do": "cancel"}).to_string()
}

/// The next line from the process; none if there is no more.
///
/// # Errors
/// If it cannot be read or is not what the process should say.
pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin + Send)) -> Result<Option<Line>, Error> {
    let mut line = Vec::new();
    let read = from.take(LONGEST).read_until(b'\n', &mut line).await;
    read.map_err(|error| Error::new(ErrorKind::Protocol, "an answer of Python cannot be read").caused_by(error))?;
    if line.pop() != Some(b'\n') {
        // A line without an end is one that its writer did not finish.
        return Ok(None);
    }
    parse(&line).map(Some).ok_or_else(|| Error::new(ErrorKind::Protocol, "Python gave an answer that means nothing"))
}

fn parse(line: &[u8]) -> Option<Line> {
    let mut line: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let code = |value: &Value| value.as_i64().and_then(|code| i32::try_from(code).ok());
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        _ => None,
    };
    if let Some(leave) = line.get("leave") {
        return code(leave).map(Line::Leave);
    }
    let id = line.get("id")?.as_u64()?;
    let answer = if let Some(returned) = line.get_mut("returned") {
        Answer::Returned(returned.take())
    } else if let Some(Value::Object(failed)) = line.get_mut("failed") {
        let Some(Value::Array(lines)) = failed.remove("lines") else { return None };
        let lines = lines.into_iter().filter_map(text).collect();
        Answer::Failed { message: failed.remove("message").and_then(text)?, lines }
    } else if let Some(broken) = line.get_mut("broken") {
        Answer::Broken(text(broken.take())?)
    } else if let Some(exit) = line.get("exit") {
        Answer::Exit(code(exit)?)
    } else if line.contains_key("interrupted") {
        Answer::Interrupted
    } else {
        return None;
    };
    Some(Line::Answer(id, answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_of_lines() {
        for (line, expected) in [
            (r#"{"id":1,"returned":null}"#, Some(Line::Answer(1, Answer::Returned(Value::Null)))),
            (r#"{"id":1,"broken":"b"}"#, Some(Line::Answer(1, Answer::Broken("b".into())))),
            (r#"{"id":2,"exit":-3}"#, Some(Line::Answer(2, Answer::Exit(-3)))),
            (r#"{"id":2,"interrupted":true}"#, Some(Line::Answer(2, Answer::Interrupted))),
            (
                r#"{"id":3,"failed":{"message":"m","lines":["l"]}}"#,
                Some(Line::Answer(3, Answer::Failed { message: "m".into(), lines: vec!["l".into()] })),
            ),
            (r#"{"leave":30}"#, Some(Line::Leave(30))),
            (r#"{"leave":"x"}"#, None),
            (r#"{"id":3,"failed":{}}"#, None),
            (r#"{"id":3}"#, None),
            (r#"{"id":-1,"returned":1}"#, None),
            ("[]", None),
            ("{", None),
        ] {
            assert_eq!(parse(line.as_bytes()), expected, "{line}");
        }
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_the_end() {
        let mut from = &b"{\"leave\":20}\n{\"leave\":"[..];
        assert_eq!(read(&mut from).await.unwrap(), Some(Line::Leave(20)));
        assert_eq!(read(&mut from).await.unwrap(), None);
        assert!(read(&mut &b"\n"[..]).await.is_err());
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_a_crash(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = parse(&line);
        }
    }
}
