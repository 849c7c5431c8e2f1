//! Bleichenbacher's oracle: does the server respond differently to a client whose premaster secret
//! was padded wrongly? Our own client sends each secret and then a `Finished` that no key fits.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use akv_emulator::{Operation, Persona};
use anyhow::{Result, ensure};

use crate::scene::{LIMIT, Scene, WEAK, entries};

const HANDSHAKE: u8 = 22;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const SERVER_HELLO_DONE: u8 = 14;

fn send(stream: &mut TcpStream, kind: u8, body: &[u8]) -> Result<()> {
    let len = u16::try_from(body.len())?.to_be_bytes();
    stream.write_all(&[&[kind, 3, 3], &len[..], body].concat())?;
    Ok(())
}

fn receive(stream: &mut TcpStream) -> Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let mut body = vec![0; u16::from_be_bytes([head[3], head[4]]).into()];
    stream.read_exact(&mut body)?;
    Ok((head[0], body))
}

fn message(kind: u8, body: &[u8]) -> Result<Vec<u8>> {
    let [_, len @ ..] = u32::try_from(body.len())?.to_be_bytes();
    Ok([&[kind], &len[..], body].concat())
}

/// TLS 1.2 with `TLS_RSA_WITH_AES_128_CBC_SHA` and nothing else.
fn client_hello() -> Result<Vec<u8>> {
    let random = [7; 32];
    message(1, &[&[3, 3], &random[..], &[0], &[0, 2, 0, 0x2f], &[1, 0]].concat())
}

/// Sends the encrypted premaster secret, and returns the alert that ends it: level and number.
fn answer(address: &str, ciphertext: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    send(&mut stream, HANDSHAKE, &client_hello()?)?;
    let mut flight = Vec::new();
    // ServerHelloDone has no body, so it is the last four bytes.
    while !flight.ends_with(&[SERVER_HELLO_DONE, 0, 0, 0]) {
        let (kind, body) = receive(&mut stream)?;
        ensure!(kind == HANDSHAKE, "a record of kind {kind}: {body:?}");
        flight.extend(body);
    }
    let len = u16::try_from(ciphertext.len())?.to_be_bytes();
    send(&mut stream, HANDSHAKE, &message(16, &[&len, ciphertext].concat())?)?;
    send(&mut stream, CHANGE_CIPHER_SPEC, &[1])?;
    send(&mut stream, HANDSHAKE, &[9; 64])?;
    let (kind, body) = receive(&mut stream)?;
    ensure!(kind == ALERT, "a record of kind {kind}: {body:?}");
    let mut rest = Vec::new();
    // Any kind of end: the server may close the connection before it has read everything.
    let _ = stream.read_to_end(&mut rest);
    ensure!(rest.is_empty(), "the alert is the last word: {rest:?}");
    Ok(body)
}

#[test]
fn invalid_padding_gets_the_response_of_valid_padding() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    site.set("rsa-key-exchange", "yes")?;
    let reference = site.rsa(2048)?;
    let identity = scene.identity(&reference, "oracle")?;
    let public = site.public_key(&reference)?;
    let (server, address) = scene.serve(&identity, WEAK)?;

    let mut wrong_type = vec![0xff; 256];
    wrong_type[..2].copy_from_slice(&[0, 1]);
    let mut endless = vec![0xff; 256];
    endless[..2].copy_from_slice(&[0, 2]);
    let right = [&[3, 3], &[0x5a; 46][..]].concat();
    let wrong_version = [&[3, 1], &[0x5a; 46][..]].concat();
    let (input, output) = (site.text("oracle.bin"), site.text("oracle.enc"));
    let mut answers = Vec::new();
    for (plain, padding) in [
        (right.clone(), "pkcs1"),
        (wrong_version, "pkcs1"),
        (right[..47].to_vec(), "pkcs1"),
        ([&right[..], &[1]].concat(), "pkcs1"),
        (wrong_type, "none"),
        (endless, "none"),
        (vec![0; 256], "none"),
    ] {
        fs::write(&input, plain)?;
        site.plain().ok(&format!(
            "pkeyutl -encrypt -pubin -inkey {public} -in {input} \
             -pkeyopt rsa_padding_mode:{padding} -out {output}"
        ))?;
        let before = site.vault().stats();
        answers.push(answer(&address, &fs::read(&output)?)?);
        let after = site.vault().stats();
        let decrypted = after.operation(Operation::Decrypt) - before.operation(Operation::Decrypt);
        assert_eq!((decrypted, after.requests - before.requests), (1, 1));
    }
    // Fatal, `bad_record_mac`: the keys derived from the secret do not fit the record.
    assert!(answers.iter().all(|answer| *answer == [2, 20]), "{answers:?}");
    assert_eq!(entries(&server.output()), 0, "{}", server.output());
    Ok(())
}
