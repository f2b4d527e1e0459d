//! Hexadecimal digits.

/// Bytes as hexadecimal digits.
pub fn encode(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// 32 bytes from 64 hexadecimal digits, of either case; `None` if they are not that.
pub fn decode(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// For serde: a hash as hexadecimal digits.
pub(crate) mod digits {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{decode, encode};
    use crate::hash::Hash32;

    pub(crate) fn serialize<S: Serializer>(
        hash: &Hash32,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(hash))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Hash32, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text)
            .ok_or_else(|| serde::de::Error::custom("the hash is not 64 hexadecimal digits"))
    }
}
