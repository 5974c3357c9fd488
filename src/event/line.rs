//! One line of a trace.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::header::Header;
use super::kind::{EventKind, Lines};
use super::read::Fields;
use super::trace::Start;
use super::value::TaskId;

/// One line of a trace: when and of which task it tells, and what.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, and of which task.
    pub header: Header,
    /// What.
    pub kind: EventKind,
}

impl Event {
    /// The position of this line in the trace; the start, findings and unknown lines have none.
    pub fn seq(&self) -> Option<u64> {
        self.kind.carries().seq.then_some(self.header.seq)
    }

    /// Monotonic nanoseconds since the start of the trace.
    pub fn at_ns(&self) -> Option<u64> {
        self.kind.carries().at_ns.map(|_| self.header.at_ns)
    }

    /// The task that this is about, of the lines that are about one.
    pub fn task(&self) -> Option<TaskId> {
        self.kind.carries().task.map(|_| self.header.task)
    }
}

impl From<Start> for Event {
    fn from(start: Start) -> Self {
        Event {
            header: Header::NONE,
            kind: EventKind::Start(start),
        }
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.kind.write(&self.header, serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Event;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("internally tagged enum Event")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Event, A::Error> {
                let (tag, fields) = Fields::begin(map)?;
                let (header, kind) = EventKind::read(&tag, fields)?;
                Ok(Event { header, kind })
            }
        }
        deserializer.deserialize_map(Whole)
    }
}

impl JsonSchema for Event {
    fn schema_name() -> Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Lines::json_schema(generator);
        schema.insert("description".into(), json!("One line of a trace."));
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Event, String> {
        serde_json::from_str(line).map_err(|why| {
            let why = why.to_string();
            why.split(" at line ").next().unwrap_or_default().to_owned()
        })
    }

    #[test]
    fn the_type_may_stand_anywhere() {
        let line = r#"{"type":"detach","seq":3,"at_ns":40,"task":2,"tid":7}"#;
        let event = read(line).unwrap();
        let header = Header {
            seq: 3,
            at_ns: 40,
            task: TaskId(2),
        };
        assert_eq!(event.header, header);
        for other in [
            r#"{"tid":7,"task":2,"at_ns":40,"seq":3,"type":"detach"}"#,
            r#"{"seq":3,"tid":7,"type":"detach","more":[{}],"task":2,"at_ns":40}"#,
            r#"{"t\u0079pe":"detach","s\u0065q":3,"at_ns":40,"task":2,"t\u0069d":7}"#,
        ] {
            assert_eq!(read(other).as_ref(), Ok(&event), "{other}");
        }
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
    }

    #[test]
    fn a_kind_has_what_it_carries_of_the_header() {
        let all = r#""seq":1,"at_ns":2,"task":3"#;
        for (kind, rest, seq, at_ns, task) in [
            ("weather", r#""rain":true"#, None, None, None),
            ("lost", r#""what":"copy","count":1"#, Some(1), None, None),
            ("detach", r#""tid":7"#, Some(1), Some(2), Some(3)),
            (
                "finding",
                r#""lint":"l","level":"note","text":"t""#,
                None,
                Some(2),
                Some(3),
            ),
        ] {
            let event = read(&format!(r#"{{"type":"{kind}",{all},{rest}}}"#)).unwrap();
            let has = (event.seq(), event.at_ns(), event.task());
            assert_eq!(has, (seq, at_ns, task.map(TaskId)), "{kind}");
        }
    }

    #[test]
    fn what_is_missing_or_stands_twice_is_named() {
        for (line, why) in [
            ("{}", "missing field `type`"),
            (r#"{"type":"detach"}"#, "missing field `seq`"),
            (
                r#"{"type":"detach","seq":1,"tid":7,"task":1}"#,
                "missing field `at_ns`",
            ),
            (r#"{"type":"lost","seq":1}"#, "missing field `what`"),
            (
                r#"{"type":"lost","seq":1,"seq":2}"#,
                "duplicate field `seq`",
            ),
            (r#"{"type":"lost","type":"lost"}"#, "duplicate field `type`"),
            (
                r#"{"seq":-1,"type":"lost"}"#,
                "invalid value: integer `-1`, expected u64",
            ),
        ] {
            assert_eq!(read(line), Err(why.to_owned()), "{line}");
        }
    }
}
