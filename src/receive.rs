//! First stage: takes webhooks from the network and answers them.
//!
//! `POST /hooks/<source>`, with and without a trailing slash, never a redirect; other methods only where a handshake
//! of the source uses them, longer paths only where its events read them. Limits come before authentication: an unknown
//! source, a full process and an oversized body are refused before anything is read.

mod body;
mod connection;
mod head;
pub(crate) mod peer;
mod reply;
mod server;
mod watch;
mod wire;

pub use connection::HEAD_BYTES;
pub use head::refused_unverified;
pub use server::{Ends, Limits, bind, serve};

use crate::{
    clock,
    deadline::Deadline,
    delivery::Delivery,
    observe::{
        logs::RefusalLog,
        metrics::{Counted, Metrics, Stage, Stopwatch, UNMATCHED},
        told::Answered,
    },
    pipeline::{Answer, Pipeline, Source},
    refusal::Refusal,
    request::Request,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use body::{Bounds, Budget};
use bytes::Bytes;
use connection::Caller;
use futures_util::FutureExt as _;
use head::{check_framing, check_head};
use hyper::body::{Body as _, Incoming};
use percent_encoding::percent_decode_str;
use reply::Response;
use std::{collections::HashMap, net::SocketAddr, panic::AssertUnwindSafe, pin::pin, sync::Arc};
use tokio::time::{Instant, sleep_until};

/// What a request for a webhook needs: the sources and the path behind them.
#[derive(Debug)]
pub struct Receiver {
    sources: HashMap<String, Arc<Source>>,
    pipeline: Arc<Pipeline>,
    budget: Budget,
    metrics: Metrics,
    refusals: RefusalLog,
}

impl Receiver {
    /// Joins the sources, the path, and the bounds on bodies.
    pub fn new(
        sources: Vec<Arc<Source>>,
        pipeline: Arc<Pipeline>,
        limits: &Limits,
        metrics: Metrics,
    ) -> Arc<Self> {
        let sources = sources.into_iter().map(|source| (source.name.to_string(), source)).collect();
        let budget = Budget::new(limits);
        // So that these are there before the first of them.
        for refusal in [Refusal::UnknownSource, Refusal::Malformed("".into()), Refusal::HeadTooLarge] {
            drop(metrics.unmatched(reply::refused(&refusal, true).status().as_u16()));
        }
        Arc::new(Self { sources, pipeline, budget, metrics, refusals: RefusalLog::default() })
    }

    /// Answers a request to `/hooks/<source>` or to a path that leads nowhere.
    async fn answer(&self, request: http::Request<Incoming>, caller: &Caller) -> Response {
        let start = Instant::now();
        let peer = caller.address;
        let _counted = Counted::new(&self.metrics.in_flight);
        let Some(source) = self.source(request.uri().path()) else {
            let mut response = self.unmatched(&Refusal::UnknownSource, peer);
            if !request.body().is_end_stream() {
                reply::close(&mut response);
            }
            return response;
        };
        // What the body's end is not read of would be taken for the next request.
        let mut is_unread = !request.body().is_end_stream();
        // A copy for those who look at requests, made only where somebody does.
        let mut seen = None;
        let taken = self.take(source, request, caller, start, (&mut is_unread, &mut seen));
        // A panic must be answered as any other failure, and is told nobody.
        let result = AssertUnwindSafe(taken).catch_unwind().await.unwrap_or(Err(Refusal::Internal));
        let mut response = match &result {
            Ok(Answer::Accepted(receipts)) => {
                reply::accepted(receipts, source.status(receipts), &source.success_body)
            }
            Ok(Answer::Handshake { name, reply }) => {
                self.refusals.handshake(&source.name, name, peer);
                reply::handshake(reply)
            }
            Err(refusal) => reply::refused(refusal, source.problems),
        };
        if is_unread {
            reply::close(&mut response);
        }
        if let Err(refusal) = &result {
            source.metrics.refused(refusal);
            self.refusals.note(&source.name, refusal, response.status().as_u16(), peer);
        }
        source.metrics.answered(response.status().as_u16(), start.elapsed());
        if let Some(seen) = seen
            && self.metrics.told.of_requests(&source.name, result.is_err())
        {
            self.show(source, &seen, response.status().as_u16(), result.as_ref().err());
        }
        response
    }

    /// Shows a request and its answer to those who look.
    fn show(&self, source: &Source, request: &Request, status: u16, refusal: Option<&Refusal>) {
        let why = refusal.map(|refusal| {
            let cause = refusal.cause().map_or_else(String::new, |cause| format!("; {}", cause.what));
            format!("{}: {refusal}{cause}", refusal.code())
        });
        let answer = why.as_ref().map_or_else(|| status.to_string(), |why| format!("{status} {why}"));
        let mut withheld = source.verifier.withheld();
        source.handshakes.responders.withhold(request, &source.verifier, &mut withheld);
        let file = source.explainer.captured(request, &withheld, &answer);
        let source = source.name.to_string();
        self.metrics.told.request(&Answered { source, status, why, request: STANDARD.encode(file) });
    }

    /// Counts and tells a refusal of what no source is known for, and returns its answer.
    fn unmatched(&self, refusal: &Refusal, peer: SocketAddr) -> Response {
        let response = reply::refused(refusal, true);
        let status = response.status().as_u16();
        self.metrics.unmatched(status).inc();
        self.refusals.note(UNMATCHED, refusal, status, peer);
        response
    }

    /// Returns the source that a path leads to. A path that goes on behind it is that of a source whose events
    /// read it.
    fn source(&self, path: &str) -> Option<&Arc<Source>> {
        let (name, behind) =
            path.strip_prefix("/hooks/").map(|path| path.split_once('/').unwrap_or((path, "")))?;
        let name = percent_decode_str(name).decode_utf8().ok()?;
        let source = self.sources.get(&*name)?;
        (behind.is_empty() || source.normalizer.reads_path()).then_some(source)
    }

    /// Takes one request from the sender to its answer; `is_unread` goes once its body is read, and
    /// `seen` is filled where somebody looks at requests.
    async fn take(
        &self,
        source: &Arc<Source>,
        request: http::Request<Incoming>,
        caller: &Caller,
        start: Instant,
        (is_unread, seen): (&mut bool, &mut Option<Request>),
    ) -> Result<Answer, Refusal> {
        let (head, body) = request.into_parts();
        let received = clock::now();
        // Whether it will be refused is not known yet.
        if self.metrics.told.of_requests(&source.name, true) {
            let (method, uri, headers) = (head.method.clone(), head.uri.clone(), head.headers.clone());
            *seen = Some(Request { method, uri, headers, body: Bytes::new(), received });
        }
        check_head(&head, &source.handshakes.responders)?;
        check_framing(&head, caller.activity.may_have_length())?;
        // A place is taken once a request is verified. With none left a body is not worth reading.
        if source.in_flight.free() == 0 {
            return Err(Refusal::Overloaded("requests of this source"));
        }
        let at = start + source.deadline;
        let bounds = Bounds { start, limit: source.max_body, deadline: source.deadline };
        let mut deadline = Deadline { at, timer: pin!(sleep_until(at.min(self.budget.until(&bounds, 0)))) };
        let memory = caller.holder.hold(&self.budget.bytes);
        let mut memory = memory.ok_or(Refusal::Overloaded("bytes of bodies"))?;
        let body = self.budget.read(&head.headers, body, &bounds, &mut memory, &mut deadline).await?;
        *is_unread = false;
        source.metrics.read(body.len());
        if let Some(seen) = seen {
            seen.body = body.clone();
        }
        let mut watch = Stopwatch::since(start);
        watch.lap(&source.metrics, Stage::Receive);
        let request = Request { method: head.method, uri: head.uri, headers: head.headers, body, received };
        let delivery = Delivery::new(request, [memory.bytes, memory.unverified]);
        self.pipeline.accept(source, delivery, watch, &mut deadline).await
    }
}
