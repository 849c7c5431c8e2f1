use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::Settings;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A server for plain HTTP/1.1, and a pool for it.
fn server() -> (TcpListener, Arc<Pool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = Authority::try_from(listener.local_addr().unwrap().to_string()).unwrap();
    let settings = Settings::builder().build().unwrap();
    let connector = Connector::new(&settings, Arc::default(), None).unwrap();
    let pool = Pool::new(connector, Scheme::HTTP, authority, Duration::from_secs(2)).unwrap();
    (listener, Arc::new(pool))
}

async fn get(pool: &Arc<Pool>) -> azure_core::Result<()> {
    let url = Uri::try_from(format!("{}keys", pool.server)).unwrap();
    let (response, _lease) = pool.send(&url, Request::new(Body::default())).await?;
    drop(response);
    Ok(())
}

/// Reads a request, and returns its first line.
fn request(stream: &mut TcpStream) -> io::Result<String> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        text.extend(byte);
    }
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn answer(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
}

#[test]
fn a_connection_is_reused_and_closed_when_idle() {
    let (listener, pool) = server();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = [0; 2].map(|_| {
            let line = request(&mut stream).unwrap();
            answer(&mut stream).unwrap();
            line
        });
        // The end of the connection, or a request too many.
        (lines, stream.read(&mut [0; 64]).unwrap())
    });
    runtime().block_on(async {
        get(&pool).await.unwrap();
        get(&pool).await.unwrap();
        tokio::time::pause();
        tokio::time::sleep(IDLE + Duration::from_secs(1)).await;
        assert!(pool.state().idle.is_empty());
    });
    let first_line = "GET /keys HTTP/1.1".to_owned();
    assert_eq!(serving.join().unwrap(), ([first_line.clone(), first_line], 0));
}

#[test]
fn a_connection_that_the_server_closed_is_not_used() {
    let (listener, pool) = server();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        request(&mut stream).unwrap();
        answer(&mut stream).unwrap();
        drop(stream);
        let (mut stream, _) = listener.accept().unwrap();
        request(&mut stream).unwrap();
        answer(&mut stream).unwrap();
    });
    runtime().block_on(async {
        get(&pool).await.unwrap();
        while pool.state().idle.iter().any(|(connection, _)| !connection.is_closed()) {
            tokio::task::yield_now().await;
        }
        get(&pool).await.unwrap();
    });
    serving.join().unwrap();
}

/// Without a thread, connections are not polled between two operations.
#[test]
fn without_a_thread_a_connection_that_the_server_closed_is_not_used() {
    let (listener, pool) = server();
    let (closed, wait_until_closed) = std::sync::mpsc::channel();
    let serving = thread::spawn(move || {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            request(&mut stream).unwrap();
            answer(&mut stream).unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    });
    use crate::process::driver::{Caller, Pending};
    let driver = crate::process::driver::caller_driven();
    for _ in 0..3 {
        let pool = Arc::clone(&pool);
        let operation = Box::pin(async move { Ok(get(&pool).await) });
        let pending = Pending::start(Arc::clone(&driver), operation, Caller::Waits);
        let until = std::time::Instant::now() + Duration::from_secs(10);
        pending.wait(until).unwrap().unwrap().unwrap();
        wait_until_closed.recv().unwrap();
    }
    serving.join().unwrap();
}

#[test]
fn a_caller_connects_itself_if_the_connecting_runtime_ends() {
    let (listener, pool) = server();
    let (ending, staying) = (runtime(), runtime());
    ending.block_on(async {
        tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { get(&pool).await }
        });
        tokio::task::yield_now().await;
    });
    assert_eq!(pool.state().opening, 1);
    let serving = thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The runtime that ended may already have opened a connection.
            if request(&mut stream).is_ok() {
                return answer(&mut stream).unwrap();
            }
        }
    });
    staying.block_on(async {
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { get(&pool).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(pool.state().opening, 1);
        ending.shutdown_background();
        waiting.await.unwrap().unwrap();
    });
    serving.join().unwrap();
    assert_eq!(pool.state().opening, 0);
}

#[test]
fn all_waiting_callers_get_the_connection_error() {
    let (listener, pool) = server();
    drop(listener);
    runtime().block_on(async {
        let (first, second) = tokio::join!(get(&pool), get(&pool));
        for outcome in [first, second] {
            let error = outcome.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Connection);
            let text = crate::outside::causes(&error);
            assert!(text.contains("refused"), "{text}");
        }
    });
    let state = pool.state();
    assert_eq!((state.opening, state.waiting.len()), (0, 0));
}

#[test]
fn host_header_contains_only_non_default_ports() {
    for (scheme, authority, expected) in [
        (Scheme::HTTPS, "v.vault.azure.net", "v.vault.azure.net"),
        (Scheme::HTTPS, "v.vault.azure.net:443", "v.vault.azure.net"),
        (Scheme::HTTP, "localhost:443", "localhost:443"),
        (Scheme::HTTP, "169.254.169.254:80", "169.254.169.254"),
        (Scheme::HTTPS, "[::1]:8443", "[::1]:8443"),
    ] {
        assert_eq!(host(&scheme, &authority.try_into().unwrap()).unwrap(), expected);
    }
}
