//! Writes each exchange to a file.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context as _, Result};
use hyper::http::{request, response};
use serde_json::{Value, json};

use super::sanitize::Sanitizer;

/// The folder of exchanges.
pub(super) struct Log {
    folder: PathBuf,
    sanitizer: Sanitizer,
    written: AtomicU64,
}

impl Log {
    pub(super) fn new(folder: &Path, sanitizer: Sanitizer) -> Self {
        Self { folder: folder.to_owned(), sanitizer, written: AtomicU64::new(0) }
    }

    /// Writes a sanitized exchange into a new file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(
        &self,
        request: &request::Parts,
        request_body: &[u8],
        answer: &response::Parts,
        answer_body: &[u8],
    ) -> Result<()> {
        let number = self.written.fetch_add(1, Ordering::Relaxed) + 1;
        let path = request.uri.path_and_query().map_or("/", |path| path.as_str());
        let exchange = json!({
            "request": {
                "method": request.method.as_str(),
                "uri": self.sanitizer.uri(path),
                "headers": self.sanitizer.headers(&request.headers),
                "body": self.sanitizer.body(content(request_body)),
            },
            "response": {
                "status": answer.status.as_u16(),
                "headers": self.sanitizer.headers(&answer.headers),
                "body": self.sanitizer.body(content(answer_body)),
            },
        });
        let operation = operation(request.uri.path());
        let (method, status) = (&request.method, answer.status.as_u16());
        let file = self.folder.join(format!("{number:04}-{method}-{operation}-{status}.json"));
        fs::write(&file, format!("{exchange:#}\n"))
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

/// JSON if it is JSON, null if it is empty, otherwise text.
fn content(body: &[u8]) -> Value {
    match body {
        [] => Value::Null,
        body => serde_json::from_slice(body)
            .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into()),
    }
}

/// The operation of a request, from its path: `sign` of `/keys/NAME/VERSION/sign`.
fn operation(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let word = match segments.as_slice() {
        [.., last] if segments.len() > 2 && last.len() != 32 => last,
        [first, ..] => first,
        [] => "root",
    };
    word.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_the_request() {
        for (path, name) in [
            ("/keys/web/0123456789abcdef0123456789abcdef/sign", "sign"),
            ("/keys/web/0123456789abcdef0123456789abcdef", "keys"),
            ("/keys/web", "keys"),
            ("/keys", "keys"),
            ("/keys/web/create", "create"),
            ("/deletedkeys/web", "deletedkeys"),
            ("/../../etc/pass.wd", "passwd"),
            ("/", "root"),
        ] {
            assert_eq!(operation(path), name, "{path}");
        }
    }
}
