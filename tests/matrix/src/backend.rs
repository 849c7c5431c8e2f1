//! The program behind servers that only terminate TLS: it answers each request over plain HTTP.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use anyhow::Result;

/// Its port, as in the recipes.
const PORT: u16 = 8080;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";

/// The program, until it is dropped.
pub(crate) struct Backend {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

fn address() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))
}

impl Backend {
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind(address())?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                thread::spawn(|| stream.map(answer));
            }
        });
        Ok(Self { stop, thread: Some(thread) })
    }
}

fn answer(mut stream: TcpStream) {
    let Ok(other) = stream.try_clone() else { return };
    let lines = BufReader::new(other).lines();
    for line in lines.map_while(std::io::Result::ok) {
        if line.is_empty() {
            // A client that has left needs no answer.
            let _ = stream.write_all(ANSWER);
            return;
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(address());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
