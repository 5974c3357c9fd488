//! How a line is read: its header is taken out of the stream of its fields, and the rest goes
//! straight to what the line holds.
//!
//! An internally tagged enumeration, or a flattened field, would first copy a whole line into a tree
//! and read that.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::header::{Carries, Header};
use super::value::TaskId;

/// The name of a field, borrowed from the line where it can be.
pub(super) struct Name<'de>(pub Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("variant identifier")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The fields of a line behind its `type`.
pub(super) struct Fields<'de, A> {
    /// What is the header's, on a line of this kind.
    pub carries: &'static Carries,
    seq: Option<u64>,
    at_ns: Option<u64>,
    task: Option<TaskId>,
    /// The fields that stood before the `type`, where it is not the first.
    before: std::vec::IntoIter<(String, Value)>,
    /// The value of the one of them that is being read.
    value: Option<Value>,
    map: A,
    of: std::marker::PhantomData<&'de ()>,
}

impl<'de, A: MapAccess<'de>> Fields<'de, A> {
    /// Reads as far as the `type`, and returns it with what is left.
    pub(super) fn begin(mut map: A) -> Result<(Cow<'de, str>, Self), A::Error> {
        let mut before = Vec::new();
        let tag = loop {
            match map.next_key::<Name>()? {
                None => return Err(de::Error::missing_field("type")),
                Some(Name(name)) if name == "type" => break map.next_value::<Name>()?.0,
                Some(Name(name)) => before.push((name.into_owned(), map.next_value()?)),
            }
        };
        let fields = Fields {
            carries: &Carries::NOTHING,
            seq: None,
            at_ns: None,
            task: None,
            before: before.into_iter(),
            value: None,
            map,
            of: std::marker::PhantomData,
        };
        Ok((tag, fields))
    }

    /// Reads to the end of the line, and keeps nothing.
    pub(super) fn pass_over(&mut self) -> Result<(), A::Error> {
        while self.map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    /// What was found of the header.
    pub(super) fn header(&self) -> Header {
        Header {
            seq: self.seq.unwrap_or(Header::NONE.seq),
            at_ns: self.at_ns.unwrap_or(Header::NONE.at_ns),
            task: self.task.unwrap_or(Header::NONE.task),
        }
    }

    fn next_name(&mut self) -> Result<Option<Cow<'de, str>>, A::Error> {
        if let Some((name, value)) = self.before.next() {
            self.value = Some(value);
            return Ok(Some(Cow::Owned(name)));
        }
        Ok(self.map.next_key::<Name>()?.map(|name| name.0))
    }

    fn value<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(value).map_err(de::Error::custom),
            None => self.map.next_value_seed(seed),
        }
    }

    /// Takes a field of the header.
    fn take<T: Deserialize<'de>>(
        &mut self,
        name: &'static str,
        slot: fn(&mut Self) -> &mut Option<T>,
    ) -> Result<(), A::Error> {
        if slot(self).is_some() {
            return Err(de::Error::duplicate_field(name));
        }
        let value = self.value(std::marker::PhantomData)?;
        *slot(self) = Some(value);
        Ok(())
    }

    /// At the end of the line: whether the header is whole.
    fn complete(&self) -> Result<(), A::Error> {
        let missing = [
            ("seq", self.carries.seq && self.seq.is_none()),
            (
                "at_ns",
                self.carries.at_ns.is_some() && self.at_ns.is_none(),
            ),
            ("task", self.carries.task.is_some() && self.task.is_none()),
        ];
        match missing.into_iter().find(|(_, missing)| *missing) {
            Some((name, _)) => Err(de::Error::missing_field(name)),
            None => Ok(()),
        }
    }
}

/// The fields that are not the header's.
impl<'de, A: MapAccess<'de>> MapAccess<'de> for &mut Fields<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.next_name()? {
            match &*name {
                "seq" if self.carries.seq => self.take("seq", |line| &mut line.seq)?,
                "at_ns" if self.carries.at_ns.is_some() => {
                    self.take("at_ns", |line| &mut line.at_ns)?;
                }
                "task" if self.carries.task.is_some() => {
                    self.take("task", |line| &mut line.task)?;
                }
                "type" => return Err(de::Error::duplicate_field("type")),
                _ => {
                    return match name {
                        Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
                        Cow::Owned(name) => seed.deserialize(StringDeserializer::new(name)),
                    }
                    .map(Some);
                }
            }
        }
        self.complete()?;
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.value(seed)
    }
}
