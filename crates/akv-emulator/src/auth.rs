//! Access tokens: issuing, checking, expiry and revocation.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, RwLock},
    time::Duration,
};

use aws_lc_rs::rand;
use hyper::{HeaderMap, header::AUTHORIZATION};
use serde_json::json;

use crate::{
    base64url,
    clock::Clock,
    error::ApiError,
    persona::{Target, is_known_audience},
    sync::{lock, read, write},
};

/// The tenant and the identity of tokens that are not for an application.
pub(crate) const TENANT: &str = "6e6d7574-6c61-746f-7220-74656e616e74";
pub(crate) const CLIENT_ID: &str = "656d756c-6174-6f72-2069-64656e746974";

/// The identity to which a token was issued; printed in the format of the service's messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) tenant: String,
    pub(crate) client_id: String,
}

impl fmt::Display for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, client_id } = self;
        write!(formatter, "appid={client_id};oid={client_id};iss=https://sts.windows.net/{tenant}/")
    }
}

struct Token {
    audience: String,
    caller: Arc<Caller>,
    expires: i64,
}

/// The valid tokens.
pub(crate) struct Tokens {
    issued: RwLock<HashMap<String, Token>>,
    /// Valid for every audience, never expire, until revoked.
    fixed: RwLock<HashMap<String, Arc<Caller>>>,
    lifetime: Mutex<Duration>,
    /// The only tenant whose tokens are accepted; `None` accepts all tenants.
    tenant: RwLock<Option<String>>,
}

impl Tokens {
    /// `fixed` maps tokens to client ids.
    pub(crate) fn new(fixed: HashMap<String, String>, lifetime: Duration) -> Self {
        let caller = |client_id| Arc::new(Caller { tenant: TENANT.to_owned(), client_id });
        let fixed = fixed.into_iter().map(|(token, client_id)| (token, caller(client_id)));
        Self {
            issued: RwLock::default(),
            fixed: RwLock::new(fixed.collect()),
            lifetime: Mutex::new(lifetime),
            tenant: RwLock::default(),
        }
    }

    /// The tenant of the vaults.
    pub(crate) fn tenant(&self) -> String {
        read(&self.tenant).clone().unwrap_or_else(|| TENANT.to_owned())
    }

    /// The only tenant whose tokens are accepted, if there is one.
    pub(crate) fn required_tenant(&self) -> Option<String> {
        read(&self.tenant).clone()
    }

    pub(crate) fn set_tenant(&self, tenant: Option<String>) {
        *write(&self.tenant) = tenant;
    }

    pub(crate) fn lifetime(&self) -> Duration {
        *lock(&self.lifetime)
    }

    pub(crate) fn set_lifetime(&self, lifetime: Duration) {
        *lock(&self.lifetime) = lifetime;
    }

    /// Creates a token in the form of a JSON Web Token. The signature part is random: only its
    /// presence in the list of issued tokens makes it valid.
    pub(crate) fn issue(&self, audience: &str, tenant: &str, client_id: &str, now: i64) -> String {
        let lifetime = i64::try_from(self.lifetime().as_secs()).unwrap_or(i64::MAX);
        let expires = now.saturating_add(lifetime);
        let mut random = [0; 48];
        // Without random numbers TLS would not have started either.
        let _ = rand::fill(&mut random);
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "akv-emulator" });
        let claims = json!({
            "aud": audience,
            "iss": format!("https://sts.windows.net/{tenant}/"),
            "iat": now,
            "nbf": now,
            "exp": expires,
            "appid": client_id,
            "oid": client_id,
            "tid": tenant,
            "ver": "1.0",
        });
        let token = format!(
            "{}.{}.{}",
            base64url::encode(header.to_string()),
            base64url::encode(claims.to_string()),
            base64url::encode(random)
        );
        let mut issued = write(&self.issued);
        issued.retain(|_, token| token.expires > now.saturating_sub(86_400));
        let caller = Caller { tenant: tenant.to_owned(), client_id: client_id.to_owned() };
        let caller = Arc::new(caller);
        issued.insert(token.clone(), Token { audience: audience.to_owned(), caller, expires });
        token
    }

    /// Revokes every token issued so far, including fixed ones.
    pub(crate) fn revoke_all(&self) {
        write(&self.issued).clear();
        write(&self.fixed).clear();
    }

    /// Revokes one token.
    pub(crate) fn revoke(&self, token: &str) {
        write(&self.issued).remove(token);
        write(&self.fixed).remove(token);
    }

    /// The identity of an `Authorization` header in a request to `target`, if its token is valid.
    pub(crate) fn check(
        &self,
        headers: &HeaderMap,
        target: &Target,
        clock: &Clock,
    ) -> Result<Arc<Caller>, ApiError> {
        let bearer = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .filter(|token| !token.is_empty());
        let Some(token) = bearer else {
            return Err(ApiError::unauthorized(
                "AKV10000: Request is missing a Bearer or PoP token.",
            ));
        };
        if let Some(caller) = read(&self.fixed).get(token) {
            return Ok(Arc::clone(caller));
        }
        let issued = read(&self.issued);
        let Some(known) = issued.get(token) else {
            return Err(ApiError::unauthorized(
                "AKV10046: Unable to resolve the key used for signature validation.",
            ));
        };
        let accepted = match &target.audience {
            Some(audience) => known.audience.trim_end_matches('/') == audience,
            None => is_known_audience(&known.audience),
        };
        if !accepted {
            return Err(ApiError::unauthorized(format!(
                "AKV10022: Invalid audience. Expected {}, found: {}.",
                target.resource, known.audience
            )));
        }
        if let Some(tenant) = read(&self.tenant).as_deref()
            && tenant != known.caller.tenant
        {
            return Err(ApiError::unauthorized(format!(
                "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{tenant}/, \
                 found https://sts.windows.net/{}/.",
                known.caller.tenant
            )));
        }
        if clock.now() >= known.expires {
            return Err(ApiError::unauthorized(
                "[TokenExpired] Error validating token: 'S2S12086'.",
            ));
        }
        Ok(Arc::clone(&known.caller))
    }
}

/// The value of `WWW-Authenticate` in a 401 of a vault in `tenant`.
pub(crate) fn challenge(target: &Target, tenant: &str) -> String {
    use crate::persona::Persona;
    let login = match target.persona {
        Persona::Vault => "https://login.windows.net",
        Persona::ManagedHsm => "https://login.microsoftonline.com",
    };
    format!("Bearer authorization=\"{login}/{tenant}\", resource=\"{}\"", target.resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persona::Persona;

    #[test]
    fn tokens_expire_are_revoked_and_have_an_audience() {
        let clock = Clock::default();
        let tokens = Tokens::new(
            HashMap::from([("fixed".to_owned(), "robot".to_owned())]),
            Duration::from_secs(60),
        );
        let token = tokens.issue("https://vault.azure.net", TENANT, CLIENT_ID, clock.now());
        let check = |token: &str, host| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
            let target = Target::new(host, Persona::Vault);
            let caller = tokens.check(&headers, &target, &clock);
            caller.map(|caller| caller.client_id.clone()).map_err(|error| error.message)
        };
        assert_eq!(check(&token, "a.vault.azure.net"), Ok(CLIENT_ID.to_owned()));
        assert_eq!(check(&token, "127.0.0.1:1"), Ok(CLIENT_ID.to_owned()));
        assert!(check(&token, "a.managedhsm.azure.net").unwrap_err().contains("AKV10022"));
        assert!(check("unknown", "127.0.0.1:1").unwrap_err().contains("AKV10046"));
        assert_eq!(check("fixed", "a.managedhsm.azure.net"), Ok("robot".to_owned()));
        tokens.set_tenant(Some("other".into()));
        assert!(check(&token, "127.0.0.1:1").unwrap_err().contains("AKV10032"));
        tokens.set_tenant(None);
        clock.shift(61);
        assert!(check(&token, "127.0.0.1:1").unwrap_err().contains("TokenExpired"));
        tokens.revoke_all();
        assert!(check("fixed", "127.0.0.1:1").is_err());
    }
}
