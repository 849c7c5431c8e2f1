//! Who may have tokens, and which are good.

use std::{path::PathBuf, time::Duration};

use super::{Emulator, Error};
use crate::{
    applications::Application,
    assigned::AssignedIdentity,
    auth::{CLIENT_ID, TENANT},
    stats::count,
};

impl Emulator {
    /// Issues an access token for the default persona's vaults in the public cloud.
    #[must_use]
    pub fn token(&self) -> String {
        self.token_for(self.state.persona.audience())
    }

    /// Issues an access token for an audience such as `https://managedhsm.azure.net`.
    #[must_use]
    pub fn token_for(&self, audience: &str) -> String {
        self.issue(audience, CLIENT_ID)
    }

    /// Issues an access token for the default persona's vaults to an identity of its own, which
    /// can be given permissions: [`Emulator::permit`].
    #[must_use]
    pub fn token_of(&self, identity: &str) -> String {
        self.issue(self.state.persona.audience(), identity)
    }

    fn issue(&self, audience: &str, identity: &str) -> String {
        count(&self.state.counters.tokens_issued);
        self.state.tokens.issue(audience, TENANT, identity, self.state.clock.now())
    }

    /// How long tokens issued from now on are valid.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state.tokens.set_lifetime(lifetime);
    }

    /// Puts the vaults into a Microsoft Entra tenant: they refuse tokens of others, and challenges
    /// name it. `None`, the start, takes tokens of every tenant.
    pub fn set_tenant(&self, tenant: Option<String>) {
        self.state.tokens.set_tenant(tenant);
    }

    /// The tenant that challenges name: the one that was set, or the one that tokens of managed
    /// identities are for.
    #[must_use]
    pub fn tenant(&self) -> String {
        self.state.tokens.tenant()
    }

    /// Makes one token invalid.
    pub fn revoke_token(&self, token: &str) {
        self.state.tokens.revoke(token);
    }

    /// Makes every token issued so far invalid, the fixed one included.
    pub fn revoke_tokens(&self) {
        self.state.tokens.revoke_all();
    }

    /// `http://ADDRESS:PORT` of the emulated Instance Metadata Service, which answers
    /// `/metadata/identity/oauth2/token`.
    #[must_use]
    pub fn imds_endpoint(&self) -> &str {
        &self.imds_endpoint
    }

    /// The value that App Service gives programs as `IDENTITY_ENDPOINT`.
    #[must_use]
    pub fn identity_endpoint(&self) -> &str {
        &self.identity_endpoint
    }

    /// The value that App Service gives programs as `IDENTITY_HEADER`.
    #[must_use]
    pub fn identity_header(&self) -> &str {
        &self.state.identity_header
    }

    /// The value for `AZURE_AUTHORITY_HOST`: where registered applications get their tokens.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.endpoint
    }

    /// Registers an application in Microsoft Entra ID, in place of one with the same tenant and
    /// client id.
    ///
    /// # Errors
    /// [`Error::Refused`] when a certificate cannot be read.
    pub fn register(&self, application: Application) -> Result<(), Error> {
        self.state.entra.add(application).map_err(Error::Refused)
    }

    /// Gives the machine a user-assigned managed identity. From the first one on the endpoints of
    /// virtual machine and App Service know these identities only.
    pub fn assign_identity(&self, identity: AssignedIdentity) {
        self.state.assigned.add(identity);
    }

    /// The value that Azure Arc gives programs as `IDENTITY_ENDPOINT`; `IMDS_ENDPOINT` is
    /// [`Emulator::imds_endpoint`].
    #[must_use]
    pub fn arc_endpoint(&self) -> &str {
        &self.arc_endpoint
    }

    /// Makes the machine an Azure Arc server, whose agent puts a secret file for each challenge
    /// into this folder; `None` makes it no such server. The folder must exist.
    pub fn set_arc_folder(&self, folder: Option<PathBuf>) {
        self.state.arc.set_folder(folder);
    }

    /// Has the agent name this file in its challenges instead of a fresh one: what an impostor
    /// would do. `None` ends it.
    pub fn set_arc_challenge(&self, file: Option<PathBuf>) {
        self.state.arc.set_named(file);
    }
}
