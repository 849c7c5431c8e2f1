//! Tests of the macro itself. The provider's tests show that the functions match libcrypto's
//! prototypes and work there.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use c_abi::Entry;

use super::NullPointer;
use crate::functions::{cipher, decoder, keymgmt, provider, signature, store};
use crate::guard::{ErrorQueue, Object, Slotted};
use crate::{Failure, Host, entry};

#[derive(Debug)]
struct Error(String);

impl From<NullPointer> for Error {
    fn from(error: NullPointer) -> Self {
        Self(error.to_string())
    }
}

impl Failure for Error {
    fn entry(&self) -> Option<(u32, String)> {
        Some((7, self.0.clone()))
    }

    fn bug(message: String) -> Self {
        Self(message)
    }
}

type Result<T> = std::result::Result<T, Error>;

/// What the body received.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen(Vec<String>);

struct Context {
    host: Host,
    seen: Seen,
}

impl Context {
    fn new() -> Self {
        // SAFETY: null is allowed: a host without upcalls.
        Self { host: unsafe { Host::new(ptr::null(), ptr::null()) }, seen: Seen::default() }
    }

    fn as_ptr(&mut self) -> *mut c_void {
        ptr::from_mut(self).cast()
    }
}

impl Object for Context {
    fn host(&self) -> &Host {
        &self.host
    }
}

trait Scheme {
    const NAME: &'static str;
}

struct Plain;

impl Scheme for Plain {
    const NAME: &'static str = "plain";
}

/// A selection, as the provider has one.
struct Selection(c_int);

impl From<c_int> for Selection {
    fn from(raw: c_int) -> Self {
        Self(raw)
    }
}

entry! {
    fn verify<S: Scheme, const DIGEST: u8>(
        "signature verify",
        ctx: &mut Context,
        signature: Bytes("signature"),
        tbs: Bytes("data"),
    ) -> Result<()> {
        ctx.seen.0.push(format!("{} {DIGEST} {signature:?} {tbs:?}", S::NAME));
        Ok(())
    }
}

entry! {
    fn sign(
        "signature sign",
        ctx: &mut Context,
        out: Output("place"),
        tbs: Input("data"),
    ) -> Result<()> {
        ctx.seen.0.push(format!("{:?} {} {:?}", out.room(), tbs.len(), tbs.bytes()));
        if out.write(&[9]) { Ok(()) } else { Err(Error("no room".into())) }
    }
}

entry! {
    fn eof("store eof", ctx: &Context) -> c_int, or 1 {
        if ctx.seen.0.is_empty() { 2 } else { panic!("seen") }
    }
}

entry! {
    fn close(ctx: Box<Context>) -> c_int = 1;
}

entry! {
    fn dup(
        "keymgmt dup",
        key: const &Arc<Context>,
        selection: Selection as c_int,
    ) -> Result<Arc<Context>> {
        if selection.0 == 1 { Ok(Arc::clone(key)) } else { Err(Error("not this".into())) }
    }
}

entry! {
    fn free(key: Arc<Context>);
}

entry! {
    fn capabilities(
        "capabilities",
        provider: &Arc<Context>,
        name: Option<Text>,
        callback: Option<Callback>,
    ) -> c_int, or 3 {
        let count = c_int::try_from(Arc::strong_count(provider)).unwrap_or_default();
        count + c_int::from(name == Some("TLS-GROUP")) + c_int::from(callback.is_some())
    }
}

entry! {
    fn known("cipher get_params", answers: Answers) -> c_int, or 5 {
        answers.wants(c"mode").into()
    }
}

/// Compiles only if the types are those of libcrypto.
#[test]
fn arguments_become_those_of_the_prototypes() {
    let _table = [
        signature::VERIFY.entry(verify::<Plain, 3>),
        signature::SIGN.entry(sign),
        store::EOF.entry(eof),
        store::CLOSE.entry(close),
        keymgmt::DUP.entry(dup),
        keymgmt::FREE.entry(free),
        provider::GET_CAPABILITIES.entry(capabilities),
        cipher::GET_PARAMS.entry(known),
        decoder::DECODE.entry(decode),
    ];
}

entry! {
    fn decode(
        "decoder decode",
        provider: &Arc<Context>,
        _input: Bio("input"),
        _selection: Selection as c_int,
        callback: Callback("callback"),
        passphrase: Passphrase,
    ) -> Result<bool> {
        let asked = passphrase.ask(&mut [0]).is_some();
        Ok(!asked && provider.seen.0.is_empty() && callback.call(crate::params::Params::empty()))
    }
}

#[test]
fn a_kind_that_occurs_twice_has_values_of_its_own() {
    let mut ctx = Context::new();
    let (first, second) = ([1_u8, 2], [3_u8]);
    // SAFETY: a live context, and data of these lengths.
    let verified = unsafe {
        verify::<Plain, 3>(ctx.as_ptr(), first.as_ptr(), first.len(), second.as_ptr(), 1)
    };
    assert_eq!(verified, 1);
    assert_eq!(ctx.seen.0, ["plain 3 [1, 2] [3]"]);
}

#[test]
fn what_must_not_be_null_fails_before_the_body() {
    let mut ctx = Context::new();
    // SAFETY: null is allowed.
    unsafe {
        assert_eq!(verify::<Plain, 3>(ptr::null_mut(), ptr::null(), 0, ptr::null(), 0), 0);
        assert_eq!(verify::<Plain, 3>(ctx.as_ptr(), ptr::null(), 1, ptr::null(), 0), 0);
        assert_eq!(sign(ctx.as_ptr(), ptr::null_mut(), ptr::null_mut(), 0, ptr::null(), 0), 0);
    }
    assert_eq!(ctx.seen.0, [""; 0]);
    assert_eq!(NullPointer("data").to_string(), "no data given (a null pointer)");
}

#[test]
fn inputs_may_be_missing_until_they_are_needed() {
    let mut ctx = Context::new();
    let (mut room, mut len) = ([0_u8; 2], 0);
    // SAFETY: the buffer has the stated size, and null is allowed.
    unsafe {
        assert_eq!(sign(ctx.as_ptr(), room.as_mut_ptr(), &mut len, 2, ptr::null(), 4), 1);
        assert_eq!(sign(ctx.as_ptr(), ptr::null_mut(), &mut len, 0, ptr::null(), 0), 0);
    }
    assert_eq!(ctx.seen.0, ["Some(2) 4 Err(NullPointer(\"data\"))", "None 0 Ok([])"]);
    assert_eq!((room, len), ([9, 0], 1));
}

#[test]
fn what_cannot_fail_has_a_value_for_no_object_and_for_a_panic() {
    let mut ctx = Context::new();
    // SAFETY: null is allowed, and so is a live context.
    unsafe {
        assert_eq!(eof(ptr::null()), 1);
        assert_eq!(eof(ctx.as_ptr()), 2);
        ctx.seen.0.push("something".into());
        assert_eq!(eof(ctx.as_ptr()), 1);
        assert_eq!(known(ptr::null_mut()), 0);
        assert_eq!(close(Box::into_raw(Box::new(ctx)).cast()), 1);
    }
}

#[test]
fn counted_objects_are_lent_with_the_count_that_c_has() {
    let key = Arc::new(Context::new());
    let raw = Arc::into_raw(Arc::clone(&key)).cast_mut().cast::<c_void>();
    // SAFETY: a reference that is kept until `free`, and a C string.
    unsafe {
        assert_eq!(capabilities(raw, c"TLS-GROUP".as_ptr(), None, ptr::null_mut()), 3);
        assert!(dup(raw, 0).is_null());
        let other = dup(raw, 1);
        assert_eq!((other, Arc::strong_count(&key)), (raw, 3));
        free(other);
        free(raw);
        assert_eq!(capabilities(ptr::null_mut(), ptr::null::<c_char>(), None, raw), 3);
    }
    assert_eq!(Arc::strong_count(&key), 1);
}

thread_local! {
    static RAISED: RefCell<Vec<(CString, CString, CString, c_int)>> = const { RefCell::new(Vec::new()) };
}

struct Queue;

impl ErrorQueue for Queue {
    fn raise(&self, entry: &Entry) {
        let (message, function) = (entry.message.clone(), entry.function.clone());
        RAISED.with_borrow_mut(|all| all.push((message, function, entry.file.clone(), entry.line)));
    }
}

struct Slot(Queue);

impl Slotted for Slot {
    fn errors(&self) -> &impl ErrorQueue {
        &self.0
    }
}

static SLOT: Slot = Slot(Queue);

const BEFORE: u32 = line!();
entry! {
    fn refuse<const SLOT_NUMBER: usize>(
        "refusal",
        slot in (SLOT_NUMBER == 1).then_some(&SLOT),
        number: c_int,
    ) -> Result<()> {
        let _queue: &Queue = &slot.0;
        Err(Error(format!("refused {number}")))
    }
}

#[test]
fn errors_name_the_place_of_the_declaration() {
    // SAFETY: the function takes only numbers.
    unsafe {
        assert_eq!(refuse::<1>(4), 0);
        assert_eq!(refuse::<2>(5), 0);
    }
    let line = c_int::try_from(BEFORE + 1).unwrap();
    let file = CString::new("ossl-abi/src/entry/tests.rs").unwrap();
    let raised = RAISED.take();
    assert_eq!(raised, [(c"refused 4".into(), c"refusal".into(), file, line)]);
}
