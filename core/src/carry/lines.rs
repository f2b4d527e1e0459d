//! Reads the lines of an export, and believes none of them: each is held against the entry that it carries.

use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::Value;

use super::error::LineFault;
use super::salvage::missing;
use super::{Content, Taken};
use crate::doctor::{EndLine, EventLine, FORMAT, HeadLine, VERSION, Why, scope_from};
use crate::domain::{Actor, Event, EventType};
use crate::entry::{self, Entry, EntryBytes};
use crate::hex;
use crate::ids::{CommandId, Position, StreamId};
use crate::seal::{self, EventKey};

/// The first line.
pub(super) fn head(line: &str) -> Result<HeadLine<'_>, LineFault> {
    let value: Value = serde_json::from_str(line).map_err(no_json)?;
    if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(LineFault::NotAnExport);
    }
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            return Err(LineFault::Version(
                u32::try_from(version).unwrap_or(u32::MAX),
            ));
        }
        None => return Err(LineFault::field("version", "is not a number")),
    }
    serde_json::from_str(line).map_err(|_| {
        let fields = ["ledger", "events", "lastPosition", "missing", "checkpoint"];
        why(&value, &fields, &["format", "version"])
    })
}

/// The last line; `None` if this is another one.
pub(super) fn end(line: &str) -> Option<EndLine> {
    serde_json::from_str(line).ok()
}

/// The line of an event.
pub(super) fn event(line: &str) -> Result<Taken, LineFault> {
    let read: EventLine<'_> =
        serde_json::from_str(line).map_err(|error| match serde_json::from_str::<Value>(line) {
            Ok(value) => why(&value, &EventLine::FIELDS, &[]),
            Err(_) => no_json(error),
        })?;
    let bytes = BASE64.decode(&read.entry).ok();
    let bytes: Option<EntryBytes> = bytes.and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes.ok_or_else(|| LineFault::field("entry", "is not 230 bytes in base64"))?;
    let entry =
        Entry::decode(&bytes).map_err(|error| LineFault::field("entry", error.to_string()))?;
    same(&read, &entry, &bytes)?;
    let scope = read.scope.as_deref().map(|text| {
        scope_from(text).ok_or_else(|| {
            LineFault::field("scope", "is not ledger, institution/UUID or person/UUID")
        })
    });
    let key = read.key.as_deref().map(|text| event_key(text, &entry));
    let key = key.transpose()?;
    let content = match (&read.why, read.payload) {
        (None, Some(payload)) => {
            let key = key.as_ref().ok_or_else(|| {
                LineFault::field("key", "is missing, although there is a payload")
            })?;
            let json = payload.get().as_bytes().to_vec();
            proved(key, &entry, &bytes, &json)?;
            // A text that this version cannot read is found before anything is written.
            Event::from_json(entry.event_type, entry.schema, &json)
                .map_err(|error| LineFault::field("payload", unreadable(&error)))?;
            Content::Json(json)
        }
        (None, None) => return Err(LineFault::field("payload", "is missing, and why is too")),
        (Some(_), Some(_)) => {
            return Err(LineFault::field(
                "why",
                "says that there is no payload, and there is one",
            ));
        }
        (Some(why), None) => {
            let why = Why::ALL.into_iter().find(|known| known.code() == why);
            missing(why.ok_or_else(|| LineFault::field("why", "is none of the known reasons"))?)
        }
    };
    Ok(Taken {
        position: Position::new(read.position),
        back: Position::new(read.back),
        entry,
        bytes,
        scope: scope.transpose()?,
        key,
        content,
    })
}

/// Says no more of a payload than whether a newer version is needed.
fn unreadable(error: &crate::domain::PayloadError) -> &'static str {
    match error.needs_newer() {
        true => "is of a newer version of planledger; import it with that version",
        false => "is not an event of its type and schema",
    }
}

/// Holds what the line says against the entry.
fn same(read: &EventLine<'_>, entry: &Entry, bytes: &EntryBytes) -> Result<(), LineFault> {
    let on_behalf_of = match &read.on_behalf_of {
        Some(text) => Some(parsed("onBehalfOf", text)?),
        None => None,
    };
    let name = EventType::from_code(entry.event_type).map(|known| known.name);
    let checks = [
        (
            "stream",
            parsed::<StreamId>("stream", &read.stream)? == entry.stream,
        ),
        ("revision", read.revision == entry.revision.get()),
        (
            "recordedAtNanos",
            parsed::<u64>("recordedAtNanos", &read.recorded_at_nanos)? == entry.recorded_at.nanos(),
        ),
        (
            "actor",
            parsed::<Actor>("actor", &read.actor)? == entry.actor,
        ),
        ("onBehalfOf", on_behalf_of == entry.on_behalf_of),
        (
            "command",
            parsed::<CommandId>("command", &read.command)? == entry.command,
        ),
        ("type", read.event_type == entry.event_type),
        ("name", read.name.as_deref() == name),
        ("schema", read.schema == entry.schema),
        ("leaf", hex::decode(&read.leaf) == Some(entry::leaf(bytes))),
        ("position", read.position > read.back),
    ];
    match checks.into_iter().find(|(_, fits)| !fits) {
        Some((field, _)) => Err(LineFault::field(field, "is not what the entry says")),
        None => Ok(()),
    }
}

fn parsed<T: FromStr>(field: &'static str, text: &str) -> Result<T, LineFault> {
    text.parse()
        .map_err(|_| LineFault::field(field, "is not written as an export writes it"))
}

fn event_key(text: &str, entry: &Entry) -> Result<EventKey, LineFault> {
    let bytes: Option<[u8; 32]> = BASE64
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    let key = bytes.map(EventKey::from_bytes);
    let key = key.ok_or_else(|| LineFault::field("key", "is not 32 bytes in base64"))?;
    match seal::commitment(&key) == entry.key_commitment {
        true => Ok(key),
        false => Err(LineFault::field(
            "key",
            "is not the key that the entry names",
        )),
    }
}

/// The text is the one that the entry stands for: sealed again with its key it is the same bytes.
fn proved(key: &EventKey, entry: &Entry, bytes: &EntryBytes, json: &[u8]) -> Result<(), LineFault> {
    let sealed = seal::seal(key, &entry.nonce, entry::prefix(bytes), json);
    let same = sealed.is_ok_and(|sealed| entry::sealed_hash(&sealed) == entry.sealed_hash);
    match same {
        true => Ok(()),
        false => Err(LineFault::field(
            "payload",
            "is not the one that the entry was made for",
        )),
    }
}

fn no_json(error: serde_json::Error) -> LineFault {
    LineFault::NoJson(error.column())
}

/// Why a line of JSON does not read.
fn why(value: &Value, fields: &[&'static str], others: &[&str]) -> LineFault {
    let Some(object) = value.as_object() else {
        return LineFault::NoJson(1);
    };
    if let Some(missing) = fields.iter().find(|field| !object.contains_key(**field)) {
        return LineFault::field(missing, "is missing");
    }
    let known = |name: &String| fields.contains(&name.as_str()) || others.contains(&name.as_str());
    if !object.keys().all(known) {
        return LineFault::Unknown;
    }
    let wrong = fields
        .iter()
        .find(|field| !of_its_kind(field, object.get(**field)));
    match wrong {
        Some(field) => LineFault::field(field, "is not of the kind that it should be"),
        None => LineFault::field("missing", "is not of the kind that it should be"),
    }
}

fn of_its_kind(field: &str, value: Option<&Value>) -> bool {
    let Some(value) = value else { return false };
    match field {
        "position" | "back" | "revision" | "events" | "lastPosition" => value.is_u64(),
        "type" | "schema" => value.as_u64().is_some_and(|it| u16::try_from(it).is_ok()),
        "onBehalfOf" | "name" | "scope" | "why" | "key" | "checkpoint" => {
            value.is_string() || value.is_null()
        }
        "missing" => value.is_array(),
        "payload" => true,
        _ => value.is_string(),
    }
}
