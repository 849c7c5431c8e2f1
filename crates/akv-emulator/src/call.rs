//! Parses the operation of a request, and its key.

use hyper::Method;
use percent_encoding::percent_decode_str;

use crate::{error::ApiError, operation::Operation, persona::Persona};

/// A request's operation, with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// Empty for operations without a single key.
    pub(crate) name: String,
    pub(crate) version: Option<String>,
}

impl Call {
    /// Parses method and path as the service does: a trailing slash and an empty version
    /// (`/keys/name//sign`) mean the current version; operation names ignore case.
    pub(crate) fn parse(method: &Method, path: &str, persona: Persona) -> Result<Self, ApiError> {
        let segments = path
            .trim_start_matches('/')
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ApiError::bad_parameter("The request URI is not valid UTF-8."))?;
        let mut segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        if segments.last() == Some(&"") {
            segments.pop();
        }
        let call = route(method, &segments, persona)?;
        if !call.name.is_empty() && !is_valid_name(&call.name) {
            return Err(ApiError::bad_name(persona, &call.name));
        }
        Ok(call)
    }
}

impl Call {
    /// Name, and version if there is one, as in messages.
    pub(crate) fn id(&self) -> String {
        match &self.version {
            Some(version) => format!("{}/{version}", self.name),
            None => self.name.clone(),
        }
    }
}

fn route(method: &Method, segments: &[&str], persona: Persona) -> Result<Call, ApiError> {
    use Operation as O;
    let call = |operation, name: &str, version: &str| {
        Ok(Call {
            operation,
            name: name.to_owned(),
            version: (!version.is_empty()).then(|| version.to_ascii_lowercase()),
        })
    };
    let (get, post) = (method == Method::GET, method == Method::POST);
    let (put, patch, delete) =
        (method == Method::PUT, method == Method::PATCH, method == Method::DELETE);
    match *segments {
        ["keys"] if get => call(O::ListKeys, "", ""),
        ["keys", "restore"] if post => call(O::RestoreKey, "", ""),
        ["keys", name, "versions"] if get => call(O::ListKeyVersions, name, ""),
        ["keys", name, "rotationpolicy"] if get => call(O::GetRotationPolicy, name, ""),
        ["keys", name, "rotationpolicy"] if put => call(O::UpdateRotationPolicy, name, ""),
        ["keys", name] if get => call(O::GetKey, name, ""),
        ["keys", name, version] if get => call(O::GetKey, name, version),
        ["keys", name] | ["keys", name, ""] if put => call(O::ImportKey, name, ""),
        ["keys", name] if patch => call(O::UpdateKey, name, ""),
        ["keys", name, version] if patch => call(O::UpdateKey, name, version),
        ["keys", name] if delete => call(O::DeleteKey, name, ""),
        ["keys", name, action] if post => match action.to_ascii_lowercase().as_str() {
            "create" => call(O::CreateKey, name, ""),
            "rotate" => call(O::RotateKey, name, ""),
            "backup" => call(O::BackupKey, name, ""),
            "release" => call(O::ReleaseKey, name, ""),
            action => call(crypto(action, persona)?, name, ""),
        },
        ["keys", name, version, action] if post && action.eq_ignore_ascii_case("release") => {
            call(O::ReleaseKey, name, version)
        }
        ["keys", name, version, action] if post => {
            call(crypto(&action.to_ascii_lowercase(), persona)?, name, version)
        }
        ["deletedkeys"] if get => call(O::ListDeletedKeys, "", ""),
        ["deletedkeys", name] if get => call(O::GetDeletedKey, name, ""),
        ["deletedkeys", name] if delete => call(O::PurgeDeletedKey, name, ""),
        ["deletedkeys", name, "recover"] if post => call(O::RecoverDeletedKey, name, ""),
        ["rng"] if post && persona == Persona::ManagedHsm => call(O::RandomBytes, "", ""),
        ["certificates" | "deletedcertificates", ..] if persona == Persona::ManagedHsm => {
            Err(ApiError::not_found())
        }
        ["certificates"] if get => call(O::ListCertificates, "", ""),
        ["certificates", name] if get => call(O::GetCertificate, name, ""),
        ["certificates", name, "versions"] if get => call(O::ListCertificateVersions, name, ""),
        ["certificates", name, "policy"] if get => call(O::GetCertificatePolicy, name, ""),
        ["certificates", name, "pending"] if get => call(O::GetCertificateOperation, name, ""),
        ["certificates", name, version] if get => call(O::GetCertificate, name, version),
        ["certificates", name] if delete => call(O::DeleteCertificate, name, ""),
        ["deletedcertificates"] if get => call(O::ListDeletedCertificates, "", ""),
        ["deletedcertificates", name] if get => call(O::GetDeletedCertificate, name, ""),
        ["deletedcertificates", name] if delete => call(O::PurgeDeletedCertificate, name, ""),
        ["deletedcertificates", name, "recover"] if post => {
            call(O::RecoverDeletedCertificate, name, "")
        }
        ["certificates", name, "create"] if post => call(O::CreateCertificate, name, ""),
        ["certificates", name, "import"] if post => call(O::ImportCertificate, name, ""),
        ["keys" | "deletedkeys" | "certificates" | "deletedcertificates", ..] => {
            Err(ApiError::method_not_allowed())
        }
        _ => Err(ApiError::not_found()),
    }
}

fn crypto(action: &str, persona: Persona) -> Result<Operation, ApiError> {
    Ok(match action {
        "sign" => Operation::Sign,
        "verify" => Operation::Verify,
        "encrypt" => Operation::Encrypt,
        "decrypt" => Operation::Decrypt,
        "wrapkey" => Operation::WrapKey,
        "unwrapkey" => Operation::UnwrapKey,
        other if persona == Persona::ManagedHsm => {
            return Err(ApiError::not_supported(format!("action '{other}' not supported")));
        }
        _ => return Err(ApiError::not_found()),
    })
}

/// The service's rule for key names: 1 to 127 letters, digits and hyphens.
pub(crate) fn is_valid_name(name: &str) -> bool {
    (1..=127).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: Method, path: &str) -> Call {
        Call::parse(&method, path, Persona::Vault).unwrap()
    }

    #[test]
    fn empty_versions_mean_the_current_one() {
        for path in ["/keys/k/sign", "/keys/k//sign", "//keys/k//sign/"] {
            let call = parse(Method::POST, path);
            assert_eq!((call.operation, call.version), (Operation::Sign, None), "{path}");
        }
        for path in ["/keys/k", "/keys/k/"] {
            assert_eq!(parse(Method::GET, path).operation, Operation::GetKey);
        }
        let call = parse(Method::POST, "/keys/k/AB/unwrapKey");
        assert_eq!((call.operation, call.version.as_deref()), (Operation::UnwrapKey, Some("ab")));
    }

    #[test]
    fn names_are_checked_after_decoding() {
        let error = Call::parse(&Method::POST, "/keys/bad%5B%5D/create", Persona::Vault);
        assert_eq!(error, Err(ApiError::bad_name(Persona::Vault, "bad[]")));
        assert!(Call::parse(&Method::GET, "/keys/%2e%2e%2fsecrets", Persona::Vault).is_err());
    }
}
