//! Filling in parameters that the host requests, by the rules of `OSSL_PARAM_set_*`.
//!
//! If `data` is null, only the size is returned. If the buffer is too small, the call fails and
//! `return_size` is the required size.

use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::{ptr, slice};

use super::{ParamError, integer};
use crate::types::{DataType, Param};

/// An array to fill in, borrowed for a call.
pub struct Answers<'a> {
    first: *mut Param,
    array: PhantomData<&'a mut [Param]>,
}

/// A C integer type, which determines the size that is returned when there is no buffer.
pub trait Natural: Copy + Into<i128> {}
impl Natural for i32 {}
impl Natural for u32 {}
impl Natural for i64 {}
impl Natural for u64 {}

impl Answers<'_> {
    /// The array at `first`; null is an empty array.
    ///
    /// # Safety
    /// `first` is null or points to writable parameters that end with a null key, whose buffers
    /// have the stated sizes, for as long as the value lives.
    pub unsafe fn from_ptr(first: *mut Param) -> Self {
        Self { first, array: PhantomData }
    }

    /// The array for a function of the host that fills it in.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut Param {
        self.first
    }

    fn find(&mut self, name: &CStr) -> Option<&mut Param> {
        let mut next = self.first;
        while !next.is_null() {
            // SAFETY: guaranteed by the caller of the constructor; the end of the array has not
            // been reached. The reference lives as long as the exclusive borrow of `self`.
            let param = unsafe { &mut *next };
            if param.key.is_null() {
                return None;
            }
            // SAFETY: keys are C strings.
            if unsafe { CStr::from_ptr(param.key) } == name {
                return Some(param);
            }
            // SAFETY: this was not the last entry.
            next = unsafe { next.add(1) };
        }
        None
    }

    /// The requested type of a parameter, if it is requested.
    pub fn wanted(&mut self, name: &CStr) -> Option<DataType> {
        let raw = self.find(name)?.data_type;
        DataType::from_raw(raw)
    }

    /// Whether a parameter is requested.
    pub fn wants(&mut self, name: &CStr) -> bool {
        self.find(name).is_some()
    }

    /// Returns text.
    ///
    /// # Errors
    /// Another type is requested, or the buffer is too small.
    pub fn utf8(&mut self, name: &CStr, text: &str) -> Result<(), ParamError> {
        self.string(name, DataType::Utf8String, text.as_bytes())
    }

    /// Returns static text, as a copy or as a pointer, depending on the requested type.
    ///
    /// # Errors
    /// Another type is requested, or the buffer is too small.
    pub fn utf8_static(&mut self, name: &CStr, text: &'static CStr) -> Result<(), ParamError> {
        if self.wanted(name) != Some(DataType::Utf8Ptr) {
            return self.string(name, DataType::Utf8String, text.to_bytes());
        }
        if let Some(param) = self.find(name) {
            param.return_size = text.count_bytes();
            if !param.data.is_null() {
                // SAFETY: the data of a pointer type has room for a pointer.
                unsafe { *param.data.cast::<*const c_void>() = text.as_ptr().cast() };
            }
        }
        Ok(())
    }

    /// Returns bytes.
    ///
    /// # Errors
    /// Another type is requested, or the buffer is too small.
    pub fn octets(&mut self, name: &CStr, bytes: &[u8]) -> Result<(), ParamError> {
        self.string(name, DataType::OctetString, bytes)
    }

    /// Returns a pointer to bytes, or a null pointer if there are none.
    ///
    /// # Errors
    /// Another type is requested.
    ///
    /// # Safety
    /// The bytes do not move or change as long as the host may use the pointer.
    pub unsafe fn octets_in_place(&mut self, name: &CStr, bytes: &[u8]) -> Result<(), ParamError> {
        let Some(param) = self.find(name) else {
            return Ok(());
        };
        param.return_size = bytes.len();
        if param.data.is_null() {
            return Ok(());
        }
        if DataType::from_raw(param.data_type) != Some(DataType::OctetPtr) {
            return Err(ParamError::new(name, "asked for as another type"));
        }
        let first = if bytes.is_empty() { ptr::null() } else { bytes.as_ptr() };
        // SAFETY: the data of a pointer type has room for a pointer.
        unsafe { *param.data.cast::<*const u8>() = first };
        Ok(())
    }

    fn string(&mut self, name: &CStr, kind: DataType, bytes: &[u8]) -> Result<(), ParamError> {
        let Some(param) = self.find(name) else {
            return Ok(());
        };
        param.return_size = bytes.len();
        if param.data.is_null() {
            return Ok(());
        }
        if DataType::from_raw(param.data_type) != Some(kind) {
            return Err(ParamError::new(name, "asked for as another type"));
        }
        if param.data_size < bytes.len() {
            return Err(ParamError::new(name, "too little room"));
        }
        let room = room(param);
        room[..bytes.len()].copy_from_slice(bytes);
        if kind == DataType::Utf8String
            && let Some(terminator) = room.get_mut(bytes.len())
        {
            *terminator = 0;
        }
        Ok(())
    }

    /// Returns an integer in the requested width.
    ///
    /// # Errors
    /// Another type is requested, or the number does not fit.
    pub fn integer<T: Natural>(&mut self, name: &CStr, value: T) -> Result<(), ParamError> {
        let Some(param) = self.find(name) else {
            return Ok(());
        };
        param.return_size = 0;
        let signed = match DataType::from_raw(param.data_type) {
            Some(DataType::Integer) => true,
            Some(DataType::UnsignedInteger) => false,
            _ => return Err(ParamError::new(name, "asked for as another type")),
        };
        param.return_size = size_of::<T>();
        if param.data.is_null() {
            return Ok(());
        }
        if !integer::encode(value.into(), room(param), signed) {
            return Err(ParamError::new(name, "does not fit"));
        }
        param.return_size = param.data_size;
        Ok(())
    }

    /// Returns a non-negative integer of any size, given in big-endian bytes.
    ///
    /// # Errors
    /// Another type is requested, or the buffer is too small.
    pub fn bignum(&mut self, name: &CStr, big: &[u8]) -> Result<(), ParamError> {
        let Some(param) = self.find(name) else {
            return Ok(());
        };
        param.return_size = 0;
        if DataType::from_raw(param.data_type) != Some(DataType::UnsignedInteger) {
            return Err(ParamError::new(name, "asked for as another type"));
        }
        let zeros = big.iter().take_while(|&&byte| byte == 0).count();
        param.return_size = (big.len() - zeros).max(1);
        if param.data.is_null() {
            return Ok(());
        }
        if param.data_size == 0 || !integer::encode_big(big, room(param)) {
            return Err(ParamError::new(name, "too little room"));
        }
        param.return_size = param.data_size;
        Ok(())
    }
}

fn room(param: &mut Param) -> &mut [u8] {
    // SAFETY: the pointer is not null (the callers check it), and the buffer has the stated size.
    unsafe { slice::from_raw_parts_mut(param.data.cast::<u8>(), param.data_size) }
}
