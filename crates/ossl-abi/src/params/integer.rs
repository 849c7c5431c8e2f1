//! Integers of any width in the machine's byte order.

/// Converts between native byte order and little-endian, in either direction.
fn little_endian(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if cfg!(target_endian = "big") {
        bytes.reverse();
    }
    bytes
}

/// Reads an integer of any width; `None` if it does not fit in 128 bits or is empty.
pub(super) fn decode(bytes: &[u8], signed: bool) -> Option<i128> {
    let bytes = little_endian(bytes);
    let negative = signed && bytes.last()? & 0x80 != 0;
    let fill = if negative { 0xff } else { 0 };
    let mut wide = [fill; 16];
    for (index, &byte) in bytes.iter().enumerate() {
        match wide.get_mut(index) {
            Some(slot) => *slot = byte,
            None if byte == fill => {}
            None => return None,
        }
    }
    let value = i128::from_le_bytes(wide);
    (!bytes.is_empty() && (value < 0) == negative).then_some(value)
}

/// Writes an integer to exactly `room`; returns `false` and writes nothing if it does not fit.
pub(super) fn encode(value: i128, room: &mut [u8], signed: bool) -> bool {
    let wide = value.to_le_bytes();
    let fill = if value < 0 { 0xff } else { 0 };
    let mut bytes: Vec<u8> =
        (0..room.len()).map(|index| wide.get(index).copied().unwrap_or(fill)).collect();
    if cfg!(target_endian = "big") {
        bytes.reverse();
    }
    let fits = !bytes.is_empty() && decode(&bytes, signed) == Some(value);
    if fits {
        room.copy_from_slice(&bytes);
    }
    fits
}

/// Reads an unsigned integer as big-endian bytes without leading zeros.
pub(crate) fn decode_big(bytes: &[u8]) -> Vec<u8> {
    let mut big = little_endian(bytes);
    big.reverse();
    let zeros = big.iter().take_while(|&&byte| byte == 0).count();
    big.split_off(zeros)
}

/// Writes big-endian bytes to exactly `room`, with padding; returns `false` if they do not fit.
pub(super) fn encode_big(big: &[u8], room: &mut [u8]) -> bool {
    let zeros = big.iter().take_while(|&&byte| byte == 0).count();
    let significant = &big[zeros..];
    if significant.len() > room.len() {
        return false;
    }
    room.fill(0);
    for (slot, &byte) in room.iter_mut().zip(significant.iter().rev()) {
        *slot = byte;
    }
    if cfg!(target_endian = "big") {
        room.reverse();
    }
    true
}
