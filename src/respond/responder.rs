//! One handshake: the requests that it takes, and the answer to each.

use super::{
    Effect, Handshake, Reply, RespondError, Step,
    condition::Condition,
    confirm::Address,
    template::{Json, Template},
    value::{self, Fill, Value},
};
use crate::{
    request::{Request, slot::Params},
    verify::Verifier,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header};

#[derive(Debug)]
pub(super) struct Responder {
    pub(super) name: Box<str>,
    pub(super) method: Method,
    pub(super) step: Step,
    pub(super) condition: Condition,
    pub(super) status: u16,
    pub(super) body: Body,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) capture: Option<Value>,
    pub(super) confirm: Option<Address>,
}

#[derive(Debug)]
pub(super) enum Body {
    Empty,
    Text(Template),
    Json(Json),
}

impl Responder {
    /// Answers a request that the condition takes.
    pub(super) fn answer(
        &self,
        request: &Request,
        params: &Params,
        keys: &Verifier,
    ) -> Result<Handshake<'_>, RespondError> {
        let fill = Fill { request, params, keys };
        let (body, kind) = match &self.body {
            Body::Empty => (Bytes::new(), None),
            Body::Text(text) => (text.render(&fill)?.into(), Some("text/plain; charset=utf-8")),
            Body::Json(json) => (json.render(&fill)?.to_string().into(), Some("application/json")),
        };
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
        }
        for (name, value) in &self.headers {
            let value = header::HeaderValue::try_from(value.render(&fill)?);
            headers.insert(name, value.map_err(|_| RespondError::Unusable(value::NOT_PLAIN))?);
        }
        if self.method == Method::OPTIONS {
            // What somebody wants to know who asks for options, whatever else the document says.
            headers.entry(header::ALLOW).or_insert(header::HeaderValue::from_static("POST"));
        }
        let effect = match (&self.capture, &self.confirm) {
            (Some(secret), _) => {
                let secret = secret.read(&fill)?;
                if secret.is_empty() {
                    return Err(RespondError::Unusable("the secret that is handed over is empty"));
                }
                Some(Effect::Capture(secret.into_owned().into()))
            }
            (None, Some(address)) => Some(Effect::Confirm(address.read(&fill)?)),
            (None, None) => None,
        };
        Ok(Handshake { name: &self.name, reply: Reply { status: self.status, headers, body }, effect })
    }
}
