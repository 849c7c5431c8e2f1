//! `warm = yes` in a C program that forks for each connection: one request to the identity endpoint
//! for each token, however many children there are.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
};

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Server, Site, Task, cc,
    warm::{LIMIT, configure, token_requests, wait_for_first_token, wait_for_token},
};
use anyhow::{Context as _, Result, ensure};

/// Starts the program with the key file, and returns its address.
fn serve(config: &Path, program: &Path, imds: &str, key: &str) -> Result<(Server, String)> {
    let task = Task::new(program).env("OPENSSL_CONF", config).env("IMDS_ENDPOINT", imds).arg(key);
    Server::start(task, LIMIT, |line| line.strip_prefix("listening ").map(str::to_owned))
}

/// Makes a new child sign. It lives as long as the connection.
fn connect(address: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    signed(&mut stream)?;
    Ok(stream)
}

fn signed(stream: &mut TcpStream) -> Result<()> {
    let mut byte = [0];
    stream.read_exact(&mut byte).context("the child has ended")?;
    ensure!(byte == *b"+", "the child could not sign");
    Ok(())
}

/// Forty children sign, one after the other, and all of them live until the last has signed.
fn forty(address: &str) -> Result<()> {
    (0..40).map(|_| connect(address)).collect::<Result<Vec<_>>>().map(drop)
}

#[test]
fn warm_parent_makes_one_request_for_each_token_whatever_its_children_do() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.key_file(&site.ec(Curve::P256)?, "forking.key")?;
    let config = configure(&site, "warm.cnf", "yes")?;
    let program = cc::compile("process/fork_server", site.folder())?;
    site.vault().reset_stats();
    let (server, address) = serve(&config, &program, site.vault().imds_endpoint(), &key)?;
    wait_for_first_token(&site)?;
    forty(&address)?;
    ensure!(token_requests(&site) == 1, "{} for forty connections", token_requests(&site));
    let mut long_lived = connect(&address)?;
    let idle = [connect(&address)?, connect(&address)?];

    // The parent does not sign, and no child renews.
    wait_for_token(&site, 2)?;
    forty(&address)?;
    long_lived.write_all(b"s")?;
    signed(&mut long_lived)?;
    ensure!(token_requests(&site) == 2, "{} with the second token", token_requests(&site));
    // By now the first token, which the old children have, has expired.
    wait_for_token(&site, 3)?;
    forty(&address)?;
    ensure!(token_requests(&site) == 3, "{} with the third token", token_requests(&site));
    drop((long_lived, idle));
    ensure!(!server.output().contains("error"), "{}", server.output());
    Ok(())
}

#[test]
fn warm_child_that_outlives_its_token_gets_one_of_its_own() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.key_file(&site.ec(Curve::P256)?, "outlives.key")?;
    let config = configure(&site, "outlives.cnf", "yes")?;
    let program = cc::compile("process/fork_server", site.folder())?;
    site.vault().reset_stats();
    let (_server, address) = serve(&config, &program, site.vault().imds_endpoint(), &key)?;
    wait_for_first_token(&site)?;
    let mut child = connect(&address)?;
    wait_for_token(&site, 3)?;
    child.write_all(b"s")?;
    signed(&mut child)?;
    ensure!(token_requests(&site) == 4, "one more, {}", token_requests(&site));
    Ok(())
}

#[test]
fn warm_no_requests_nothing_before_it_is_needed() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.key_file(&site.ec(Curve::P256)?, "cold.key")?;
    let config = configure(&site, "cold.cnf", "no")?;
    let program = cc::compile("process/fork_server", site.folder())?;
    site.vault().reset_stats();
    let (_server, address) = serve(&config, &program, site.vault().imds_endpoint(), &key)?;
    ensure!(site.vault().stats().requests == 0 && token_requests(&site) == 0);
    for children in 1..=3 {
        connect(&address)?;
        ensure!(token_requests(&site) == children, "each child requests its own token");
    }
    Ok(())
}
