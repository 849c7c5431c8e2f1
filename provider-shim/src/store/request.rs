//! What a load requests from the service, and the answer.

use akv_core::Certificate;
use akv_core::blocking::{AnyKey, KeyList, Pending, SymmetricKey};
use legacy_abi::job;

use crate::error::Result;

/// A request in flight.
pub(super) enum Request {
    /// None is needed.
    None(Answer),
    Key(Pending<AnyKey>),
    OpaqueKey(Pending<SymmetricKey>),
    Certificate(Pending<Certificate>),
    /// The certificate of a key that was loaded.
    CertificateOfKey(Pending<Certificate>),
    /// A list whose next name becomes known.
    Name(Pending<Box<KeyList>>),
}

/// The answer to a [`Request`].
pub(super) enum Answer {
    Nothing,
    /// The public half of a key that was loaded.
    PublicHalf(Box<AnyKey>),
    Key(AnyKey),
    OpaqueKey(SymmetricKey),
    Certificate(Certificate),
    CertificateOfKey(akv_core::Result<Certificate>),
    Name(Box<KeyList>),
}

impl Request {
    /// Waits on the caller's stack.
    pub(super) fn wait(self) -> Result<Answer> {
        match self {
            Self::None(answer) => Ok(answer),
            Self::Key(pending) => job::wait(pending).map(Answer::Key),
            Self::OpaqueKey(pending) => job::wait(pending).map(Answer::OpaqueKey),
            Self::Certificate(pending) => job::wait(pending).map(Answer::Certificate),
            Self::CertificateOfKey(pending) => Ok(Answer::CertificateOfKey(job::wait(pending))),
            Self::Name(pending) => job::wait(pending).map(Answer::Name),
        }
    }
}
