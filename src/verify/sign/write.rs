//! Puts a credential where its sender puts it.

use super::SignError;
use crate::{
    request::{
        ESCAPED, Request,
        slot::{Pointer, Slot},
    },
    verify::{member, place::Place, scheme::Each, value::Value},
};
use http::{HeaderName, HeaderValue, Uri};
use percent_encoding::utf8_percent_encode;

pub(super) struct Credential<'t> {
    pub(super) text: &'t str,
    pub(super) is_secret: bool,
    /// The elements that are signed one by one, where they are, and the number of this one.
    pub(super) each: Option<&'t Each>,
    pub(super) at: usize,
}

impl Credential<'_> {
    /// Puts the text into its place.
    pub(super) fn put(&self, place: &Place, request: &mut Request) -> Result<(), SignError> {
        match place {
            Place::Headers(names) => {
                names.first().map_or(Ok(()), |name| header(request, name.clone(), self.text, self.is_secret))
            }
            Place::Numbered(beginning) => {
                let name = HeaderName::try_from(format!("{beginning}1")).map_err(|_| SignError::Header)?;
                header(request, name, self.text, self.is_secret)
            }
            Place::Member { name, .. } => {
                let body = member::add(&request.body, name, self.text);
                request.body = body.ok_or_else(|| SignError::Body(name.to_string()))?.into();
                Ok(())
            }
            Place::Slot(slots) => match slots.0.first() {
                Some(Value::Slot(Slot::Header(name))) => {
                    header(request, name.clone(), self.text, self.is_secret)
                }
                Some(Value::Slot(Slot::Query(name))) => self.query(request, name),
                Some(Value::Slot(Slot::Form(name, None))) => {
                    let and = if request.body.is_empty() { "" } else { "&" };
                    let field = format!("{and}{}", self.encoded(name));
                    request.body = [&*request.body, field.as_bytes()].concat().into();
                    Ok(())
                }
                Some(Value::Slot(Slot::Json(pointer))) => self.replace(request, None, pointer),
                Some(Value::Element(pointer)) => self.replace(request, self.each, pointer),
                Some(Value::Slot(_) | Value::Field(_)) | None => Err(SignError::Place(slots.to_string())),
            },
        }
    }

    fn encoded(&self, name: &str) -> String {
        let encode = |text| utf8_percent_encode(text, ESCAPED);
        format!("{}={}", encode(name), encode(self.text))
    }

    fn query(&self, request: &mut Request, name: &str) -> Result<(), SignError> {
        let (path, field) = (request.uri.path(), self.encoded(name));
        let uri = match request.uri.query() {
            Some(query) => format!("{path}?{query}&{field}"),
            None => format!("{path}?{field}"),
        };
        request.uri = uri.parse::<Uri>().map_err(|_| SignError::Place(format!("query:{name}")))?;
        Ok(())
    }

    /// Replaces the text that stands at a pointer.
    fn replace(
        &self,
        request: &mut Request,
        each: Option<&Each>,
        pointer: &Pointer,
    ) -> Result<(), SignError> {
        let absent = || SignError::Place(pointer.to_string());
        let body = request.body.clone();
        let whole = std::str::from_utf8(&body).map_err(|_| absent())?;
        let within = match each {
            Some(each) => each.elements(&body)?.get(self.at).copied().ok_or_else(absent)?,
            None => whole,
        };
        let found = pointer.all(within).map_err(|_| absent())?;
        let raw = found.first().copied().filter(|raw| raw.starts_with('"')).ok_or_else(absent)?;
        let start = raw.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
        let text = serde_json::to_string(self.text).map_err(|_| absent())?;
        let (before, after) = (whole.get(..start), whole.get(start + raw.len()..));
        let (before, after) = before.zip(after).ok_or_else(absent)?;
        request.body = format!("{before}{text}{after}").into();
        Ok(())
    }
}

pub(super) fn header(
    request: &mut Request,
    name: HeaderName,
    text: &str,
    is_secret: bool,
) -> Result<(), SignError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| SignError::Header)?;
    value.set_sensitive(is_secret);
    request.headers.insert(name, value);
    Ok(())
}
