//! Errors about callers without a permission.

use hyper::StatusCode;

use crate::{
    auth::Caller,
    call::Call,
    error::ApiError,
    persona::{Persona, Target},
};

impl ApiError {
    /// The caller has no access policy for the operation, or no local role in a Managed HSM.
    pub(crate) fn forbidden_by_policy(call: &Call, target: &Target, caller: &Caller) -> Self {
        if target.persona == Persona::ManagedHsm {
            return Self::forbidden_by_local_role(call);
        }
        let permission = format!("{} {}", call.operation.collection(), call.operation.permission());
        Self::forbidden(
            format!(
                "The user, group or application '{caller}' does not have {permission} permission \
                 on key vault '{};location=emulator'. For help resolving this issue, please see \
                 https://go.microsoft.com/fwlink/?linkid=2125287",
                target.vault_name()
            ),
            "ForbiddenByPolicy",
        )
    }

    /// The caller has no role for the operation.
    pub(crate) fn forbidden_by_role(call: &Call, target: &Target, caller: &Caller) -> Self {
        if target.persona == Persona::ManagedHsm {
            return Self::forbidden_by_local_role(call);
        }
        let (vault, subscription) = (target.vault_name(), uuid::Uuid::nil());
        let action = call.operation.action(Persona::Vault);
        let object = match call.name.as_str() {
            "" => String::new(),
            name => format!("/{}/{}", call.operation.collection(), name.to_ascii_lowercase()),
        };
        Self::forbidden(
            format!(
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, \
                 deny assignments or role definitions were changed recently, please observe \
                 propagation time.\r\nCaller: {caller}\r\nAction: 'Microsoft.KeyVault/{action}'\
                 \r\nResource: '/subscriptions/{subscription}/resourcegroups/emulator/providers/\
                 microsoft.keyvault/vaults/{vault}{object}'\r\nAssignment: (not found)\r\n\
                 DenyAssignmentId: null\r\nDecisionReason: null \r\nVault: \
                 {vault};location=emulator\r\n"
            ),
            "ForbiddenByRbac",
        )
    }

    /// A Managed HSM has its own roles, separate from those of Azure's resources.
    fn forbidden_by_local_role(call: &Call) -> Self {
        let action = call.operation.action(Persona::ManagedHsm);
        let scope = match call.name.as_str() {
            "" => "/".to_owned(),
            name => format!("/keys/{name}"),
        };
        let message = format!("Not authorized to access Microsoft.KeyVault/{action} on {scope}");
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    /// The caller's address is outside of the vault's network rules.
    pub(crate) fn forbidden_by_firewall(target: &Target, caller: &Caller) -> Self {
        Self::forbidden(
            format!(
                "Client address is not authorized and caller is not a trusted service.\r\n\
                 Client address: 127.0.0.1\r\nCaller: {caller}\r\nVault: \
                 {};location=emulator",
                target.vault_name()
            ),
            "ForbiddenByFirewall",
        )
    }
}
