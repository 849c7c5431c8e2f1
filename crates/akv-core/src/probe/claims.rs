//! The claims of an access token.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::credential::Token;

/// The claims of an access token (RFC 7519, and the claims of Microsoft Entra ID). They are not
/// verified here; the service does that. All are `None` if the token is not a JSON Web Token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenFacts {
    /// The audience: `https://vault.azure.net`.
    pub audience: Option<String>,
    /// The tenant of the identity (`tid`).
    pub tenant: Option<String>,
    /// The application (`appid`, `azp`).
    pub application: Option<String>,
    /// The identity to which roles are assigned (`oid`).
    pub object: Option<String>,
    /// The name of a user (`upn`, `unique_name`).
    pub user: Option<String>,
    /// When it was issued; Microsoft Entra ID sets it five minutes early.
    pub issued: Option<SystemTime>,
    /// When it expires.
    pub expires: Option<SystemTime>,
}

#[derive(Deserialize)]
struct Claims {
    aud: Option<String>,
    tid: Option<String>,
    appid: Option<String>,
    azp: Option<String>,
    oid: Option<String>,
    upn: Option<String>,
    unique_name: Option<String>,
    iat: Option<u64>,
    exp: Option<u64>,
}

impl TokenFacts {
    pub(super) fn of(token: &Token) -> Self {
        token.authorization().to_str().ok().and_then(Self::read).unwrap_or_default()
    }

    fn read(authorization: &str) -> Option<Self> {
        let claims = authorization.split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).map(Zeroizing::new).ok()?;
        let claims: Claims = crate::outside::json(&claims).ok()?;
        let time = |seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        Some(Self {
            audience: claims.aud,
            tenant: claims.tid,
            application: claims.appid.or(claims.azp),
            object: claims.oid,
            user: claims.upn.or(claims.unique_name),
            issued: claims.iat.and_then(time),
            expires: claims.exp.and_then(time),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_only_from_json_web_tokens() {
        let claims = r#"{"aud":"https://vault.azure.net","tid":"t","azp":"a","iat":1,"exp":3600}"#;
        let text = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let token = Token::new(&text, SystemTime::now()).unwrap();
        let facts = TokenFacts::of(&token);
        assert_eq!(facts.audience.as_deref(), Some("https://vault.azure.net"));
        assert_eq!((facts.tenant.as_deref(), facts.application.as_deref()), (Some("t"), Some("a")));
        assert_eq!(facts.expires, Some(UNIX_EPOCH + Duration::from_secs(3600)));
        for other in ["opaque", "a.b.c", "a.e30"] {
            let token = Token::new(other, SystemTime::now()).unwrap();
            assert_eq!(TokenFacts::of(&token), TokenFacts::default(), "{other}");
        }
    }
}
