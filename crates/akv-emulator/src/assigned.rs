//! The user-assigned managed identities of the emulated machine.

use std::{collections::HashMap, sync::Mutex};

use crate::{auth::CLIENT_ID, sync::lock};

/// A user-assigned managed identity, with the ids that select it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssignedIdentity {
    /// The client id, which tokens name.
    pub client_id: String,
    /// The object id, also called principal id.
    pub object_id: String,
    /// The id in Azure Resource Manager, `/subscriptions/…`.
    pub resource_id: String,
}

/// The query parameters of each id, in all endpoints and versions.
const CLIENT: [&str; 2] = ["client_id", "clientid"];
const OBJECT: [&str; 2] = ["object_id", "principal_id"];
const RESOURCE: [&str; 2] = ["msi_res_id", "mi_res_id"];

#[derive(Default)]
pub(crate) struct Assigned(Mutex<Vec<AssignedIdentity>>);

impl Assigned {
    pub(crate) fn add(&self, identity: AssignedIdentity) {
        lock(&self.0).push(identity);
    }

    /// The client id of the identity that a query selects: the machine's own if it names none, and
    /// `None` if the machine has no such identity. If no identity is assigned, every one is
    /// accepted.
    pub(crate) fn requested_identity(&self, query: &HashMap<String, String>) -> Option<String> {
        let given = |names: [&str; 2]| names.into_iter().find_map(|name| query.get(name));
        let (client, object, resource) = (given(CLIENT), given(OBJECT), given(RESOURCE));
        if client.or(object).or(resource).is_none() {
            return Some(CLIENT_ID.to_owned());
        }
        let identities = lock(&self.0);
        if identities.is_empty() {
            return Some(client.map_or(CLIENT_ID, String::as_str).to_owned());
        }
        let same = |given: Option<&String>, known: &str| {
            given.is_none_or(|given| given.eq_ignore_ascii_case(known))
        };
        let found = identities.iter().find(|identity| {
            same(client, &identity.client_id)
                && same(object, &identity.object_id)
                && same(resource, &identity.resource_id)
        });
        found.map(|identity| identity.client_id.clone())
    }
}
