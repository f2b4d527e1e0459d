//! Messages of the API as canonical protobuf JSON.

use planledger_proto::FILE_DESCRIPTOR_SET;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;

use super::super::super::error::CliError;

/// The descriptions of the messages.
#[derive(Debug)]
pub(super) struct Forms(DescriptorPool);

impl Forms {
    pub(super) fn new() -> Result<Self, CliError> {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).map_err(CliError::refused)?;
        Ok(Self(pool))
    }

    /// A message as JSON.
    pub(super) fn value<M: Message + Name>(&self, message: &M) -> Result<Value, CliError> {
        let name = M::full_name();
        let descriptor = self.0.get_message_by_name(&name);
        let descriptor =
            descriptor.ok_or_else(|| CliError::Refused(format!("{name} is not described")))?;
        let bytes = message.encode_to_vec();
        let message = DynamicMessage::decode(descriptor, bytes.as_slice());
        let message = message.map_err(CliError::refused)?;
        serde_json::to_value(&message).map_err(CliError::refused)
    }

    /// Messages as a list.
    pub(super) fn list<M: Message + Name>(&self, messages: &[M]) -> Result<Value, CliError> {
        let values: Result<Vec<_>, _> = messages.iter().map(|one| self.value(one)).collect();
        values.map(Value::Array)
    }
}
