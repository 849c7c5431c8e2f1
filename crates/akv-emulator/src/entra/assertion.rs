//! Client assertions: JSON Web Tokens that authenticate the client (RFC 7523).
//!
//! Format of those signed with a certificate:
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::DeserializeOwned};
use time::OffsetDateTime;

use super::refusal::Refusal;
use crate::{
    applications::{Certificate, Registered},
    base64url,
};

/// Permitted clock difference in seconds.
const SKEW: i64 = 300;

#[derive(Deserialize)]
struct Header {
    alg: Option<String>,
    /// SHA-1 of the certificate.
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_sha256: Option<String>,
    /// The certificate and its issuers, in Base64.
    x5c: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Claims {
    aud: Option<String>,
    iss: Option<String>,
    sub: Option<String>,
    jti: Option<String>,
    /// NumericDate, which may have a fraction (RFC 7519 section 2); some clients send one.
    nbf: Option<f64>,
    exp: Option<f64>,
}

/// Accepts a registered federated token, or an assertion that a registered certificate signed.
/// `endpoint` is the authority's URL with the tenant.
pub(super) fn check(
    application: &Registered,
    assertion: &str,
    endpoint: &str,
    now: i64,
) -> Result<(), Refusal> {
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return opaque_token(application, assertion);
    };
    let (Some(header), Some(claims)) = (part::<Header>(header), part::<Claims>(claims)) else {
        return opaque_token(application, assertion);
    };
    if application.federated_tokens.iter().any(|known| known == assertion) {
        return check_validity(&claims, now);
    }
    if header.x5t.is_none() && header.x5t_sha256.is_none() && header.x5c.is_none() {
        return Err(no_matching_record(&claims));
    }
    let certificate = find(application, &header)?;
    let signed = &assertion[..assertion.len() - signature.len() - 1];
    verify(&header, certificate, signed, signature)
        .map_err(|reason| invalid_signature(application, &certificate.sha1, reason))?;
    check_claims(application, &claims, endpoint)?;
    check_validity(&claims, now)
}

/// Accepts a registered federated token that is not a JSON Web Token.
fn opaque_token(application: &Registered, assertion: &str) -> Result<(), Refusal> {
    if application.federated_tokens.iter().any(|known| known == assertion) {
        return Ok(());
    }
    Err(Refusal::request(50_027, "JWT token is invalid or malformed."))
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&base64url::decode(text)?).ok()
}

fn no_matching_record(claims: &Claims) -> Refusal {
    let subject = claims.sub.as_deref().unwrap_or_default();
    let text = format!(
        "No matching federated identity record found for presented assertion subject '{subject}'. \
         Check your federated identity credential Subject, Audience and Issuer against the \
         presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
    );
    Refusal::client(700_213, text)
}

/// The registered certificate that the header identifies by thumbprint or contains.
fn find<'a>(application: &'a Registered, header: &Header) -> Result<&'a Certificate, Refusal> {
    let named = |thumbprint: &Option<String>| thumbprint.as_deref().and_then(base64url::decode);
    let (sha1, sha256) = (named(&header.x5t), named(&header.x5t_sha256));
    let whole = header.x5c.as_ref().and_then(|chain| STANDARD.decode(chain.first()?).ok());
    let matches = |certificate: &&Certificate| {
        sha1.as_ref().is_none_or(|sha1| *sha1 == certificate.sha1)
            && sha256.as_ref().is_none_or(|sha256| *sha256 == certificate.sha256)
            && (header.x5c.is_none() || whole.as_ref() == Some(&certificate.der))
    };
    let readable = (sha1.is_some() || header.x5t.is_none())
        && (sha256.is_some() || header.x5t_sha256.is_none());
    application.certificates.iter().find(matches).filter(|_| readable).ok_or_else(|| {
        let thumbprint = sha1.or(sha256).unwrap_or_default();
        invalid_signature(application, &thumbprint, "The key was not found.")
    })
}

fn verify(
    header: &Header,
    certificate: &Certificate,
    signed: &str,
    signature: &str,
) -> Result<(), &'static str> {
    let algorithm: &RsaParameters = match header.alg.as_deref() {
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        Some("PS256") => &RSA_PSS_2048_8192_SHA256,
        _ => return Err("The signature algorithm is not supported."),
    };
    let wrong = "The provided signature value did not match the expected signature value.";
    let signature = base64url::decode(signature).ok_or(wrong)?;
    UnparsedPublicKey::new(algorithm, &certificate.public_key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| wrong)
}

fn invalid_signature(application: &Registered, thumbprint: &[u8], reason: &str) -> Refusal {
    let thumbprint: String = thumbprint.iter().map(|byte| format!("{byte:02X}")).collect();
    let id = &application.client_id;
    let text = format!(
        "Client assertion contains an invalid signature. [Reason - {reason}, Thumbprint of key \
         used by client: '{thumbprint}', Please visit the Azure Portal, Graph Explorer or directly \
         use MS Graph to see configured keys for app Id '{id}'. Review the documentation at \
         https://docs.microsoft.com/en-us/graph/deployments to determine the corresponding service \
         endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&tabs=http \
         to build a query request URL, such as 'https://graph.microsoft.com/beta/applications/{id}']. \
         Alternatively, SNI may be configured on the app. Please ensure that client assertion is \
         being sent with the x5c claim in the JWT header using MSAL's WithSendX5C() method so that \
         Azure Active Directory can validate the certificate being used."
    );
    Refusal::client(700_027, text)
}

/// Checks that the assertion is from the application and for this endpoint.
fn check_claims(application: &Registered, claims: &Claims, endpoint: &str) -> Result<(), Refusal> {
    let is_client = |claim: &Option<String>| {
        claim.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&application.client_id))
    };
    if !is_client(&claims.iss) || !is_client(&claims.sub) {
        let text = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(Refusal::client(700_021, text));
    }
    let expected = [format!("{endpoint}/oauth2/v2.0/token"), format!("{endpoint}/v2.0")];
    let audience = claims.aud.as_deref().unwrap_or_default();
    if !expected.iter().any(|known| known.eq_ignore_ascii_case(audience)) {
        let text = "Client assertion audience claim does not match Realm issuer. Review the \
                    documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials .";
        return Err(Refusal::client(700_023, text));
    }
    if claims.jti.as_deref().unwrap_or_default().is_empty() {
        let text = "Client assertion is missing the 'jti' claim.";
        return Err(Refusal::request(50_027, text));
    }
    Ok(())
}

fn check_validity(claims: &Claims, now: i64) -> Result<(), Refusal> {
    #[expect(clippy::cast_possible_truncation, reason = "a time out of range is cut to it")]
    let seconds = |claim: Option<f64>| claim.map_or(0, |seconds| seconds as i64);
    let (from, until) = (seconds(claims.nbf), seconds(claims.exp));
    if from <= now.saturating_add(SKEW) && until > now.saturating_sub(SKEW) {
        return Ok(());
    }
    let shown = |seconds| {
        let format = &time::format_description::well_known::Rfc3339;
        let time = OffsetDateTime::from_unix_timestamp(seconds);
        time.ok().and_then(|time| time.format(format).ok()).unwrap_or_default()
    };
    let text = format!(
        "Client assertion is not within its valid time range. Current time: {}, assertion valid \
         from {}, expiry time of assertion {}. Review the documentation at \
         https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        shown(now),
        shown(from),
        shown(until)
    );
    Err(Refusal::client(700_024, text))
}
