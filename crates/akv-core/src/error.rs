//! One error type: the operation, what happened and what to do, in one readable line.

use std::{
    error::Error as StdError,
    ffi::CStr,
    fmt::{self, Write as _},
    io,
    sync::Arc,
};

use strum::VariantArray;

/// A result whose error is [`Error`].
///
/// ```
/// use akv_core::{KeyReference, Result};
///
/// /// The references of a configuration file, one per line.
/// fn references(lines: &str) -> Result<Vec<KeyReference>> {
///     lines.lines().map(str::parse).collect()
/// }
/// assert_eq!(references("vault:myVault:web\nvault:myVault:mail")?.len(), 2);
/// # Ok::<(), akv_core::Error>(())
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Maximum length of an error's text in bytes: OpenSSL truncates an error entry at 1 024.
const MAX_DISPLAY: usize = 1000;

/// The kind of failure of an [`Error`].
///
/// ```
/// use akv_core::{Error, ErrorKind};
///
/// /// Whether a later retry may help. Within the deadline the library has already retried.
/// fn may_pass(error: &Error) -> bool {
///     matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout)
/// }
/// let error = akv_core::Settings::builder().option("timeout", "soon")?.build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Settings);
/// assert!(!may_pass(&error));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, VariantArray)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A key reference is malformed or names no key.
    Reference = 1,
    /// A setting has an invalid value.
    Settings = 2,
    /// A key file (handle) is malformed.
    KeyFile = 3,
    /// An argument of the caller is invalid, such as a digest of the wrong length.
    Argument = 4,
    /// The key or the service does not support the operation.
    Unsupported = 5,
    /// No access token could be obtained.
    Credential = 6,
    /// The service could not be reached.
    Network = 7,
    /// The server's certificate is not trusted or is for another host.
    Tls = 8,
    /// The deadline passed; the error includes the failure of the last attempt.
    Timeout = 9,
    /// The service returned an error.
    Service = 10,
    /// The service's response is invalid.
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
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Its number in C interfaces. It never changes and is never reused.
    ///
    /// ```
    /// assert_eq!(akv_core::ErrorKind::Timeout.number(), 9);
    /// ```
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// Its text in C interfaces, such as the reasons of an error queue.
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
            Self::Response => c"invalid response from the service",
            Self::Signature => c"bad signature",
            Self::Internal => c"internal error",
            Self::NotAllowed => c"not allowed",
        }
    }
}

/// A failed operation.
///
/// `Display` prints one line of at most 1 000 bytes, most important parts first, without line
/// breaks or control characters, and never a token, secret or plaintext.
///
/// ```
/// use akv_core::{ErrorKind, KeyReference};
///
/// let error = "vault:myVault:my_key".parse::<KeyReference>().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Reference);
/// assert!(error.to_string().contains("my_key"));
/// // No request was sent, so there is no response to report.
/// assert_eq!((error.status(), error.code(), error.request_id()), (None, None, None));
/// ```
///
/// [`source`](StdError::source) returns the [`std::io::Error`] or `rustls::Error` beneath a failed
/// connection, and the [`std::io::Error`] beneath a failed file access. `Display` includes its text.
///
/// ```
/// use std::{error::Error as _, io};
///
/// let settings = akv_core::Settings::builder().option("ca-file", "/no/such/file")?;
/// let error = settings.build().unwrap_err();
/// let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
/// assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::NotFound));
/// # Ok::<(), akv_core::Error>(())
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
    source: Option<Arc<dyn StdError + Send + Sync>>,
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
            source: None,
        }))
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status of the service's last response; `None` if there was none.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Azure's error code, the innermost if there are several (`ForbiddenByRbac`).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The service's `x-ms-request-id`, for Azure support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Whether the service may have executed the operation although it failed, for example because
    /// the response was lost. Only operations that must not be repeated report this:
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

    /// Whether the other side accepted the connection and then cut it (`ECONNRESET`), as firewalls
    /// do.
    pub fn is_connection_reset(&self) -> bool {
        let source = self.source().and_then(|source| source.downcast_ref::<io::Error>());
        source.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
    }

    /// What happened, without operation and advice.
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

    /// The same failure with its source, which contains nothing that an error must not show.
    pub(crate) fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The same failure in other words.
    #[cfg(feature = "probe")]
    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.0.message = message;
        self
    }

    /// The same failure, prefixed with the name of its source.
    pub(crate) fn prefixed_by(mut self, name: &str) -> Self {
        self.0.message = format!("{name}: {}", self.0.message);
        self
    }

    /// Adopts the advice of another error, if it has any.
    pub(crate) fn with_hint_of(mut self, other: &Self) -> Self {
        self.0.hint.clone_from(&other.0.hint);
        self
    }

    /// The same failure of an operation that may have been executed nevertheless.
    pub(crate) fn uncertain(mut self) -> Self {
        self.0.uncertain = true;
        self.hint("the operation may have been executed: check the key's versions before you retry")
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

    /// The same failure as a timeout, with the number of attempts.
    pub(crate) fn timed_out(mut self, after: std::time::Duration, attempts: u32) -> Self {
        let plural = if attempts == 1 { "" } else { "s" };
        self.0.message = format!(
            "timed out after {after:?} ({attempts} attempt{plural}); last error: {}",
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

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// The longest prefix of at most `max` bytes that ends on a character boundary.
pub(crate) fn shortened(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Untrusted text as one line of a log: control characters become spaces.
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
    fn a_reset_connection_is_told_by_its_source() {
        let caused_by = |kind: io::ErrorKind| {
            Error::new(ErrorKind::Network, "failed").caused_by(io::Error::from(kind))
        };
        assert!(caused_by(io::ErrorKind::ConnectionReset).is_connection_reset());
        assert!(!caused_by(io::ErrorKind::ConnectionRefused).is_connection_reset());
        assert!(!Error::new(ErrorKind::Network, "connection reset").is_connection_reset());
    }

    #[test]
    fn truncation_respects_character_boundaries() {
        let error = Error::new(ErrorKind::Internal, "ü".repeat(2000));
        assert!(error.to_string().len() <= MAX_DISPLAY);
    }
}
