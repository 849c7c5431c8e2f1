//! Ports for programs that cannot choose one themselves.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context as _, Result};

/// The lowest port to choose.
const LOWEST: u32 = 10_000;

/// A free port that the kernel gives to nobody else: it is below the range from which outgoing
/// connections and listeners on port 0 get theirs. Tests of other processes begin elsewhere.
///
/// # Errors
/// No port is free.
pub fn free() -> Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let end: Option<u32> = range.split_whitespace().next().and_then(|first| first.parse().ok());
    let count = end.unwrap_or(32_768).saturating_sub(LOWEST).max(1);
    let start = std::process::id().wrapping_mul(61);
    (0..count)
        .filter_map(|_| {
            let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count;
            let port = u16::try_from(LOWEST + offset).ok()?;
            bind(port).ok().map(|_| port)
        })
        .next()
        .context("no free port")
}

fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_differ() -> Result<()> {
        assert_ne!(free()?, free()?);
        // Another program may take one meanwhile, but not all.
        let is_free = |_| free().is_ok_and(|port| bind(port).is_ok());
        assert!((0..10).any(is_free));
        Ok(())
    }
}
