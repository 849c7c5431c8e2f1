//! Calls the provider's functions according to the input. Libcrypto does not check first: any
//! parameter may have any type, size and address.

mod keys;
mod operations;
mod symmetric;

#[cfg(test)]
pub(crate) use self::symmetric::find_keys;

use std::ffi::{CStr, CString};

use ossl_abi::functions::{operation, provider as provider_functions, store};

use super::host::{Oddities, Params, Provider};

/// The names that the provider reads or returns, and an unknown one.
const NAMES: [&CStr; 40] = [
    c"n",
    c"e",
    c"d",
    c"group",
    c"pub",
    c"priv",
    c"encoded-pub-key",
    c"digest",
    c"pad-mode",
    c"saltlen",
    c"mgf1-digest",
    c"mgf1-properties",
    c"properties",
    c"algorithm-id",
    c"bits",
    c"security-bits",
    c"security-category",
    c"max-size",
    c"default-digest",
    c"signature",
    c"point-format",
    c"encoding",
    c"oaep-digest",
    c"oaep-label",
    c"tls-client-version",
    c"tls-negotiated-version",
    c"implicit-rejection",
    c"expect",
    c"name",
    c"status",
    c"nonce-type",
    c"nobody-knows",
    c"digest-props",
    c"digest-size",
    c"qx",
    c"qy",
    c"akv-name",
    c"bits",
    c"instance",
    c"verify-message",
];

/// The parameters of a new key.
const NEW_KEY: [&CStr; 12] = [
    c"akv-name",
    c"akv-hsm",
    c"akv-ops",
    c"akv-not-before",
    c"akv-expires",
    c"akv-tags",
    c"akv-new-version",
    c"bits",
    c"primes",
    c"e",
    c"group",
    c"encoding",
];

const DIGESTS: [&CStr; 8] = [
    c"SHA256",
    c"SHA2-512",
    c"SHA1",
    c"MD5-SHA1",
    c"SHA3-384",
    c"sha384",
    c"2.16.840.1.101.3.4.2.1",
    c"nothing",
];

/// The input, byte by byte; zeros follow its end.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()]
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn params(&mut self) -> Params {
        self.params_of(&NAMES)
    }

    /// Up to seven parameters of any type and size.
    fn params_of(&mut self, names: &[&'static CStr]) -> Params {
        let mut params = Params::new();
        for _ in 0..self.byte() % 8 {
            let name = self.choose(names);
            let kind = self.byte();
            let size = usize::from(self.byte());
            // Long values are whole keys.
            let size = if kind & 0x10 == 0 { size } else { size * 8 };
            let mut bytes = self.take(size).to_vec();
            bytes.resize(size, 0);
            // One type in eight does not exist.
            let data_type = u32::from(kind & 7) + if kind & 0x60 == 0x60 { 8 } else { 0 };
            let odd = Oddities {
                null: kind & 0x88 == 0x88,
                misaligned: kind & 0x90 == 0x80,
                return_size: (kind & 0x28 == 0x28).then_some(size * 3),
            };
            params.add_odd(name, data_type, &bytes, odd);
        }
        params
    }
}

macro_rules! call {
    ($table:expr, $id:path $(, $argument:expr)*) => {
        // SAFETY: the table is the provider's, the arguments meet the interface's contract.
        unsafe { $id.find($table).map(|function| function($($argument),*)) }
    };
}
use call;

/// Passes an input to the provider, and returns whether it was accepted.
type Entry = fn(&Provider, &mut Input<'_>) -> bool;

/// The entry points, selected by the first byte of an input.
pub(crate) const ENTRIES: [(&str, Entry); 11] = [
    ("decoders", keys::decode),
    ("store", open),
    ("import", keys::import),
    ("signatures", operations::sign_and_verify),
    ("encryption", operations::encrypt_and_decrypt),
    ("provider", ask),
    ("encoders", keys::encode),
    ("generation", keys::generate),
    ("opaque keys", symmetric::import),
    ("opaque ciphers", symmetric::cipher),
    ("key wrap", symmetric::wrap),
];

/// Runs one input; true if the provider accepted it.
pub(crate) fn run(provider: &Provider, data: &[u8]) -> bool {
    let mut input = Input(data);
    let (_, entry) = ENTRIES[usize::from(input.byte()) % ENTRIES.len()];
    entry(provider, &mut input)
}

/// Runs one input, whose first byte is ignored, with this entry point.
pub(crate) fn run_entry(provider: &Provider, number: usize, data: &[u8]) -> bool {
    let mut input = Input(data);
    input.byte();
    ENTRIES[number].1(provider, &mut input)
}

/// The provider's own parameters.
fn ask(provider: &Provider, input: &mut Input<'_>) -> bool {
    let mut answers = input.params();
    let (table, context) = (provider.functions(), provider.context);
    let taken = call!(table, provider_functions::GET_PARAMS, context, answers.as_ptr());
    answers.check();
    taken == Some(1)
}

/// A URI for the store.
fn open(provider: &Provider, input: &mut Input<'_>) -> bool {
    let table = provider.tables(operation::STORE)[0];
    let mut params = input.params();
    let text: Vec<u8> = input.0.iter().copied().take_while(|byte| *byte != 0).collect();
    let uri = CString::new(text).expect("no NUL in it");
    let loader = call!(table, store::OPEN, provider.context, uri.as_ptr()).expect("OPEN");
    if !loader.is_null() {
        call!(table, store::SET_CTX_PARAMS, loader, params.as_ptr());
        call!(table, store::EOF, loader);
        call!(table, store::CLOSE, loader);
    }
    !loader.is_null()
}
