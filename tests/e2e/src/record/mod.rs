//! Records the exchanges with the service, as a server between it and the programs.
//!
//! The setting `endpoint` directs every program here, so programs need no support for it. Tokens
//! pass through this process, and are written nowhere.

mod exchange;
mod sanitize;
mod upstream;

use std::{
    convert::Infallible,
    fs,
    net::Ipv4Addr,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tempfile::NamedTempFile;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_rustls::TlsAcceptor;

use self::{exchange::Log, sanitize::Sanitizer, upstream::Upstream};
use crate::target::Target;

/// A server that forwards and records everything.
pub(crate) struct Recorder {
    endpoint: String,
    ca_file: NamedTempFile,
    passage: Arc<Passage>,
    _runtime: Runtime,
}

/// The shared state of all requests.
struct Passage {
    upstream: Upstream,
    /// The base URL in the service's responses, and this server's replacement.
    bases: [String; 2],
    log: Log,
    served: AtomicU64,
    /// The first failure to write.
    failure: Mutex<Option<anyhow::Error>>,
}

impl Recorder {
    /// Starts it in front of a target, writing into a folder that must be empty or missing.
    ///
    /// # Errors
    /// The folder has files or cannot be created, or there is no port or certificate.
    pub(crate) fn start(target: &Target, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        if fs::read_dir(folder)?.next().is_some() {
            bail!("{} is not empty: exchanges of two runs would mix", folder.display());
        }
        let settings = target.settings()?;
        let upstream = Upstream::new(target, &settings)?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let endpoint = format!("https://{}", listener.local_addr()?);
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let ca_file = NamedTempFile::with_prefix("akv-e2e-recorder-")?;
        fs::write(ca_file.path(), certified.cert.pem())?;
        let sanitizer = Sanitizer::new(target.kind, &target.name, upstream.authority());
        let passage = Arc::new(Passage {
            bases: [upstream.base().to_owned(), endpoint.clone()],
            upstream,
            log: Log::new(folder, sanitizer),
            served: AtomicU64::new(0),
            failure: Mutex::default(),
        });
        let acceptor = TlsAcceptor::from(Arc::new(tls(&certified)?));
        runtime.spawn(serve(listener, acceptor, Arc::clone(&passage)));
        Ok(Self { endpoint, ca_file, passage, _runtime: runtime })
    }

    /// The setting `endpoint` for this server.
    pub(crate) fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// The setting `ca-file` that trusts this server.
    pub(crate) fn ca_file(&self) -> String {
        self.ca_file.path().display().to_string()
    }

    /// How many exchanges were written.
    ///
    /// # Errors
    /// One could not be written.
    pub(crate) fn finish(&self) -> Result<u64> {
        let mut failure = self.passage.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match failure.take() {
            Some(error) => Err(error.context("exchanges are missing from the record")),
            None => Ok(self.passage.served.load(Ordering::Relaxed)),
        }
    }
}

fn tls(certified: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Result<ServerConfig> {
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], PrivateKeyDer::Pkcs8(key))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, passage: Arc<Passage>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let (acceptor, passage) = (acceptor.clone(), Arc::clone(&passage));
        tokio::spawn(async move {
            // Programs that end do not always close the connection gracefully.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(|request| answer(Arc::clone(&passage), request));
            let builder = auto::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Forwards a request. If the service cannot be reached, responds like a gateway.
async fn answer(
    passage: Arc<Passage>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(pass(&passage, request).await.unwrap_or_else(|error| {
        let text = format!("the recorder could not reach the service: {error:#}");
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }))
}

async fn pass(passage: &Passage, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let (request, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let (answer, content) = passage.upstream.send(&request, body.clone()).await?;
    passage.served.fetch_add(1, Ordering::Relaxed);
    if let Err(error) = passage.log.write(&request, &body, &answer, &content) {
        passage.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
    let [service, own] = &passage.bases;
    // Links point to the next page, and clients follow them only to the same server.
    let content = match str::from_utf8(&content) {
        Ok(text) => Bytes::from(text.replace(service.as_str(), own)),
        Err(_) => content,
    };
    let mut response = Response::from_parts(answer, Full::new(content));
    upstream::strip(response.headers_mut());
    Ok(response)
}
