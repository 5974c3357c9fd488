//! The kinds of lines: one table, of which enumeration, names, reading, writing and schema are made.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, MapAccess, value::MapAccessDeserializer};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::call::CloneCall;
use super::exit::Exit;
use super::header::{Carries, Header, SEQ};
use super::notice::{Blind, Copied, Detach, Finding, Kill, Lost, Unshared};
use super::read::Fields;
use super::task::{Appeared, Exec};
use super::trace::{End, Start, Stats};
use super::value::TaskId;

/// One row a kind: what it means, its name, what it holds, the `type` on its line, and what of the
/// header it carries.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($payload:ty), $tag:literal, $carries:expr;)*) => {
        /// What a line tells.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* $name($payload),)*
            /// A line of a type that this version does not know.
            Unknown,
        }

        impl EventKind {
            /// What of the header it carries.
            pub(super) fn carries(&self) -> &'static Carries {
                match self {
                    $(EventKind::$name(_) => const { &$carries },)*
                    EventKind::Unknown => &Carries::NOTHING,
                }
            }

            /// Reads what follows the `type` of a line.
            pub(super) fn read<'de, A: MapAccess<'de>>(
                tag: &str,
                mut fields: Fields<'de, A>,
            ) -> Result<(Header, Self), A::Error> {
                let kind = match tag {
                    $($tag => {
                        fields.carries = const { &$carries };
                        let payload = MapAccessDeserializer::new(&mut fields);
                        EventKind::$name(<$payload>::deserialize(payload)?)
                    })*
                    _ => {
                        fields.pass_over()?;
                        EventKind::Unknown
                    }
                };
                Ok((fields.header(), kind))
            }

            /// Writes the line of it.
            pub(super) fn write<S: Serializer>(
                &self,
                header: &Header,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                match self {
                    $(EventKind::$name(payload) => {
                        Line::new($tag, header, self, payload).serialize(serializer)
                    })*
                    EventKind::Unknown => {
                        Line::new("unknown", header, self, &()).serialize(serializer)
                    }
                }
            }
        }

        $(impl Payload for $payload {
            const CARRIES: Carries = $carries;
        })*

        /// The lines as the JSON Schema has them.
        #[derive(JsonSchema)]
        #[serde(tag = "type")]
        #[allow(dead_code, reason = "its schema is what it is for")]
        pub(super) enum Lines {
            $($(#[$doc])* #[serde(rename = $tag)] $name(Described<$payload>),)*
            /// A line of a type that this version does not know.
            #[serde(rename = "unknown")]
            Unknown,
        }
    };
}

kinds! {
    /// The trace begins: what is traced, how, on which machine.
    Start(Start), "start", Carries::NOTHING;
    /// A task that no seen call made.
    Task(Appeared), "task", Carries::all("clonespy's number for the task.");
    /// A task replaced its program.
    Exec(Exec), "exec", Carries::all("The task, which keeps its number.");
    /// A call that asks for a new task, with its outcome.
    Clone(Box<CloneCall>), "clone", Carries {
        at_ns: Some("The entry into the call (attach: the event), in monotonic nanoseconds since the start."),
        ..Carries::all("The caller.")
    };
    /// A page was copied on write after a fork.
    Copy(Copied), "copy", Carries::all("The task that touched the page.");
    /// A task stopped sharing something without creating a task.
    Unshared(Unshared), "unshared", Carries::all("The task.");
    /// Events that were missed, with their number.
    Lost(Lost), "lost", Carries::SEQ;
    /// From here on something about a task cannot be seen.
    Blind(Blind), "blind", Carries::all("The task.");
    /// A task was let go alive.
    Detach(Detach), "detach", Carries::all("The task.");
    /// clonespy ends a process.
    Kill(Kill), "kill", Carries::all("The task that stands for the process.");
    /// A task ended.
    Exit(Exit), "exit", Carries::all("The task.");
    /// Something that deserves attention; derived, so replay works it out anew.
    Finding(Finding), "finding", Carries { seq: false, ..Carries::all("The task.") };
    /// What tracing took, when asked for.
    Stats(Stats), "stats", Carries::TIME;
    /// The trace ended in order. A trace without this line was cut short.
    End(End), "end", Carries::TIME;
}

/// A line as it is written.
#[derive(Serialize)]
struct Line<'a, T> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskId>,
    #[serde(flatten)]
    payload: &'a T,
}

impl<'a, T> Line<'a, T> {
    fn new(tag: &'static str, header: &Header, kind: &EventKind, payload: &'a T) -> Self {
        let carries = kind.carries();
        Line {
            r#type: tag,
            seq: carries.seq.then_some(header.seq),
            at_ns: carries.at_ns.map(|_| header.at_ns),
            took_ns: match kind {
                EventKind::Clone(call) => call.took_ns,
                _ => None,
            },
            task: carries.task.map(|_| header.task),
            payload,
        }
    }
}

/// What a line holds besides its header.
trait Payload: JsonSchema {
    const CARRIES: Carries;
}

/// A payload, described with the header's fields among its own.
#[allow(dead_code, reason = "its schema is what it is for")]
pub(super) struct Described<T>(T);

impl<T: Payload> JsonSchema for Described<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        let mut required = Vec::new();
        let mut add = |name: &str, mut field: Schema, meaning: &str| {
            field.insert("description".into(), json!(meaning));
            let object = schema.ensure_object();
            let fields = object.entry("properties").or_insert_with(|| json!({}));
            if let Some(fields) = fields.as_object_mut() {
                fields.insert(name.into(), field.to_value());
            }
            required.push(json!(name));
        };
        if T::CARRIES.seq {
            add("seq", generator.subschema_for::<u64>(), SEQ);
        }
        if let Some(meaning) = T::CARRIES.at_ns {
            add("at_ns", generator.subschema_for::<u64>(), meaning);
        }
        if let Some(meaning) = T::CARRIES.task {
            add("task", generator.subschema_for::<TaskId>(), meaning);
        }
        if let Some(Value::Array(own)) = schema.get("required") {
            required.extend(own.iter().cloned());
        }
        if !required.is_empty() {
            schema.insert("required".into(), Value::Array(required));
        }
        schema
    }
}
