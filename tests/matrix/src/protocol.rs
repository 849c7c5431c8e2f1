//! What clients say before and after the handshake.

use std::io::{Read, Write};

use anyhow::{Result, bail, ensure};

/// A protocol with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A request, and an answer with this status.
    Https(u16),
    /// TLS after `SSLRequest`.
    Postgres,
    /// TLS after `STARTTLS`.
    Smtp,
    /// TLS from the start; the server greets with this text.
    Greeting(&'static str),
    /// TLS from the start; this is sent, and an answer that begins with the second text comes.
    Exchange(&'static [u8], &'static [u8]),
    /// TLS after `AUTH TLS`.
    Ftp,
    /// DNS over TLS (RFC 7858).
    Dns,
    /// TLS after MySQL's `SSLRequest`.
    Mysql,
}

impl Protocol {
    /// LDAP over TLS: an anonymous bind.
    pub(crate) const LDAPS: Self = Self::Exchange(
        b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0",
        b"\x30\x0c\x02\x01\x01\x61",
    );
    /// MQTT over TLS: `CONNECT` as `ab`.
    pub(crate) const MQTTS: Self =
        Self::Exchange(b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02ab", b"\x20\x02\0\0");
}

/// A query for the address of `www.example.org`, after its length.
const QUERY: &[u8] =
    b"\0\x21\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03org\0\0\x01\0\x01";

impl Protocol {
    /// What comes before the handshake.
    pub(crate) fn begin(self, stream: &mut (impl Read + Write)) -> Result<()> {
        match self {
            Self::Https(_) | Self::Greeting(_) | Self::Dns | Self::Exchange(..) => Ok(()),
            Self::Postgres => {
                // Its length and its number, as PostgreSQL's documentation has them.
                stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47])?;
                let mut answer = [0];
                stream.read_exact(&mut answer)?;
                ensure!(answer == *b"S", "the server has no TLS: {answer:?}");
                Ok(())
            }
            Self::Mysql => {
                let mut length = [0; 4];
                stream.read_exact(&mut length)?;
                let mut greeting = vec![0; usize::from(length[0])];
                stream.read_exact(&mut greeting)?;
                ensure!(greeting[0] == 10, "the greeting is {greeting:?}");
                Ok(stream.write_all(&mysql_packet(1, &[]))?)
            }
            Self::Smtp => {
                reply(stream, "220")?;
                stream.write_all(b"EHLO client.example.org\r\n")?;
                reply(stream, "250")?;
                stream.write_all(b"STARTTLS\r\n")?;
                reply(stream, "220").map(drop)
            }
            Self::Ftp => {
                reply(stream, "220")?;
                stream.write_all(b"AUTH TLS\r\n")?;
                reply(stream, "234").map(drop)
            }
        }
    }

    /// What follows the handshake: data in both directions.
    pub(crate) fn talk(self, stream: &mut (impl Read + Write)) -> Result<()> {
        match self {
            Self::Https(status) => {
                stream.write_all(
                    b"GET / HTTP/1.1\r\nHost: www.example.org\r\nConnection: close\r\n\r\n",
                )?;
                let line = line(stream)?;
                let found = line.split(' ').nth(1);
                ensure!(found == Some(status.to_string().as_str()), "the answer is {line:?}");
                Ok(())
            }
            Self::Postgres => {
                // A query of an unknown kind of message ends in an error message.
                let mut startup = vec![0, 0, 0, 0, 0, 3, 0, 0];
                startup.extend(b"user\0nobody\0database\0none\0\0");
                let length = u8::try_from(startup.len())?;
                startup[3] = length;
                stream.write_all(&startup)?;
                let mut answer = [0];
                stream.read_exact(&mut answer)?;
                ensure!(b"ER".contains(&answer[0]), "the answer is {answer:?}");
                Ok(())
            }
            Self::Mysql => {
                stream.write_all(&mysql_packet(2, b"nobody\0\0"))?;
                let mut answer = [0; 5];
                stream.read_exact(&mut answer)?;
                // An error, or another way to authenticate.
                ensure!([0xff, 0xfe].contains(&answer[4]), "the answer is {answer:?}");
                Ok(())
            }
            Self::Smtp => {
                stream.write_all(b"EHLO client.example.org\r\n")?;
                reply(stream, "250")?;
                stream.write_all(b"QUIT\r\n")?;
                reply(stream, "221").map(drop)
            }
            Self::Ftp => {
                stream.write_all(b"QUIT\r\n")?;
                reply(stream, "221").map(drop)
            }
            Self::Dns => {
                stream.write_all(QUERY)?;
                let mut answer = [0; 4];
                stream.read_exact(&mut answer)?;
                ensure!(answer[2..] == QUERY[2..4], "the answer is {answer:?}");
                Ok(())
            }
            Self::Greeting(text) => {
                let line = line(stream)?;
                ensure!(line.contains(text), "the greeting is {line:?}");
                Ok(())
            }
            Self::Exchange(sent, expected) => {
                stream.write_all(sent)?;
                let mut answer = vec![0; expected.len()];
                stream.read_exact(&mut answer)?;
                ensure!(answer == expected, "the answer is {:?}", String::from_utf8_lossy(&answer));
                Ok(())
            }
        }
    }
}

/// The start of MySQL's response to a greeting, which is also its request for TLS: capabilities
/// (protocol 4.1, TLS, long passwords), maximum size, character set.
fn mysql_packet(number: u8, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![u8::try_from(32 + rest.len()).unwrap_or(u8::MAX), 0, 0, number];
    packet.extend([0x01, 0x8a, 0, 0, 0, 0, 0, 1, 33]);
    packet.extend([0; 23]);
    packet.extend(rest);
    packet
}

/// Reads a line, byte by byte: what follows it may be a handshake.
fn line(stream: &mut impl Read) -> Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while byte != *b"\n" {
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
        if line.len() > 4096 {
            bail!("no line: {:?}", String::from_utf8_lossy(&line));
        }
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Reads the lines of a reply, of which the last one has a space after its code.
fn reply(stream: &mut impl Read, code: &str) -> Result<String> {
    loop {
        let line = line(stream)?;
        ensure!(line.starts_with(code), "the reply is {line:?}");
        if line.as_bytes().get(code.len()) != Some(&b'-') {
            return Ok(line);
        }
    }
}
