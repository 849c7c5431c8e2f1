//! Checks the key: whether it may be read, what it permits, and one signature.

use std::{
    io,
    time::{Duration, SystemTime},
};

use akv_core::{
    AnyKey, Client, Error, ErrorKind, KeyAttributes, KeyOperation, KeyReference,
    SignatureAlgorithm, VaultKind,
    probe::{CredentialProbe, ServerProbe, SignatureTimes},
    settings::CredentialKind,
};
use serde_json::json;

use super::{
    Known,
    report::{Cause, Check, Report},
};
use crate::{
    commands::key::kind,
    text::{duration, moment, span},
};

/// The key to check.
pub(super) struct KeyCheck<'a> {
    pub(super) client: &'a Client,
    pub(super) reference: &'a KeyReference,
}

impl KeyCheck<'_> {
    pub(super) async fn examine(
        &self,
        report: &mut Report,
        server: ServerProbe,
        given: &CredentialProbe,
        known: &Known,
        sign: bool,
    ) -> io::Result<()> {
        if self.reference.key_name().is_none() {
            return report.add(Check::skipped("key", "the reference names a vault, not a key"));
        }
        let key = match self.client.any_key(self.reference).await {
            Ok(key) => key,
            Err(error) => {
                let cause = self.cause(&error, given, known, "get");
                return report.add(Check::bad("key", error.to_string(), cause));
            }
        };
        report.add(attributes(&key, self.disabled()))?;
        match key {
            AnyKey::Symmetric(_) => {
                report.add(Check::skipped("signature", "a symmetric key does not sign"))
            }
            AnyKey::Asymmetric(_) if !sign => {
                report.add(Check::skipped("signature", "--no-sign is set"))
            }
            AnyKey::Asymmetric(key) => self.sign(report, server, &key, given, known).await,
        }
    }

    async fn sign(
        &self,
        report: &mut Report,
        mut server: ServerProbe,
        key: &akv_core::Key,
        given: &CredentialProbe,
        known: &Known,
    ) -> io::Result<()> {
        let algorithm = SignatureAlgorithm::default_for(key.public_key());
        let mut digest = vec![0; algorithm.digest_len().unwrap_or(32)];
        // Random bytes, so that the signature has no meaning.
        let _ = aws_lc_rs::rand::fill(&mut digest);
        let times = server.sign(key, algorithm, &digest, given).await;
        let check = match times {
            Ok(times) => {
                let whole = duration(times.whole);
                let text = format!("{algorithm}, verified with the public half ({whole})");
                let check = Check::good("signature", text);
                check.fact("algorithm", json!(algorithm.name()))
            }
            // Once more through the normal API: with retries, and a complete error.
            Err(_) => match key.sign(algorithm, &digest).await {
                Ok(_) => Check::note("signature", format!("{algorithm}, only after a retry")),
                Err(error) => {
                    let cause = self.cause(&error, given, known, "sign");
                    return report.add(Check::bad("signature", error.to_string(), cause));
                }
            },
        };
        report.add(check)?;
        match times {
            Ok(times) => report.add(latency(&server, given, times)),
            Err(_) => Ok(()),
        }
    }

    /// A disabled key can only be read.
    fn disabled(&self) -> Cause {
        let key = self.reference.key_name().unwrap_or_default();
        Cause::new(
            "disabled",
            format!("the key {key} is disabled"),
            format!(
                "enable it: `az keyvault key set-attributes --enabled true --id {}`",
                self.id()
            ),
        )
    }

    /// Why the service refuses.
    fn cause(
        &self,
        error: &Error,
        given: &CredentialProbe,
        known: &Known,
        operation: &str,
    ) -> Cause {
        let code = error.code().unwrap_or_default();
        let key = self.reference.key_name().unwrap_or_default();
        let reason = error.message();
        match (error.status(), code) {
            (Some(401), _) => refused_token(error, given, known),
            (Some(403), "KeyDisabled") => self.disabled(),
            (Some(403), "KeyNotYetValid" | "KeyExpired") => Cause::new(
                "validity",
                format!("the key {key} is outside its validity period: {reason}"),
                "change its attributes, or rotate it; see `akv key show`",
            ),
            (Some(403), "KeyOperationForbidden") => Cause::new(
                "operation",
                format!("the key {key} does not permit {operation}: {reason}"),
                "permit the operation in the key's attributes, or use another key",
            ),
            (Some(403), "ForbiddenByFirewall" | "ForbiddenByConnection") => Cause::new(
                "network",
                format!("the vault's firewall blocks this machine: {reason}"),
                "allow this machine's address in the vault's network settings, or use its private \
                 endpoint",
            ),
            (Some(403), _) => self.no_role(error, known, operation),
            (Some(404), _) => Cause::new(
                "key-name",
                format!("the vault has no such key: {reason}"),
                format!(
                    "check the name and version with `akv key list {}`",
                    self.reference.vault()
                ),
            ),
            _ if error.kind() == ErrorKind::Signature => Cause::new(
                "signature",
                format!("the signature is invalid: {reason}"),
                "the public key does not match the vault's: rewrite the key file with `akv pem`",
            ),
            _ => Cause::new(
                "service",
                error.to_string(),
                "retry; if the error persists, contact Azure support with the request id",
            ),
        }
    }

    fn no_role(&self, error: &Error, known: &Known, operation: &str) -> Cause {
        let (role, rest) = match self.reference.kind() {
            VaultKind::Vault => ("Key Vault Crypto User", "az role assignment create --role"),
            VaultKind::ManagedHsm => {
                ("Managed HSM Crypto User", "az keyvault role assignment create --scope / --role")
            }
        };
        let token = known.token.as_ref();
        let who = token.and_then(|token| token.object.as_deref()).unwrap_or("OBJECT-ID");
        let policy = match error.code() {
            Some("ForbiddenByPolicy") => {
                " (this vault has access policies: the permissions get and sign on keys)"
            }
            _ => "",
        };
        Cause::new(
            "role",
            format!("the identity {who} lacks the role for {operation}: {}", error.message()),
            format!(
                "assign it the role {role}{policy}: `{rest} \"{role}\" --assignee {who}`; a new \
                 assignment takes effect after some minutes"
            ),
        )
    }

    /// The key's URL.
    fn id(&self) -> String {
        let url = self.client.settings().vault_url(self.reference);
        let url = url.map(String::from).unwrap_or_default();
        format!("{url}keys/{}", self.reference.key_name().unwrap_or_default())
    }
}

/// Why the service refuses a token.
fn refused_token(error: &Error, given: &CredentialProbe, known: &Known) -> Cause {
    let token = known.token.clone().unwrap_or_default();
    let from_environment = given.kind == CredentialKind::AccessToken
        && std::env::var_os("AZURE_CLI_ACCESS_TOKEN").is_some();
    let source = match (given.kind, from_environment) {
        (_, true) => "AZURE_CLI_ACCESS_TOKEN in the environment".to_owned(),
        (CredentialKind::AccessToken, false) => "the access token file".to_owned(),
        (kind, _) => kind.name().to_owned(),
    };
    let skew = known.skew.filter(|skew| skew.wrong());
    let expired = token.expires.and_then(|end| SystemTime::now().duration_since(end).ok());
    if let (Some(tenant), Some(own)) = (&known.tenant, &token.tenant)
        && tenant != own
    {
        return Cause::new(
            "tenant",
            format!(
                "the token of {source} belongs to the tenant {own}, but the vault is in {tenant}"
            ),
            format!(
                "log in to the vault's tenant (`az login --tenant {tenant}`), or correct AZURE_TENANT_ID"
            ),
        );
    }
    match expired {
        Some(_) if skew.is_some() => Cause::new(
            "clock",
            "this machine's clock is wrong, so the token's validity cannot be checked",
            "set the clock (NTP)",
        ),
        Some(ago) => Cause::new(
            if from_environment { "environment" } else { "expired-token" },
            format!("{source} contains a token that expired {} ago", span(ago)),
            match from_environment {
                true => {
                    "unset AZURE_CLI_ACCESS_TOKEN to use the other credentials, or set it to a \
                     new token: `az account get-access-token --resource https://vault.azure.net`"
                }
                false => "write a new token to the file",
            },
        ),
        None => Cause::new(
            "refused-token",
            format!("the vault refuses the token of {source}: {}", error.message()),
            match token.audience.as_deref() {
                Some(audience) => format!(
                    "it is a token for {audience}; get one for the vault's service from the \
                     vault's tenant"
                ),
                None => format!("{source} contains no readable token; get a new one"),
            },
        ),
    }
}

fn attributes(key: &AnyKey, disabled: Cause) -> Check {
    let text = format!("{}, version {}", kind(key), key.version());
    let default = KeyAttributes::default();
    let attributes = key.attributes().unwrap_or(&default);
    let now = SystemTime::now();
    let operations: Vec<_> =
        attributes.operations().unwrap_or_default().iter().map(KeyOperation::as_str).collect();
    let mut lines = vec![format!("permits {}", operations.join(", "))];
    let named =
        |name: &str, time: Option<SystemTime>| time.map(|time| format!("{name} {}", moment(time)));
    lines.extend(named("not before", attributes.not_before()));
    lines.extend(named("expires", attributes.expires()));
    let signs = attributes.operations().is_none_or(|all| all.contains(&KeyOperation::Sign));
    let soon = now + Duration::from_secs(30 * 86_400);
    let check = if !attributes.enabled() {
        Check::bad("key", text, disabled)
    } else if attributes.not_before().is_some_and(|from| from > now) {
        Check::note("key", format!("{text}; it is not valid yet"))
    } else if attributes.expires().is_some_and(|end| end < soon) {
        Check::note("key", format!("{text}; it has expired or expires within 30 days"))
    } else if !signs && matches!(key, AnyKey::Asymmetric(_)) {
        Check::note("key", format!("{text}; it may not sign"))
    } else {
        Check::good("key", text)
    };
    check.lines(lines).fact("operations", json!(operations)).fact("version", json!(key.version()))
}

/// Where the time goes.
fn latency(server: &ServerProbe, given: &CredentialProbe, times: SignatureTimes) -> Check {
    let step = |took: Option<Duration>| took.unwrap_or_default();
    let tcp = step(server.tcp.as_ref().map(|step| step.took));
    let parts = [
        ("dns", step(server.dns.as_ref().map(|step| step.took))),
        ("connect", tcp),
        ("tls", step(server.tls.as_ref().map(|step| step.took))),
        ("token", given.step.took),
        ("first byte", times.first_byte),
    ];
    let whole: Duration = parts.iter().map(|(_, took)| *took).sum();
    let words: Vec<_> =
        parts.iter().map(|(name, took)| format!("{name} {}", duration(*took))).collect();
    // If the service does not report its time, it is the total minus a round trip.
    let (service, how) = match times.service {
        Some(service) => (service, "reported by the service"),
        None => (times.first_byte.saturating_sub(tcp), "first byte minus one round trip"),
    };
    let ms = |took: Duration| json!(took.as_secs_f64() * 1e3);
    let mut facts = serde_json::Map::new();
    for (name, took) in parts {
        facts.insert(name.replace(' ', ""), ms(took));
    }
    facts.insert("service".into(), ms(service));
    Check::good(
        "latency",
        format!("first signature {}, later ones {}", duration(whole), duration(times.whole)),
    )
    .line(words.join(", "))
    .line(format!("service time {} ({how})", duration(service)))
    .fact("milliseconds", serde_json::Value::Object(facts))
}
