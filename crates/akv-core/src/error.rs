//! One error type: what was asked, what happened, what to do, in one readable line.

use std::{
    ffi::CStr,
    fmt::{self, Write as _},
};

/// A result whose error is [`Error`].
///
/// ```
/// use akv_core::{KeyReference, Result};
///
/// /// The references of a configuration file, one a line.
/// fn references(lines: &str) -> Result<Vec<KeyReference>> {
///     lines.lines().map(str::parse).collect()
/// }
/// assert_eq!(references("vault:myVault:web\nvault:myVault:mail")?.len(), 2);
/// # Ok::<(), akv_core::Error>(())
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Longest text of an error in bytes: OpenSSL cuts an error entry at 1 024.
const MAX_DISPLAY: usize = 1000;

/// What kind of failure an [`Error`] is.
///
/// ```
/// use akv_core::{Error, ErrorKind};
///
/// /// Whether trying again later is of use. Within the deadline it was done already.
/// fn may_pass(error: &Error) -> bool {
///     matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout)
/// }
/// let error = akv_core::Settings::builder().option("timeout", "soon")?.build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Settings);
/// assert!(!may_pass(&error));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A key reference is malformed or names no key.
    Reference = 1,
    /// A setting has a value that makes no sense.
    Settings = 2,
    /// A key file (handle) is malformed.
    KeyFile = 3,
    /// An argument of the caller is wrong: a digest of the wrong length, say.
    Argument = 4,
    /// The key or the service cannot do what was asked.
    Unsupported = 5,
    /// No access token could be had.
    Credential = 6,
    /// The service could not be reached.
    Network = 7,
    /// The server's certificate is not trusted or names another host.
    Tls = 8,
    /// The deadline passed; what the last attempt met is in the error too.
    Timeout = 9,
    /// The service answered with an error.
    Service = 10,
    /// The service's answer makes no sense.
    Response = 11,
    /// A signature does not verify.
    Signature = 12,
    /// A failure of this library or of the operating system.
    Internal = 13,
    /// The settings do not allow it: `allowed-keys` does not list the key, or `rsa-key-exchange` is
    /// not `yes`.
    NotAllowed = 14,
}

impl ErrorKind {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::Reference,
        Self::Settings,
        Self::KeyFile,
        Self::Argument,
        Self::Unsupported,
        Self::Credential,
        Self::Network,
        Self::Tls,
        Self::Timeout,
        Self::Service,
        Self::Response,
        Self::Signature,
        Self::Internal,
        Self::NotAllowed,
    ];

    /// Its number in C interfaces. It stays, and no other kind ever gets it.
    ///
    /// ```
    /// assert_eq!(akv_core::ErrorKind::Timeout.number(), 9);
    /// ```
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// What it is called in C interfaces, such as the reasons of an error queue.
    ///
    /// ```
    /// assert_eq!(akv_core::ErrorKind::Network.summary(), c"service not reachable");
    /// ```
    pub const fn summary(self) -> &'static CStr {
        match self {
            Self::Reference => c"invalid key reference",
            Self::Settings => c"invalid setting",
            Self::KeyFile => c"malformed key file",
            Self::Argument => c"invalid argument",
            Self::Unsupported => c"not supported",
            Self::Credential => c"no access token",
            Self::Network => c"service not reachable",
            Self::Tls => c"server not trusted",
            Self::Timeout => c"timeout",
            Self::Service => c"refused by the service",
            Self::Response => c"unintelligible answer of the service",
            Self::Signature => c"bad signature",
            Self::Internal => c"internal error",
            Self::NotAllowed => c"not allowed",
        }
    }
}

/// A failed operation.
///
/// `Display` gives one line of at most 1 000 bytes, the essentials first, without line breaks or
/// control characters, and never a token, secret or plaintext.
///
/// ```
/// use akv_core::{ErrorKind, KeyReference};
///
/// let error = "vault:myVault:my_key".parse::<KeyReference>().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Reference);
/// assert!(error.to_string().contains("my_key"));
/// // No request was made, so there is no answer to tell of.
/// assert_eq!((error.status(), error.code(), error.request_id()), (None, None, None));
/// ```
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    operation: Option<String>,
    message: String,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    hint: Option<String>,
    uncertain: bool,
}

impl Error {
    /// An error of `kind`; `message` says what happened.
    ///
    /// ```
    /// use akv_core::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::KeyFile, "site.key names no key in production");
    /// assert_eq!(error.message(), "site.key names no key in production");
    /// ```
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            message: message.into(),
            status: None,
            code: None,
            request_id: None,
            hint: None,
            uncertain: false,
        }))
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status of the service's last answer; `None` when there was none.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Azure's error code, the innermost when there are several (`ForbiddenByRbac`).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The service's `x-ms-request-id`, for Azure support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Whether the service may have done what was asked although the operation failed: the answer
    /// was lost, say. Only operations that must not be done twice tell:
    /// [`Vault::create`](crate::Vault::create) and [`Vault::rotate`](crate::Vault::rotate).
    ///
    /// ```no_run
    /// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
    /// if let Err(error) = vault.rotate("web").await {
    ///     if error.may_have_happened() {
    ///         let versions = vault.versions("web")?.all().await?;
    ///         eprintln!("there are {} versions now", versions.len());
    ///     }
    ///     return Err(error);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn may_have_happened(&self) -> bool {
        self.0.uncertain
    }

    /// What happened, without the operation and the advice.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn during(mut self, operation: impl Into<String>) -> Self {
        self.0.operation.get_or_insert_with(|| operation.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same failure, told by whom it struck.
    pub(crate) fn by(mut self, name: &str) -> Self {
        self.0.message = format!("{name}: {}", self.0.message);
        self
    }

    /// The advice of another error, when it has one.
    pub(crate) fn hint_of(mut self, other: &Self) -> Self {
        self.0.hint.clone_from(&other.0.hint);
        self
    }

    /// The same failure of something that may have been done all the same.
    pub(crate) fn uncertain(mut self) -> Self {
        self.0.uncertain = true;
        self.hint(
            "it may have happened all the same: look at the key's versions before trying again",
        )
    }

    pub(crate) fn answer(
        mut self,
        status: u16,
        code: Option<String>,
        request_id: Option<String>,
    ) -> Self {
        self.0.status = Some(status);
        self.0.code = code;
        self.0.request_id = request_id;
        self
    }

    /// The same failure as seen when the deadline passed, with the number of attempts.
    pub(crate) fn timed_out(mut self, after: std::time::Duration, attempts: u32) -> Self {
        let plural = if attempts == 1 { "" } else { "s" };
        self.0.message = format!(
            "no success within {after:?} ({attempts} attempt{plural}); last: {}",
            self.0.message
        );
        self.0.kind = ErrorKind::Timeout;
        self
    }

    fn write_full(&self, out: &mut String) -> fmt::Result {
        let inner = &self.0;
        if let Some(operation) = &inner.operation {
            write!(out, "cannot {operation}: ")?;
        }
        if let Some(status) = inner.status {
            write!(out, "HTTP {status}")?;
            if let Some(code) = &inner.code {
                write!(out, " {}", shortened(code, 100))?;
            }
            out.push_str(": ");
        }
        // The advice and the request id matter more than the tail of a long message.
        let tail = self.tail()?;
        let room = MAX_DISPLAY.saturating_sub(out.len() + tail.len());
        out.push_str(shortened(&inner.message, room.max(100)));
        out.push_str(&tail);
        Ok(())
    }

    fn tail(&self) -> Result<String, fmt::Error> {
        let mut tail = String::new();
        if let Some(id) = &self.0.request_id {
            write!(tail, " (request id {})", shortened(id, 64))?;
        }
        if let Some(hint) = &self.0.hint {
            write!(tail, "; {}", shortened(hint, 400))?;
        }
        Ok(tail)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write_full(&mut text)?;
        let line = one_line(&text);
        f.write_str(shortened(&line, MAX_DISPLAY))
    }
}

impl std::error::Error for Error {}

/// The longest prefix of at most `max` bytes that ends on a character boundary.
pub(crate) fn shortened(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Text from outside, made fit for one line of a log: control characters become spaces.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_that_keeps_status_request_id_and_advice() {
        let error =
            Error::new(ErrorKind::Service, format!("Caller\r\nis not {}", "x".repeat(5000)))
                .answer(403, Some("ForbiddenByRbac".into()), Some("0a1b".into()))
                .during("sign with vault:v:k")
                .hint("assign the role Key Vault Crypto User");
        let text = error.to_string();
        assert!(text.len() <= MAX_DISPLAY, "{} bytes", text.len());
        assert!(text.starts_with(
            "cannot sign with vault:v:k: HTTP 403 ForbiddenByRbac: Caller is not xxx"
        ));
        assert!(
            text.ends_with("(request id 0a1b); assign the role Key Vault Crypto User"),
            "{text}"
        );
        assert!(!text.chars().any(char::is_control));
    }

    #[test]
    fn cutting_respects_characters() {
        let error = Error::new(ErrorKind::Internal, "ü".repeat(2000));
        assert!(error.to_string().len() <= MAX_DISPLAY);
    }
}
