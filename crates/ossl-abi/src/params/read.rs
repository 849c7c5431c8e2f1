//! Reading parameters from the host.

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::slice;

use super::{ParamError, integer};
use crate::types::{DataType, Param};

/// An array from the host, borrowed for a call.
#[derive(Clone, Copy)]
pub struct Params<'a> {
    first: *const Param,
    array: PhantomData<&'a [Param]>,
}

impl<'a> Params<'a> {
    /// The array at `first`; null is an empty array.
    ///
    /// # Safety
    /// `first` is null or points to parameters that end with a null key, whose data has the stated
    /// size and type, for `'a`.
    pub unsafe fn from_ptr(first: *const Param) -> Self {
        Self { first, array: PhantomData }
    }

    /// An empty array.
    pub const fn empty() -> Self {
        Self { first: std::ptr::null(), array: PhantomData }
    }

    /// The array for C, valid during the call.
    pub fn as_ptr(&self) -> *const Param {
        self.first
    }

    /// All values in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            if next.is_null() {
                return None;
            }
            // SAFETY: guaranteed by the caller of the constructor; the end of the array has not
            // been reached.
            let param: &'a Param = unsafe { &*next };
            if param.key.is_null() {
                return None;
            }
            // SAFETY: this was not the last entry.
            next = unsafe { next.add(1) };
            Some(Value { param })
        })
    }

    /// The first value with that name.
    pub fn get(&self, name: &CStr) -> Option<Value<'a>> {
        self.iter().find(|value| value.name() == name)
    }
}

/// One value.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    param: &'a Param,
}

impl<'a> Value<'a> {
    /// Its name.
    pub fn name(&self) -> &'a CStr {
        // SAFETY: keys are C strings, and the iterator stops at a null one.
        unsafe { CStr::from_ptr(self.param.key) }
    }

    /// Its type.
    pub fn data_type(&self) -> Option<DataType> {
        DataType::from_raw(self.param.data_type)
    }

    fn error(&self, reason: &'static str) -> ParamError {
        ParamError::new(self.name(), reason)
    }

    fn bytes(&self) -> Result<&'a [u8], ParamError> {
        // SAFETY: the array's data is valid for its size (see `Params::from_ptr`).
        unsafe { bytes_at(self.param.data, self.param.data_size) }
            .ok_or_else(|| self.error("no data"))
    }

    /// The target of a pointer type.
    fn target(&self) -> Result<*const c_void, ParamError> {
        if self.param.data.is_null() {
            return Err(self.error("no data"));
        }
        // SAFETY: the data of a pointer type is a pointer.
        Ok(unsafe { *self.param.data.cast::<*const c_void>() })
    }

    /// Text, up to its size or its first NUL.
    ///
    /// # Errors
    /// Wrong type, no data, or not UTF-8.
    pub fn utf8(&self) -> Result<&'a str, ParamError> {
        let bytes = match self.data_type() {
            Some(DataType::Utf8String) => {
                let bytes = self.bytes()?;
                let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
                &bytes[..end]
            }
            Some(DataType::Utf8Ptr) => {
                let text = self.target()?.cast::<c_char>();
                if text.is_null() {
                    return Err(self.error("no data"));
                }
                // SAFETY: the target of a text pointer is a C string.
                unsafe { CStr::from_ptr(text) }.to_bytes()
            }
            _ => return Err(self.error("not text")),
        };
        std::str::from_utf8(bytes).map_err(|_| self.error("not UTF-8"))
    }

    /// Bytes.
    ///
    /// # Errors
    /// Wrong type, or no data.
    pub fn octets(&self) -> Result<&'a [u8], ParamError> {
        match self.data_type() {
            Some(DataType::OctetString) => self.bytes(),
            Some(DataType::OctetPtr) => {
                // SAFETY: the target of an octet pointer has the stated size.
                unsafe { bytes_at(self.target()?, self.param.data_size) }
                    .ok_or_else(|| self.error("no data"))
            }
            _ => Err(self.error("not bytes")),
        }
    }

    /// An integer of any width and sign, or a whole number in a `double`.
    ///
    /// # Errors
    /// Wrong type, no data, or a number that does not fit in `T`.
    pub fn integer<T: TryFrom<i128>>(&self) -> Result<T, ParamError> {
        let wide = match self.data_type() {
            Some(DataType::Integer) => integer::decode(self.bytes()?, true),
            Some(DataType::UnsignedInteger) => integer::decode(self.bytes()?, false),
            Some(DataType::Real) => self.whole_real()?,
            _ => return Err(self.error("not an integer")),
        };
        wide.and_then(|wide| T::try_from(wide).ok()).ok_or_else(|| self.error("out of range"))
    }

    fn whole_real(&self) -> Result<Option<i128>, ParamError> {
        let real = self.bytes()?.try_into().map(f64::from_ne_bytes).ok();
        // 2^63: beyond it a `double` cannot represent every integer.
        let limit = 9_223_372_036_854_775_808.0;
        Ok(real.filter(|real| real.fract() == 0.0 && real.abs() < limit).map(|real| real as i128))
    }

    /// A non-negative integer of any size, big-endian without leading zeros.
    ///
    /// # Errors
    /// Wrong type, no data, or a negative number.
    pub fn bignum(&self) -> Result<Vec<u8>, ParamError> {
        let bytes = self.bytes()?;
        let negative = match self.data_type() {
            Some(DataType::UnsignedInteger) => false,
            Some(DataType::Integer) => {
                let top = if cfg!(target_endian = "big") { bytes.first() } else { bytes.last() };
                top.is_some_and(|byte| byte & 0x80 != 0)
            }
            _ => return Err(self.error("not an integer")),
        };
        if negative {
            return Err(self.error("negative"));
        }
        Ok(integer::decode_big(bytes))
    }
}

/// # Safety
/// `data` is null or points to `len` readable bytes that do not change during `'a`.
unsafe fn bytes_at<'a>(data: *const c_void, len: usize) -> Option<&'a [u8]> {
    if data.is_null() {
        return None;
    }
    // SAFETY: guaranteed by the caller.
    Some(unsafe { slice::from_raw_parts(data.cast::<u8>(), len) })
}
