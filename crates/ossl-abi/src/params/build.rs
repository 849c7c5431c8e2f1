//! Building parameter arrays for the host.

use std::ffi::{CStr, c_uint, c_void};

use super::{Params, integer};
use crate::types::{DataType, Param};

/// Values to pass to the host.
#[derive(Default)]
pub struct Values {
    entries: Vec<(&'static CStr, DataType, Data, usize)>,
}

/// Storage of a value, whose address does not change.
enum Data {
    Bytes(Box<[u8]>),
    /// Integers are read with the alignment of their C type.
    Words(Box<[u64]>),
}

impl Data {
    fn pointer(&self) -> *const c_void {
        match self {
            Self::Bytes(bytes) => bytes.as_ptr().cast(),
            Self::Words(words) => words.as_ptr().cast(),
        }
    }

    /// Room for an integer of `len` bytes, written by `fill`.
    fn words(len: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> Self {
        let mut bytes = vec![0; len];
        assert!(fill(&mut bytes), "the room was made for the value");
        bytes.resize(len.next_multiple_of(8), 0);
        Self::Words(
            bytes
                .chunks_exact(8)
                .map(|chunk| u64::from_ne_bytes(chunk.try_into().expect("eight bytes")))
                .collect(),
        )
    }
}

impl Values {
    /// No values yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn with(mut self, name: &'static CStr, kind: DataType, data: Data, size: usize) -> Self {
        self.entries.push((name, kind, data, size));
        self
    }

    /// Adds text. It is followed by a NUL that is not part of its size.
    pub fn utf8(self, name: &'static CStr, text: &str) -> Self {
        let bytes = [text.as_bytes(), &[0]].concat().into_boxed_slice();
        self.with(name, DataType::Utf8String, Data::Bytes(bytes), text.len())
    }

    /// Adds bytes.
    pub fn octets(self, name: &'static CStr, bytes: &[u8]) -> Self {
        self.with(name, DataType::OctetString, Data::Bytes(bytes.into()), bytes.len())
    }

    /// Adds an `int`.
    pub fn int(self, name: &'static CStr, value: i32) -> Self {
        let data = Data::words(4, |room| integer::encode(value.into(), room, true));
        self.with(name, DataType::Integer, data, 4)
    }

    /// Adds a non-negative integer of any size in big-endian bytes.
    pub fn bignum(self, name: &'static CStr, big: &[u8]) -> Self {
        let len = big.len().max(1);
        let data = Data::words(len, |room| integer::encode_big(big, room));
        self.with(name, DataType::UnsignedInteger, data, len)
    }

    /// The finished array.
    pub fn build(self) -> ParamArray {
        let mut params: Vec<Param> = self
            .entries
            .iter()
            .map(|(name, kind, data, size)| Param {
                key: name.as_ptr(),
                data_type: *kind as c_uint,
                data: data.pointer().cast_mut(),
                data_size: *size,
                return_size: Param::UNMODIFIED,
            })
            .collect();
        params.push(Param::END);
        ParamArray { params, _values: self }
    }
}

/// A parameter array that owns its values.
pub struct ParamArray {
    params: Vec<Param>,
    _values: Values,
}

impl ParamArray {
    /// The array for C, valid while `self` lives.
    pub fn as_ptr(&self) -> *const Param {
        self.params.as_ptr()
    }

    /// A separate array for each value, valid while `self` lives.
    pub(crate) fn one_by_one(&self) -> impl Iterator<Item = [Param; 2]> {
        let count = self.params.len() - 1;
        self.params[..count].iter().map(|param| [*param, Param::END])
    }

    /// The array for Rust.
    pub fn params(&self) -> Params<'_> {
        // SAFETY: the array ends with a null key and its values live as long as `self`.
        unsafe { Params::from_ptr(self.as_ptr()) }
    }
}
