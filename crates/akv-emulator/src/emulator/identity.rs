//! Identities and their tokens.

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

    /// Issues an access token for the default persona's vaults to a separate identity, which can be
    /// given permissions: [`Emulator::permit`].
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

    /// Puts the vaults into a Microsoft Entra tenant: they refuse tokens of other tenants, and
    /// challenges name it. `None`, the default, accepts tokens of every tenant.
    pub fn set_tenant(&self, tenant: Option<String>) {
        self.state.tokens.set_tenant(tenant);
    }

    /// The tenant that challenges name: the one that was set, or that of tokens of managed
    /// identities.
    #[must_use]
    pub fn tenant(&self) -> String {
        self.state.tokens.tenant()
    }

    /// Revokes one token.
    pub fn revoke_token(&self, token: &str) {
        self.state.tokens.revoke(token);
    }

    /// Revokes every token issued so far, including the fixed one.
    pub fn revoke_tokens(&self) {
        self.state.tokens.revoke_all();
    }

    /// `http://ADDRESS:PORT` of the emulated Instance Metadata Service, which serves
    /// `/metadata/identity/oauth2/token`.
    #[must_use]
    pub fn imds_endpoint(&self) -> &str {
        &self.imds_endpoint
    }

    /// The value of `IDENTITY_ENDPOINT` in App Service.
    #[must_use]
    pub fn identity_endpoint(&self) -> &str {
        &self.identity_endpoint
    }

    /// The value of `IDENTITY_HEADER` in App Service.
    #[must_use]
    pub fn identity_header(&self) -> &str {
        &self.state.identity_header
    }

    /// The value for `AZURE_AUTHORITY_HOST`, from which registered applications get their tokens.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.endpoint
    }

    /// Registers an application in Microsoft Entra ID, or replaces the one with the same tenant and
    /// client id.
    ///
    /// # Errors
    /// [`Error::Refused`] if a certificate cannot be read.
    pub fn register(&self, application: Application) -> Result<(), Error> {
        self.state.entra.add(application).map_err(Error::Refused)
    }

    /// Assigns a user-assigned managed identity to the machine. From the first one on, the
    /// endpoints of virtual machine and App Service accept only these identities.
    pub fn assign_identity(&self, identity: AssignedIdentity) {
        self.state.assigned.add(identity);
    }

    /// The value of `IDENTITY_ENDPOINT` on an Azure Arc server; `IMDS_ENDPOINT` is
    /// [`Emulator::imds_endpoint`].
    #[must_use]
    pub fn arc_endpoint(&self) -> &str {
        &self.arc_endpoint
    }

    /// Makes the machine an Azure Arc server, whose agent puts a secret file for each challenge
    /// into this folder; `None` ends that. The folder must exist.
    pub fn set_arc_folder(&self, folder: Option<PathBuf>) {
        self.state.arc.set_folder(folder);
    }

    /// Makes the agent name this file in its challenges instead of a new one, as an impostor would.
    /// `None` ends that.
    pub fn set_arc_challenge(&self, file: Option<PathBuf>) {
        self.state.arc.set_named(file);
    }
}
