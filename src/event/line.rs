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
