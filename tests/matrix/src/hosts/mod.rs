//! The table of host programs, one file for each.

mod apache;
mod bind;
mod curl;
mod dovecot;
mod haproxy;
mod hitch;
mod libpq;
mod mariadb;
mod mosquitto;
mod nginx;
mod node;
mod openldap;
mod openssl;
mod osslsigncode;
mod perl;
mod php;
mod postfix;
mod postgresql;
mod python;
mod redis;
mod ruby;
mod sbsign;
mod ssh_keygen;
mod stunnel;
mod unbound;
mod vsftpd;

use anyhow::Result;

use crate::{keys::Kind, release::Release, scene::Scene, server::Server};

/// A host program.
pub struct Host {
    /// Its name, and that of its recipe.
    pub name: &'static str,
    /// Its packages; the version of the first is shown.
    pub packages: &'static [&'static str],
    /// The ways to name the key: the headings of the recipe.
    pub(crate) ways: &'static [Way],
    pub(crate) test: Test,
}

/// A way to name the key.
pub(crate) struct Way {
    /// Its name, which may be a section of the first steps.
    pub(crate) name: &'static str,
    /// The section of the recipe.
    pub(crate) section: &'static str,
    pub(crate) kinds: &'static [Kind],
    /// The releases whose version takes this configuration.
    pub(crate) releases: &'static [Release],
    /// Where it cannot work: the reason and the way around.
    pub(crate) impossible: &'static [(&'static [Release], &'static str)],
}

/// What is done with a host.
pub(crate) enum Test {
    /// The checks of every server.
    Server(Server),
    /// A program that runs to its end: the recipe's commands run it, and this checks what it made.
    Program(fn(&Scene<'_>) -> Result<()>),
    /// A client: this starts the server, runs the recipe's commands, and checks what came of them.
    Client(fn(&Scene<'_>) -> Result<()>),
}

/// All hosts.
pub const HOSTS: &[Host] = &[
    apache::HOST,
    bind::HOST,
    curl::HOST,
    dovecot::HOST,
    haproxy::HOST,
    hitch::HOST,
    libpq::HOST,
    mariadb::HOST,
    mosquitto::HOST,
    nginx::HOST,
    node::HOST,
    openldap::HOST,
    openssl::HOST,
    osslsigncode::HOST,
    perl::HOST,
    php::HOST,
    postfix::HOST,
    postgresql::HOST,
    python::HOST,
    redis::HOST,
    ruby::HOST,
    sbsign::HOST,
    ssh_keygen::HOST,
    stunnel::HOST,
    unbound::HOST,
    vsftpd::HOST,
];

/// The host of this name.
pub fn find(name: &str) -> Option<&'static Host> {
    HOSTS.iter().find(|host| host.name == name)
}

impl Host {
    /// What is checked, for the table.
    pub(crate) fn checks(&self) -> &'static str {
        match &self.test {
            Test::Server(server) => match (server.reloads, server.extra) {
                (true, Some(_)) => "TLS 1.2 and 1.3, 50 clients, reloads, binary upgrade",
                (true, None) => "TLS 1.2 and 1.3, 50 clients, reloads",
                (false, _) => "TLS 1.2 and 1.3, 50 clients",
            },
            Test::Program(_) => "signs",
            Test::Client(_) => "client certificate",
        }
    }
}

/// Both types.
const BOTH: &[Kind] = &[Kind::Rsa, Kind::Ec];

/// All releases.
const ALL: &[Release] = &[Release::Debian12, Release::Debian13, Release::Sid];

impl Way {
    const fn new(name: &'static str) -> Self {
        Self { name, section: name, kinds: BOTH, releases: ALL, impossible: &[] }
    }

    const fn only(self, kinds: &'static [Kind]) -> Self {
        Self { kinds, ..self }
    }

    const fn only_in(self, releases: &'static [Release]) -> Self {
        Self { releases, ..self }
    }

    /// A way that shares the section of another one.
    const fn in_section(self, section: &'static str) -> Self {
        Self { section, ..self }
    }

    const fn impossible(self, impossible: &'static [(&'static [Release], &'static str)]) -> Self {
        Self { impossible, ..self }
    }

    const KEY_FILE: Self = Self::new("Key file");
    const PKCS8: Self = Self::new("Key file in PKCS#8").in_section("Key file");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    #[test]
    fn each_host_has_a_recipe_with_a_section_for_each_way() -> Result<()> {
        for host in HOSTS {
            let recipe = Recipe::open(host.name)?;
            let mut ways: Vec<&str> = host.ways.iter().map(|way| way.section).collect();
            ways.dedup();
            assert_eq!(recipe.headings().collect::<Vec<_>>(), ways, "{}", host.name);
        }
        Ok(())
    }
}
