//! Reads packed documents: an LZ4 block, and MessagePack in it. Tells them as JSON, with ids as text. Of the
//! library it takes one constant: what stands in front of each text.

use planledger_core::derived::testing::common;
use uuid::Uuid;

/// The JSON that a packed document comes to.
pub(crate) fn json(packed: &[u8]) -> String {
    let (size, block) = packed.split_first_chunk::<4>().unwrap();
    let plain = decompressed(block);
    assert_eq!(plain.len(), u32::from_le_bytes(*size) as usize);
    let mut rest = plain.as_slice();
    let mut said = String::new();
    value(&mut rest, &mut said);
    assert!(rest.is_empty());
    said
}

/// An LZ4 block as its format describes it. What is common stands in front of the text.
fn decompressed(block: &[u8]) -> Vec<u8> {
    let mut out = common().to_vec();
    let mut rest = block;
    loop {
        let [token] = take(&mut rest);
        let literals = length(token >> 4, &mut rest);
        out.extend(rest.split_off(..literals).unwrap());
        if rest.is_empty() {
            return out.split_off(common().len());
        }
        let back = u16::from_le_bytes(take(&mut rest)) as usize;
        for _ in 0..length(token & 15, &mut rest) + 4 {
            out.push(out[out.len() - back]);
        }
    }
}

fn length(begun: u8, rest: &mut &[u8]) -> usize {
    let mut length = usize::from(begun);
    let mut more = begun == 15;
    while more {
        let [byte] = take(rest);
        length += usize::from(byte);
        more = byte == 255;
    }
    length
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    *rest.split_off(..N).unwrap().first_chunk().unwrap()
}

fn value(rest: &mut &[u8], said: &mut String) {
    match take(rest) {
        [number @ 0..0x80] => said.push_str(&number.to_string()),
        [map @ 0x80..0x90] => self::map(u16::from(map & 15), rest, said),
        [list @ 0x90..0xa0] => self::list(u16::from(list & 15), rest, said),
        [text @ 0xa0..0xc0] => self::text(usize::from(text & 31), rest, said),
        [0xc0] => said.push_str("null"),
        [0xc2] => said.push_str("false"),
        [0xc3] => said.push_str("true"),
        [0xc4] => {
            assert_eq!(take(rest), [16], "only ids are bytes");
            said.push_str(&format!("\"{}\"", Uuid::from_bytes(take(rest))));
        }
        [0xcc] => said.push_str(&u8::from_be_bytes(take(rest)).to_string()),
        [0xcd] => said.push_str(&u16::from_be_bytes(take(rest)).to_string()),
        [0xce] => said.push_str(&u32::from_be_bytes(take(rest)).to_string()),
        [0xcf] => said.push_str(&u64::from_be_bytes(take(rest)).to_string()),
        [0xd9] => {
            let [length] = take(rest);
            text(usize::from(length), rest, said);
        }
        [0xda] => {
            let length = u16::from_be_bytes(take(rest));
            text(usize::from(length), rest, said);
        }
        [0xdc] => {
            let length = u16::from_be_bytes(take(rest));
            list(length, rest, said);
        }
        [0xde] => {
            let length = u16::from_be_bytes(take(rest));
            map(length, rest, said);
        }
        [other] => panic!("{other:#04x}"),
    }
}

fn map(length: u16, rest: &mut &[u8], said: &mut String) {
    said.push('{');
    for number in 0..length {
        said.push_str(if number > 0 { "," } else { "" });
        let mut key = String::new();
        value(rest, &mut key);
        // The keys of JSON are texts.
        match key.starts_with('"') {
            true => said.push_str(&key),
            false => said.push_str(&format!("\"{key}\"")),
        }
        said.push(':');
        value(rest, said);
    }
    said.push('}');
}

fn list(length: u16, rest: &mut &[u8], said: &mut String) {
    said.push('[');
    for number in 0..length {
        said.push_str(if number > 0 { "," } else { "" });
        value(rest, said);
    }
    said.push(']');
}

fn text(length: usize, rest: &mut &[u8], said: &mut String) {
    let text = std::str::from_utf8(rest.split_off(..length).unwrap()).unwrap();
    said.push_str(&serde_json::to_string(text).unwrap());
}
